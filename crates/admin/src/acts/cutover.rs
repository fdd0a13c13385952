//! The survey and the cut-over of an organisation: what its moves know, beside what the DNS says.

use anser_base::{Class, Error, Result, Text};
use anser_migrate::which::names_some;
use anser_migrate::{MxSeen, Said, Which};

use crate::answer::{Item, Out, Report, VisitView};
use crate::{Actor, Admin};

/// What somebody wants of a cut-over.
pub(super) struct Wish {
    /// To see how the gates stand.
    pub check: bool,
    /// The end of the move.
    pub close: bool,
    /// To try the domains.
    pub probe: bool,
    /// What he says.
    pub said: Said,
}

/// Why a move does not end, where something was said beside it.
fn unsaid(refused: &Error) -> Error {
    let Text { en, zh } = &refused.text;
    Error::new(
        refused.class,
        format!("{en}; what was said or accepted beside --close is not remembered"),
        format!("{zh}；与 --close 一同确认或接受的内容未予记录"),
    )
}

impl Admin {
    /// Every old server as it answers, and the records of every domain as its name servers have them.
    pub(super) async fn survey(&self, actor: &Actor, name: &str, which: Which, out: &Out) -> Result<Report> {
        let moves = &self.deps.moves;
        // Noted before: it logs in with what is stored, whatever becomes of it.
        let named = (!which.is_empty()).then(|| which.join(" "));
        self.note(actor, "move.survey", name, None, named).await?;
        let surveys = match actor.is_program() {
            true => moves.survey_from_afar(name, which).await?,
            false => moves.survey(name, which).await?,
        };
        for survey in surveys {
            out.item(Item::MoveSurvey(Box::new(survey))).await?;
        }
        let seen = self.look_at_domains(name).await?;
        // How long an MX is remembered counts from when it was first seen.
        moves.look_at_gates(name, &seen, Said::default()).await?;
        let servers = self.name_servers(&moves.domains(name).await?).await;
        let form = moves.complete_form(name, vec![("dns", servers)]).await?;
        for field in form.views() {
            out.item(Item::MoveField(field)).await?;
        }
        for domain in moves.domains(name).await? {
            if self.deps.directory.domain(&domain).await?.is_some() {
                self.domain_dns(&domain, true, out).await?;
            }
        }
        Ok(Report::Done)
    }

    /// Mailboxes or waves that are named are cut over as they are; everybody, or all in some state, only once no gate before the cut-over is open.
    pub(super) async fn cutover(
        &self,
        actor: &Actor,
        name: &str,
        which: Which,
        wish: Wish,
        out: &Out,
    ) -> Result<Report> {
        let moves = &self.deps.moves;
        if wish.probe {
            self.probe(actor, name, &which, out).await?;
        } else if wish.check || wish.close {
            self.follow_probes(name).await?;
        }
        if names_some(&which) && !wish.check && !wish.close && !wish.probe {
            let count = moves.cutover(name, which.clone()).await?;
            self.note(actor, "move.cutover", name, None, Some(which.join(" "))).await?;
            return Ok(Report::Counted { count });
        }
        let seen = self.look_at_domains(name).await?;
        let said = [wish.said.noticed.then_some("noticed".to_owned())].into_iter().flatten();
        let said: Vec<String> = said.chain(wish.said.accepted.iter().cloned()).collect();
        let look = moves.look_at_gates(name, &seen, Said { closes: wish.close, ..wish.said }).await?;
        if !said.is_empty() && !look.is_unsaid {
            self.note(actor, "move.gate", name, None, Some(said.join(" "))).await?;
        }
        for gate in &look.gates {
            out.item(Item::MoveGate(gate.clone())).await?;
        }
        for domain in seen.iter().filter(|_| wish.check).map(|one| &one.domain) {
            self.tell_reputation(domain, out).await?;
        }
        for at_ms in &look.visits {
            out.item(Item::MoveVisit(VisitView { at_ms: *at_ms })).await?;
        }
        if wish.close {
            // With what was said it cannot end either: it is refused for what is open then.
            if let Some(refused) = look.refusal().filter(|_| look.is_unsaid) {
                return Err(unsaid(&refused));
            }
            moves.close_move(name, &seen).await?;
            self.note(actor, "move.close", name, None, None).await?;
            return Ok(Report::Done);
        }
        if wish.check || wish.probe || look.closed {
            return Ok(Report::Done);
        }
        let open: Vec<&str> =
            look.gates.iter().filter(|gate| gate.before && gate.state == "open").map(|gate| &*gate.gate).collect();
        if !open.is_empty() && !look.begun {
            let open = open.join(", ");
            return Err(Error::new(
                Class::Conflict,
                format!("these gates are open: {open}; --accept takes one for passed"),
                format!("以下关卡未通过：{open}；可用 --accept 接受"),
            ));
        }
        let whom = if which.is_empty() { String::new() } else { format!("{}: ", which.join(" ")) };
        let count = moves.cutover(name, which).await?;
        self.note(actor, "move.cutover", name, None, Some(format!("{whom}{count}"))).await?;
        Ok(Report::Counted { count })
    }

    /// One look at the DNS of every move that was not closed, for what is remembered of it; a server does it once an hour.
    pub async fn look_at_moves(&self) -> Result<()> {
        for name in self.deps.moves.open_moves().await? {
            // One that cannot be looked at keeps no other.
            if let Err(error) = self.look_at_move(&name).await {
                tracing::warn!(
                    of = name,
                    error = error.chain(),
                    "a move could not be looked at; it is tried again in an hour"
                );
            }
        }
        Ok(())
    }

    async fn look_at_move(&self, name: &str) -> Result<()> {
        let seen = self.look_at_domains(name).await?;
        self.deps.moves.look_at_gates(name, &seen, Said::default()).await?;
        self.follow_probes(name).await?;
        self.deps.moves.keep_figures(name).await
    }

    pub(super) async fn look_at_domains(&self, name: &str) -> Result<Vec<MxSeen>> {
        let mut seen = Vec::new();
        for domain in self.deps.moves.domains(name).await? {
            seen.push(self.look_at_mx(&domain).await);
        }
        Ok(seen)
    }
}
