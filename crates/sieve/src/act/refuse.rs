//! Back to the sender: `reject` and `ereject` (RFC 5429).

use crate::program::Node;
use crate::run::{Action, Flow, Halt, Machine};
use crate::table::{Extension, Kind, Needs, PLAIN, Row, Run, Syntax};

pub(crate) static REJECT: Row = Row {
    name: "reject",
    needs: Needs::All(&[Extension::Reject]),
    arguments: &[Kind::Text(Syntax::Any)],
    run: Run::Act(reject),
    ..PLAIN
};

pub(crate) static EREJECT: Row =
    Row { name: "ereject", needs: Needs::All(&[Extension::Ereject]), run: Run::Act(ereject), ..REJECT };

fn reject(machine: &mut Machine<'_>, node: &Node) -> Result<Flow, Halt> {
    refuse(machine, node, false)
}

fn ereject(machine: &mut Machine<'_>, node: &Node) -> Result<Flow, Halt> {
    refuse(machine, node, true)
}

fn refuse(machine: &mut Machine<'_>, node: &Node, is_ereject: bool) -> Result<Flow, Halt> {
    let is_delivered = machine
        .has_taken(|action| matches!(action, Action::Keep { .. } | Action::FileInto(_) | Action::Redirect { .. }));
    let (en, zh) = match (machine.has_reject, machine.has_vacation, is_delivered) {
        (true, _, _) => ("a message can be rejected only once", "一封邮件只能拒收一次"),
        (_, true, _) => ("a message that was answered by vacation cannot be rejected", "已自动回复的邮件不能再拒收"),
        (_, _, true) => ("a message that is delivered cannot be rejected as well", "已投递的邮件不能再拒收"),
        _ => ("", ""),
    };
    if !en.is_empty() {
        return Err(Halt::error(en, zh));
    }
    let reason = machine.text(node, 0)?.into_owned();
    machine.has_reject = true;
    machine.cancels_keep = true;
    machine.take(Action::Reject { reason, is_ereject })?;
    Ok(Flow::Next)
}
