//! `notify` (RFC 5435) by mail (RFC 5436).

use crate::act::vacation::fcc;
use crate::compile::syntax::bare_address;
use crate::mailto;
use crate::program::Node;
use crate::run::{Action, Flow, Halt, Machine, Notify};
use crate::table::{self, Extension, FCC, Kind, Needs, PLAIN, Row, Run, Syntax, Tag};

pub(crate) static NOTIFY: Row = Row {
    name: "notify",
    needs: Needs::All(&[Extension::Enotify]),
    tags: &[table::NOTIFY, FCC],
    arguments: &[Kind::Text(Syntax::Method)],
    run: Run::Act(notify),
    ..PLAIN
};

/// Fields of a URI that set something of the notification itself, or are not safe (RFC 5436 §2.7).
const NOT_COPIED: &[&str] =
    &["to", "cc", "bcc", "from", "subject", "body", "auto-submitted", "received", "message-id", "date"];

fn notify(machine: &mut Machine<'_>, node: &Node) -> Result<Flow, Halt> {
    let method = machine.text(node, 0)?.into_owned();
    let Some(uri) = mailto::parse(&method) else {
        let en = format!("\"{method}\" is no method of notification that is supported");
        return Err(Halt::error(en, format!("不支持通知方式 \"{method}\"")));
    };
    let importance = machine.tag_text(node, Tag::Importance)?;
    if let Some(importance) = &importance {
        machine.check(importance, Syntax::Importance)?;
    }
    let value = |name: &str| machine.message.fields(name).next().map(|field| machine.message.text(field));
    let submitted = value("Auto-Submitted").map(|text| text.plain().to_ascii_lowercase());
    let subject = match (machine.tag_text(node, Tag::Message)?, uri.header("subject")) {
        (Some(message), _) => message,
        (None, Some(subject)) => subject.to_owned(),
        (None, None) => value("Subject").map(|text| text.plain().to_owned()).unwrap_or_default(),
    };
    let is_copied = |name: &String| !NOT_COPIED.iter().any(|known| known.eq_ignore_ascii_case(name));
    let action = Notify {
        subject,
        body: uri.header("body").unwrap_or_default().to_owned(),
        headers: uri.headers.iter().filter(|(name, _)| is_copied(name)).cloned().collect(),
        from: machine.tag_text(node, Tag::From)?.filter(|from| !bare_address(from).is_empty()),
        importance: importance.and_then(|text| text.parse().ok()).unwrap_or(2),
        options: machine.tag_list(node, Tag::Options)?.unwrap_or_default(),
        is_withheld: submitted.is_some_and(|text| text.split(';').next().is_some_and(|word| word.trim() != "no")),
        fcc: fcc(machine, node)?,
        to: uri.to,
    };
    machine.budget.notification()?;
    machine.take(Action::Notify(Box::new(action)))?;
    Ok(Flow::Next)
}
