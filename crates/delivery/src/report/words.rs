//! The part for people, in Chinese and in English.

use anser_base::Timestamp;
use anser_mime::{header, text};

use super::{Action, Kind, Report, Told, status};

/// Most recipients that the text names; the part for programs has all of them.
const NAMED: usize = 100;
/// Most characters of the subject.
const SUBJECT: usize = 200;

/// Why, and what to do, in plain words.
struct Advice {
    /// How a status code begins, without its class, to be this one. The first that fits counts.
    code: &'static str,
    zh: &'static str,
    en: &'static str,
}

/// From special to general. A code's subject alone tells enough where its detail is not known (RFC 3463 §3).
const ADVICE: [Advice; 26] = [
    Advice {
        code: ".1.1",
        zh: "没有这个收件人。请检查地址是否写错，或通过其他方式向对方确认。",
        en: "There is no such recipient. Check the address for mistakes, or ask the recipient another way.",
    },
    Advice {
        code: ".1.2",
        zh: "收件人地址的域名不存在。请检查 @ 之后的部分。",
        en: "The domain of the address does not exist. Check the part after the @.",
    },
    Advice {
        code: ".1.6",
        zh: "收件人已搬到别的地址。请向对方询问新地址。",
        en: "The recipient has moved. Ask for the new address.",
    },
    Advice {
        code: ".1.10",
        zh: "收件人的域名不接收邮件。请向对方询问其他地址。",
        en: "The recipient's domain takes no mail. Ask for another address.",
    },
    Advice {
        code: ".1.",
        zh: "收件人地址有误。请检查地址后重新发送。",
        en: "Something is wrong with the address. Check it and send the message again.",
    },
    Advice {
        code: ".2.1",
        zh: "收件人的邮箱已停用。请通过其他方式联系对方。",
        en: "The recipient's mailbox is not in use. Reach the recipient another way.",
    },
    Advice {
        code: ".2.2",
        zh: "收件人的邮箱已满。请稍后重发，或通过其他方式提醒对方清理邮箱。",
        en: "The recipient's mailbox is full. Send the message again later, or tell the recipient another way.",
    },
    Advice {
        code: ".2.3",
        zh: "邮件太大，收件人的邮箱不接收。请缩小附件，或用链接代替。",
        en: "The message is too large for the recipient's mailbox. Send smaller attachments, or a link.",
    },
    Advice {
        code: ".2.",
        zh: "收件人的邮箱出了问题。请稍后重发，或通过其他方式联系对方。",
        en: "Something is wrong with the recipient's mailbox. Send the message again later, or reach the recipient another way.",
    },
    Advice {
        code: ".3.4",
        zh: "邮件太大，对方服务器不接收。请缩小附件，或用链接代替。",
        en: "The message is too large for the recipient's server. Send smaller attachments, or a link.",
    },
    Advice {
        code: ".3.",
        zh: "服务器暂时有故障或空间不足。请稍后重发；若仍不行，请联系管理员。",
        en: "A server has trouble or no room. Send the message again later; if that fails too, tell your administrator.",
    },
    Advice {
        code: ".4.1",
        zh: "对方服务器没有应答。请稍后重发；若仍不行，请联系管理员。",
        en: "The other server does not answer. Send the message again later; if that fails too, tell your administrator.",
    },
    Advice {
        code: ".4.4",
        zh: "不知道该把邮件送往哪里。请检查地址，或联系管理员。",
        en: "It is not known where to send the message. Check the address, or tell your administrator.",
    },
    Advice {
        code: ".4.6",
        zh: "邮件在服务器之间来回转发，形成了循环。请把这封退信交给管理员。",
        en: "The message went round in circles between servers. Show this report to your administrator.",
    },
    Advice {
        code: ".4.",
        zh: "与对方服务器的连接出了问题。请稍后重发；若仍不行，请联系管理员。",
        en: "The connection to the other server is bad. Send the message again later; if that fails too, tell your administrator.",
    },
    Advice {
        code: ".5.3",
        zh: "收件人太多。请分几次发送。",
        en: "There are too many recipients. Send the message to fewer at a time.",
    },
    Advice {
        code: ".5.",
        zh: "两台服务器未能互相理解。请把这封退信交给管理员。",
        en: "The two servers did not understand each other. Show this report to your administrator.",
    },
    Advice {
        code: ".6.7",
        zh: "对方服务器不支持中文等国际化邮件地址。请改用全英文字母的地址。",
        en: "The other server does not know internationalized addresses. Use addresses in plain letters.",
    },
    Advice {
        code: ".6.",
        zh: "对方服务器不接受邮件的内容或格式。请换一种格式（例如压缩附件）后重发。",
        en: "The other server does not take the content or format of the message. Send it in another form, such as zipped.",
    },
    Advice {
        code: ".7.10",
        zh: "邮件要求加密传输，而对方服务器做不到。",
        en: "The message asks for encryption that the other server does not offer.",
    },
    Advice {
        code: ".7.30",
        zh: "邮件要求加密传输，而对方服务器做不到。",
        en: "The message asks for encryption that the other server does not offer.",
    },
    Advice {
        code: ".7.5",
        zh: "无法与对方服务器建立可信的加密连接。请联系管理员。",
        en: "No trusted encrypted connection to the other server can be made. Tell your administrator.",
    },
    Advice {
        code: ".7.8",
        zh: "中继服务器拒绝了本服务器的登录。请联系管理员。",
        en: "The relay refused the login of this server. Tell your administrator.",
    },
    Advice {
        code: ".7.",
        zh: "对方服务器出于安全或策略原因拒收。请按其说明处理，或请对方管理员放行。",
        en: "The other server refuses the message for reasons of security or policy. Follow its words, or ask the recipient's administrator.",
    },
    Advice {
        code: ".0.",
        zh: "对方服务器拒收，原因见其答复。",
        en: "The other server refuses the message; its answer tells why.",
    },
    Advice { code: "", zh: "原因见下文。", en: "The reason is given below." },
];

pub(super) fn subject(kind: Kind) -> &'static str {
    match kind {
        Kind::Failed => "退信：邮件未能送达 / Undelivered mail returned to sender",
        Kind::Delayed => "邮件尚未送达，仍在重试 / Delayed mail, still being retried",
        Kind::Done => "邮件已送达 / Mail delivery report: success",
    }
}

/// The whole text.
pub(super) fn explain(report: &Report<'_>, told: &[Told<'_>], header: &[u8]) -> String {
    let about = about(report, header);
    let mut out = String::new();
    for language in [Language::Zh, Language::En] {
        out.push_str(&introduction(report, language, &about));
        for (why, told) in grouped(told) {
            explain_group(&mut out, language, why, &told);
        }
        if told.len() > NAMED {
            out.push_str(&language.pick(
                format!("（共 {} 个收件人，其余见附件。）\n\n", told.len()),
                format!("({} recipients in all; the attachment has the others.)\n\n", told.len()),
            ));
        }
    }
    out
}

#[derive(Clone, Copy)]
enum Language {
    Zh,
    En,
}

impl Language {
    fn pick<T>(self, zh: T, en: T) -> T {
        match self {
            Self::Zh => zh,
            Self::En => en,
        }
    }
}

/// Which message: its subject and when it came.
fn about(report: &Report<'_>, block: &[u8]) -> (String, Timestamp) {
    let subject = header::value(block, "Subject").map(|value| text::decode_header(&value)).unwrap_or_default();
    let line: String = subject.chars().map(|c| if c.is_control() { ' ' } else { c }).take(SUBJECT).collect();
    (line.trim().to_owned(), report.entry.envelope.accepted)
}

fn introduction(report: &Report<'_>, language: Language, (subject, accepted): &(String, Timestamp)) -> String {
    let host = &report.delivery.deps.hostname;
    let (zh, en) = match report.kind {
        Kind::Failed => {
            ("未能送达以下收件人，也不会再尝试", "could not be delivered to these recipients and is not tried again")
        }
        Kind::Delayed => (
            "尚未送达以下收件人。系统会继续尝试，您无需重发",
            "has not been delivered to these recipients yet. It is still being tried; there is no need to send it again",
        ),
        Kind::Done => ("已送达以下收件人", "was delivered to these recipients"),
    };
    let at = accepted.to_string();
    language.pick(
        format!("您好，这里是 {host} 的邮件系统。\n\n{host} 于 {at} 收到的您的邮件“{subject}”{zh}。\n\n"),
        format!("----\n\nThis is the mail system of {host}.\n\nYour message \"{subject}\", which {host} took at {at}, {en}.\n\n"),
    )
}

/// Recipients with the same fate together, in their order.
fn grouped<'a>(told: &[Told<'a>]) -> Vec<((Action, &'a str), Vec<Told<'a>>)> {
    let mut groups: Vec<((Action, &str), Vec<Told<'_>>)> = Vec::new();
    for told in told.iter().take(NAMED) {
        let fate = (told.action, told.why);
        match groups.iter_mut().find(|(known, _)| *known == fate) {
            Some((_, group)) => group.push(*told),
            None => groups.push((fate, vec![*told])),
        }
    }
    groups
}

fn explain_group(out: &mut String, language: Language, (action, why): (Action, &str), told: &[Told<'_>]) {
    for told in told {
        out.push_str(&format!("    {}\n", told.recipient.address));
    }
    match action {
        Action::Delivered => out.push_str(language.pick("已放入邮箱。\n", "It is in the mailbox.\n")),
        Action::Relayed => out.push_str(language.pick(
            "已交给下一台服务器，之后不会再有报告。\n",
            "It was handed to the next server, which sends no further reports.\n",
        )),
        Action::Failed { expired: true } => out.push_str(language.pick(
            "多次尝试均未成功，期限已过。最后一次的情况：\n",
            "All attempts failed, and the time is over. The last one ended so:\n",
        )),
        Action::Failed { .. } | Action::Delayed => {}
    }
    if !why.is_empty() {
        explain_why(out, language, why);
    }
    out.push('\n');
}

/// The advice, then the exact words, quoted so that nobody takes them for ours.
fn explain_why(out: &mut String, language: Language, why: &str) {
    let advice = advice(status::code(why).unwrap_or_default());
    out.push_str(language.pick(advice.zh, advice.en));
    out.push('\n');
    let (who, words) = match status::said(why) {
        Some((host, reply)) => (language.pick(format!("{host} 的答复："), format!("The answer of {host}:")), reply),
        None => (language.pick("详情：", "In detail:").to_owned(), why),
    };
    let words: String = words.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    out.push_str(&format!("{who}\n> {words}\n"));
}

fn advice(code: &str) -> &'static Advice {
    let detail = code.get(1..).unwrap_or_default();
    // `.1.1` must not be taken for `.1.10`.
    let fits = |known: &&Advice| match known.code.ends_with('.') || known.code.is_empty() {
        true => detail.starts_with(known.code),
        false => detail == known.code,
    };
    ADVICE.iter().find(fits).unwrap_or(&ADVICE[ADVICE.len() - 1])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_advice_and_special_ones_come_first() {
        assert!(advice("5.1.1").en.starts_with("There is no such recipient"));
        assert!(advice("5.1.10").en.contains("takes no mail"));
        assert!(advice("5.1.9").en.starts_with("Something is wrong with the address"));
        assert!(advice("4.2.2").en.contains("full"));
        assert!(advice("").en.contains("below") && advice("5.9.1").en.contains("below"));
        for (at, known) in ADVICE.iter().enumerate() {
            let code =
                if known.code.ends_with('.') { format!("5{}99", known.code) } else { format!("5{}", known.code) };
            assert_eq!(advice(&code).code, ADVICE[at].code, "shadowed by an earlier one");
        }
    }
}
