//! The days of a move as a calendar (iCalendar, RFC 5545), for whoever keeps appointments.

use std::time::Duration;

use anser_base::Timestamp;

/// How long an appointment takes.
const HOUR: Duration = Duration::from_secs(3600);
/// Octets of a line (RFC 5545 §3.1).
const LINE: usize = 75;

/// Something to be done at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appointment {
    /// What tells it from the others of a move; the same whenever the calendar is made anew, so that programs replace it.
    pub name: String,
    /// When.
    pub at: Timestamp,
    /// What.
    pub text: String,
}

/// A calendar of a move.
pub fn calendar(project: &str, hostname: &str, now: Timestamp, appointments: &[Appointment]) -> String {
    let mut out = String::new();
    let mut line = |text: String| {
        fold(&mut out, &text);
    };
    line("BEGIN:VCALENDAR".into());
    line("VERSION:2.0".into());
    line("PRODID:-//Anser//move//EN".into());
    for one in appointments {
        let id = blake3::hash(format!("{project}\0{}", one.name).as_bytes()).to_hex();
        line("BEGIN:VEVENT".into());
        line(format!("UID:{}@{hostname}", &id[..32]));
        line(format!("DTSTAMP:{}", stamp(now)));
        line(format!("DTSTART:{}", stamp(one.at)));
        line(format!("DTEND:{}", stamp(one.at.after(HOUR))));
        line(format!("SUMMARY:{}", escaped(&format!("{project}: {}", one.text))));
        line("END:VEVENT".into());
    }
    line("END:VCALENDAR".into());
    out
}

/// A time in UTC (RFC 5545 §3.3.5).
fn stamp(at: Timestamp) -> String {
    let text = at.to_string();
    let whole = text.split('.').next().unwrap_or_default();
    whole.chars().filter(|c| !"-:".contains(*c)).collect::<String>() + "Z"
}

/// RFC 5545 §3.3.11.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '\\' | ';' | ',' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

/// Writes a line, folded between characters.
fn fold(out: &mut String, text: &str) {
    let mut width = 0;
    for c in text.chars() {
        if width + c.len_utf8() > LINE {
            out.push_str("\r\n ");
            width = 1;
        }
        out.push(c);
        width += c.len_utf8();
    }
    out.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_short_and_what_was_said_stays_in_its_line() {
        let text = format!("visit, {}; x\r\nEND:VCALENDAR", "回访".repeat(40));
        let one = Appointment { name: "1".into(), at: Timestamp::from_secs(1_800_000_000), text };
        let made = calendar("house", "mail.test", Timestamp::from_secs(1), &[one]);
        assert!(made.split("\r\n").all(|line| line.len() <= LINE));
        assert_eq!(made.matches("\r\nEND:VCALENDAR").count(), 1);
        assert!(made.contains("DTSTART:20270115T080000Z") && made.contains("visit\\, "), "{made}");
    }
}
