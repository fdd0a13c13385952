//! LDAP (RFC 4511) as far as asking whether a password is right: a simple bind, with StartTLS where TLS does not come first.
//!
//! | result code | means |
//! |---|---|
//! | `success` | right |
//! | `invalidCredentials`, `noSuchObject` | wrong; with one of the reasons that Active Directory gives beside it, refused |
//! | `constraintViolation`, `inappropriateAuthentication`, `insufficientAccessRights`, `unwillingToPerform` | refused for another reason |
//! | all else | the server cannot tell |
//!
//! A bind without a password succeeds for every name (RFC 4513 §5.1.2): it is never sent.

use std::time::Duration;

use anser_directory::front_door::LOGIN;
use anser_wire::Secret;

use crate::model::{Source, Tls};
use crate::talk::Talk;
use crate::trouble::Trouble;

/// Longest answer, in bytes.
const MESSAGE: usize = 64 * 1024;

const INTEGER: u8 = 0x02;
const OCTETS: u8 = 0x04;
const ENUMERATED: u8 = 0x0a;
const SEQUENCE: u8 = 0x30;
const BIND: u8 = 0x60;
const BIND_RESPONSE: u8 = 0x61;
const UNBIND: u8 = 0x42;
const EXTENDED: u8 = 0x77;
const EXTENDED_RESPONSE: u8 = 0x78;
/// `simple` of a bind, and the name of an extended request: both are the first of their choice.
const FIRST: u8 = 0x80;

/// RFC 4511 §4.14.1.
const START_TLS: &[u8] = b"1.3.6.1.4.1.1466.20037";

/// Why Active Directory refuses what may be a right password: behind `data ` in its words.
const REASONS: [(&str, &str); 7] = [
    ("530", "not at this time"),
    ("531", "not from here"),
    ("532", "the password there has expired"),
    ("533", "the account there is disabled"),
    ("701", "the account there has expired"),
    ("773", "the password there must be changed"),
    ("775", "the account there is locked"),
];

/// Whether a directory lets somebody in; `template` is the name that is bound as, with [`LOGIN`] in it.
pub async fn bind(
    source: &Source,
    template: &str,
    login: &str,
    password: &Secret,
    times: [Duration; 2],
) -> Result<bool, Trouble> {
    if login.is_empty() || password.as_bytes().is_empty() {
        return Ok(false);
    }
    let mut talk = Talk::begin(source, times[0], times[1]).await?;
    if matches!(source.tls, Tls::Starttls | Tls::StarttlsAny) {
        talk.send(&message(1, EXTENDED, &element(FIRST, START_TLS))).await?;
        let answer = answer(&mut talk).await?;
        if (answer.of, answer.id, answer.code) != (EXTENDED_RESPONSE, 1, 0) {
            return Err(Trouble::lost(answer.words()));
        }
        talk.secure(source).await?;
    }
    let version = element(INTEGER, &[3]);
    let request = [version, element(OCTETS, name(template, login).as_bytes()), element(FIRST, password.as_bytes())];
    talk.send(&message(2, BIND, &request.concat())).await?;
    let answer = answer(&mut talk).await?;
    let _ = talk.send(&message(3, UNBIND, &[])).await;
    if (answer.of, answer.id) != (BIND_RESPONSE, 2) {
        return Err(Trouble::lost(answer.words()));
    }
    match (answer.code, answer.reason()) {
        (0, _) => Ok(true),
        (49, Some(reason)) => Err(Trouble::Refused(format!("{reason} ({})", answer.text))),
        (32 | 49, None) => Ok(false),
        (19 | 48 | 50 | 53, _) => Err(Trouble::Refused(answer.words())),
        _ => Err(Trouble::lost(answer.words())),
    }
}

/// The name that a login is bound as. In a distinguished name it is escaped (RFC 4514 §2.4); in a name of another kind, as Active
/// Directory takes them, it stands as it is.
fn name(template: &str, login: &str) -> String {
    if !template.contains('=') {
        return template.replace(LOGIN, login);
    }
    let mut escaped = String::new();
    for (at, c) in login.char_indices() {
        let is_last = at + c.len_utf8() == login.len();
        match c {
            c if c.is_ascii_control() => escaped.push_str(&format!("\\{:02X}", u32::from(c))),
            '"' | '+' | ',' | ';' | '<' | '=' | '>' | '\\' => escaped.extend(['\\', c]),
            '#' if at == 0 => escaped.push_str("\\#"),
            ' ' if at == 0 || is_last => escaped.push_str("\\ "),
            c => escaped.push(c),
        }
    }
    template.replace(LOGIN, &escaped)
}

/// An element of BER with a length in as few octets as it takes.
fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = (content.len() as u32).to_be_bytes();
    let mut octets = vec![tag];
    match content.len() {
        short @ ..=0x7f => octets.push(short as u8),
        _ => {
            let digits = &length[length.iter().take_while(|digit| **digit == 0).count()..];
            octets.push(0x80 | digits.len() as u8);
            octets.extend_from_slice(digits);
        }
    }
    octets.extend_from_slice(content);
    octets
}

/// A whole message (RFC 4511 §4.1.1).
fn message(id: u8, of: u8, content: &[u8]) -> Vec<u8> {
    element(SEQUENCE, &[element(INTEGER, &[id]), element(of, content)].concat())
}

/// What a server answers (RFC 4511 §4.1.9).
#[derive(Debug, PartialEq, Eq)]
struct Answer {
    /// To which message; 0 for what nobody asked.
    id: u32,
    /// The tag of its kind.
    of: u8,
    code: u32,
    text: String,
}

impl Answer {
    fn words(&self) -> String {
        format!("result {} {}", self.code, self.text).trim_end().to_owned()
    }

    /// Another reason than a wrong password, as Active Directory gives it.
    fn reason(&self) -> Option<&'static str> {
        let (_, data) = self.text.split_once("data ")?;
        let data = data.split([',', ' ']).next()?;
        REASONS.iter().find(|(code, _)| *code == data).map(|(_, words)| *words)
    }
}

/// Octets that are no answer.
#[derive(Debug, PartialEq, Eq)]
struct Broken;

/// An element at the beginning: its tag, its content, and what is behind it. `None` while it is not whole.
type Element<'a> = Option<(u8, &'a [u8], &'a [u8])>;

fn split(octets: &[u8]) -> Result<Element<'_>, Broken> {
    let [tag, first, rest @ ..] = octets else { return Ok(None) };
    let (length, rest) = match *first {
        short @ ..=0x7f => (usize::from(short), rest),
        // RFC 4511 §5.1: the definite form alone.
        long @ 0x81..=0x84 => {
            let Some((digits, rest)) = rest.split_at_checked(usize::from(long & 0x7f)) else { return Ok(None) };
            (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), rest)
        }
        _ => return Err(Broken),
    };
    if tag & 0x1f == 0x1f || length > MESSAGE {
        return Err(Broken);
    }
    Ok(rest.split_at_checked(length).map(|(content, behind)| (*tag, content, behind)))
}

/// An element of this tag that has to be here: its content, and what is behind it.
fn part(octets: &[u8], wanted: u8) -> Result<(&[u8], &[u8]), Broken> {
    match split(octets)? {
        Some((tag, content, behind)) if tag == wanted => Ok((content, behind)),
        _ => Err(Broken),
    }
}

fn number(content: &[u8]) -> Result<u32, Broken> {
    match content {
        [first @ ..=0x7f, ..] if content.len() <= 4 => {
            Ok(content[1..].iter().fold(u32::from(*first), |number, octet| number << 8 | u32::from(*octet)))
        }
        _ => Err(Broken),
    }
}

/// An answer at the beginning, and what is behind it; `None` while it is not whole.
fn parse(octets: &[u8]) -> Result<Option<(Answer, &[u8])>, Broken> {
    let Some((tag, content, behind)) = split(octets)? else { return Ok(None) };
    if tag != SEQUENCE {
        return Err(Broken);
    }
    let (id, rest) = part(content, INTEGER)?;
    let (of, result, _) = split(rest)?.ok_or(Broken)?;
    let (code, rest) = part(result, ENUMERATED)?;
    let (_matched, rest) = part(rest, OCTETS)?;
    let (text, _) = part(rest, OCTETS)?;
    let text = String::from_utf8_lossy(text).trim_end_matches('\0').to_owned();
    Ok(Some((Answer { id: number(id)?, of, code: number(code)?, text }, behind)))
}

/// The next answer. What came behind it is thrown away: nothing else was asked for, and nothing in the clear counts after StartTLS.
async fn answer(talk: &mut Talk) -> Result<Answer, Trouble> {
    let mut octets = Vec::new();
    while octets.len() <= MESSAGE {
        let more = talk.octets().await?;
        octets.extend_from_slice(more);
        let count = more.len();
        talk.used(count);
        match parse(&octets) {
            Ok(Some((answer, _))) => return Ok(answer),
            Ok(None) => {}
            Err(Broken) => return Err(Trouble::lost("no answer of LDAP")),
        }
    }
    Err(Trouble::lost("an endless answer"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn said(id: u8, of: u8, code: u8, text: &str) -> Vec<u8> {
        let parts = [element(ENUMERATED, &[code]), element(OCTETS, b""), element(OCTETS, text.as_bytes())];
        message(id, of, &parts.concat())
    }

    #[test]
    fn a_login_says_nothing_but_itself_in_a_distinguished_name() {
        for (login, bound) in [
            ("ann", "uid=ann,dc=old"),
            ("a,b+c=d", "uid=a\\,b\\+c\\=d,dc=old"),
            ("\"<>;\\", "uid=\\\"\\<\\>\\;\\\\,dc=old"),
            ("#a#", "uid=\\#a#,dc=old"),
            (" a b ", "uid=\\ a b\\ ,dc=old"),
            (" ", "uid=\\ ,dc=old"),
            ("a\0\r", "uid=a\\00\\0D,dc=old"),
            ("安", "uid=安,dc=old"),
            ("{login}", "uid={login},dc=old"),
        ] {
            assert_eq!(name("uid={login},dc=old", login), bound);
        }
        assert_eq!(name("OLD\\{login}", "a+b"), "OLD\\a+b");
        assert_eq!(name("{login}", "a+b@old.example"), "a+b@old.example");
    }

    #[test]
    fn active_directory_says_why() {
        let answer = |data: &str| {
            let text =
                format!("80090308: LdapErr: DSID-0C09044E, comment: AcceptSecurityContext error, data {data}, v2580");
            parse(&said(2, BIND_RESPONSE, 49, &text)).unwrap().unwrap().0
        };
        assert_eq!(answer("775").reason(), Some("the account there is locked"));
        assert_eq!([answer("52e").reason(), answer("525").reason()], [None, None], "wrong, and nobody");
    }

    #[test]
    fn lengths_take_the_definite_form() {
        let long = "x".repeat(300);
        let octets = said(1, BIND_RESPONSE, 49, &long);
        assert_eq!(octets[..4], [SEQUENCE, 0x82, 1, 60]);
        assert_eq!(parse(&octets).unwrap().unwrap().0.text, long);
        assert_eq!(parse(&[SEQUENCE, 0x80, 0, 0]), Err(Broken), "indefinite");
        assert_eq!(parse(&[SEQUENCE, 0x84, 0xff, 0xff, 0xff, 0xff]), Err(Broken), "more than anybody says");
        assert_eq!(parse(&[0x3f, 1, 0]), Err(Broken), "a tag of several octets");
    }

    proptest! {
        #[test]
        fn octets_of_any_kind_do_no_harm(octets: Vec<u8>) {
            let _ = parse(&octets);
        }

        #[test]
        fn an_answer_reads_back_whole_and_never_earlier(id in 0..=127u8, code in 0..=127u8, text in ".{0,200}") {
            let text = text.trim_end_matches('\0');
            let octets = said(id, BIND_RESPONSE, code, text);
            for short in 0..octets.len() {
                prop_assert_eq!(parse(&octets[..short]), Ok(None));
            }
            let (answer, behind) = parse(&octets).unwrap().unwrap();
            prop_assert_eq!((answer.id, answer.code, &*answer.text, behind), (id.into(), code.into(), text, &[][..]));
        }
    }
}
