//! Case 47: a folder of a million messages is listed a window at a time, however its UIDs lie; bodies are asked for before the next window is.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use anser_migrate::pass::Pass;
use anser_migrate::source::{CROWD, Listed, Origin, Window};
use anser_migrate::{Kind, Source, Tls};
use anser_wire::Secret;

use crate::house::{Quiet, each_house};

/// A server whose only folder is made while it is asked for.
struct Endless {
    messages: u32,
    /// The UID of the first.
    first: u32,
    /// Messages that were listed and whose bodies were not asked for since.
    ahead: AtomicU32,
    /// The most of them.
    most: AtomicU32,
    heard: Mutex<Vec<String>>,
}

impl Endless {
    fn start(messages: u32, first: u32) -> (Arc<Self>, Source) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let (ahead, most, heard) = Default::default();
        let server = Arc::new(Self { messages, first, ahead, most, heard });
        let shared = server.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let server = shared.clone();
                std::thread::spawn(move || drop(server.serve(stream)));
            }
        });
        let (host, tls, profile) = ("127.0.0.1".to_owned(), Tls::None, "generic".to_owned());
        (server, Source { id: 1, name: "old".into(), kind: Kind::Imap, host, port, tls, profile, connections: 1 })
    }

    fn serve(&self, stream: TcpStream) -> std::io::Result<()> {
        let mut out = std::io::BufWriter::new(stream.try_clone()?);
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
                if lists {
                    let date = "21-Nov-2020 08:00:00 +0800";
                    write!(out, "* {at} FETCH (UID {uid} FLAGS () INTERNALDATE \"{date}\" RFC822.SIZE 16)\r\n")?;
                    let ahead = self.ahead.fetch_add(1, Ordering::Relaxed) + 1;
                    self.most.fetch_max(ahead, Ordering::Relaxed);
                } else {
                    write!(out, "* {at} FETCH (UID {uid} BODY[] {{16}}\r\nSubject: {:07})\r\n", at % 10_000_000)?;
                    self.ahead.store(0, Ordering::Relaxed);
                }
            }
        }
        Ok(())
    }
}

async fn open(source: &Source) -> Origin {
    let secret = Secret::new(b"secret".to_vec());
    Origin::open(source, "ann", Some(&secret)).await.map_err(|trouble| trouble.words()).unwrap()
}

#[test]
fn bodies_are_asked_for_before_the_next_window_is_listed() {
    each_house(async |house| {
        let (server, source) = Endless::start(1_000_000, 1);
        let mut origin = open(&source).await;
        let watch = Quiet::default();
        let done = Pass { limit: Some(300), ..house.to_pass("generic", &watch) }.run(&mut origin).await;
        assert_eq!(done.map_err(|trouble| trouble.words()).unwrap().copied, 300);
        assert!(server.most.load(Ordering::Relaxed) <= 5_000);
        let lists = server.heard.lock().unwrap().iter().filter(|line| line.contains("FLAGS")).count();
        assert_eq!(lists, 1);
        let standing = origin.examine(b"INBOX").await.unwrap();
        let windows: Vec<Window> = origin.windows(&standing).collect();
        assert_eq!(windows.len(), 200);
        for window in [windows[0], windows[100], windows[199]] {
            let Listed::All(seen) = origin.list(window).await.unwrap() else { panic!("{window:?} is parted") };
            assert_eq!(seen.len(), 5_000);
        }
    });
}

#[test]
fn uids_that_lie_close_together_far_up_are_listed_in_parts() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (messages, first) = (60_000, 4_000_000_000);
        let (_, source) = Endless::start(messages, first);
        let mut origin = open(&source).await;
        let standing = origin.examine(b"INBOX").await.unwrap();
        let mut windows: Vec<Window> = origin.windows(&standing).collect();
        let mut uids = Vec::new();
        while let Some(window) = windows.pop() {
            match origin.list(window).await.unwrap() {
                Listed::All(seen) => {
                    assert!(seen.len() <= CROWD);
                    uids.extend(seen.iter().map(|one| one.uid));
                }
                Listed::Parts(parts) => windows.extend(parts),
            }
        }
        uids.sort_unstable();
        assert_eq!(uids, (first..first + messages).collect::<Vec<_>>());
    });
}
