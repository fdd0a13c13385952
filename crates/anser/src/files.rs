//! `import` and `export`: this process reads and writes the files, so that it may whatever its user may; the server sees messages.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anser_admin::answer::{FailedMailbox, Item};
use anser_admin::mail::{self, Form, Reading, Target, eml, maildir, mbox, tgz};
use anser_admin::request::MoveAct;
use anser_admin::socket::MAILS;
use anser_admin::{Event, Mail, Report, Request};
use anser_base::{Error, Result};
use indicatif::{ProgressBar, ProgressStyle};
use tokio::sync::mpsc;

use crate::cli::{self, Export, ExportForm, Import};
use crate::command::{act, bar, follow};
use crate::config::Config;
use crate::show::Printer;
use crate::text::{self, Language};

/// How often the bar moves.
const TICK: Duration = Duration::from_millis(200);

/// What a reading left behind.
struct Read {
    skipped: u64,
    ended: Result<()>,
}

/// At most the first `most` bytes of a file. `Class::Invalid` names a file that cannot be read.
pub fn beginning(path: &Path, most: u64) -> Result<Vec<u8>> {
    let failed = |error| {
        let name = path.display();
        Error::invalid(format!("cannot read {name}"), format!("无法读取 {name}")).caused_by(format!("{error}"))
    };
    let mut body = Vec::new();
    File::open(path).map_err(failed)?.take(most).read_to_end(&mut body).map_err(failed)?;
    Ok(body)
}

/// Takes mail in from files; tells whether nothing was left out.
pub async fn import(config: &Config, import: &Import, json: bool, language: Language) -> Result<bool> {
    let form = match import.form {
        cli::Form::Mbox => Form::Mbox,
        cli::Form::Maildir => Form::Maildir,
        cli::Form::Eml => Form::Single,
    };
    let folder = import.folder.split('/').filter(|level| !level.is_empty()).map(str::to_owned).collect();
    let (bar, done) = (bytes_bar(), Arc::new(AtomicU64::new(0)));
    let (mails, incoming) = mpsc::channel(MAILS);
    let reading = {
        let (path, bar, done) = (import.path.clone(), bar.clone(), done.clone());
        tokio::task::spawn_blocking(move || read(form, path, folder, mails, &bar, &done, language))
    };
    let ticking = tokio::spawn({
        let (bar, done) = (bar.clone(), done);
        async move {
            loop {
                tokio::time::sleep(TICK).await;
                bar.set_position(done.load(Ordering::Relaxed));
            }
        }
    });
    let request = Request::Import { address: import.account.clone() };
    let ended = act(config, request, incoming, |_| Ok(())).await;
    let read = reading.await.map_err(Error::unavailable)?;
    ticking.abort();
    bar.finish_and_clear();
    let report = match ended? {
        Report::Mails { messages, bytes, .. } => {
            Report::Mails { messages, bytes, skipped: read.skipped, failed: Vec::new() }
        }
        other => other,
    };
    Printer::new(language, json, false).report(&report)?;
    read.ended?;
    Ok(read.skipped == 0)
}

fn read(
    form: Form,
    path: PathBuf,
    folder: Vec<String>,
    mails: mpsc::Sender<Mail>,
    bar: &ProgressBar,
    bytes: &AtomicU64,
    language: Language,
) -> Read {
    if !bar.is_hidden() {
        bar.set_length(mail::total_bytes(&path));
    }
    let mut skipped = 0;
    let ended = mail::read(
        form,
        &path,
        &folder,
        &mut Reading {
            // The act that takes no more says why itself.
            mail: &mut |mail| mails.blocking_send(mail).map_err(|_| stopped()),
            skipped: &mut |place, why| {
                skipped += 1;
                bar.suspend(|| eprintln!("{}", language.say(text::SKIPPED, &[place, language.of(&why)])));
            },
            bytes,
        },
    );
    Read { skipped, ended }
}

fn stopped() -> Error {
    Error::invalid("the import was stopped", "导入已停止")
}

/// Writes mail to files: of one account, or of each mailbox of a move into a folder or file of its own. One mailbox as mbox, and a tar
/// file, are one file; everything else a new folder. A mailbox of a move that cannot be written keeps no other from it: it is named in the
/// end, and not all is well.
pub async fn export(config: &Config, export: &Export, json: bool, language: Language) -> Result<bool> {
    let printer = Printer::new(language, json, false);
    let (Some(of), path) = (&export.of_move, &export.path) else {
        let account = export.account.clone().unwrap_or_default();
        let report = export_one(config, export, account, &export.path, &mut false).await?;
        printer.report(&report)?;
        return Ok(true);
    };
    mail::empty_folder(path)?;
    let (mut messages, mut bytes, mut failed) = (0, 0, Vec::new());
    for address in addresses_of(config, of, export.addresses.clone()).await? {
        let ending = if matches!(export.form, ExportForm::Tgz) { ".tgz" } else { "" };
        let to = path.join(mail::escaped(&address) + ending);
        let mut has_any = false;
        match export_one(config, export, address.clone(), &to, &mut has_any).await {
            Ok(Report::Mails { messages: more, bytes: octets, .. }) => {
                (messages, bytes) = (messages + more, bytes + octets);
            }
            Ok(_) => {}
            Err(error) => {
                if !has_any {
                    let _ = if to.is_dir() { fs::remove_dir_all(&to) } else { fs::remove_file(&to) };
                }
                failed.push(FailedMailbox { address, why: language.of(&error.text).to_owned() });
            }
        }
    }
    let is_whole = failed.is_empty();
    printer.report(&Report::Mails { messages, bytes, skipped: 0, failed })?;
    Ok(is_whole)
}

/// The addresses of a move, each once.
async fn addresses_of(config: &Config, of: &str, which: Vec<String>) -> Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    let status = Request::Move { name: of.to_owned(), which, what: MoveAct::Status };
    act(config, status, mpsc::channel(1).1, |event| {
        if let Event::Item(item) = event
            && let Item::MoveMailbox(mailbox) = *item
        {
            found.insert(mailbox.address);
        }
        Ok(())
    })
    .await?;
    Ok(found)
}

async fn export_one(
    config: &Config,
    export: &Export,
    address: String,
    path: &Path,
    has_any: &mut bool,
) -> Result<Report> {
    let mut target: Box<dyn Target + Send> = match export.form {
        ExportForm::Mbox => Box::new(mbox::Writer::create(path, export.folder.is_some())?),
        ExportForm::Maildir => Box::new(maildir::Writer::create(path)?),
        ExportForm::Eml => Box::new(eml::Writer::create(path)?),
        ExportForm::Tgz => Box::new(tgz::Writer::create(path)?),
    };
    let (bar, mut left) = (bar(), 0);
    let mut take = |target: &mut dyn Target, size: Option<u64>, piece: &[u8]| {
        target.more(piece)?;
        left = size.unwrap_or(left).saturating_sub(piece.len() as u64);
        if left == 0 { target.end() } else { Ok(()) }
    };
    let request = Request::Export { address, folder: export.folder.clone() };
    let report = act(config, request, mpsc::channel(1).1, |event| match event {
        Event::Mail(mail) => {
            *has_any = true;
            target.begin(&mail.head)?;
            take(&mut *target, Some(mail.head.size), &mail.body)
        }
        Event::Part(piece) => take(&mut *target, None, &piece),
        Event::Progress { done, total } => {
            follow(&bar, done, total);
            Ok(())
        }
        Event::Item(_) => Ok(()),
    })
    .await?;
    target.finish()?;
    bar.finish_and_clear();
    Ok(report)
}

fn bytes_bar() -> ProgressBar {
    let style = ProgressStyle::with_template("{wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}");
    bar().with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
