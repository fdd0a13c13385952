//! Time zones by their IANA names. The rules of all zones come with the program; the system's are not asked.

use std::fmt;

use anser_base::{Error, Result};
use jiff::Timestamp;
use jiff::tz::{TimeZone as Rules, TimeZoneDatabase};

use crate::model::Locale;

/// Longest name, in bytes.
const NAME: usize = 64;

/// A time zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeZone(Rules);

impl TimeZone {
    /// The zone of an IANA name, in any case; `None` when there is none.
    pub fn named(name: &str) -> Option<Self> {
        let is_sound = name.len() <= NAME && name.is_ascii();
        is_sound.then(|| TimeZoneDatabase::bundled().get(name).ok()).flatten().map(Self)
    }

    /// As [`Self::named`]; `Class::Invalid` when there is none.
    pub fn parse(name: &str) -> Result<Self> {
        Self::named(name).ok_or_else(|| {
            Error::invalid("no such time zone; one is Asia/Shanghai", "没有此时区；正确的写法如 Asia/Shanghai")
        })
    }

    /// Where people live who speak a language with the house, as long as they do not say.
    pub fn of_locale(locale: Locale) -> Self {
        match locale {
            Locale::Zh => Self::named("Asia/Shanghai").unwrap_or(Self(Rules::UTC)),
            Locale::En => Self(Rules::UTC),
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    /// Minutes east of UTC at a second of UTC since 1970; a time that no calendar has counts as 1970.
    pub fn offset_minutes(&self, unix: i64) -> i32 {
        let at = Timestamp::from_second(unix).unwrap_or_default();
        self.0.to_offset(at).seconds().div_euclid(60)
    }
}

impl fmt::Display for TimeZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-01-15, 2026-07-15, both at 12:00 UTC.
    const SEASONS: [i64; 2] = [1_768_478_400, 1_784_116_800];

    #[test]
    fn zones_know_their_summers() {
        for (name, expected) in [
            ("Asia/Shanghai", [480, 480]),
            ("Europe/Berlin", [60, 120]),
            ("America/New_York", [-300, -240]),
            ("Australia/Lord_Howe", [660, 630]),
            ("Asia/Kathmandu", [345, 345]),
            ("UTC", [0, 0]),
        ] {
            let zone = TimeZone::parse(name).unwrap();
            assert_eq!(SEASONS.map(|unix| zone.offset_minutes(unix)), expected, "{name}");
            assert_eq!(zone.to_string(), name);
        }
        let berlin = TimeZone::parse("europe/BERLIN").unwrap();
        assert_eq!(berlin.name(), "Europe/Berlin");
        // The hour changes at 01:00 UTC on 29 March 2026.
        assert_eq!([1_774_745_999, 1_774_746_000].map(|unix| berlin.offset_minutes(unix)), [60, 120]);
        // Long after every table ends, by the rule.
        assert_eq!(berlin.offset_minutes(SEASONS[1] + 50 * 31_556_952), 120);
    }

    #[test]
    fn what_is_no_zone_is_none() {
        let long = "a".repeat(NAME + 1);
        for name in ["", "Mars/Olympus", "../etc/passwd", "Asia/Shanghai\0", "亚洲/上海", "+0800", &long] {
            assert_eq!(TimeZone::named(name), None, "{name}");
        }
        let zone = TimeZone::of_locale(Locale::Zh);
        assert_eq!(zone.name(), "Asia/Shanghai");
        for unix in [i64::MIN, -1, i64::MAX] {
            zone.offset_minutes(unix);
        }
        assert_eq!(TimeZone::of_locale(Locale::En).offset_minutes(0), 0);
    }
}
