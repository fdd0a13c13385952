//! `account import`: this process reads the files, so that it may whatever its user may, and writes the slips.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anser_admin::answer::{Item, Report, SlipView};
use anser_admin::request::{FirstPassword, PeopleImport, Request};
use anser_admin::socket::MAILS;
use anser_admin::{Event, Mail, MailHead};
use anser_base::{Error, Result};
use tokio::sync::mpsc;

use crate::cli::{AccountImport, First};
use crate::command::{act, bar, follow};
use crate::config::Config;
use crate::files;
use crate::show::{Printer, out};
use crate::text::{self, Language, refused};

/// Longest file, in bytes; the reader has the same limit.
const LONGEST: u64 = 256 << 20;

/// Brings people in. Tells whether no line was refused.
pub async fn import(config: &Config, import: AccountImport, json: bool, language: Language) -> Result<bool> {
    let mut slips = import.slips.as_deref().map(Slips::create).transpose()?;
    let (mails, incoming) = mpsc::channel(MAILS);
    let files = import.files.iter().map(|path| read(path)).collect::<Result<Vec<Mail>>>()?;
    let sending = tokio::spawn(async move {
        for file in files {
            if mails.send(file).await.is_err() {
                break;
            }
        }
    });
    let request = Request::PeopleImport {
        import: PeopleImport {
            format: import.format,
            domain: import.domain,
            dry_run: import.dry_run,
            add_domains: import.add_domains,
            passwords: match import.passwords {
                First::Random => FirstPassword::Random,
                First::Formula => FirstPassword::Formula,
                First::None => FirstPassword::None,
            },
            must_change: !import.keep_passwords,
            of_move: import.of_move,
        },
    };
    let (mut printer, bar) = (Printer::new(language, json, true), bar());
    let ended = act(config, request, incoming, |event| {
        match event {
            Event::Item(item) => match (&*item, &mut slips) {
                (Item::Slip(slip), Some(slips)) => slips.add(slip, language)?,
                _ => bar.suspend(|| printer.item(&item))?,
            },
            Event::Progress { done, total } => follow(&bar, done, total),
            Event::Mail(_) | Event::Part(_) => {}
        }
        Ok(())
    })
    .await;
    sending.abort();
    bar.finish_and_clear();
    if let Some(slips) = slips {
        slips.finish()?;
    }
    let report = ended?;
    if json {
        // The totals are the last of the list.
        out(&format!(",\n{}", serde_json::to_string(&report).unwrap_or_default()))?;
    }
    printer.report(&report)?;
    if !json && let Report::People { schemes, .. } = &report {
        for scheme in schemes {
            let line = if scheme.weak { text::SCHEME_WEAK } else { text::SCHEME };
            out(&format!("{}\n", language.say(line, &[&scheme.count.to_string(), &scheme.name])))?;
        }
    }
    if matches!(report, Report::People { refused: 1.., .. }) {
        return Err(refused(text::LINES_REFUSED, &[]));
    }
    Ok(true)
}

fn read(path: &Path) -> Result<Mail> {
    Ok(Mail { head: MailHead::default(), body: files::beginning(path, LONGEST + 1)?.into() })
}

/// Two new files that only their owner may read: slips to print and cut, and a table. They are made before anything is done, so that
/// no password is made that could not be written down.
struct Slips {
    print: File,
    table: File,
}

impl Slips {
    fn create(path: &Path) -> Result<Self> {
        let mut table = create(&path.with_extension("csv"))?;
        // The mark by which spreadsheets know UTF-8.
        table.write_all("\u{feff}address,name,department,password\r\n".as_bytes()).map_err(Error::io)?;
        Ok(Self { print: create(&path.with_extension("txt"))?, table })
    }

    fn add(&mut self, slip: &SlipView, language: Language) -> Result<()> {
        let SlipView { address, name, department, password, .. } = slip;
        let row = [address, name, department, password].map(|field| quoted(field)).join(",");
        self.table.write_all(format!("{row}\r\n").as_bytes()).map_err(Error::io)?;
        let line = if slip.weak { text::SLIP_WEAK } else { text::SLIP };
        let who = format!("{name} {department}");
        let slip = language.say(line, &[who.trim(), address, password]);
        self.print.write_all(format!("{slip}\n- - - - - - - - - - - - - - - - - - - -\n").as_bytes()).map_err(Error::io)
    }

    fn finish(self) -> Result<()> {
        self.print.sync_all().and_then(|()| self.table.sync_all()).map_err(Error::io)
    }
}

fn create(path: &PathBuf) -> Result<File> {
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    made.map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => refused(text::EXISTS, &[&path.display().to_string()]),
        _ => Error::io(error),
    })
}

/// A field of a table. What a spreadsheet would take for a formula gets a quote before it.
fn quoted(field: &str) -> String {
    let guard = if field.starts_with(['=', '+', '-', '@']) { "'" } else { "" };
    format!("\"{guard}{}\"", field.replace('"', "\"\""))
}
