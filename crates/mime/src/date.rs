//! Dates of mail: the header form (RFC 5322 §3.3, §4.3) and IMAP's internal date (RFC 9051 §9 `date-time`).

/// A moment and the zone it was told in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DateTime {
    /// Seconds since 1970-01-01T00:00:00Z.
    pub unix: i64,
    /// Offset of the zone in minutes east of UTC, within a day.
    pub offset_minutes: i32,
}

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const WEEKDAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

/// Zone names with a meaning (RFC 5322 §4.3), minutes east of UTC; all other names mean UTC.
const ZONES: [(&str, i32); 8] = [
    ("EST", -300),
    ("EDT", -240),
    ("CST", -360),
    ("CDT", -300),
    ("MST", -420),
    ("MDT", -360),
    ("PST", -480),
    ("PDT", -420),
];

/// Words of a date that are looked at.
const MAX_WORDS: usize = 16;

/// First and last second of the years 1 to 9999: what can be written.
const WRITABLE: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;

/// Reads a `Date` value. Accepts comments, names of days in any language position, missing seconds, two-digit years,
/// zone names, dashes between day, month and year, and the order of `asctime`. `None` when day, month, year or time
/// are missing or impossible. A missing zone is UTC.
pub fn parse(value: &[u8]) -> Option<DateTime> {
    let mut reading = Reading::default();
    for word in words(value).into_iter().take(MAX_WORDS) {
        reading.word(word);
    }
    reading.date_time()
}

/// Reads the quoted content of an IMAP `date-time`, as in `" 1-Jan-2020 00:00:00 +0800"`; the day can have one digit.
pub fn parse_internal_date(value: &[u8]) -> Option<DateTime> {
    let text = std::str::from_utf8(value).ok()?.trim_start_matches(' ');
    let (date, rest) = text.split_once(' ')?;
    let (time, zone) = rest.split_once(' ')?;
    let mut date = date.splitn(3, '-');
    let (day, month, year) = (date.next()?, date.next()?, date.next()?);
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let shape = (1..=2).contains(&day.len()) && year.len() == 4 && time.len() == 8 && zone.len() == 5;
    if !shape || !is_digits(day) || !is_digits(year) || !is_digits(&zone[1..]) {
        return None;
    }
    let reading = Reading {
        day: day.parse().ok(),
        month: month_number(month.as_bytes()).filter(|_| month.len() == 3),
        year: year.parse().ok(),
        time: clock(time.as_bytes()),
        zone: numeric_zone(zone.as_bytes()),
    };
    reading.zone?;
    reading.date_time()
}

/// Writes a moment for a header: `Wed, 01 Jan 2020 00:00:00 +0800` (RFC 5322 §3.3). Years beyond 1 to 9999 are cut.
pub fn format_rfc5322(date: DateTime) -> String {
    let c = civil(date);
    let (weekday, month) = (WEEKDAYS[c.weekday], MONTHS[c.month]);
    let DateTimeText { time, zone } = DateTimeText::of(&c, date.offset_minutes);
    format!("{weekday}, {:02} {month} {:04} {time} {zone}", c.day, c.year)
}

/// Writes a moment as the content of an IMAP `date-time`, always 26 characters: ` 1-Jan-2020 00:00:00 +0800`.
pub fn format_internal_date(date: DateTime) -> String {
    let c = civil(date);
    let DateTimeText { time, zone } = DateTimeText::of(&c, date.offset_minutes);
    format!("{:2}-{}-{:04} {time} {zone}", c.day, MONTHS[c.month], c.year)
}

/// What was read of a date so far.
#[derive(Default)]
struct Reading {
    day: Option<i64>,
    month: Option<usize>,
    year: Option<i64>,
    /// Seconds of the day.
    time: Option<i64>,
    zone: Option<i32>,
}

impl Reading {
    fn word(&mut self, word: &[u8]) {
        let starts_with_digit = word.first().is_some_and(u8::is_ascii_digit);
        if word.contains(&b':') && starts_with_digit && self.time.is_none() {
            let end = word.iter().position(|byte| matches!(byte, b'+' | b'-')).unwrap_or(word.len());
            self.time = clock(&word[..end]);
            self.zone = numeric_zone(&word[end..]).or(self.zone);
        } else if matches!(word[0], b'+' | b'-') {
            self.zone = self.zone.or(numeric_zone(word));
        } else if starts_with_digit && word.iter().all(u8::is_ascii_digit) {
            self.number(word);
        } else if starts_with_digit && word.contains(&b'-') {
            word.split(|byte| *byte == b'-').filter(|part| !part.is_empty()).take(3).for_each(|part| self.word(part));
        } else {
            self.name(word);
        }
    }

    fn number(&mut self, digits: &[u8]) {
        let Some(number) = small_number(digits) else { return };
        if digits.len() <= 2 && self.day.is_none() {
            self.day = Some(number);
        } else if self.year.is_none() {
            self.year = Some(full_year(number, digits.len()));
        }
    }

    fn name(&mut self, word: &[u8]) {
        if let Some(month) = month_number(word)
            && self.month.is_none()
        {
            self.month = Some(month);
            return;
        }
        if self.zone.is_some() || self.time.is_none() {
            return;
        }
        let sign = word.iter().position(|byte| matches!(byte, b'+' | b'-')).unwrap_or(word.len());
        let named = ZONES.iter().find(|(name, _)| name.as_bytes().eq_ignore_ascii_case(word)).map(|zone| zone.1);
        self.zone = numeric_zone(&word[sign..]).or(named);
    }

    fn date_time(&self) -> Option<DateTime> {
        let (day, month, year) = (self.day?, self.month?, self.year?);
        if !(1900..=9999).contains(&year) || !(1..=days_of(year, month)).contains(&day) {
            return None;
        }
        let offset_minutes = self.zone.unwrap_or(0);
        let unix = days_since_epoch(year, month as i64 + 1, day) * 86_400 + self.time? - i64::from(offset_minutes) * 60;
        Some(DateTime { unix, offset_minutes })
    }
}

/// Words between white space, commas and comments.
fn words(value: &[u8]) -> Vec<&[u8]> {
    let mut words = Vec::new();
    let (mut start, mut depth) = (0, 0usize);
    for (at, &byte) in value.iter().enumerate() {
        if !(byte.is_ascii_whitespace() || matches!(byte, b',' | b'(' | b')' | 0)) {
            continue;
        }
        if depth == 0 && start < at && words.len() < MAX_WORDS {
            words.push(&value[start..at]);
        }
        match byte {
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        start = at + 1;
    }
    if depth == 0 && start < value.len() {
        words.push(&value[start..]);
    }
    words
}

fn small_number(digits: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(digits).ok().filter(|text| (1..=4).contains(&text.len()))?;
    text.parse::<u16>().ok().map(i64::from)
}

/// Years of two and three digits (RFC 5322 §4.3).
fn full_year(number: i64, digits: usize) -> i64 {
    match (digits, number) {
        (..=2, 0..=49) => 2000 + number,
        (..=3, _) => 1900 + number,
        _ => number,
    }
}

fn month_number(word: &[u8]) -> Option<usize> {
    let start = word.get(..3)?;
    MONTHS.iter().position(|month| month.as_bytes().eq_ignore_ascii_case(start))
}

/// `hh:mm[:ss]` as seconds of the day; a leap second is the second before it.
fn clock(text: &[u8]) -> Option<i64> {
    let mut fields = text.splitn(3, |byte| *byte == b':');
    let hour = small_number(fields.next()?).filter(|hour| *hour < 24)?;
    let minute = small_number(fields.next()?).filter(|minute| *minute < 60)?;
    let second = match fields.next() {
        Some(digits) => small_number(digits).filter(|second| *second <= 60)?.min(59),
        None => 0,
    };
    Some(hour * 3_600 + minute * 60 + second)
}

/// `+0800`, `+08:00` or `+8` in minutes; `None` when it is no zone on this earth.
fn numeric_zone(word: &[u8]) -> Option<i32> {
    let (&sign, digits) = word.split_first()?;
    let digits: Vec<u8> = digits.iter().copied().filter(|byte| *byte != b':').take(5).collect();
    let number = small_number(&digits)? as i32;
    let (hours, minutes) = if digits.len() <= 2 { (number, 0) } else { (number / 100, number % 100) };
    let offset = hours * 60 + minutes;
    match sign {
        _ if hours > 23 || minutes > 59 => None,
        b'+' => Some(offset),
        b'-' => Some(-offset),
        _ => None,
    }
}

fn days_of(year: i64, month: usize) -> i64 {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        1 if is_leap => 29,
        1 => 28,
        3 | 5 | 8 | 10 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 to a date of the Gregorian calendar; `month` counts from 1.
fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    // Years are counted from March, so that the leap day is the last day of a year.
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// A moment in the calendar of its zone.
struct Civil {
    year: i64,
    /// From 0.
    month: usize,
    day: i64,
    /// From Sunday, 0.
    weekday: usize,
    second_of_day: i64,
}

fn civil(date: DateTime) -> Civil {
    let local = date.unix.saturating_add(i64::from(date.offset_minutes) * 60);
    let local = local.clamp(*WRITABLE.start(), *WRITABLE.end());
    let days = local.div_euclid(86_400);
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let month = ((march_month + 2) % 12) as usize;
    Civil {
        year: year_of_era + era * 400 + i64::from(month < 2),
        month,
        day: day_of_year - (153 * march_month + 2) / 5 + 1,
        weekday: (days + 4).rem_euclid(7) as usize,
        second_of_day: local.rem_euclid(86_400),
    }
}

/// The parts that both written forms share.
struct DateTimeText {
    time: String,
    zone: String,
}

impl DateTimeText {
    fn of(c: &Civil, offset_minutes: i32) -> DateTimeText {
        let s = c.second_of_day;
        let sign = if offset_minutes < 0 { '-' } else { '+' };
        let offset = offset_minutes.unsigned_abs().min(23 * 60 + 59);
        DateTimeText {
            time: format!("{:02}:{:02}:{:02}", s / 3_600, s / 60 % 60, s % 60),
            zone: format!("{sign}{:02}{:02}", offset / 60, offset % 60),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unix(value: &str) -> Option<(i64, i32)> {
        parse(value.as_bytes()).map(|date| (date.unix, date.offset_minutes))
    }

    #[test]
    fn header_dates() {
        let new_year = Some((1_577_808_000, 480));
        assert_eq!(unix("Wed, 1 Jan 2020 00:00:00 +0800"), new_year);
        assert_eq!(unix("Wed, 01 Jan 2020 00:00 +0800 (CST)"), new_year);
        assert_eq!(unix("1 Jan 20 (new (year)) 00:00:00 +08:00"), new_year);
        assert_eq!(unix("Wed,1-Jan-2020 00:00:00+0800"), new_year);
        assert_eq!(unix("Wed, 1 January 2020 00:00:00 GMT+0800"), new_year);
        assert_eq!(unix("Tue Dec 31 16:00:00 2019"), Some((1_577_808_000, 0)));
        assert_eq!(unix("Fri, 21 Nov 97 09:55:06 EST"), Some((880_124_106, -300)));
        assert_eq!(unix("29 Feb 2000 23:59:60 Z"), Some((951_868_799, 0)));
    }

    #[test]
    fn no_dates() {
        for value in ["", "today", "31 Apr 2020 00:00 +0000", "1 Jan 2020", "1 Jan 2020 25:00 Z", "1 2 3 4 5 6 7"] {
            assert_eq!(unix(value), None, "{value}");
        }
    }

    #[test]
    fn both_forms_are_written_and_read_back() {
        for unix in [0, 951_782_400, 951_868_799, 1_577_808_000, -1, 4_102_444_800] {
            for offset_minutes in [0, 480, -210] {
                let date = DateTime { unix, offset_minutes };
                let internal = format_internal_date(date);
                assert_eq!(internal.len(), 26);
                assert_eq!(parse_internal_date(internal.as_bytes()), Some(date));
                assert_eq!(parse(format_rfc5322(date).as_bytes()), Some(date));
            }
        }
        let date = DateTime { unix: 1_577_808_000, offset_minutes: 480 };
        assert_eq!(format_internal_date(date), " 1-Jan-2020 00:00:00 +0800");
        assert_eq!(format_rfc5322(date), "Wed, 01 Jan 2020 00:00:00 +0800");
        assert_eq!(parse_internal_date(b"1-Jan-2020 00:00:00 0800"), None);
        format_rfc5322(DateTime { unix: i64::MIN, offset_minutes: i32::MIN });
    }
}
