//! Where the message goes: `keep`, `discard`, `fileinto`, `redirect` (RFC 5228 §4).

use anser_base::Address;

use crate::act::flags;
use crate::compile::syntax::bare_address;
use crate::program::Node;
use crate::run::{Action, FileInto, Flow, Halt, Machine, RedirectTo, whole_list_name};
use crate::table::{COPY, EXTERNAL_LIST, Extension, FLAGS, Kind, Needs, PLAIN, Row, Run, Syntax, TARGET, Tag};

pub(crate) static KEEP: Row = Row { name: "keep", tags: &[FLAGS], run: Run::Act(keep), ..PLAIN };

pub(crate) static DISCARD: Row = Row { name: "discard", run: Run::Act(discard), ..PLAIN };

pub(crate) static FILEINTO: Row = Row {
    name: "fileinto",
    needs: Needs::All(&[Extension::FileInto]),
    tags: &[COPY, FLAGS, TARGET],
    arguments: &[Kind::Text(Syntax::Mailbox)],
    run: Run::Act(fileinto),
    ..PLAIN
};

pub(crate) static REDIRECT: Row = Row {
    name: "redirect",
    tags: &[COPY, EXTERNAL_LIST],
    arguments: &[Kind::Text(Syntax::Any)],
    run: Run::Act(redirect),
    ..PLAIN
};

fn keep(machine: &mut Machine<'_>, node: &Node) -> Result<Flow, Halt> {
    no_reject(machine)?;
    let flags = flags::of_tag(machine, node)?.unwrap_or_else(|| machine.flags.clone());
    machine.cancels_keep = true;
    machine.take(Action::Keep { flags, is_implicit: false })?;
    Ok(Flow::Next)
}

fn discard(machine: &mut Machine<'_>, _: &Node) -> Result<Flow, Halt> {
    machine.cancels_keep = true;
    machine.take(Action::Discard)?;
    Ok(Flow::Next)
}

fn fileinto(machine: &mut Machine<'_>, node: &Node) -> Result<Flow, Halt> {
    no_reject(machine)?;
    let mailbox = machine.text(node, 0)?.into_owned();
    let mut file = target(machine, node, mailbox)?;
    if !node.has(Tag::Flags) {
        file.flags.clone_from(&machine.flags);
    }
    machine.cancels_keep |= !node.has(Tag::Copy);
    // Filing into the inbox is keeping, and both together store one message (RFC 5228 §2.10.3).
    let is_inbox =
        file.mailbox.eq_ignore_ascii_case("INBOX") && file.mailbox_id.is_none() && file.special_use.is_none();
    let action = match is_inbox {
        true => Action::Keep { flags: file.flags, is_implicit: false },
        false => Action::FileInto(file),
    };
    machine.take(action)?;
    Ok(Flow::Next)
}

/// The mailbox that tags describe, called `mailbox` unless they find another.
pub(crate) fn target(machine: &Machine<'_>, node: &Node, mailbox: String) -> Result<FileInto, Halt> {
    machine.check(&mailbox, Syntax::Mailbox)?;
    let special_use = machine.tag_text(node, Tag::SpecialUse)?;
    if let Some(special_use) = &special_use {
        machine.check(special_use, Syntax::SpecialUse)?;
    }
    Ok(FileInto {
        mailbox,
        mailbox_id: machine.tag_text(node, Tag::MailboxId)?,
        special_use,
        create: node.has(Tag::Create),
        flags: flags::of_tag(machine, node)?.unwrap_or_default(),
    })
}

fn redirect(machine: &mut Machine<'_>, node: &Node) -> Result<Flow, Halt> {
    no_reject(machine)?;
    let text = machine.text(node, 0)?.into_owned();
    let to = if node.has(Tag::List) {
        let text = whole_list_name(text);
        if !machine.input.world.list_exists(&text) {
            return Err(Halt::error(format!("there is no list \"{text}\""), format!("没有名为 \"{text}\" 的列表")));
        }
        RedirectTo::List(text)
    } else {
        machine.check(&text, Syntax::Address)?;
        let Some(address) = Address::parse(&bare_address(&text)) else { return Ok(Flow::Next) };
        RedirectTo::Address(address)
    };
    machine.cancels_keep |= !node.has(Tag::Copy);
    machine.budget.redirect()?;
    machine.take(Action::Redirect { to })?;
    Ok(Flow::Next)
}

/// A message is delivered or refused, not both (RFC 5429 §2.4).
fn no_reject(machine: &Machine<'_>) -> Result<(), Halt> {
    if !machine.has_reject {
        return Ok(());
    }
    let (en, zh) = ("a message that is rejected cannot be delivered as well", "已拒收的邮件不能再投递");
    Err(Halt::error(en, zh))
}
