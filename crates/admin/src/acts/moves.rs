//! Organisations that move in: the verbs of [`anser_migrate`], noted in the journal.

use std::net::{Ipv4Addr, Ipv6Addr};

use anser_base::{Class, Error, Result};
use anser_migrate::{Compared, Faces, Kind, Pace, Said, Source, Tls, Which, split, which};

use crate::acts::cutover::Wish;
use crate::answer::{Item, Out, Report, ReturnedView, UndoneView};
use crate::request::{MoveAct, TicketAct};
use crate::{Actor, Admin};

/// Octets of a report in one item.
pub(super) const PIECE: usize = 512 * 1024;

impl Admin {
    /// Every move, or the one of a name.
    pub async fn moves(&self, name: Option<String>, out: &Out) -> Result<Report> {
        for view in self.deps.moves.moves().await? {
            if name.as_ref().is_none_or(|name| *name == view.name) {
                out.item(Item::Move(view)).await?;
            }
        }
        Ok(Report::Done)
    }

    /// This server's own doors, as any client reaches them.
    fn own_faces(&self) -> Result<Faces> {
        let imap = self.own_face(Kind::Imap)?;
        let imap = imap.ok_or_else(|| Error::invalid("this server serves no IMAP", "本服务器未启用 IMAP"))?;
        Ok(Faces { imap, pop3: self.own_face(Kind::Pop3)? })
    }

    /// One of them, where it is open. Its certificate is for the world's name of it, and not asked for.
    fn own_face(&self, kind: Kind) -> Result<Option<Source>> {
        let running = self.deps.running.as_ref().ok_or_else(not_running)?;
        let find = |service: &str| {
            let found = running.services.iter().find(|(name, ..)| *name == service)?;
            found.1.first().copied()
        };
        let (address, tls) = match (find(&format!("{}s", kind.word())), find(kind.word())) {
            (Some(address), _) => (address, Tls::ImplicitAny),
            (None, Some(address)) => (address, Tls::StarttlsAny),
            (None, None) => return Ok(None),
        };
        let host = match address.ip() {
            ip if ip.is_unspecified() && ip.is_ipv4() => Ipv4Addr::LOCALHOST.to_string(),
            ip if ip.is_unspecified() => Ipv6Addr::LOCALHOST.to_string(),
            ip => ip.to_string(),
        };
        let (name, profile, port) = ("here".to_owned(), "generic".to_owned(), address.port());
        Ok(Some(Source {
            id: 0,
            name,
            kind,
            host,
            port,
            tls,
            profile,
            connections: 1,
            admin: None,
            rules: Default::default(),
        }))
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
        moves.check_which(name, &which).await?;
        if let Some((host, port)) = server_of(&what)?.filter(|_| actor.is_program()) {
            moves.may_be_named(&host, port).await?;
        }
        let count = match what {
            MoveAct::Status => {
                for view in moves.mailbox_views(name, which).await? {
                    out.item(Item::MoveMailbox(view)).await?;
                }
                return Ok(Report::Done);
            }
            MoveAct::Verify { level } => {
                // Noted before: it logs in with what is stored, whatever becomes of it.
                self.note(actor, verb, name, None, named).await?;
                let Compared { proofs, failed } = moves.verify(name, which, self.own_faces()?, level).await?;
                let unexplained: u64 = proofs.iter().map(|proof| proof.unexplained).sum();
                let words = match &*failed {
                    [] => String::new(),
                    [first, ..] => format!("; {} not compared: {}: {}", failed.len(), first.login, first.why.text.en),
                };
                self.note(actor, verb, name, None, Some(format!("{unexplained} unexplained{words}"))).await?;
                for proof in proofs {
                    out.item(Item::MoveProof(Box::new(proof))).await?;
                }
                for one in failed {
                    out.item(Item::MoveUncompared(one.into())).await?;
                }
                return Ok(Report::Counted { count: unexplained });
            }
            MoveAct::Proofs => {
                for proof in moves.proofs(name, which).await? {
                    out.item(Item::MoveProof(Box::new(proof))).await?;
                }
                return Ok(Report::Done);
            }
            MoveAct::Wait => {
                self.deps.running.as_ref().ok_or_else(not_running)?;
                tokio::select! {
                    waited = moves.wait(name) => waited?,
                    () = out.is_left() => {}
                }
                return Ok(Report::Done);
            }
            MoveAct::Follow { stay } => {
                self.deps.running.as_ref().ok_or_else(not_running)?;
                return self.follow_move(name, which, stay, out).await;
            }
            MoveAct::Plan(source) => {
                let to = format!("{} {}:{} {}", source.kind.word(), source.host, source.port, source.tls.word());
                let view = moves.plan(name, source).await?;
                self.note(actor, verb, name, None, Some(to)).await?;
                out.item(Item::Move(view)).await?;
                return Ok(Report::Done);
            }
            MoveAct::Administrator { source, admin, password } => {
                let to = admin.as_ref().map(|admin| format!("{source} {} {}", admin.name, admin.form));
                let view = moves.set_administrator(name, &source, admin, password).await?;
                self.note(actor, verb, name, None, to).await?;
                out.item(Item::Move(view)).await?;
                return Ok(Report::Done);
            }
            MoveAct::Secrets { days } => {
                let view = moves.keep_secrets(name, days).await?;
                self.note(actor, verb, name, None, view.secrets_until.clone()).await?;
                out.item(Item::Move(view)).await?;
                return Ok(Report::Done);
            }
            MoveAct::PassThrough { passing, relay } => {
                let view = moves.pass_through(name, passing, relay).await?;
                let to = format!("{} {}", view.passing, view.relay.as_deref().unwrap_or_default());
                self.note(actor, verb, name, None, Some(to)).await?;
                out.item(Item::Move(view)).await?;
                return Ok(Report::Done);
            }
            MoveAct::Pace { source, pace } => {
                let to = [pace.hours.clone(), pace.bytes_a_day.map(|bytes| format!("{bytes} bytes a day"))];
                let to: Vec<String> = to.into_iter().flatten().collect();
                moves.pace_source(name, source, &pace).await?;
                self.note(actor, verb, name, None, Some(to.join(" "))).await?;
                out.item(Item::Move(moves.move_view(name).await?)).await?;
                return Ok(Report::Done);
            }
            MoveAct::Rules { source, rules } => {
                let deleted = rules.skip_deleted.map(|skips| if skips { "without deleted" } else { "with deleted" });
                let shared = rules.shared.as_ref().map(|taker| format!("shared: {taker}"));
                let to: Vec<String> = deleted.map(str::to_owned).into_iter().chain(shared).collect();
                let view = moves.rule_source(name, source, &rules).await?;
                self.note(actor, verb, name, None, Some(to.join(" "))).await?;
                out.item(Item::Move(view)).await?;
                return Ok(Report::Done);
            }
            MoveAct::Wave { wave, out: is_out, remove, hours } => {
                let pace = Pace { hours, ..Pace::default() };
                let count = match remove {
                    true => moves.remove_wave(name, &wave).await?,
                    false if is_out && which.is_empty() => return Err(nobody()),
                    false => {
                        if pace != Pace::default() {
                            moves.pace_wave(name, &wave, &pace).await?;
                        }
                        let within = is_out.then(|| format!("{}{wave}", which::WAVE));
                        let which = which.into_iter().chain(within).collect();
                        moves.set_wave(name, which, (!is_out).then(|| wave.clone())).await?
                    }
                };
                let named = named.unwrap_or_default();
                self.note(actor, verb, name, None, Some(format!("{wave}: {named}").trim_end().to_owned())).await?;
                return Ok(Report::Counted { count });
            }
            MoveAct::First => moves.first(name, which).await?,
            MoveAct::Failed => {
                for one in moves.failed(name, which).await? {
                    out.item(Item::MoveFailed(Box::new(one))).await?;
                }
                return Ok(Report::Done);
            }
            MoveAct::Undo { dry_run: false, all } if which.is_empty() != all => return Err(nobody_or_all()),
            MoveAct::Undo { dry_run, .. } => {
                let leaving = moves.leaving(name, &which).await?;
                let undone = match dry_run {
                    true => moves.rehearse_undo(name, which).await?,
                    false => {
                        // Noted before: whatever is killed meanwhile, it is known who began it.
                        self.note(actor, verb, name, None, named).await?;
                        moves.undo(name, which).await?
                    }
                };
                for (address, undone) in undone {
                    out.item(Item::MoveUndone(UndoneView { address, dry_run, undone })).await?;
                }
                self.drop_old_addresses(actor, &leaving, dry_run, out).await?;
                return Ok(Report::Done);
            }
            MoveAct::Runs => {
                for run in moves.runs(name, which).await? {
                    out.item(Item::MoveRun(run)).await?;
                }
                return Ok(Report::Done);
            }
            MoveAct::Form(said) => {
                let form = match said.is_empty() {
                    true => moves.form(name).await?,
                    false => {
                        self.note(actor, verb, name, None, None).await?;
                        moves.fill_form(name, said).await?
                    }
                };
                for field in form.views() {
                    out.item(Item::MoveField(field)).await?;
                }
                return Ok(Report::Done);
            }
            MoveAct::Documents => return self.move_documents(actor, name, out).await,
            MoveAct::Survey => return self.survey(actor, name, which, out).await,
            MoveAct::Cutover { check, noticed, accepted, close, probe } => {
                let who = actor.name.clone();
                let said = Said { noticed, accepted, who, closes: false };
                return self.cutover(actor, name, which, Wish { check, close, probe, said }, out).await;
            }
            MoveAct::Ticket(what) => {
                let noted = match what {
                    TicketAct::List => None,
                    TicketAct::Open { text } => {
                        Some(format!("{} opened", moves.open_ticket(name, &actor.name, &text).await?))
                    }
                    TicketAct::Close { id, answer } => {
                        moves.close_ticket(name, id, &actor.name, &answer).await?;
                        Some(format!("{id} closed"))
                    }
                };
                if noted.is_some() {
                    self.note(actor, verb, name, None, noted).await?;
                }
                for ticket in moves.tickets(name).await? {
                    out.item(Item::MoveTicket(ticket)).await?;
                }
                return Ok(Report::Done);
            }
            MoveAct::Notify { occasion, dry_run } => {
                return self.notify(actor, name, &which, (occasion, dry_run), out).await;
            }
            MoveAct::OldAddresses { domain, dry_run } => {
                return self.keep_old_addresses(actor, name, which, (domain, dry_run), out).await;
            }
            MoveAct::Rollback { dry_run: true } => {
                self.note(actor, "move.rollback.rehearse", name, None, named).await?;
                for (address, returned) in moves.rehearse_rollback(name, which).await? {
                    out.item(Item::MoveReturned(ReturnedView { address, returned })).await?;
                }
                return Ok(Report::Done);
            }
            MoveAct::Rollback { dry_run: false } => moves.rollback(name, which).await?,
            MoveAct::Report { format } => {
                let text = moves.signed_report(name, which, &format).await?;
                let mut rest = text.as_str();
                while !rest.is_empty() {
                    let (piece, behind) = rest.split_at(rest.floor_char_boundary(PIECE));
                    out.item(Item::MoveReport(piece.to_owned())).await?;
                    rest = behind;
                }
                return Ok(Report::Done);
            }
            MoveAct::ReportKey => {
                out.item(Item::MoveReport(moves.report_key()?)).await?;
                return Ok(Report::Done);
            }
            MoveAct::Abandon { all } if which.is_empty() != all => {
                return Err(nobody_or_all());
            }
            MoveAct::Abandon { .. } => {
                let leaving = moves.leaving(name, &which).await?;
                let count = moves.abandon(name, which).await?;
                // Noted before: whatever comes of the old addresses, they are out of the move.
                self.note(actor, verb, name, None, named.or_else(|| Some(count.to_string()))).await?;
                self.drop_old_addresses(actor, &leaving, false, out).await?;
                return Ok(Report::Counted { count });
            }
            MoveAct::Accounts { source, logins } => moves.add_mailboxes(name, source, logins).await?,
            MoveAct::Consent { grant, asks: true } => moves.ask_owners(name, which, grant).await?.len() as u64,
            MoveAct::Consent { grant, asks: false } => moves.allow(name, which, grant).await?,
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

fn nobody_or_all() -> Error {
    Error::invalid("name the mailboxes, or say --all", "请指定邮箱，或使用 --all")
}

fn nobody() -> Error {
    Error::invalid("name the mailboxes", "请指定邮箱")
}

fn not_running() -> Error {
    let (en, zh) = ("no server runs here: start it first", "服务器未运行，请先启动");
    Error::new(Class::Unavailable, en, zh)
}

/// The server that a verb names, which this one will connect to.
fn server_of(what: &MoveAct) -> Result<Option<(String, u16)>> {
    match what {
        MoveAct::Plan(source) => Ok(Some((source.host.clone(), source.port))),
        MoveAct::PassThrough { relay: Some(relay), .. } if !relay.is_empty() => split(relay).map(Some),
        MoveAct::Consent { grant, .. } => grant.server(),
        _ => Ok(None),
    }
}

/// The word of the journal.
fn verb_of(what: &MoveAct) -> &'static str {
    match what {
        MoveAct::Plan(_) => "move.plan",
        MoveAct::Administrator { .. } => "move.administrator",
        MoveAct::Secrets { .. } => "move.secrets",
        MoveAct::PassThrough { .. } => "move.pass-through",
        MoveAct::Pace { .. } => "move.pace",
        MoveAct::Rules { .. } => "move.rules",
        MoveAct::Wave { .. } => "move.wave",
        MoveAct::First => "move.first",
        MoveAct::Runs => "move.runs",
        MoveAct::Failed => "move.failed",
        MoveAct::Undo { .. } => "move.undo",
        MoveAct::Survey => "move.survey",
        MoveAct::Form(_) => "move.form",
        MoveAct::Documents => "move.documents",
        MoveAct::Cutover { .. } => "move.cutover",
        MoveAct::Ticket(_) => "move.ticket",
        MoveAct::Notify { .. } => "move.notify",
        MoveAct::Abandon { .. } => "move.abandon",
        MoveAct::Rollback { .. } => "move.rollback",
        MoveAct::Report { .. } | MoveAct::ReportKey => "move.report",
        MoveAct::Accounts { .. } => "move.accounts",
        MoveAct::OldAddresses { .. } => "move.old-addresses",
        MoveAct::Consent { .. } => "move.consent",
        MoveAct::Check => "move.check",
        MoveAct::Trial => "move.trial",
        MoveAct::Start => "move.start",
        MoveAct::Delta => "move.delta",
        MoveAct::Retry => "move.retry",
        MoveAct::Pause => "move.pause",
        MoveAct::Resume { .. } => "move.resume",
        MoveAct::Wait => "move.wait",
        MoveAct::Status | MoveAct::Follow { .. } => "move.status",
        MoveAct::Verify { .. } => "move.verify",
        MoveAct::Proofs => "move.proofs",
    }
}
