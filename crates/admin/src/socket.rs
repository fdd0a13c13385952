//! Both ends of `admin.sock` in the data folder. What travels is one JSON value a line; a message's bytes follow the line that
//! announces them. Only the server's own user and root may open the socket.
//!
//! ```text
//! client: {"act":"account-show","address":"ann@example.org"}
//! server: {"item":{"account":{…}}}
//! server: {"done":{"report":"done"}}
//! ```
//!
//! After an import's request, of mail or of people, the client sends `{"mail":{…}}` and the bytes, message after message, then `"end"`.

use std::path::{Path, PathBuf};

use anser_base::limits::MESSAGE_SIZE;
use anser_base::{Error, Result};
use anser_net::{LocalReader, LocalWriter, connect_local};
use nix::unistd::{Uid, User};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use crate::answer::{Event, Failure, Item, Mail, MailHead, Out, Report};
use crate::request::Request;
use crate::{Actor, Admin};

/// Longest line, in bytes: a request for 20,000 accounts at once.
const LINE: usize = 16 * 1024 * 1024;
/// Octets of a message of an export that are handed on at once.
const PIECE: u64 = 256 * 1024;
/// Messages that wait between socket and import, of [`MESSAGE_SIZE`] bytes at most each.
pub const MAILS: usize = 4;

/// Where the socket is.
pub fn path(data_dir: &Path) -> PathBuf {
    data_dir.join("admin.sock")
}

/// One line after the request, in either direction.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Said {
    Progress { done: u64, total: u64 },
    Item(Box<Item>),
    Mail(MailHead),
    End,
    Done(Report),
    Failed(Failure),
}

/// Who a user id is, for the journal.
pub fn actor(uid: u32) -> Actor {
    let name = User::from_uid(Uid::from_raw(uid)).ok().flatten().map_or_else(|| uid.to_string(), |user| user.name);
    Actor::here(name)
}

/// Serves one connection: one request. Hand it to [`anser_net::serve_local`].
pub async fn serve(admin: Admin, reader: LocalReader, writer: LocalWriter, uid: u32) {
    if let Err(error) = session(admin, reader, writer, uid).await {
        tracing::debug!(error = error.chain(), "a command left before its answer was complete");
    }
}

async fn session(admin: Admin, mut reader: LocalReader, mut writer: LocalWriter, uid: u32) -> Result<()> {
    let Some(line) = reader.read_line(LINE).await? else { return Ok(()) };
    let request: Request = match parse(&line) {
        Ok(request) => request,
        Err(error) => {
            say(&mut writer, &Said::Failed(error.into())).await?;
            return writer.close().await;
        }
    };
    let (mails, incoming) = mpsc::channel(MAILS);
    let feeding = matches!(request, Request::Import { .. } | Request::PeopleImport { .. })
        .then(|| tokio::spawn(feed(reader, mails)));
    let (out, mut events) = Out::new();
    let acting = tokio::spawn(async move { admin.run(&actor(uid), request, incoming, &out).await });
    while let Some(event) = events.recv().await {
        tell(&mut writer, event, events.is_empty()).await?;
    }
    drop(events);
    let ended = acting.await.unwrap_or_else(|panic| Err(Error::unavailable(panic)));
    // What the client still sends is not read after a failure.
    feeding.inspect(|feeding| feeding.abort());
    say(&mut writer, &ended.map_or_else(|error| Said::Failed(error.into()), Said::Done)).await?;
    writer.close().await
}

/// Hands messages from the socket to the act; ends early when the act does.
async fn feed(mut reader: LocalReader, mails: mpsc::Sender<Mail>) -> Result<()> {
    while let Some(line) = reader.read_line(LINE).await? {
        let Said::Mail(head) = parse(&line)? else { break };
        let mail = receive(&mut reader, head).await?;
        if mails.send(mail).await.is_err() {
            break;
        }
    }
    Ok(())
}

async fn receive(reader: &mut LocalReader, head: MailHead) -> Result<Mail> {
    // CRLF at each line end may make a stored message longer than its file.
    if head.size > 2 * MESSAGE_SIZE {
        return Err(Error::invalid("the message is too large", "邮件过大"));
    }
    let body = reader.read_exact(head.size as usize).await?.into();
    Ok(Mail { head, body })
}

/// A message of an export, piece by piece.
async fn pass_on(reader: &mut LocalReader, head: MailHead, out: &Out) -> Result<()> {
    let mut left = head.size;
    let mut begun = Some(head);
    loop {
        let count = left.min(PIECE);
        let piece = reader.read_exact(count as usize).await?.into();
        left -= count;
        match begun.take() {
            Some(head) => out.mail(Mail { head, body: piece }).await?,
            None => out.part(piece).await?,
        }
        if left == 0 {
            return Ok(());
        }
    }
}

async fn tell(writer: &mut LocalWriter, event: Event, flush: bool) -> Result<()> {
    match event {
        Event::Progress { done, total } => write(writer, &Said::Progress { done, total }).await?,
        Event::Item(item) => write(writer, &Said::Item(item)).await?,
        Event::Mail(mail) => {
            write(writer, &Said::Mail(mail.head)).await?;
            writer.write_all(&mail.body).await?;
        }
        Event::Part(piece) => writer.write_all(&piece).await?,
    }
    if flush { writer.flush().await } else { Ok(()) }
}

async fn send_mail(writer: &mut LocalWriter, mail: Mail) -> Result<()> {
    let head = MailHead { size: mail.body.len() as u64, ..mail.head };
    write(writer, &Said::Mail(head)).await?;
    writer.write_all(&mail.body).await
}

async fn say(writer: &mut LocalWriter, said: &Said) -> Result<()> {
    write(writer, said).await?;
    writer.flush().await
}

async fn write(writer: &mut LocalWriter, value: &impl Serialize) -> Result<()> {
    let mut line = serde_json::to_vec(value).map_err(Error::unavailable)?;
    line.push(b'\n');
    writer.write_all(&line).await
}

fn parse<T: DeserializeOwned>(line: &[u8]) -> Result<T> {
    serde_json::from_slice(line).map_err(|error| {
        Error::invalid("the server and this command do not understand each other", "服务器与本命令的版本不一致")
            .caused_by(error)
    })
}

/// A server that runs over a data folder.
#[derive(Debug)]
pub struct Client {
    reader: LocalReader,
    writer: LocalWriter,
}

impl Client {
    /// Finds the server; `None` when none runs.
    pub async fn connect(data_dir: &Path) -> Result<Option<Self>> {
        let found = connect_local(&path(data_dir)).await?;
        Ok(found.map(|(reader, writer)| Self { reader, writer }))
    }

    /// Has an act done; like [`Admin::run`].
    pub async fn run(self, request: &Request, mails: mpsc::Receiver<Mail>, out: &Out) -> Result<Report> {
        let Self { mut reader, mut writer } = self;
        write(&mut writer, request).await?;
        writer.flush().await?;
        let sending = tokio::spawn(send_all(writer, mails));
        let ended = listen(&mut reader, out).await;
        sending.abort();
        ended
    }
}

async fn send_all(mut writer: LocalWriter, mut mails: mpsc::Receiver<Mail>) -> Result<()> {
    while let Some(mail) = mails.recv().await {
        send_mail(&mut writer, mail).await?;
    }
    say(&mut writer, &Said::End).await?;
    // The server closes first.
    std::future::pending().await
}

async fn listen(reader: &mut LocalReader, out: &Out) -> Result<Report> {
    while let Some(line) = reader.read_line(LINE).await? {
        match parse(&line)? {
            Said::Progress { done, total } => out.progress(done, total),
            Said::Item(item) => out.item(*item).await?,
            Said::Mail(head) => pass_on(reader, head, out).await?,
            Said::Done(report) => return Ok(report),
            Said::Failed(failure) => return Err(failure.into()),
            Said::End => break,
        }
    }
    Err(Error::unavailable("the server ended the connection"))
}
