//! `vacation` (RFC 5230, RFC 6131): the answer, and everything that forbids it but what only the store remembers.

use anser_mime::address;

use crate::act::deliver::target;
use crate::compile::syntax::bare_address;
use crate::program::{Node, Value};
use crate::run::{Action, FileInto, Flow, Halt, Machine, Vacation, Withheld};
use crate::table::{self, Extension, FCC, Kind, Needs, PLAIN, Row, Run, Syntax, Tag};

/// Seconds of a day.
const DAY: u64 = 86_400;

/// Longest time between two answers to one sender, in seconds (RFC 5230 §4.1 asks for more than 30 days).
const MAX_SECONDS: u64 = 90 * DAY;

/// Time between two answers when the script says none, in seconds.
const DEFAULT_SECONDS: u64 = 7 * DAY;

/// Local parts of programs, in lower case (RFC 5230 §4.6).
const PROGRAMS: &[&str] = &["mailer-daemon", "listserv", "majordomo", "nobody", "noreply", "no-reply", "donotreply"];

/// Fields of mailing lists (RFC 2369, RFC 2919).
const LIST_FIELDS: &[&str] =
    &["List-Id", "List-Help", "List-Subscribe", "List-Unsubscribe", "List-Post", "List-Owner", "List-Archive"];

/// Fields that name the recipients (RFC 5230 §4.5).
const RECIPIENT_FIELDS: &[&str] = &["To", "Cc", "Bcc", "Resent-To", "Resent-Cc", "Resent-Bcc"];

pub(crate) static VACATION: Row = Row {
    name: "vacation",
    needs: Needs::All(&[Extension::Vacation]),
    tags: &[table::VACATION, FCC],
    arguments: &[Kind::Text(Syntax::Any)],
    run: Run::Act(vacation),
    ..PLAIN
};

fn vacation(machine: &mut Machine<'_>, node: &Node) -> Result<Flow, Halt> {
    let (en, zh) = match (machine.has_vacation, machine.has_reject) {
        (true, _) => ("a script can answer with vacation only once", "一个脚本只能自动回复一次"),
        (_, true) => ("a message that is rejected cannot be answered by vacation", "已拒收的邮件不能再自动回复"),
        _ => ("", ""),
    };
    if !en.is_empty() {
        return Err(Halt::error(en, zh));
    }
    machine.has_vacation = true;
    let addresses = machine.tag_list(node, Tag::Addresses)?.unwrap_or_default();
    let from = machine.tag_text(node, Tag::From)?.filter(|from| !bare_address(from).is_empty());
    let answer = Vacation {
        withheld: withheld(machine, &addresses)?,
        seconds: seconds(node),
        subject: subject(machine, node)?,
        from,
        reason: machine.text(node, 0)?.into_owned(),
        is_mime: node.has(Tag::Mime),
        tracking: tracking(machine, node)?,
        in_reply_to: machine.message.fields("Message-ID").next().map(|id| machine.message.text(id).plain().to_owned()),
        fcc: fcc(machine, node)?,
    };
    machine.take(Action::Vacation(Box::new(answer)))?;
    Ok(Flow::Next)
}

/// The copy that `:fcc` asks for (RFC 8580).
pub(crate) fn fcc(machine: &Machine<'_>, node: &Node) -> Result<Option<FileInto>, Halt> {
    machine.tag_text(node, Tag::Fcc)?.map(|mailbox| target(machine, node, mailbox)).transpose()
}

fn seconds(node: &Node) -> u64 {
    match (node.number(Tag::Seconds), node.number(Tag::Days)) {
        // Zero asks for an answer to every message (RFC 6131 §2); the caller may set a floor.
        (Some(seconds), _) => seconds.min(MAX_SECONDS),
        (None, Some(days)) => days.clamp(1, MAX_SECONDS / DAY) * DAY,
        (None, None) => DEFAULT_SECONDS,
    }
}

/// RFC 5230 §5.3.
fn subject(machine: &Machine<'_>, node: &Node) -> Result<String, Halt> {
    if let Some(subject) = machine.tag_text(node, Tag::Subject)? {
        return Ok(subject.chars().map(|c| if c.is_control() { ' ' } else { c }).collect());
    }
    let original = machine.message.fields("Subject").next().map(|field| machine.message.text(field));
    Ok(original.map_or_else(|| "Automated reply".to_owned(), |subject| format!("Auto: {}", subject.plain())))
}

/// What makes answers the same: counted strings, variables not expanded (RFC 5230 §4.2).
fn tracking(machine: &Machine<'_>, node: &Node) -> Result<String, Halt> {
    if let Some(handle) = machine.tag_text(node, Tag::Handle)? {
        return Ok(format!("handle:{handle}"));
    }
    let source = |value: Option<&Value>| {
        let text = value.map(Value::strings).unwrap_or_default().first().map(ToString::to_string).unwrap_or_default();
        format!("{}:{text}", text.len())
    };
    let pieces = [node.tag(Tag::Subject), node.tag(Tag::From), node.arguments.first()].map(source);
    Ok(format!("answer:{}:{}", u8::from(node.has(Tag::Mime)), pieces.concat()))
}

/// Why there is no answer, in the order in which RFC 5230 §4 tells it.
fn withheld(machine: &Machine<'_>, addresses: &[String]) -> Result<Option<Withheld>, Halt> {
    let message = &machine.message;
    let sender = machine.input.sender.to_lowercase();
    let local = sender.split('@').next().unwrap_or_default();
    let own: Vec<String> = std::iter::once(machine.input.recipient)
        .chain(machine.input.owner.iter().map(String::as_str))
        .chain(addresses.iter().map(String::as_str))
        .map(str::to_lowercase)
        .collect();
    let value = |name: &str| message.fields(name).next().map(|field| message.text(field).plain().to_lowercase());
    let is_program = PROGRAMS.contains(&local) || local.starts_with("owner-") || local.ends_with("-request");
    let is_bulk = value("Precedence").is_some_and(|word| ["bulk", "list", "junk"].contains(&word.as_str()));
    let submitted = value("Auto-Submitted").map(|value| value.split(';').next().unwrap_or_default().trim().to_owned());
    let suppressed = value("X-Auto-Response-Suppress");
    let is_suppressed =
        suppressed.is_some_and(|value| value.split(',').any(|word| ["all", "oof", "autoreply"].contains(&word.trim())));
    Ok(if sender.is_empty() {
        Some(Withheld::EmptySender)
    } else if own.contains(&sender) {
        Some(Withheld::Oneself)
    } else if is_program {
        Some(Withheld::SystemSender)
    } else if is_bulk || LIST_FIELDS.iter().any(|name| message.fields(name).next().is_some()) {
        Some(Withheld::MailingList)
    } else if submitted.is_some_and(|value| value != "no") || is_suppressed {
        Some(Withheld::AutoSubmitted)
    } else if !is_addressed(machine, &own)? {
        Some(Withheld::NotAddressed)
    } else {
        None
    })
}

/// Whether one of the owner's addresses is among the recipients that the header names.
fn is_addressed(machine: &Machine<'_>, own: &[String]) -> Result<bool, Halt> {
    for name in RECIPIENT_FIELDS {
        for field in machine.message.fields(name) {
            let raw = machine.message.raw(field);
            machine.budget.steps(1 + raw.len() as u64 / 32)?;
            let listed = address::parse_list(raw);
            machine.budget.steps(listed.len() as u64 * own.len() as u64 / 4)?;
            let is_own = |email: String| own.contains(&email.to_lowercase());
            if listed.iter().filter_map(address::Address::email).any(is_own) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}
