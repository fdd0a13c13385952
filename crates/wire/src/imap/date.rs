//! Dates and times (RFC 9051 §9 `date`, `date-time`).

use std::fmt;

/// A day, as SEARCH SINCE and its kin name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    /// 0 to 9999
    pub year: u16,
    /// 1 to 12
    pub month: u8,
    /// 1 to 31, valid in its month
    pub day: u8,
}

/// An INTERNALDATE: a moment and the zone in which it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DateTime {
    /// Seconds since 1970-01-01 00:00:00 UTC.
    pub unix_seconds: i64,
    /// Offset of the zone from UTC in minutes, east positive, less than 100 hours.
    pub offset_minutes: i16,
}

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAY_SECONDS: i64 = 86_400;

impl Date {
    /// Reads `1-Feb-1994`; `None` where there is no such day.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let (day, month, year) = (parts.next()?, parts.next()?, parts.next()?);
        let month = 1 + MONTHS.iter().position(|name| name.eq_ignore_ascii_case(month))?;
        if parts.next().is_some() || day.len() > 2 || year.len() != 4 {
            return None;
        }
        let date = Self { year: digits(year)?, month: month as u8, day: digits(day)? as u8 };
        if date.day >= 1 && date.day <= days_in(date.year, date.month) { Some(date) } else { None }
    }

    /// Days since 1970-01-01.
    pub fn unix_days(self) -> i64 {
        // Years are counted from March, so that the leap day is the last of its year.
        let (month, year) = ((i64::from(self.month) + 9) % 12, i64::from(self.year) - i64::from(self.month <= 2));
        let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
        let day_of_year = (153 * month + 2) / 5 + i64::from(self.day) - 1;
        era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + day_of_year - 719_468
    }

    /// The day that is so many days after 1970-01-01; held within the years 0 to 9999.
    pub fn from_unix_days(days: i64) -> Self {
        let days = days.clamp(-719_528, 2_932_896) + 719_468;
        let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let day_of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * shifted + 2) / 5 + 1;
        let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
        let year = era * 400 + year_of_era + i64::from(month <= 2);
        Self { year: year as u16, month: month as u8, day: day as u8 }
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{:04}", self.day, month_name(self.month), self.year)
    }
}

impl DateTime {
    /// Reads ` 1-Jan-2020 00:00:00 +0800`, without its quotes.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.trim_start_matches(' ').split(' ');
        let (date, time, zone) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() {
            return None;
        }
        let offset_minutes = zone_minutes(zone)?;
        let local = Date::parse(date)?.unix_days() * DAY_SECONDS + day_seconds(time)?;
        Some(Self { unix_seconds: local - i64::from(offset_minutes) * 60, offset_minutes })
    }
}

impl DateTime {
    /// The form of INTERNALDATE, without its quotes.
    pub(super) fn to_bytes(self) -> [u8; 26] {
        let local = self.unix_seconds.saturating_add(i64::from(self.offset_minutes) * 60);
        let (date, seconds) = (Date::from_unix_days(local.div_euclid(DAY_SECONDS)), local.rem_euclid(DAY_SECONDS));
        let minutes = self.offset_minutes.unsigned_abs();
        let mut out = *b" 0-Jan-0000 00:00:00 +0000";
        let mut two = |at: usize, number: u64| {
            (out[at], out[at + 1]) = (b'0' + (number / 10 % 10) as u8, b'0' + (number % 10) as u8);
        };
        two(0, u64::from(date.day));
        two(7, u64::from(date.year / 100));
        two(9, u64::from(date.year % 100));
        two(12, seconds as u64 / 3_600);
        two(15, seconds as u64 / 60 % 60);
        two(18, seconds as u64 % 60);
        two(22, u64::from(minutes / 60));
        two(24, u64::from(minutes % 60));
        if out[0] == b'0' {
            out[0] = b' ';
        }
        out[3..6].copy_from_slice(month_name(date.month).as_bytes());
        if self.offset_minutes < 0 {
            out[21] = b'-';
        }
        out
    }
}

impl fmt::Display for DateTime {
    /// The form of INTERNALDATE, without its quotes: always 26 characters.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.to_bytes()))
    }
}

fn month_name(month: u8) -> &'static str {
    MONTHS.get(usize::from(month).wrapping_sub(1)).copied().unwrap_or("Jan")
}

fn days_in(year: u16, month: u8) -> u8 {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn digits(text: &str) -> Option<u16> {
    if text.bytes().all(|b| b.is_ascii_digit()) { text.parse().ok() } else { None }
}

/// `23:59:60` is allowed for leap seconds and counts as the next second.
fn day_seconds(time: &str) -> Option<i64> {
    let mut parts = time.split(':').map(|part| if part.len() == 2 { digits(part) } else { None });
    let (hour, minute, second) = (parts.next()??, parts.next()??, parts.next()??);
    if parts.next().is_some() || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    Some(i64::from(hour) * 3_600 + i64::from(minute) * 60 + i64::from(second))
}

fn zone_minutes(zone: &str) -> Option<i16> {
    let sign = match zone.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let number = digits(&zone[1..]).filter(|_| zone.len() == 5)?;
    let (hours, minutes) = (number / 100, number % 100);
    if minutes > 59 { None } else { Some(sign * (hours * 60 + minutes) as i16) }
}
