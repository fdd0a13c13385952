//! Organisations that move in: the verbs of [`anser_migrate`], noted in the journal.

use anser_base::{Class, Error, Result};
use anser_migrate::Which;

use crate::answer::{Item, Out, Report};
use crate::request::MoveAct;
use crate::{Actor, Admin};

impl Admin {
    /// Every move.
    pub async fn moves(&self, out: &Out) -> Result<Report> {
        for view in self.deps.moves.moves().await? {
            out.item(Item::Move(view)).await?;
        }
        Ok(Report::Done)
    }

    /// One verb on one move; for all of its mailboxes, or for those that are named.
    pub async fn act_on_move(
        &self,
        actor: &Actor,
        name: &str,
        which: Which,
        what: MoveAct,
        out: &Out,
    ) -> Result<Report> {
        let moves = &self.deps.moves;
        let verb = verb_of(&what);
        let named = (!which.is_empty()).then(|| which.join(" "));
        let count = match what {
            MoveAct::Status => {
                for view in moves.mailbox_views(name, which).await? {
                    out.item(Item::MoveMailbox(view)).await?;
                }
                return Ok(Report::Done);
            }
            MoveAct::Wait => {
                if self.deps.running.is_none() {
                    let (en, zh) = ("no server runs: nothing is brought meanwhile", "服务器未运行，不会迁移任何邮件");
                    return Err(Error::new(Class::Unavailable, en, zh));
                }
                moves.wait(name).await?;
                return Ok(Report::Done);
            }
            MoveAct::Plan(source) => {
                let to = format!("{} {}:{} {}", source.kind.as_str(), source.host, source.port, source.tls.as_str());
                let view = moves.plan(name, source).await?;
                self.note(actor, verb, name, None, Some(to)).await?;
                out.item(Item::Move(view)).await?;
                return Ok(Report::Done);
            }
            MoveAct::Accounts { source, logins } => moves.add_mailboxes(name, source, logins).await?,
            MoveAct::Check => moves.check(name, which).await?,
            MoveAct::Trial => moves.trial(name, which).await?,
            MoveAct::Start => moves.start(name, which).await?,
            MoveAct::Delta => moves.delta(name, which).await?,
            MoveAct::Retry => moves.retry(name, which).await?,
            MoveAct::Resume { losses_are_meant } => moves.resume(name, losses_are_meant, which).await?,
            MoveAct::Pause => {
                moves.pause(name).await?;
                self.note(actor, verb, name, None, None).await?;
                return Ok(Report::Done);
            }
        };
        self.note(actor, verb, name, None, named.or_else(|| Some(count.to_string()))).await?;
        Ok(Report::Counted { count })
    }
}

/// The word of the journal.
fn verb_of(what: &MoveAct) -> &'static str {
    match what {
        MoveAct::Plan(_) => "move.plan",
        MoveAct::Accounts { .. } => "move.accounts",
        MoveAct::Check => "move.check",
        MoveAct::Trial => "move.trial",
        MoveAct::Start => "move.start",
        MoveAct::Delta => "move.delta",
        MoveAct::Retry => "move.retry",
        MoveAct::Pause => "move.pause",
        MoveAct::Resume { .. } => "move.resume",
        MoveAct::Wait => "move.wait",
        MoveAct::Status => "move.status",
    }
}
