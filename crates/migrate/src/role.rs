//! What a folder of an old server is for: told by an attribute (RFC 6154, and Google's XLIST before it), else by its name.

use std::sync::LazyLock;

use anser_store::Role;
use anser_wire::imap::decode_mutf7;
use serde::Deserialize;

use crate::tables::table;

const TABLE: &str = include_str!("../data/roles.toml");

#[derive(Deserialize)]
struct Table {
    role: Vec<Line>,
}

#[derive(Deserialize)]
struct Line {
    role: String,
    names: Vec<String>,
    wire: Vec<String>,
}

/// Roles with the names that mean them, in lower case.
pub(crate) static NAMES: LazyLock<Vec<(Role, Vec<String>)>> = LazyLock::new(|| {
    let table: Table = table(TABLE);
    let line = |line: Line| {
        let wire = line.wire.iter().filter_map(|name| decode_mutf7(name));
        let names = line.names.iter().cloned().chain(wire).map(|name| name.to_lowercase()).collect();
        Role::from_word(&line.role).map(|role| (role, names))
    };
    table.role.into_iter().filter_map(line).collect()
});

/// The role that attributes tell, in lower case.
pub fn of_attributes(attributes: &[String]) -> Option<Role> {
    attributes.iter().find_map(|word| {
        Some(match word.as_str() {
            "\\drafts" => Role::Drafts,
            "\\sent" => Role::Sent,
            "\\trash" => Role::Trash,
            "\\junk" | "\\spam" => Role::Junk,
            "\\archive" => Role::Archive,
            _ => return None,
        })
    })
}

/// The role that a name means.
pub fn of_name(name: &str) -> Option<Role> {
    let name = name.trim().to_lowercase();
    NAMES.iter().find(|(_, names)| names.contains(&name)).map(|(role, _)| *role)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_whole_and_its_wire_names_are_the_chinese_ones() {
        assert_eq!(NAMES.len(), 5);
        for (wire, decoded, role) in [
            ("&g0l6P3ux-", "草稿箱", Role::Drafts),
            ("&XfJT0ZAB-", "已发送", Role::Sent),
            ("&XfJSIJZk-", "已删除", Role::Trash),
            ("&V4NXPpCuTvY-", "垃圾邮件", Role::Junk),
        ] {
            assert_eq!(decode_mutf7(wire).as_deref(), Some(decoded));
            assert_eq!(of_name(decoded), Some(role));
        }
        assert_eq!(of_name("sent MESSAGES"), Some(Role::Sent));
        assert_eq!(of_name("Work"), None);
    }
}
