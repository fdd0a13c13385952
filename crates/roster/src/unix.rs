//! Files of lines of fields with colons between: passwd(5), shadow(5), and Dovecot's passwd-file.

use anser_base::Text;

use crate::field::Field;
use crate::person::Draft;
use crate::{Format, Options, Roster, VALUE};

/// The first number of people; lower ones are the system's own. Likewise those from [`NOBODY`] on.
const FIRST_PERSON: u32 = 1000;
/// The number of nobody.
const NOBODY: u32 = 65_534;

/// Reads lines into the roster.
pub fn read(text: &str, format: Format, options: &Options, roster: &mut Roster) {
    for (at, line) in text.lines().enumerate() {
        let (number, line) = (at as u64 + 1, line.trim_end_matches('\r'));
        if line.trim().is_empty() || line.starts_with(['#', '+', '-']) {
            continue;
        }
        if line.len() > VALUE {
            roster.complain(number, Text::new("the line is too long", "行过长"));
            continue;
        }
        let fields: Vec<&str> = line.split(':').collect();
        let mut draft = Draft::new();
        let read = match format {
            Format::Passwd => passwd(&fields, &mut draft),
            Format::Shadow => shadow(&fields, &mut draft),
            _ => dovecot(line, &fields, &mut draft),
        };
        match read {
            Read::Person => {
                if !roster.add(number, draft.entry(options.domain.as_deref())) {
                    return;
                }
            }
            Read::System => {
                let name = fields.first().copied().unwrap_or_default();
                roster
                    .pass_over(number, Text::new(format!("{name} is the system's own"), format!("{name} 是系统账号")));
            }
            Read::Bad => roster.complain(
                number,
                Text::new(format!("that is no line of {}", format.name()), format!("这不是 {} 的行", format.name())),
            ),
        }
    }
}

enum Read {
    Person,
    System,
    Bad,
}

/// `name:password:number:group:gecos:home:shell`
fn passwd<'a>(fields: &[&'a str], draft: &mut Draft<'a>) -> Read {
    let [name, password, number, _, gecos, _, _] = fields[..] else { return Read::Bad };
    let Ok(number) = number.parse::<u32>() else { return Read::Bad };
    if !(FIRST_PERSON..NOBODY).contains(&number) {
        return Read::System;
    }
    draft.values.push((Field::Address, name));
    draft.values.push((Field::Name, gecos.split(',').next().unwrap_or_default()));
    // The password is in shadow when it is `x`.
    if password != "x" && password != "*" && !password.is_empty() {
        draft.values.push((Field::Hash, password));
    }
    Read::Person
}

/// `name:password:…`, nine fields. Without a password it is the system's own.
fn shadow<'a>(fields: &[&'a str], draft: &mut Draft<'a>) -> Read {
    let [name, password, ..] = fields[..] else { return Read::Bad };
    if matches!(password, "*" | "!" | "!!" | "!*" | "") {
        return Read::System;
    }
    draft.values.push((Field::Address, name));
    draft.values.push((Field::Hash, password));
    Read::Person
}

/// `user:password:uid:gid:gecos:home:shell:extra`; only the first two are needed.
fn dovecot<'a>(line: &'a str, fields: &[&'a str], draft: &mut Draft<'a>) -> Read {
    let [name, password, ..] = fields[..] else { return Read::Bad };
    draft.values.push((Field::Address, name));
    if !password.is_empty() {
        let is_clear = ["{PLAIN}", "{CLEAR}", "{CLEARTEXT}"]
            .iter()
            .any(|scheme| password.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)));
        draft.values.push((if is_clear { Field::Password } else { Field::Hash }, password));
    }
    draft.values.push((Field::Name, fields.get(4).and_then(|gecos| gecos.split(',').next()).unwrap_or_default()));
    // The extra fields may hold colons themselves.
    let extra = line.splitn(8, ':').nth(7).unwrap_or_default();
    for word in extra.split_whitespace() {
        let Some((name, value)) = word.split_once('=') else { continue };
        match name {
            "userdb_quota_rule" => {
                if let Some((_, size)) = value.split_once("storage=") {
                    // Dovecot counts a number alone in KB.
                    draft.unit = 1 << 10;
                    draft.values.push((Field::Quota, size));
                }
            }
            "userdb_quota_storage_size" => draft.values.push((Field::QuotaBytes, value)),
            "nologin" => draft.values.push((Field::Active, if value == "no" { "yes" } else { "no" })),
            _ => {}
        }
    }
    Read::Person
}
