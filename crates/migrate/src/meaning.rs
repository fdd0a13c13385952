//! What an old server means when it refuses, told by its response code or its words: `data/refusals.toml`.

use std::sync::LazyLock;
use std::time::Duration;

use anser_mime::charset;
use serde::Deserialize;

use crate::tables::table;
use crate::trouble::Trouble;

const TABLE: &str = include_str!("../data/refusals.toml");
/// The longest pause that is believed.
const PATIENCE: Duration = Duration::from_secs(24 * 3600);

/// Kinds of logins that are not let in, as the table has them; a login that fits none is `wrong`.
const KINDS: [&str; 7] =
    ["locked", "imap-off", "app-password", "second-factor", "must-change", "not-connected", "form"];

/// A kind of login that is not let in, by its word.
pub fn kind(word: &str) -> &'static str {
    KINDS.into_iter().find(|kind| *kind == word).unwrap_or("wrong")
}

/// Response codes of a login whose secret is wrong (RFC 5530 §3, RFC 3206 §4), whatever words go with them about a later try.
const WRONG: [&str; 2] = ["AUTHENTICATIONFAILED", "AUTH"];

/// Response codes of what does not get well by waiting (RFC 5530 §3, RFC 3206 §4), whatever words go with them about a later try: of one
/// message that is damaged, so that the others come.
const LASTS: [&str; 2] = ["CORRUPTION", "SYS/PERM"];

#[derive(Deserialize)]
struct Table {
    refusal: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Row {
    means: String,
    #[serde(default)]
    login: bool,
    #[serde(default)]
    bad: bool,
    #[serde(default)]
    pause: u64,
    #[serde(default)]
    codes: Vec<String>,
    #[serde(default)]
    words: Vec<String>,
}

pub(crate) static ROWS: LazyLock<Vec<Row>> = LazyLock::new(|| table::<Table>(TABLE).refusal);

/// A refusal.
#[derive(Clone, Copy, Debug)]
pub struct Said<'a> {
    /// Its response code, in upper case; empty without one.
    pub code: &'a str,
    /// Its words.
    pub text: &'a str,
    /// Whether it is a BAD.
    pub is_bad: bool,
}

/// What a server says, for people and for the table: in UTF-8, else in whatever charset it fits. Old Chinese servers write GBK.
pub fn text_of(octets: &[u8]) -> String {
    // Not by looks where it is UTF-8: what a server says may hold names, in which `~{` is no escape.
    std::str::from_utf8(octets).map_or_else(|_| charset::decode(None, octets), str::to_owned)
}

impl Said<'_> {
    fn row(&self, is_login: bool) -> Option<&'static Row> {
        let text = self.text.to_lowercase();
        let is_lasting = LASTS.contains(&self.code) || (is_login && WRONG.contains(&self.code));
        ROWS.iter().find(|row| {
            (is_login || !row.login)
                && !(is_lasting && row.means == "later")
                && (row.bad || !self.is_bad)
                && (row.codes.iter().any(|code| code == self.code) || row.words.iter().any(|word| text.contains(word)))
        })
    }

    /// What a login that is refused means.
    pub fn login(&self) -> Trouble {
        let why = self.text.to_owned();
        match self.row(true) {
            Some(row) if row.means == "later" => self.later(row, why),
            row => Trouble::Login { kind: kind(row.map_or("", |row| &row.means)), why },
        }
    }

    /// Whether a login is refused for the way in which it was said, so that another may do.
    pub fn is_of_form(&self) -> bool {
        self.row(true).map_or(self.is_bad, |row| row.means == "form")
    }

    /// What the refusal of a command means; `why` says of which.
    pub fn command(&self, why: String) -> Trouble {
        match self.row(false) {
            Some(row) if row.means == "later" => self.later(row, why),
            Some(row) if row.means == "not-connected" => Trouble::Login { kind: "not-connected", why },
            _ => Trouble::Refused(why),
        }
    }

    /// How long a server that ends a session wants to be left alone, where it says that it has no time.
    pub fn patience(&self) -> Option<Duration> {
        match self.command(String::new()) {
            Trouble::Later { pause, .. } => pause,
            _ => None,
        }
    }

    fn later(&self, row: &Row, why: String) -> Trouble {
        let pause = told(self.text).unwrap_or(Duration::from_secs(row.pause));
        Trouble::Later { why, pause: Some(pause.min(PATIENCE)) }
    }
}

/// `Suggested Backoff Time: 2000 milliseconds` (Exchange).
fn told(text: &str) -> Option<Duration> {
    let rest = text.split_once("Backoff Time: ")?.1;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok().map(Duration::from_millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said<'a>(code: &'a str, text: &'a str) -> Said<'a> {
        Said { code, text, is_bad: false }
    }

    #[test]
    fn what_is_said_in_gbk_is_understood() {
        let gbk = b"\xc4\xfa\xb5\xc4\xd5\xca\xba\xc5\xd2\xd1\xcb\xf8\xb6\xa8\xa3\xac\xc7\xeb\xc1\xaa\xcf\xb5\xb9\xdc\xc0\xed\xd4\xb1";
        let text = text_of(gbk);
        assert_eq!(text, "您的帐号已锁定，请联系管理员");
        assert!(matches!(said("", &text).login(), Trouble::Login { kind: "locked", .. }));
        assert_eq!(text_of("授权码".as_bytes()), "授权码");
        assert_eq!(text_of(b"1 ~{VPND~}"), "1 ~{VPND~}", "a UIDL is no text");
    }

    #[test]
    fn the_table_is_whole() {
        let table: Table = toml::from_str(TABLE).unwrap();
        for row in &table.refusal {
            assert!(["later", "wrong"].contains(&&*row.means) || KINDS.contains(&&*row.means), "{}", row.means);
            assert_eq!(row.means == "later", row.pause > 0, "{}", row.means);
            assert!(row.codes.iter().all(|code| *code == code.to_uppercase()));
            assert!(row.words.iter().all(|word| *word == word.to_lowercase()));
            assert!(!row.codes.is_empty() || !row.words.is_empty());
        }
    }

    #[test]
    fn a_server_that_has_no_time_is_left_alone() {
        for (code, text, seconds) in [
            ("THROTTLED", "slow down", 60),
            ("UNAVAILABLE", "backend is down", 60),
            ("LIMIT", "", 60),
            ("INUSE", "", 60),
            ("OVERQUOTA", "bytes of today are used up", 3600),
            ("", "System busy!", 120),
            ("", "Too many simultaneous connections", 120),
            ("", "系统繁忙，请稍后再试", 120),
            ("", "Request is throttled. Suggested Backoff Time: 2000 milliseconds", 2),
            ("", "Request is throttled. Suggested Backoff Time: 99999999999 milliseconds", 24 * 3600),
        ] {
            match said(code, text).command("EXAMINE".into()) {
                Trouble::Later { pause, .. } => assert_eq!(pause, Some(Duration::from_secs(seconds)), "{code} {text}"),
                other => panic!("{code} {text}: {other:?}"),
            }
        }
    }

    #[test]
    fn a_refusal_of_one_thing_is_no_reason_to_wait() {
        for (code, text) in [
            ("SERVERBUG", "Internal error occurred"),
            ("CORRUPTION", "temporarily unavailable: stored data is damaged"),
            ("SYS/PERM", "temporarily unavailable: stored data is damaged"),
            ("NONEXISTENT", "no such mailbox"),
            ("NOPERM", "locked by its owner"),
            ("", "some messages could not be read"),
        ] {
            assert!(matches!(said(code, text).command("x".into()), Trouble::Refused(_)), "{code} {text}");
        }
        let bad = Said { code: "", text: "Too many arguments", is_bad: true };
        assert!(matches!(bad.command("x".into()), Trouble::Refused(_)));
        let bad = Said { code: "", text: "User is authenticated but not connected.", is_bad: true };
        assert!(matches!(bad.command("x".into()), Trouble::Login { kind: "not-connected", .. }));
    }

    #[test]
    fn logins_are_refused_in_kinds() {
        for (code, text, kind) in [
            ("AUTHENTICATIONFAILED", "Invalid credentials", "wrong"),
            ("AUTH", "Authentication failed.", "wrong"),
            ("AUTHENTICATIONFAILED", "Authentication failed, try again later", "wrong"),
            ("AUTH", "Too many failed logins", "wrong"),
            ("", "Login failed, too many attempts will lock your account", "wrong"),
            ("", "Incorrect password, please try again later", "wrong"),
            ("", "密码错误，请稍后再试", "wrong"),
            ("", "密码错误，请使用授权码登录", "app-password"),
            ("", "Account locked after too many connections", "locked"),
            (
                "",
                "Login fail. Account is abnormal, service is not open, password is incorrect, login frequency limited, or system is busy.",
                "imap-off",
            ),
            ("", "IMAP is disabled for your mailbox", "imap-off"),
            ("ALERT", "Application-specific password required", "app-password"),
            ("", "请使用授权码登录", "app-password"),
            ("", "Two-factor authentication required", "second-factor"),
            ("EXPIRED", "no more", "must-change"),
            ("SYS/PERM", "maildrop damaged", "not-connected"),
        ] {
            match said(code, text).login() {
                Trouble::Login { kind: found, .. } => assert_eq!(found, kind, "{text}"),
                other => panic!("{text}: {other:?}"),
            }
        }
        for (text, is_bad, is_of_form) in [
            ("Unsupported authentication mechanism", false, true),
            ("Unknown command", true, true),
            ("Invalid characters in atom", true, true),
            ("Invalid user name or password", true, false),
            ("Login failed", false, false),
        ] {
            assert_eq!(Said { code: "", text, is_bad }.is_of_form(), is_of_form, "{text}");
        }
        for (code, text, seconds) in [
            ("", "maildrop already locked", 60),
            ("", "Unable to lock mailbox", 60),
            ("", "unable to get lock on spool", 60),
            ("", "Mailbox is locked by POP server", 60),
            ("", "Your IP has been blocked", 1800),
            ("", "Account temporarily locked: too many wrong password tries", 1800),
            ("", "账号已被暂时锁定", 1800),
            ("", "密码错误次数过多", 1800),
            ("", "Too many failed logins, try again later", 1800),
            ("LOGIN-DELAY", "wait", 1800),
            ("SYS/TEMP", "later", 60),
            ("SERVERBUG", "Internal error", 60),
            ("", "Temporary authentication failure", 120),
        ] {
            match said(code, text).login() {
                Trouble::Later { pause, .. } => assert_eq!(pause, Some(Duration::from_secs(seconds)), "{text}"),
                other => panic!("{text}: {other:?}"),
            }
        }
    }
}
