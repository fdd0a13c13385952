//! Which months there are.

use std::collections::BTreeSet;
use std::path::Path;

use anser_base::{Disk, Error, Result, Timestamp};

/// The month of a point in time, in UTC, as `year * 100 + month`.
pub fn month_of(at: Timestamp) -> u32 {
    let civil = at.utc();
    u32::try_from(civil.year.clamp(1970, 9999)).unwrap_or(1970) * 100 + civil.month
}

/// The months that have a journal file below the data folder (`journal/2026-11.db`): what [`crate::Deps`] wants on the
/// embedded engine.
pub fn months_in(disk: &dyn Disk, data: &Path) -> Result<BTreeSet<u32>> {
    match disk.list(&data.join("journal")) {
        Ok(entries) => Ok(entries.iter().filter_map(|entry| month_of_file(&entry.name)).collect()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(BTreeSet::new()),
        Err(error) => Err(Error::io(error)),
    }
}

fn month_of_file(name: &str) -> Option<u32> {
    let (year, month) = name.strip_suffix(".db")?.split_once('-')?;
    let (year, month): (u32, u32) = (year.parse().ok()?, month.parse().ok()?);
    ((1970..=9999).contains(&year) && (1..=12).contains(&month)).then_some(year * 100 + month)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_are_read_from_file_names_and_times() {
        assert_eq!(month_of_file("2026-11.db"), Some(202_611));
        for other in ["2026-13.db", "2026-11.db-wal", "x-1.db", "2026.db"] {
            assert_eq!(month_of_file(other), None);
        }
        assert_eq!(month_of(Timestamp(0)), 197_001);
        assert_eq!(month_of(Timestamp::from_secs(1_795_305_600)), 202_611);
    }
}
