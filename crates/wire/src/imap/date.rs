//! Dates and times (RFC 9051 §9 `date`, `date-time`).

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
    /// Offset of the zone from UTC in minutes, east positive.
    pub offset_minutes: i16,
}
