//! A domain's front door: how its old server is asked, until when, and what may be made of names that are nobody's here.

use anser_base::{DomainId, Error, Result, Timestamp};
use anser_db::{Row, Tx, params};

/// Longest pattern of names, in bytes.
const PATTERN: usize = 200;
/// Longest [`FrontDoor::target`], in bytes.
const TARGET: usize = 500;
/// What stands for the login in the name that is bound as.
pub const LOGIN: &str = "{login}";

anser_base::words! {
    /// What the old server speaks.
    pub enum OldProtocol {
        /// IMAP.
        Imap = "imap",
        /// POP3.
        Pop3 = "pop3",
        /// SMTP AUTH.
        Smtp = "smtp",
        /// LDAP: a simple bind (RFC 4513 §5.1).
        Ldap = "ldap",
        /// A hook over HTTP: JSON goes, and a status comes.
        Http = "http",
    }
}

/// The ways in which the connection to an old server may be protected: TLS first or STARTTLS, with a certificate that is vouched for or
/// with any, or not at all.
pub const OLD_TLS: [&str; 5] = ["implicit", "starttls", "implicit-any", "starttls-any", "none"];

/// A domain's front door.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrontDoor {
    /// The domain.
    pub domain: String,
    /// What its old server speaks.
    pub protocol: OldProtocol,
    /// The old server, by name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// One of [`OLD_TLS`].
    pub tls: String,
    /// For LDAP the name that is bound as, in which `{login}` stands for the login; for a hook its path. Else `None`.
    pub target: Option<String>,
    /// Whether the old server wants `user@domain`, rather than `user`.
    pub whole_address: bool,
    /// Until when it is open.
    pub until: Timestamp,
    /// Wrong passwords of one name that go to the old server within a day.
    pub tries: u32,
    /// Which names become accounts when the old server knows them: `*` and `?` are wildcards. `None`: only listed accounts.
    pub pattern: Option<String>,
    /// Accounts that may be made so.
    pub most: u32,
    /// Those that were.
    pub made: u32,
}

/// [`anser_base::Class::Invalid`] for a host, a way, a target or a pattern that cannot be.
pub(super) fn check(door: &FrontDoor) -> Result<()> {
    let host = door.host.trim();
    if host.is_empty()
        || host.len() > 255
        || host.contains(|c: char| c.is_whitespace() || c.is_control())
        || door.port == 0
    {
        return Err(Error::invalid("the old server needs a host and a port", "旧服务器需要主机和端口"));
    }
    if !OLD_TLS.contains(&&*door.tls) {
        return Err(Error::invalid(
            format!("there is no TLS policy {}", door.tls),
            format!("没有 TLS 策略 {}", door.tls),
        ));
    }
    check_target(door)?;
    if door.tries == 0 {
        return Err(Error::invalid("at least one try a day must be allowed", "每天至少允许一次尝试"));
    }
    if door.pattern.as_ref().is_some_and(|pattern| pattern.is_empty() || pattern.len() > PATTERN || door.most == 0) {
        return Err(Error::invalid(
            "accounts are made for a pattern, and up to a number",
            "自动创建账号需要名称模式和数量上限",
        ));
    }
    Ok(())
}

fn check_target(door: &FrontDoor) -> Result<()> {
    let target = door.target.as_deref().unwrap_or_default();
    let is_line = target.len() <= TARGET && !target.contains(char::is_control);
    match door.protocol {
        OldProtocol::Ldap if is_line && target.matches(LOGIN).count() == 1 => Ok(()),
        OldProtocol::Ldap => Err(Error::invalid(
            "LDAP needs the name to bind as, with {login} in it once, such as uid={login},ou=people,dc=old,dc=example",
            "LDAP 需要绑定名称，其中含一个 {login}，例如 uid={login},ou=people,dc=old,dc=example",
        )),
        OldProtocol::Http if door.tls.starts_with("starttls") => {
            Err(Error::invalid("HTTP has no STARTTLS", "HTTP 没有 STARTTLS"))
        }
        OldProtocol::Http
            if is_line && target.starts_with('/') && target.bytes().all(|octet| octet.is_ascii_graphic()) =>
        {
            Ok(())
        }
        OldProtocol::Http => Err(Error::invalid("a hook needs its path, such as /check", "接口需要路径，例如 /check")),
        _ if door.target.is_none() => Ok(()),
        _ => Err(Error::invalid("only LDAP and HTTP have a target", "只有 LDAP 和 HTTP 需要 target")),
    }
}

/// What [`read`] reads; `d` is the domain.
pub(super) const DOOR: &str =
    "SELECT d.name, f.protocol, f.host, f.port, f.tls, f.form, f.until_ms, f.tries, f.pattern, f.most, f.made, f.target
     FROM dir_front_doors f JOIN dir_domains d ON d.id = f.domain";

/// A row of [`DOOR`].
pub(super) fn read(row: &Row<'_>) -> Result<FrontDoor> {
    let protocol = row.text(1)?;
    Ok(FrontDoor {
        domain: row.text(0)?,
        protocol: OldProtocol::from_word(&protocol).ok_or_else(|| Error::damaged(format!("front door {protocol}")))?,
        host: row.text(2)?,
        port: row.int(3)? as u16,
        tls: row.text(4)?,
        whole_address: row.text(5)? == "address",
        until: Timestamp(row.int(6)?),
        tries: row.int(7)? as u32,
        pattern: row.opt_text(8)?,
        most: row.int(9)? as u32,
        made: row.int(10)? as u32,
        target: row.opt_text(11)?,
    })
}

/// Writes a door; the count of accounts made is kept.
pub(super) fn write(tx: &mut Tx<'_>, domain: DomainId, door: &FrontDoor) -> Result<()> {
    let sql = "INSERT INTO dir_front_doors (domain, protocol, host, port, tls, form, until_ms, tries, pattern, most, made, target)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 0, ?11)
               ON CONFLICT (domain) DO UPDATE SET protocol = excluded.protocol, host = excluded.host, port = excluded.port,
               tls = excluded.tls, form = excluded.form, until_ms = excluded.until_ms, tries = excluded.tries,
               pattern = excluded.pattern, most = excluded.most, target = excluded.target";
    let form = if door.whole_address { "address" } else { "user" };
    let params = params![
        domain.to_sql(),
        door.protocol.word(),
        door.host.trim(),
        i64::from(door.port),
        door.tls.as_str(),
        form,
        door.until.0,
        i64::from(door.tries),
        door.pattern.as_deref(),
        i64::from(door.most),
        door.target.as_deref(),
    ];
    tx.execute(sql, params).map(drop)
}
