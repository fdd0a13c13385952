//! Notes in Chinese: `data/words.toml`. Notes are kept in English, as machines compare them; what an old server said stays as it was said.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::tables::table;

const TABLE: &str = include_str!("../data/words.toml");
/// What stands for what differs.
const GAP: &str = "{}";
/// What a sentence may hold that is a sentence itself: this deep.
const DEPTH: usize = 4;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Table {
    kinds: BTreeMap<String, String>,
    sentences: BTreeMap<String, String>,
}

pub(crate) static WORDS: LazyLock<Table> = LazyLock::new(|| table(TABLE));

/// A note of a mailbox, a run or a message, in Chinese. What the table does not have stays as it is.
pub fn in_chinese(note: &str) -> String {
    let parts: Vec<(&str, Cow<'_, str>)> = note.split("; ").map(|part| (part, part_of(part, DEPTH))).collect();
    // A server's own words may hold what joins sentences.
    match parts.iter().all(|(part, said)| part != said) {
        true => parts.into_iter().map(|(_, said)| said).collect::<Vec<_>>().join("；"),
        false => part_of(note, DEPTH).into_owned(),
    }
}

fn part_of(part: &str, depth: usize) -> Cow<'_, str> {
    if depth == 0 {
        return part.into();
    }
    if let Some((kind, rest)) = part.split_once(": ")
        && let Some(zh) = WORDS.kinds.get(kind)
    {
        return format!("{zh}：{}", part_of(rest, depth - 1)).into();
    }
    let found = WORDS.sentences.iter().filter_map(|(en, zh)| Some((en, zh, gaps(en, part)?)));
    // Of several the one that says most.
    let Some((_, zh, said)) = found.max_by_key(|(en, ..)| en.len()) else { return part.into() };
    let said = said.into_iter().map(|one| part_of(one, depth - 1)).chain([Cow::default()]);
    zh.split(GAP).zip(said).flat_map(|(piece, said)| [Cow::from(piece), said]).collect::<String>().into()
}

/// What stands in the gaps of a sentence; `None` where the text is another one.
fn gaps<'t>(sentence: &str, text: &'t str) -> Option<Vec<&'t str>> {
    let mut pieces = sentence.split(GAP);
    let mut rest = text.strip_prefix(pieces.next()?)?;
    let mut found = Vec::new();
    let mut pieces = pieces.peekable();
    while let Some(piece) = pieces.next() {
        // The last piece is the end of the text, and nothing else is.
        let at = match pieces.peek() {
            None => rest.len().checked_sub(piece.len()).filter(|at| rest.get(*at..) == Some(piece))?,
            Some(_) => rest.find(piece)?,
        };
        found.push(&rest[..at]);
        rest = &rest[at + piece.len()..];
    }
    rest.is_empty().then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_are_said_in_chinese_and_what_servers_say_stays() {
        let said = [
            ("the folder 工作 with 5 messages is no longer there", "旧服务器上已没有文件夹“工作”（5 封邮件）"),
            ("the folder a of b lost 5 of 10 messages", "文件夹“a of b”少了 5 封邮件（原有 10 封）"),
            ("wrong: Authentication failed.", "用户名或密码不被接受：Authentication failed."),
            ("this server: disk full", "本服务器出现问题：disk full"),
            ("no-password: no password is known", "没有密码：尚无密码"),
            (
                "3 not handed out by the old server; folders that cannot be opened there: a, b",
                "3 封邮件旧服务器未提供；旧服务器上无法打开的文件夹：a, b",
            ),
            (
                "locked: the administrator's login is in doubt, and is tried again in a while: the server answers 403",
                "账号被锁定：管理员登录有疑问，稍后重试：旧服务器答复 403",
            ),
            ("SELECT INBOX: Server busy; try {} later", "SELECT INBOX: Server busy; try {} later"),
            ("the server says goodbye: idle; {} bye", "旧服务器结束会话：idle; {} bye"),
            ("", ""),
        ];
        for (en, zh) in said {
            assert_eq!(in_chinese(en), zh, "{en}");
        }
    }

    #[test]
    fn every_sentence_has_as_many_gaps_in_chinese() {
        assert!(WORDS.sentences.len() > 60 && WORDS.kinds.len() > 20);
        for (en, zh) in &WORDS.sentences {
            assert_eq!(en.matches(GAP).count(), zh.matches(GAP).count(), "{en}");
            let filled = en.replace(GAP, "7");
            assert_ne!(in_chinese(&filled), filled, "{en}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_note_is_said(note in ".{0,200}") {
            in_chinese(&note);
        }
    }
}
