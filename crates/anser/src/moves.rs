//! The commands on moves: what they ask for, and those that have a way of their own.

mod words;

use std::collections::BTreeMap;
use std::io::BufRead;
use std::path::Path;

use anser_admin::Event;
use anser_admin::answer::Item;
use anser_admin::request::{MoveAct, Plain, Request, TicketAct};
use anser_base::{Error, Result};
use anser_migrate::{
    Admin, Grant, Kind, Level, NewMailbox, Occasion, Pace, Passing, Password, RulesChange, Source, Tls, form, profile,
    signature,
};
use tokio::sync::mpsc;

use crate::cli::{Move, MovePlan, MoveWhich};
use crate::command::{Asked, act, listed, quota};
use crate::config::Config;
use crate::files;
use crate::password;
use crate::show;
use crate::text::{self, Language, refused};

pub use words::*;

/// Mailboxes that are worked on at once at most, where nothing else is known.
const CONNECTIONS: u32 = 10;
/// Bytes of one line of `move accounts --stdin`.
const LINE: u64 = 64 * 1024;

/// What a command asks for.
pub fn asked(act: Move) -> Result<Asked> {
    let one =
        |name: String, what| Ok(Asked { requests: vec![Request::Move { name, which: Vec::new(), what }], list: false });
    match act {
        Move::List => Ok(Asked { requests: vec![Request::MoveList { name: None }], list: true }),
        Move::Plan(plan) => planned(plan),
        Move::Accounts { project: name, old_addresses: true, old_domain: domain, dry_run, .. } => {
            let what = MoveAct::OldAddresses { domain, dry_run };
            Ok(Asked { requests: vec![Request::Move { name, which: Vec::new(), what }], list: true })
        }
        Move::Accounts { project, source, stdin: true, wave, .. } => {
            let logins = logins(&mut std::io::stdin().lock())?;
            let which: Vec<String> = logins.iter().map(|login| login.address.clone()).collect();
            let asked = one(project.clone(), MoveAct::Accounts { source, logins })?;
            let wave = wave.filter(|_| !which.is_empty()).map(|wave| {
                let what = MoveAct::Wave { wave, out: false, remove: false, hours: None };
                Request::Move { name: project, which, what }
            });
            Ok(Asked { requests: asked.requests.into_iter().chain(wave).collect(), list: false })
        }
        Move::Wave { project: name, wave, addresses: mut which, stdin, hours, out, remove } => {
            if stdin {
                which.extend(listed(&mut std::io::stdin().lock())?.into_iter().map(|one| one.address));
            }
            let what = MoveAct::Wave { wave, out, remove, hours };
            Ok(Asked { requests: vec![Request::Move { name, which, what }], list: false })
        }
        Move::First { project: name, chosen } => Ok(Asked {
            requests: vec![Request::Move { name, which: chosen.which(), what: MoveAct::First }],
            list: false,
        }),
        Move::Failed { project: name, chosen } => Ok(Asked {
            requests: vec![Request::Move { name, which: chosen.which(), what: MoveAct::Failed }],
            list: true,
        }),
        Move::Undo { project: name, chosen, all, yes } => {
            let what = MoveAct::Undo { dry_run: !yes, all };
            Ok(Asked { requests: vec![Request::Move { name, which: chosen.which(), what }], list: true })
        }
        Move::Runs { project: name, chosen } => {
            Ok(Asked { requests: vec![Request::Move { name, which: chosen.which(), what: MoveAct::Runs }], list: true })
        }
        Move::Accounts { project: name, source: _, stdin: false, .. } => {
            let status = Request::Move { name, which: Vec::new(), what: MoveAct::Status };
            Ok(Asked { requests: vec![status], list: true })
        }
        Move::Consent { which, client, tenant, endpoint, way } => {
            let (name, addresses) = (which.project.clone(), which.chosen.addresses.clone());
            let (grant, asks) = grant(client, tenant, &way, &mut std::io::stdin().lock())?;
            let grant = Grant { endpoint, ..grant };
            let asked = with_wait(which, MoveAct::Consent { grant, asks })?;
            // The codes stand in the notes.
            let status = Request::Move { name, which: addresses, what: MoveAct::Status };
            Ok(Asked { requests: asked.requests.into_iter().chain([status]).collect(), list: true })
        }
        Move::Check(which) => with_wait(which, MoveAct::Check),
        Move::Trial(which) => with_wait(which, MoveAct::Trial),
        Move::Start(which) => with_wait(which, MoveAct::Start),
        Move::Pause { project } => one(project, MoveAct::Pause),
        Move::Resume { which, losses_are_meant } => with_wait(which, MoveAct::Resume { losses_are_meant }),
        Move::Retry(which) => with_wait(which, MoveAct::Retry),
        Move::Delta(which) => with_wait(which, MoveAct::Delta),
        Move::Survey { project: name, chosen, form, answers, .. } => {
            let which = chosen.which();
            let is_asked = form.is_some() || !answers.is_empty();
            let what = if is_asked { MoveAct::Form(said(form.as_deref(), &answers)?) } else { MoveAct::Survey };
            Ok(Asked { requests: vec![Request::Move { name, which, what }], list: true })
        }
        Move::Cutover { which, check, noticed, accept, close, probe } => {
            let asked = with_wait(which, MoveAct::Cutover { check, noticed, accepted: accept, close, probe })?;
            Ok(Asked { list: true, ..asked })
        }
        Move::Ticket { project: name, open, close, answer } => {
            let act = match (open, close) {
                (Some(text), _) => TicketAct::Open { text },
                (None, Some(id)) => TicketAct::Close { id, answer: answer.unwrap_or_default() },
                (None, None) => TicketAct::List,
            };
            let what = MoveAct::Ticket(act);
            Ok(Asked { requests: vec![Request::Move { name, which: Vec::new(), what }], list: true })
        }
        Move::Notify { project: name, chosen, success, dry_run, .. } => {
            let which = chosen.which();
            let occasion = if success { Occasion::Success } else { Occasion::Reminder };
            let what = MoveAct::Notify { occasion, dry_run };
            Ok(Asked { requests: vec![Request::Move { name, which, what }], list: true })
        }
        Move::Abandon { project: name, chosen, all } => {
            let which = chosen.which();
            Ok(Asked { requests: vec![Request::Move { name, which, what: MoveAct::Abandon { all } }], list: false })
        }
        Move::Rollback { which, dry_run } => {
            let asked = with_wait(which, MoveAct::Rollback { dry_run })?;
            Ok(Asked { list: dry_run, ..asked })
        }
        Move::Verify { project: name, chosen, level } => {
            let which = chosen.which();
            let level = Level::from_word(&level).unwrap_or(Level::Bodies);
            Ok(Asked { requests: vec![Request::Move { name, which, what: MoveAct::Verify { level } }], list: true })
        }
        // It has a way of its own.
        Move::Report { .. } => Ok(Asked { requests: Vec::new(), list: false }),
        Move::Status { which: MoveWhich { project: name, chosen, wait }, .. } => {
            let which = chosen.which();
            let waiting = Request::Move { name: name.clone(), which: Vec::new(), what: MoveAct::Wait };
            let status = Request::Move { name, which, what: MoveAct::Status };
            Ok(Asked { requests: wait.then_some(waiting).into_iter().chain([status]).collect(), list: true })
        }
    }
}

fn with_wait(which: MoveWhich, what: MoveAct) -> Result<Asked> {
    let MoveWhich { project: name, chosen, wait } = which;
    let which = chosen.which();
    let waiting = Request::Move { name: name.clone(), which: Vec::new(), what: MoveAct::Wait };
    let act = Request::Move { name, which, what };
    Ok(Asked { requests: [act].into_iter().chain(wait.then_some(waiting)).collect(), list: false })
}

/// A source, or how sessions and mail go meanwhile, or both.
fn planned(plan: MovePlan) -> Result<Asked> {
    let name = plan.project.clone();
    let passing = plan.pass_through.as_deref().and_then(Passing::from_word);
    let relay = plan.relay.clone();
    let is_through = passing.is_some() || relay.is_some();
    let bytes_a_day = plan.bytes_per_day.as_deref().map(quota).transpose()?;
    let pace = Pace { hours: plan.hours.clone(), bytes_a_day };
    let pace = (pace != Pace::default()).then(|| MoveAct::Pace { source: Some(plan.source.clone()), pace });
    let rules = RulesChange { skip_deleted: plan.skip_deleted, shared: plan.shared.clone() };
    let rules = (rules != RulesChange::default()).then(|| MoveAct::Rules { source: Some(plan.source.clone()), rules });
    let administrator = administrator(&plan)?;
    let secrets = plan.keep_secrets.as_deref().map(kept).transpose()?;
    let is_other = is_through || pace.is_some() || rules.is_some() || administrator.is_some() || secrets.is_some();
    let has_source = plan.host.is_some() || plan.path.is_some() || plan.profile.is_some() || !is_other;
    let source = has_source.then(|| source_of(plan).map(MoveAct::Plan)).transpose()?;
    let through = is_through.then_some(MoveAct::PassThrough { passing, relay });
    let acts = source.into_iter().chain(administrator).chain(through).chain(pace).chain(rules).chain(secrets);
    let requests = acts.map(|what| Request::Move { name: name.clone(), which: Vec::new(), what }).collect();
    Ok(Asked { requests, list: false })
}

/// For how many days passwords are kept; `unused` for as long as they are used.
fn kept(days: &str) -> Result<MoveAct> {
    let wrong = |_| refused(text::NO_DAYS, &[days]);
    let days = if days == "unused" { None } else { Some(days.parse().map_err(wrong)?) };
    Ok(MoveAct::Secrets { days })
}

/// Who logs in at the old server for everybody; an empty name for nobody any more.
fn administrator(plan: &MovePlan) -> Result<Option<MoveAct>> {
    let Some(name) = plan.admin.clone() else { return Ok(None) };
    let password = plan.admin_password_stdin.then(password::of_stdin).transpose()?;
    let password = password.map(|Plain(password)| Password(password));
    let admin = (!name.is_empty()).then(|| Admin { name, form: plan.admin_form.clone() });
    Ok(Some(MoveAct::Administrator { source: plan.source.clone(), admin, password }))
}

fn source_of(plan: MovePlan) -> Result<Source> {
    let wrong = || Error::unavailable("clap let a wrong word pass");
    let tls = Tls::from_word(&plan.tls).ok_or_else(wrong)?;
    let kind = Kind::from_word(&plan.kind).ok_or_else(wrong)?;
    let is_implicit = matches!(tls, Tls::Implicit | Tls::ImplicitAny);
    let standard = match kind {
        Kind::Imap if is_implicit => 993,
        Kind::Imap => 143,
        Kind::Pop3 if is_implicit => 995,
        Kind::Pop3 => 110,
        Kind::Jmap if is_implicit => 443,
        Kind::Jmap => 80,
        _ => 0,
    };
    let by_host = || plan.host.as_deref().and_then(profile::by_host);
    let known = match &plan.profile {
        Some(name) => {
            profile::named(name).ok_or_else(|| refused(text::NO_PROFILE, &[name, &profile::names().join(" ")]))?
        }
        None => by_host().unwrap_or_else(|| profile::of(profile::GENERIC)),
    };
    let place = match kind {
        Kind::Imap => plan.host.or_else(|| known.imap.clone()),
        Kind::Pop3 => plan.host.or_else(|| known.pop3.clone()),
        Kind::Jmap => plan.host,
        _ => plan.path,
    };
    let (name, profile) = (plan.source, known.name.clone());
    let host = place.ok_or_else(|| refused(text::SOURCE_PLACE, &[]))?;
    let connections = plan.connections.or(known.connections).unwrap_or(CONNECTIONS);
    Ok(Source {
        id: 0,
        name,
        kind,
        host,
        port: plan.port.unwrap_or(standard),
        tls,
        profile,
        connections,
        admin: None,
        rules: Default::default(),
    })
}

/// Answers to the survey form: from a file, and word by word.
fn said(file: Option<&Path>, answers: &[String]) -> Result<Vec<(String, String)>> {
    let mut all = match file {
        Some(path) => form::read(&files::beginning(path, form::FILE as u64 + 1)?)?,
        None => Vec::new(),
    };
    for answer in answers {
        all.extend(form::read(answer.as_bytes())?);
    }
    Ok(all)
}

/// The survey form as a file to be filled in.
pub fn blank_form(language: Language) -> Result<bool> {
    for field in &form::FIELDS {
        let question = if language == Language::Zh { field.zh } else { field.en };
        show::out(&format!("{question}:\n"))?;
    }
    Ok(true)
}

/// The documents of a move as files of a folder, a folder below it for each language.
pub async fn documents(config: &Config, name: String, folder: &Path) -> Result<bool> {
    let mut all: BTreeMap<(String, String), String> = BTreeMap::new();
    act(config, Request::Move { name, which: Vec::new(), what: MoveAct::Documents }, mpsc::channel(1).1, |event| {
        if let Event::Item(item) = event
            && let Item::MoveDocument(piece) = *item
        {
            all.entry((piece.language, piece.name)).or_default().push_str(&piece.text);
        }
        Ok(())
    })
    .await?;
    for ((language, file), text) in all {
        let path = folder.join(language).join(file);
        std::fs::create_dir_all(path.parent().unwrap_or(folder)).map_err(Error::io)?;
        std::fs::write(&path, text).map_err(Error::io)?;
        show::out(&format!("{}\n", path.display()))?;
    }
    Ok(true)
}

/// `LOGIN TAB ADDRESS TAB PASSWORD` a line; the password is all that follows, and may be missing.
fn logins(input: &mut impl BufRead) -> Result<Vec<NewMailbox>> {
    let (mut found, mut line) = (Vec::new(), Vec::new());
    loop {
        line.clear();
        if std::io::Read::take(&mut *input, LINE).read_until(b'\n', &mut line).map_err(Error::io)? == 0 {
            return Ok(found);
        }
        crate::password::strip_newline(&mut line);
        if line.is_empty() {
            continue;
        }
        let mut parts = line.splitn(3, |&b| b == b'\t');
        let mut next = || parts.next().map(<[u8]>::to_vec);
        let (login, address, password) = (next(), next(), next());
        let text = |octets: Option<Vec<u8>>| octets.and_then(|octets| String::from_utf8(octets).ok());
        let (Some(login), Some(address)) = (text(login), text(address)) else {
            return Err(refused(text::LOGIN_LINE, &[&(found.len() + 1).to_string()]));
        };
        let password = password.filter(|password| !password.is_empty()).map(Password);
        found.push(NewMailbox { login, password, address: address.trim().to_owned() });
    }
}

/// What a client is known by. From the input comes, a line each, the refresh token or the client's secret; after a refresh token its
/// secret, where it has one. Whether owners are to be asked.
fn grant(client: String, tenant: Option<String>, way: &str, input: &mut impl BufRead) -> Result<(Grant, bool)> {
    let mut line = || -> Result<Option<String>> {
        let mut line = Vec::new();
        std::io::Read::take(&mut *input, LINE).read_until(b'\n', &mut line).map_err(Error::io)?;
        let text = String::from_utf8_lossy(&line).trim().to_owned();
        Ok(Some(text).filter(|text| !text.is_empty()))
    };
    let refresh = if way == "refresh" { line()? } else { None };
    let secret = if way == "code" { None } else { line()? };
    if (way == "refresh" && refresh.is_none()) || (way == "application" && secret.is_none()) {
        return Err(refused(text::NO_SECRET, &[]));
    }
    Ok((Grant { client, secret, tenant, refresh, endpoint: None }, way == "code"))
}

/// The newest proofs as a signed file on standard output.
pub async fn report(config: &Config, project: String, which: Vec<String>, format: String) -> Result<bool> {
    show::out(&pieces(config, project, which, MoveAct::Report { format }).await?)?;
    Ok(true)
}

/// Whether a report is as this server wrote it.
pub async fn check_report(config: &Config, project: String, path: &Path, language: Language) -> Result<bool> {
    let file = std::fs::read_to_string(path).map_err(Error::io)?;
    let own = pieces(config, project, Vec::new(), MoveAct::ReportKey).await?;
    match signature::signed_by(&file) {
        Some(key) if key == own => {
            show::out(&(language.say(text::REPORT_SIGNED, &[&key]) + "\n"))?;
            Ok(true)
        }
        Some(key) => Err(refused(text::REPORT_OF_ANOTHER, &[&key])),
        None => Err(refused(text::REPORT_CHANGED, &[])),
    }
}

/// What an act answers in pieces of text.
async fn pieces(config: &Config, name: String, which: Vec<String>, what: MoveAct) -> Result<String> {
    let mut all = String::new();
    act(config, Request::Move { name, which, what }, mpsc::channel(1).1, |event| {
        if let Event::Item(item) = event
            && let Item::MoveReport(piece) = *item
        {
            all.push_str(&piece);
        }
        Ok(())
    })
    .await?;
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_line_takes_any_password() {
        let mut input = "ann\tann@x.y\ta()*%\"\\ {}]~ \t密\r\n\nbob\tbob@x.y\n".as_bytes();
        let found = logins(&mut input).unwrap();
        assert_eq!(found[0].password, Some(Password("a()*%\"\\ {}]~ \t密".as_bytes().to_vec())));
        assert_eq!((&*found[1].address, &found[1].password), ("bob@x.y", &None));
        assert!(logins(&mut &b"ann\n"[..]).is_err());
    }
}
