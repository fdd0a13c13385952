//! `import` and `export`: this process reads and writes the files, so that it may whatever its user may; the server sees messages.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anser_admin::mail::{self, Form, Reading, maildir, mbox};
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
        Report::Mails { messages, bytes, .. } => Report::Mails { messages, bytes, skipped: read.skipped },
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

/// Where an export goes.
enum Target {
    Mbox(mbox::Writer),
    Maildir(maildir::Writer),
}

/// Writes mail to files. One mailbox as mbox is one file; everything else a new folder.
pub async fn export(config: &Config, export: &Export, json: bool, language: Language) -> Result<bool> {
    let mut target = match export.form {
        ExportForm::Mbox => Target::Mbox(mbox::Writer::create(&export.path, export.folder.is_some())?),
        ExportForm::Maildir => Target::Maildir(maildir::Writer::create(&export.path)?),
    };
    let bar = bar();
    let request = Request::Export { address: export.account.clone(), folder: export.folder.clone() };
    let report = act(config, request, mpsc::channel(1).1, |event| match event {
        Event::Mail(mail) => match &mut target {
            Target::Mbox(writer) => writer.add(&mail),
            Target::Maildir(writer) => writer.add(&mail),
        },
        Event::Progress { done, total } => {
            follow(&bar, done, total);
            Ok(())
        }
        Event::Item(_) => Ok(()),
    })
    .await?;
    if let Target::Mbox(writer) = target {
        writer.finish()?;
    }
    bar.finish_and_clear();
    Printer::new(language, json, false).report(&report)?;
    Ok(true)
}

fn bytes_bar() -> ProgressBar {
    let style = ProgressStyle::with_template("{wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}");
    bar().with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
