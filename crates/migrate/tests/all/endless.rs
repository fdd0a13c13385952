//! An IMAP server whose only folder, and whatever is in it, is made while it is asked for.

use std::io::{BufRead, BufReader, BufWriter, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use anser_migrate::source::Origin;
use anser_migrate::{Kind, Source, Tls};
use anser_wire::Secret;

/// Messages of some size, each made by its number.
#[derive(Clone, Copy)]
pub struct Made {
    /// Octets of the message of this number.
    pub size: fn(u32) -> u64,
    /// Writes it.
    pub write: fn(u32, &mut dyn Write) -> std::io::Result<()>,
}

/// Messages of 16 octets.
pub const SHORT: Made = Made { size: |_| 16, write: |at, out| write!(out, "Subject: {:07}", at % 10_000_000) };

/// The server.
pub struct Endless {
    messages: u32,
    /// The UID of the first.
    first: u32,
    made: Made,
    /// Messages that were listed and whose bodies were not asked for since.
    ahead: AtomicU32,
    /// The most of them.
    pub most: AtomicU32,
    /// Commands that came.
    pub heard: Mutex<Vec<String>>,
}

impl Endless {
    /// One of so many messages, from this UID on; and a source for it.
    pub fn start(messages: u32, first: u32, made: Made) -> (Arc<Self>, Source) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let (ahead, most, heard) = Default::default();
        let server = Arc::new(Self { messages, first, made, ahead, most, heard });
        let shared = server.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let server = shared.clone();
                std::thread::spawn(move || drop(server.serve(stream)));
            }
        });
        let (host, tls, profile) = ("127.0.0.1".to_owned(), Tls::None, "generic".to_owned());
        (
            server,
            Source {
                id: 1,
                name: "old".into(),
                kind: Kind::Imap,
                host,
                port,
                tls,
                profile,
                connections: 1,
                admin: None,
                rules: Default::default(),
            },
        )
    }

    fn serve(&self, stream: TcpStream) -> std::io::Result<()> {
        let mut out = BufWriter::new(stream.try_clone()?);
        write!(out, "* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] ready\r\n")?;
        out.flush()?;
        let next = self.first + self.messages;
        for line in BufReader::new(stream).lines() {
            let line = line?;
            let words: Vec<&str> = line.split(' ').collect();
            match words[1] {
                "LIST" => write!(out, "* LIST () \"/\" INBOX\r\n")?,
                "EXAMINE" => {
                    write!(out, "* {} EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT {next}] x\r\n", self.messages)?
                }
                "UID" => self.fetch(&mut out, words[3], line.contains("FLAGS"))?,
                _ => {}
            }
            write!(out, "{} OK done\r\n", words[0])?;
            out.flush()?;
            self.heard.lock().unwrap().push(line);
        }
        Ok(())
    }

    fn fetch(&self, out: &mut impl Write, set: &str, lists: bool) -> std::io::Result<()> {
        for range in set.split(',') {
            let (first, last) = range.split_once(':').unwrap_or((range, range));
            let number = |text: &str| text.parse().unwrap_or(u32::MAX);
            for uid in number(first).max(self.first)..=number(last).min(self.first + self.messages - 1) {
                let at = uid - self.first + 1;
                let size = (self.made.size)(at);
                if lists {
                    let date = "21-Nov-2020 08:00:00 +0800";
                    write!(out, "* {at} FETCH (UID {uid} FLAGS () INTERNALDATE \"{date}\" RFC822.SIZE {size})\r\n")?;
                    let ahead = self.ahead.fetch_add(1, Ordering::Relaxed) + 1;
                    self.most.fetch_max(ahead, Ordering::Relaxed);
                } else {
                    write!(out, "* {at} FETCH (UID {uid} BODY[] {{{size}}}\r\n")?;
                    (self.made.write)(at, out)?;
                    out.write_all(b")\r\n")?;
                    self.ahead.store(0, Ordering::Relaxed);
                }
            }
        }
        Ok(())
    }
}

/// Logs in.
pub async fn open(source: &Source) -> Origin {
    let secret = Secret::new(b"secret".to_vec());
    Origin::open(source, "ann", Some(&secret)).await.map_err(|trouble| trouble.words()).unwrap()
}
