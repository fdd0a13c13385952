//! The survey form: what an organisation says of itself and of its old system before it moves. It is filled in from a file, in either
//! language, and what nobody said is completed by what was seen.

use std::collections::BTreeMap;

use anser_base::{Error, Result};
use anser_mime::charset::{Charset, guess};
use serde::{Deserialize, Serialize};

/// Characters of one answer.
const ANSWER: usize = 4_000;
/// Octets of a file.
pub const FILE: usize = 256 * 1024;

/// A question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name in files and tables.
    pub name: &'static str,
    /// In English.
    pub en: &'static str,
    /// In Chinese.
    pub zh: &'static str,
    /// Whether the form is complete only with it.
    pub required: bool,
}

const fn must(name: &'static str, en: &'static str, zh: &'static str) -> Field {
    Field { name, en, zh, required: true }
}

const fn may(name: &'static str, en: &'static str, zh: &'static str) -> Field {
    Field { name, en, zh, required: false }
}

/// The questions, in their order. None holds what stands between a question and its answer in a file: see [`read`].
pub const FIELDS: [Field; 21] = [
    must("organisation", "Organisation", "单位名称"),
    must("contact", "Contact", "联系人"),
    must("phone", "Telephone", "联系电话"),
    must("email", "Email", "Email"),
    must("domain-count", "Number of domains", "域数量"),
    must("domains", "All mail domains", "所有的邮件域"),
    may("dns", "DNS servers (kind, version, addresses)", "DNS 服务器的类型、版本和 IP"),
    may("pop3", "POP3 server set in mail programs", "客户端 POP3 服务器设置"),
    may("smtp", "SMTP server set in mail programs", "客户端 SMTP 服务器设置"),
    may("clients", "Mail programs and their versions", "客户端类型和版本"),
    must("users", "Users", "现有用户数量"),
    must("system", "Kind of the mail system", "现有邮件系统的类型"),
    may("capacity", "Room for all mailboxes (MB)", "所需邮箱总容量(M)"),
    must("content", "Whether mail is to be moved", "是否需要迁移邮件内容"),
    must("when", "Wanted time of the move", "期望迁移时间"),
    may("probe-address", "Address elsewhere for probe mail", "外部测试邮箱地址"),
    may("notes", "Remarks", "备注"),
    may("support-phone", "Support telephone", "技术服务电话"),
    may("support-hours", "Support hours", "工作时间"),
    may("support-email", "Support mail", "技术支持邮箱"),
    may("abuse-email", "Where to report spam", "垃圾邮件投诉邮箱"),
];

/// What was answered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Form {
    answers: BTreeMap<String, Answer>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Answer {
    text: String,
    /// Whether somebody said it; else it was seen.
    said: bool,
}

/// A question and what was answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldView {
    /// Its name.
    pub name: String,
    /// In English.
    pub en: String,
    /// In Chinese.
    pub zh: String,
    /// Whether the form is complete only with it.
    pub required: bool,
    /// The answer; empty when there is none.
    pub value: String,
    /// `said`, `seen`, or empty.
    pub by: String,
}

impl Form {
    /// What somebody says; an empty answer takes back what was known.
    pub fn say(&mut self, said: &[(String, String)]) {
        for (name, text) in said {
            match text.is_empty() {
                true => self.answers.remove(name),
                false => self.answers.insert(name.clone(), Answer { text: text.clone(), said: true }),
            };
        }
    }

    /// What was seen; what somebody said counts more.
    pub fn see(&mut self, seen: &[(&str, String)]) {
        for (name, text) in seen.iter().filter(|(_, text)| !text.is_empty()) {
            if self.answers.get(*name).is_none_or(|known| !known.said) {
                self.answers.insert((*name).to_owned(), Answer { text: text.clone(), said: false });
            }
        }
    }

    /// The answer to a question; empty when there is none.
    pub fn get(&self, name: &str) -> &str {
        self.answers.get(name).map_or("", |answer| &answer.text)
    }

    /// The number that somebody said, where it is the only one in the answer. What was seen is what the move itself counts.
    pub fn number_said(&self, name: &str) -> Option<u64> {
        let said = self.answers.get(name).filter(|answer| answer.said)?;
        // Digits of the full width come from Chinese keyboards.
        let digit = |sign: char| match sign {
            '０'..='９' => char::from_u32(u32::from(sign) - u32::from('０') + u32::from('0')).unwrap_or(sign),
            other => other,
        };
        let text: String = said.text.chars().map(digit).collect();
        if text.contains(['十', '百', '千', '万', '亿']) {
            return None;
        }
        // `1,200` is one number.
        let parts: Vec<&str> = text.split([',', '，']).collect();
        let ends = |part: &str| part.ends_with(|sign: char| sign.is_ascii_digit());
        let has_three = |part: &str| part.chars().take_while(char::is_ascii_digit).count() == 3;
        let is_group = |two: &[&str]| ends(two[0]) && has_three(two[1]);
        let text = if parts.windows(2).all(is_group) { parts.concat() } else { text };
        let mut numbers = text.split(|sign: char| !sign.is_ascii_digit()).filter(|number| !number.is_empty());
        let number = numbers.next()?.parse().ok()?;
        numbers.next().is_none().then_some(number)
    }

    /// Every question.
    pub fn views(&self) -> Vec<FieldView> {
        let view = |field: &Field| {
            let answer = self.answers.get(field.name);
            let by = answer.map_or("", |answer| if answer.said { "said" } else { "seen" });
            FieldView {
                name: field.name.to_owned(),
                en: field.en.to_owned(),
                zh: field.zh.to_owned(),
                required: field.required,
                value: self.get(field.name).to_owned(),
                by: by.to_owned(),
            }
        };
        FIELDS.iter().map(view).collect()
    }

    /// Questions that are still to be answered.
    pub fn missing(&self) -> Vec<&'static Field> {
        FIELDS.iter().filter(|field| field.required && self.get(field.name).is_empty()).collect()
    }
}

/// Reads a form that was filled in: `QUESTION: ANSWER` a line, the question by its name or in either language; lines that begin with a blank
/// go on with the answer, those with `#` are passed over. UTF-8, else as it is guessed, Chinese first. `Class::Invalid` names the line that
/// is no such.
pub fn read(bytes: &[u8]) -> Result<Vec<(String, String)>> {
    if bytes.len() > FILE {
        return Err(Error::invalid("this is too long for a form", "文件过大，不是调查表"));
    }
    let text = match str::from_utf8(bytes) {
        Ok(text) => text.trim_start_matches('\u{feff}').to_owned(),
        Err(_) => match guess(bytes) {
            Charset::Standard(encoding) => encoding.decode(bytes).0.into_owned(),
            _ => String::from_utf8_lossy(bytes).into_owned(),
        },
    };
    let mut found: Vec<(String, String)> = Vec::new();
    for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#')) {
        let wrong = || {
            let number = at + 1;
            Error::invalid(
                format!("line {number} answers no question of the form"),
                format!("第 {number} 行不是调查表的项目"),
            )
        };
        if line.starts_with([' ', '\t']) {
            let (_, answer) = found.last_mut().ok_or_else(wrong)?;
            answer.push('\n');
            answer.push_str(line.trim());
            continue;
        }
        let (question, answer) = line.split_once([':', '：', '=', '\t']).ok_or_else(wrong)?;
        let field = by_question(question).ok_or_else(wrong)?;
        found.push((field.name.to_owned(), answer.trim().to_owned()));
    }
    if found.iter().any(|(_, answer)| answer.chars().count() > ANSWER) {
        return Err(Error::invalid("an answer is too long", "某项内容过长"));
    }
    Ok(found)
}

fn by_question(question: &str) -> Option<&'static Field> {
    let plain = |text: &str| text.chars().filter(|c| !" *()（）,，、".contains(*c)).collect::<String>().to_lowercase();
    let asked = plain(question);
    FIELDS.iter().find(|field| [field.name, field.en, field.zh].into_iter().any(|known| plain(known) == asked))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_form_is_read_in_either_language() {
        let zh = "# 调查表\n单位名称：高能所\n联系人: 王\n所有的邮件域:\n  a.cn\n  b.cn\n所需邮箱总容量（M）= 50\nwhen\t今晚\n";
        let read_zh = read(zh.as_bytes()).unwrap();
        assert_eq!(read_zh[0], ("organisation".into(), "高能所".into()));
        assert_eq!(read_zh[2], ("domains".into(), "\na.cn\nb.cn".into()));
        assert_eq!(read_zh[3..], [("capacity".into(), "50".into()), ("when".into(), "今晚".into())]);
        assert!(read("颜色: 红\n".as_bytes()).unwrap_err().text.en.contains("line 1"));
        assert!(read(b" goes on\n").is_err());
        let gbk = [&[0xb5, 0xa5, 0xce, 0xbb, 0xc3, 0xfb, 0xb3, 0xc6][..], b": x\n"].concat();
        assert_eq!(read(&gbk).unwrap(), [("organisation".to_owned(), "x".to_owned())]);
    }

    #[test]
    fn every_question_of_a_blank_form_can_be_answered() {
        for field in FIELDS {
            for question in [field.name, field.en, field.zh] {
                let answered = read(format!("{question}: x\n").as_bytes()).unwrap();
                assert_eq!(answered, [(field.name.to_owned(), "x".to_owned())], "{question}");
            }
        }
    }

    #[test]
    fn a_number_is_what_somebody_said_alone() {
        let mut form = Form::default();
        form.see(&[("users", "9".into())]);
        assert_eq!(form.number_said("users"), None, "the move's own count");
        for (said, number) in [
            ("300", Some(300)),
            ("约 ３００ 人", Some(300)),
            ("1,200", Some(1200)),
            ("１，２００ 人", Some(1200)),
            ("3万", None),
            ("300,20", None),
            ("300 人，另 20 个公共邮箱", None),
            ("many", None),
            ("99999999999999999999999", None),
        ] {
            form.say(&[("users".into(), said.into())]);
            assert_eq!(form.number_said("users"), number, "{said}");
        }
    }

    #[test]
    fn what_somebody_said_counts_more_than_what_was_seen() {
        let mut form = Form::default();
        form.see(&[("users", "7".into()), ("system", "dovecot".into())]);
        form.say(&[("users".into(), "9".into())]);
        form.see(&[("users", "8".into()), ("system", "cyrus".into())]);
        assert_eq!((form.get("users"), form.get("system")), ("9", "cyrus"));
        assert!(form.missing().iter().any(|field| field.name == "contact"));
        let all: Vec<(String, String)> = FIELDS.iter().map(|field| (field.name.to_owned(), "x".to_owned())).collect();
        form.say(&all);
        assert!(form.missing().is_empty());
    }

    proptest! {
        #[test]
        fn no_file_is_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&bytes);
        }
    }
}
