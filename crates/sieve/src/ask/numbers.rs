//! Verdicts on the message: `spamtest` and `virustest` (RFC 5235).

use std::rc::Rc;

use crate::compare::Text;
use crate::program::Node;
use crate::run::{Halt, Machine};
use crate::table::{Extension, Kind, MATCH, Needs, PERCENT, PLAIN, Row, Run, Syntax, Tag};

pub(crate) static SPAMTEST: Row = Row {
    name: "spamtest",
    needs: Needs::Any(&[Extension::SpamTest, Extension::SpamTestPlus]),
    tags: &[MATCH, PERCENT],
    arguments: &[Kind::Text(Syntax::Key)],
    run: Run::Ask(spamtest),
    ..PLAIN
};

pub(crate) static VIRUSTEST: Row = Row {
    name: "virustest",
    needs: Needs::All(&[Extension::VirusTest]),
    tags: &[MATCH],
    arguments: &[Kind::Text(Syntax::Key)],
    run: Run::Ask(virustest),
    ..PLAIN
};

fn spamtest(machine: &mut Machine<'_>, node: &Node) -> Result<bool, Halt> {
    let percent = machine.input.world.spam_percent().map(|percent| u64::from(percent.min(100)));
    // 1 is clean and 10 is certain; what lies between is spread evenly.
    let value = percent.map(|percent| if node.has(Tag::Percent) { percent } else { 1 + percent * 9 / 100 });
    compare(machine, node, value)
}

fn virustest(machine: &mut Machine<'_>, node: &Node) -> Result<bool, Halt> {
    let level = machine.input.world.virus_level().map(|level| u64::from(level.clamp(1, 5)));
    compare(machine, node, level)
}

/// 0 stands for "not tested", which also counts as none.
fn compare(machine: &mut Machine<'_>, node: &Node, value: Option<u64>) -> Result<bool, Halt> {
    if machine.counts(node) {
        return machine.count_matches(node, value.is_some().into());
    }
    machine.any_matches(node, [Rc::new(Text::new(value.unwrap_or(0).to_string()))], true)
}
