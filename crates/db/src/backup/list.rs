//! The list of a backup's parts: a small text that says what is there and how long it is.

use std::io;
use std::path::Path;

use anser_base::disk::File;
use anser_base::{Disk, Error, Result};

use super::Part;

/// The file that makes a backup complete.
pub const LIST: &str = "anser-tables.txt";
/// First line of the list; its number is the version of this form.
const TITLE: &str = "anser tables 1";
/// Last line of the list.
const END: &str = "end";
/// Length in bytes of a list that is read: some millions of accounts.
const LONGEST: u64 = 512 << 20;

pub(super) struct List {
    pub engine: Engine,
    pub parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Engine {
    Sqlite,
    /// With the schema version of each kind of place, and the columns of each table.
    Postgres(Versions),
}

/// What a PostgreSQL backup's tables look like.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Versions {
    /// Kind of place and its schema version.
    pub kinds: Vec<(String, i64)>,
    /// Table and its columns, comma-separated, in the order in which they were copied.
    pub tables: Vec<(String, String)>,
}

impl List {
    /// Writes it durably.
    pub fn write(&self, disk: &dyn Disk, dir: &Path) -> Result<()> {
        let mut text = format!("{TITLE}\n");
        match &self.engine {
            Engine::Sqlite => text.push_str("engine sqlite\n"),
            Engine::Postgres(versions) => {
                text.push_str("engine postgres\n");
                versions.kinds.iter().for_each(|(kind, version)| text.push_str(&format!("kind {kind} {version}\n")));
                versions
                    .tables
                    .iter()
                    .for_each(|(table, columns)| text.push_str(&format!("table {table} {columns}\n")));
            }
        }
        self.parts.iter().for_each(|part| text.push_str(&format!("part {} {}\n", part.name, part.bytes)));
        text.push_str(END);
        text.push('\n');
        let mut file = disk.create(&dir.join(LIST)).map_err(Error::io)?;
        file.append(text.as_bytes()).and_then(|()| file.sync()).map_err(Error::io)?;
        disk.sync_dir(dir).map_err(Error::io)
    }

    /// Reads it, and compares the lengths of all parts.
    pub fn read(disk: &dyn Disk, dir: &Path) -> Result<Self> {
        let text = read_text(disk, &dir.join(LIST))?;
        let list = parse(&text).ok_or_else(|| Error::damaged("the backup's list of parts makes no sense"))?;
        for part in &list.parts {
            let len = disk.stat(&dir.join(&part.name)).map_err(Error::io)?.len;
            if len != part.bytes {
                let text = format!("{} of the backup has {len} bytes, not {}", part.name, part.bytes);
                return Err(Error::damaged(text));
            }
        }
        Ok(list)
    }
}

fn read_text(disk: &dyn Disk, path: &Path) -> Result<String> {
    let file = disk.open(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => {
            Error::not_found("there is no complete backup in this folder", "该文件夹中没有完整的备份").caused_by(error)
        }
        _ => Error::io(error),
    })?;
    let len = file.len().map_err(Error::io)?;
    let mut bytes = vec![0; usize::try_from(len.min(LONGEST)).unwrap_or(0)];
    read_exact(&*file, &mut bytes).map_err(Error::io)?;
    String::from_utf8(bytes).map_err(Error::damaged)
}

fn read_exact(file: &dyn File, bytes: &mut [u8]) -> io::Result<()> {
    let mut at = 0;
    while at < bytes.len() {
        match file.read_at(&mut bytes[at..], at as u64)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => at += read,
        }
    }
    Ok(())
}

fn parse(text: &str) -> Option<List> {
    let mut lines = text.strip_suffix('\n')?.strip_suffix(END)?.lines();
    (lines.next()? == TITLE).then_some(())?;
    let mut engine = match lines.next()? {
        "engine sqlite" => Engine::Sqlite,
        "engine postgres" => Engine::Postgres(Versions::default()),
        _ => return None,
    };
    let mut parts = Vec::new();
    for line in lines {
        let [word, name, value] = line.split(' ').collect::<Vec<_>>().try_into().ok()?;
        match (word, &mut engine) {
            ("part", _) => parts.push(Part { name: safe(name)?, bytes: value.parse().ok()? }),
            ("kind", Engine::Postgres(versions)) => versions.kinds.push((name.into(), value.parse().ok()?)),
            ("table", Engine::Postgres(versions)) => versions.tables.push((name.into(), value.into())),
            _ => return None,
        }
    }
    Some(List { engine, parts })
}

/// A name that stays below the folder.
fn safe(name: &str) -> Option<String> {
    let stays = !name.starts_with('/') && name.split('/').all(|step| !step.is_empty() && step != "." && step != "..");
    stays.then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_that_is_cut_or_leaves_its_folder_is_refused() {
        let whole = "anser tables 1\nengine sqlite\npart server.db 10\nend\n";
        assert_eq!(parse(whole).unwrap().parts, [Part { name: "server.db".into(), bytes: 10 }]);
        for cut in 0..whole.len() {
            assert!(parse(&whole[..cut]).is_none(), "{cut}");
        }
        for name in ["/etc/passwd", "../x", "a/../../b", "a//b"] {
            assert!(parse(&whole.replace("server.db", name)).is_none(), "{name}");
        }
    }
}
