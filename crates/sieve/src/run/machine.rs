//! The machine: the state of a run, commands in order, actions as they add up.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::{Action, Budget, Failure, Flow, Halt, Input, MAX_STEPS_TOLD, Origin, Outcome, Remember, Script, Taken};
use crate::message::Message;
use crate::program::{Node, Program};
use crate::table::{Extension, Extensions, Run};

/// What belongs to one running script and not to those that it includes.
#[derive(Default)]
pub(crate) struct Scope {
    pub(crate) name: String,
    pub(crate) variables: HashMap<String, String>,
    /// Names that mean global variables here.
    pub(crate) globals: HashSet<String>,
    /// `${0}`, `${1}` and so on.
    pub(crate) matched: Vec<String>,
    /// Capabilities in force, with those that `ihave` switched on.
    pub(crate) enabled: Extensions,
    rules: Arc<[(u32, String)]>,
}

/// The state of a run.
pub(crate) struct Machine<'a> {
    pub(crate) input: &'a Input<'a>,
    pub(crate) message: Message<'a>,
    pub(crate) budget: Budget,
    pub(crate) scope: Scope,
    pub(crate) global_variables: HashMap<String, String>,
    /// The internal variable of RFC 5232.
    pub(crate) flags: Vec<String>,
    /// Scripts that are running, outermost first, and those that ran: with whether they are global.
    pub(crate) including: Vec<(bool, String)>,
    pub(crate) included: HashSet<(bool, String)>,
    /// The part that each `foreverypart` around the current command is at, innermost last.
    pub(crate) parts: Vec<usize>,
    /// Counts changes of parts, so that loops notice them.
    pub(crate) part_changes: u32,
    pub(crate) line: u32,
    pub(crate) cancels_keep: bool,
    pub(crate) has_vacation: bool,
    pub(crate) has_reject: bool,
    actions: Vec<Taken>,
    versions: Vec<Vec<u8>>,
    /// The message changed since the last version.
    is_dirty: bool,
    /// The message as the running script found it, once that script changed it.
    before: Option<(Message<'a>, bool)>,
    pub(crate) remember: Vec<Remember>,
    failures: Vec<Failure>,
    matched: Vec<Origin>,
    /// Actions before this one are of scripts that ended well.
    settled: usize,
    settled_remember: usize,
    /// The budget ran out: no further script runs.
    pub(super) is_exhausted: bool,
    /// How many messages `enclose` made.
    pub(crate) enclosed: u32,
}

impl<'a> Machine<'a> {
    pub(super) fn new(input: &'a Input<'a>) -> Self {
        Machine {
            input,
            message: Message::new(input.message).with_structure(input.structure),
            budget: Budget::new(input.fuel),
            scope: Scope::default(),
            global_variables: HashMap::new(),
            flags: Vec::new(),
            including: Vec::new(),
            included: HashSet::new(),
            parts: Vec::new(),
            part_changes: 0,
            line: 0,
            cancels_keep: false,
            has_vacation: false,
            has_reject: false,
            actions: Vec::new(),
            versions: Vec::new(),
            is_dirty: false,
            before: None,
            remember: Vec::new(),
            failures: Vec::new(),
            matched: Vec::new(),
            settled: 0,
            settled_remember: 0,
            is_exhausted: false,
            enclosed: 0,
        }
    }

    /// Runs one script to its end; the keep that hands the message on, if it keeps it.
    pub(super) fn whole_script(&mut self, script: &Script<'_>) -> Option<Taken> {
        let versions = self.versions.len();
        let flags = self.flags.clone();
        self.global_variables.clear();
        (self.cancels_keep, self.has_vacation, self.has_reject) = (false, false, false);
        self.parts.clear();
        self.including = vec![(false, script.name.to_owned())];
        self.included.clear();
        self.scope = Scope::of(script.name, script.program);
        self.before = None;
        let result = self.block(&script.program.block).and_then(|_| self.implicit_keep());
        match result {
            Ok(()) => self.settle(),
            Err(halt) => {
                self.fail(halt);
                self.actions.truncate(self.settled);
                self.remember.truncate(self.settled_remember);
                self.versions.truncate(versions);
                self.flags.clone_from(&flags);
                if let Some((message, is_dirty)) = self.before.take() {
                    (self.message, self.is_dirty) = (message, is_dirty);
                }
                // The script's own name: the failure may have been in one that it included.
                self.scope = Scope::of(script.name, script.program);
                self.line = 0;
                Some(Taken {
                    action: Action::Keep { flags, is_implicit: true },
                    version: self.versions.len(),
                    origin: self.origin(),
                })
            }
        }
    }

    /// Adds the implicit keep (RFC 5228 §2.10.2) at the end of a script.
    fn implicit_keep(&mut self) -> Result<(), Halt> {
        self.line = 0;
        if self.cancels_keep {
            return Ok(());
        }
        let flags = self.flags.clone();
        self.take(Action::Keep { flags, is_implicit: true })
    }

    /// Makes a script's actions final; its keep is taken out, to be handed on.
    fn settle(&mut self) -> Option<Taken> {
        let keep = self.actions[self.settled..].iter().position(|taken| matches!(taken.action, Action::Keep { .. }));
        let keep = keep.map(|at| self.actions.remove(self.settled + at));
        self.settled = self.actions.len();
        self.settled_remember = self.remember.len();
        keep
    }

    fn fail(&mut self, halt: Halt) {
        let (exhausted, text) = match halt {
            Halt::Error(text) => (None, text),
            Halt::Exhausted(what) => {
                self.is_exhausted = true;
                (Some(what), what.text())
            }
        };
        self.failures.push(Failure { origin: self.origin(), exhausted, text });
    }

    pub(super) fn finish(mut self, keep: Option<Taken>) -> Outcome {
        self.actions.extend(keep);
        Outcome {
            actions: self.actions,
            versions: self.versions,
            remember: self.remember,
            failures: self.failures,
            matched: self.matched,
            steps: self.budget.used(),
        }
    }

    /// Where the machine is.
    fn origin(&self) -> Origin {
        let after = self.scope.rules.partition_point(|(start, _)| *start <= self.line);
        let rule = after.checked_sub(1).map(|at| self.scope.rules[at].1.clone()).filter(|name| !name.is_empty());
        Origin { script: self.scope.name.clone(), line: self.line, rule: rule.filter(|_| self.line > 0) }
    }

    /// Runs commands in order; of `if`, `elsif` and `else` the first whose test is true.
    pub(crate) fn block(&mut self, block: &[Node]) -> Result<Flow, Halt> {
        let mut is_decided = false;
        for node in block {
            self.begin(node)?;
            let is_branch = matches!(node.row.name, "if" | "elsif" | "else");
            if is_branch {
                if node.row.name == "if" {
                    is_decided = false;
                }
                if is_decided || !self.branch(node)? {
                    continue;
                }
                is_decided = true;
            }
            let flow = match node.row.run {
                Run::Act(act) => act(self, node)?,
                Run::Ask(_) => Flow::Next,
            };
            if flow != Flow::Next {
                return Ok(flow);
            }
        }
        Ok(Flow::Next)
    }

    /// Whether a branch is taken.
    fn branch(&mut self, node: &Node) -> Result<bool, Halt> {
        let Some(test) = node.tests.first() else { return Ok(node.row.name == "else") };
        let is_true = self.ask(test)?;
        if is_true && self.matched.len() < MAX_STEPS_TOLD {
            self.line = node.line;
            let origin = self.origin();
            self.matched.push(origin);
        }
        Ok(is_true)
    }

    /// Evaluates a test.
    pub(crate) fn ask(&mut self, node: &Node) -> Result<bool, Halt> {
        self.begin(node)?;
        match node.row.run {
            Run::Ask(ask) => ask(self, node),
            Run::Act(_) => Ok(false),
        }
    }

    /// Pays for a node and checks what `ihave` left for the run (RFC 5463 §4).
    fn begin(&mut self, node: &Node) -> Result<(), Halt> {
        self.line = node.line;
        self.budget.steps(1)?;
        if !self.scope.enabled.has(Extension::Ihave) {
            return Ok(());
        }
        let tags = node.row.tags.iter().flat_map(|group| group.iter()).filter(|row| node.has(row.tag));
        let mut needs = tags.map(|row| row.needs).chain(std::iter::once(node.row.needs));
        match needs.find(|needs| !needs.are_met(self.scope.enabled)) {
            None => Ok(()),
            Some(needs) => {
                let (name, wanted) = (node.row.name, needs.shown());
                let en = format!("{name} is used before ihave {wanted} was true");
                Err(Halt::error(en, format!("在 ihave {wanted} 成立之前使用了 {name}")))
            }
        }
    }

    /// Adds an action, or merges it into the one that it repeats (RFC 5228 §2.10.3).
    pub(crate) fn take(&mut self, action: Action) -> Result<(), Halt> {
        self.budget.action()?;
        let origin = self.origin();
        let version = if action.stores_message() { self.version()? } else { self.versions.len() };
        let own = &mut self.actions[self.settled..];
        match own.iter_mut().find(|taken| taken.action.repeats(&action)) {
            // The last flags win (RFC 5232 §3).
            Some(taken) => taken.action = action,
            None => self.actions.push(Taken { action, version, origin }),
        }
        Ok(())
    }

    /// The message, to be changed: a script that fails later leaves it as it was.
    pub(crate) fn change(&mut self) -> &mut Message<'a> {
        if self.before.is_none() {
            self.before = Some((self.message.clone(), self.is_dirty));
        }
        self.is_dirty = true;
        &mut self.message
    }

    /// Whether this script asked for such an action already.
    pub(crate) fn has_taken(&self, is: impl Fn(&Action) -> bool) -> bool {
        self.actions[self.settled..].iter().any(|taken| is(&taken.action))
    }

    /// The number of the message's current version, made if it changed.
    fn version(&mut self) -> Result<usize, Halt> {
        if self.is_dirty {
            self.budget.rewritten(self.message.size())?;
            self.versions.push(self.message.to_bytes());
            self.is_dirty = false;
        }
        Ok(self.versions.len())
    }
}

impl Scope {
    pub(crate) fn of(name: &str, program: &Program) -> Scope {
        Scope { name: name.to_owned(), enabled: program.known, rules: Arc::clone(&program.rules), ..Scope::default() }
    }
}
