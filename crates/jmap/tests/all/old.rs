//! An old server that speaks as much IMAP as a move asks for.

use std::io::{BufRead, BufReader, Result, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// One with two messages in the inbox and one in News; the second of the inbox is handed out once it is `mended`.
pub struct Old {
    pub port: u16,
    pub mended: Arc<AtomicBool>,
}

/// The password of everybody, as SASL PLAIN has it behind `ann`.
const ANN: &str = "AGFubgBzZWNyZXQ=";

impl Old {
    pub fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let (port, mended) = (listener.local_addr().unwrap().port(), Arc::new(AtomicBool::new(false)));
        let shared = mended.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let mended = shared.clone();
                std::thread::spawn(move || drop(serve(stream, &mended)));
            }
        });
        Self { port, mended }
    }
}

pub fn body(folder: &str, uid: u32) -> String {
    format!("From: Bob <bob@old.test>\r\nSubject: {folder} {uid}\r\n\r\nx\r\n")
}

fn serve(stream: TcpStream, mended: &AtomicBool) -> Result<()> {
    let (mut input, mut output) = (BufReader::new(stream.try_clone()?), stream);
    output
        .write_all(b"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR LIST-EXTENDED LIST-STATUS SPECIAL-USE] ready\r\n")?;
    let (mut line, mut folder) = (String::new(), String::new());
    while input.read_line(&mut line)? > 0 {
        let (tag, rest) = line.trim_end().split_once(' ').unwrap_or_default();
        let count = |folder: &str| if folder == "INBOX" { 2 } else { 1 };
        let mut said = String::new();
        let mut end = "OK done";
        match rest.split(' ').next().unwrap_or_default() {
            "CAPABILITY" => {
                said += "* CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR LIST-EXTENDED LIST-STATUS SPECIAL-USE\r\n"
            }
            "AUTHENTICATE" if !rest.ends_with(ANN) => end = "NO [AUTHENTICATIONFAILED] wrong",
            "LIST" => {
                for name in ["INBOX", "News"] {
                    said += &format!("* LIST () \"/\" {name}\r\n");
                    said += &format!("* STATUS {name} (MESSAGES {} UIDVALIDITY 7 UIDNEXT 9)\r\n", count(name));
                }
            }
            "EXAMINE" => {
                folder = rest.split(' ').nth(1).unwrap_or_default().trim_matches('"').to_owned();
                said = format!("* {} EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT 9] x\r\n", count(&folder));
            }
            "UID" => {
                let (set, items) =
                    rest.split_once("FETCH ").and_then(|(_, rest)| rest.split_once(' ')).unwrap_or_default();
                let holds = |uid: &u32| set.contains(':') || set.split(',').any(|one| one == uid.to_string());
                for uid in (1..=count(&folder)).filter(holds) {
                    let text = body(&folder, uid);
                    let (item, text) = match items {
                        items if items.contains("FLAGS") => {
                            let date = "INTERNALDATE \"21-Nov-2020 08:00:00 +0000\"";
                            said +=
                                &format!("* {uid} FETCH (UID {uid} FLAGS () {date} RFC822.SIZE {})\r\n", text.len());
                            continue;
                        }
                        items if items.contains("HEADER") => ("BODY[HEADER]", text[..text.len() - 3].to_owned()),
                        _ if folder == "INBOX" && uid == 2 && !mended.load(Ordering::Relaxed) => {
                            end = "NO it is damaged";
                            continue;
                        }
                        _ => ("BODY[]", text),
                    };
                    said += &format!("* {uid} FETCH (UID {uid} {item} {{{}}}\r\n{text})\r\n", text.len());
                }
            }
            _ => {}
        }
        output.write_all(format!("{said}{tag} {end}\r\n").as_bytes())?;
        line.clear();
    }
    Ok(())
}
