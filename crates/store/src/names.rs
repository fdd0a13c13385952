//! Names of mailboxes: those that an account starts with, and those by which clients and other servers mean a role.

use crate::model::Role;

/// The mailboxes of a new account. Their names are the ones that every client knows; a client shows them in its own language by
/// their roles.
pub const FIRST: [(Role, &str); 6] = [
    (Role::Inbox, "INBOX"),
    (Role::Drafts, "Drafts"),
    (Role::Sent, "Sent"),
    (Role::Archive, "Archive"),
    (Role::Junk, "Junk"),
    (Role::Trash, "Trash"),
];

/// Names, compared without case, that mean a role at the top of the tree.
const KNOWN: [(Role, &[&str]); 5] = [
    (Role::Drafts, &["Drafts", "Draft", "草稿箱", "草稿", "草稿夹", "Entwürfe", "Brouillons"]),
    (
        Role::Sent,
        &[
            "Sent",
            "Sent Items",
            "Sent Messages",
            "Sent Mail",
            "已发送",
            "已发送邮件",
            "已发邮件",
            "发件箱",
            "寄件备份",
            "已傳送",
            "Gesendet",
            "Envoyés",
        ],
    ),
    (
        Role::Trash,
        &[
            "Trash",
            "Deleted",
            "Deleted Items",
            "Deleted Messages",
            "Bin",
            "已删除",
            "已删除邮件",
            "垃圾箱",
            "废件箱",
            "回收站",
            "刪除的郵件",
            "Papierkorb",
            "Corbeille",
        ],
    ),
    (
        Role::Junk,
        &["Junk", "Spam", "Junk E-mail", "Junk Email", "Bulk Mail", "垃圾邮件", "垃圾信件", "垃圾郵件", "Spamverdacht"],
    ),
    (Role::Archive, &["Archive", "Archives", "归档", "归档邮件", "存档", "封存"]),
];

/// The role that a top-level mailbox of this name is meant for.
pub fn role_of(name: &str) -> Option<Role> {
    let name = name.trim().to_lowercase();
    KNOWN.iter().find(|(_, names)| names.iter().any(|known| known.to_lowercase() == name)).map(|(role, _)| *role)
}
