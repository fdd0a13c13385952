//! A server that plays transcripts, one for each connection, and notes where the client strays from them.
//!
//! | line | meaning |
//! |---|---|
//! | `S: text` | the server says `text` and CR LF |
//! | `C: text` | the client says exactly this; `…` at the end stands for anything |
//! | `MESSAGE` | the client sends a message up to its final dot, which is kept |
//! | `TLS` | the server takes a TLS handshake |
//! | `REFUSED` | the client breaks off the handshake |
//! | `CLOSE` | the server closes at once |
//! | `FLOOD text` | the server says `text` until the client goes, a gigabyte at most |
//! | `ENDLESS text` | the same, as one line that never ends |
//! | `WAIT` | the server says nothing until the client goes |
//!
//! Behind its last line a transcript answers RSET and QUIT, and nothing else.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anser_delivery::{Smarthost, SmarthostTls};
use anser_net::certificate::self_signed;
use anser_net::tls::CertificateSource;
use anser_net::{Line, Stream, TlsAcceptor};
use anser_wire::smtp::DataDecoder;
use tokio::net::TcpListener;

const GIGABYTE: usize = 1 << 30;

/// A smarthost on this machine.
#[derive(Clone)]
pub struct Relay {
    pub port: u16,
    /// The PEM text of its certificate, for `localhost`.
    pub certificate: String,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    scripts: VecDeque<String>,
    messages: Vec<String>,
    clients: Vec<std::net::IpAddr>,
    complaints: Vec<String>,
    flooded: u64,
}

impl Relay {
    /// Plays these transcripts to the connections as they come.
    pub async fn play(scripts: &[&str]) -> Self {
        Self::play_at("127.0.0.1:0", "localhost", scripts).await
    }

    /// Plays at this address, with a certificate for this name.
    pub async fn play_at(address: &str, name: &str, scripts: &[&str]) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (certificate, key) = self_signed(&[name.into()]).unwrap();
        let acceptor = TlsAcceptor::new(vec![CertificateSource::Pem(certificate.clone(), key)]).unwrap();
        let scripts = scripts.iter().map(|script| (*script).to_owned()).collect();
        let state = Arc::new(Mutex::new(State { scripts, ..State::default() }));
        let shared = state.clone();
        tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                tokio::spawn(serve(Stream::from_tcp(tcp).unwrap(), shared.clone(), acceptor.clone()));
            }
        });
        Self { port, certificate, state }
    }

    pub fn smarthost(&self, tls: SmarthostTls) -> Option<Smarthost> {
        Some(Smarthost { host: "localhost".into(), port: self.port, tls, login: None })
    }

    /// How many octets a flood got rid of.
    pub fn flooded(&self) -> u64 {
        self.state.lock().unwrap().flooded
    }

    /// The addresses of those who connected.
    pub fn clients(&self) -> Vec<std::net::IpAddr> {
        self.state.lock().unwrap().clients.clone()
    }

    /// The messages that came whole until now.
    pub fn so_far(&self) -> Vec<String> {
        self.state.lock().unwrap().messages.clone()
    }

    /// The messages that came whole. All transcripts must have been played, and nobody may have strayed.
    pub fn messages(&self) -> Vec<String> {
        let state = self.state.lock().unwrap();
        assert!(state.complaints.is_empty(), "{:#?}", state.complaints);
        assert!(state.scripts.is_empty(), "{} transcripts were not played", state.scripts.len());
        state.messages.clone()
    }
}

async fn serve(mut stream: Stream, state: Arc<Mutex<State>>, acceptor: TlsAcceptor) {
    stream.set_read_timeout(Duration::from_secs(20));
    state.lock().unwrap().clients.push(stream.peer_addr().ip());
    let script = state.lock().unwrap().scripts.pop_front();
    let played = match script {
        Some(script) => play(&mut stream, &script, &state, &acceptor).await,
        None => Err("a connection too many".to_owned()),
    };
    if let Err(complaint) = played {
        state.lock().unwrap().complaints.push(complaint);
    }
}

async fn play(stream: &mut Stream, script: &str, state: &Mutex<State>, acceptor: &TlsAcceptor) -> Result<(), String> {
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (act, text) = line.split_once(' ').unwrap_or((line, ""));
        match act {
            "S:" => say(stream, text).await,
            "C:" => expect(stream, text).await?,
            "MESSAGE" => {
                let message = message(stream).await?;
                state.lock().unwrap().messages.push(message);
            }
            "TLS" => stream.start_tls(acceptor).await.map_err(|error| error.chain())?,
            "REFUSED" => {
                let taken = stream.start_tls(acceptor).await;
                return if taken.is_err() { Ok(()) } else { Err("the client took the certificate".into()) };
            }
            "CLOSE" => return Ok(()),
            "FLOOD" => return flood(stream, &format!("{text}\r\n"), state).await,
            "ENDLESS" => return flood(stream, text, state).await,
            "WAIT" => return wait(stream).await,
            _ => return Err(format!("{line}: not a line of a transcript")),
        }
    }
    farewell(stream).await
}

async fn say(stream: &mut Stream, text: &str) {
    // A client that has gone shows at the next line that it should say.
    let _ = stream.write_all(format!("{text}\r\n").as_bytes()).await;
    let _ = stream.flush().await;
}

async fn expect(stream: &mut Stream, text: &str) -> Result<(), String> {
    let found = line(stream).await.ok_or_else(|| format!("{text}: the client left"))?;
    let fits = match text.strip_suffix('…') {
        Some(start) => found.starts_with(start),
        None => found == text,
    };
    if fits { Ok(()) } else { Err(format!("{text}: the client said {found}")) }
}

async fn line(stream: &mut Stream) -> Option<String> {
    match stream.read_line(4096).await {
        Ok(Line::Full(raw)) => Some(String::from_utf8(raw).unwrap().trim_end_matches("\r\n").to_owned()),
        _ => None,
    }
}

async fn message(stream: &mut Stream) -> Result<String, String> {
    let (mut decoder, mut out) = (DataDecoder::new(), Vec::new());
    loop {
        let progress = decoder.push(stream.buffer(), &mut out);
        stream.consume(progress.consumed);
        if progress.done {
            return String::from_utf8(out).map_err(|error| error.to_string());
        }
        if !matches!(stream.fill().await, Ok(anser_net::Fill::Data(_))) {
            return Err("the client left within the message".into());
        }
    }
}

async fn flood(stream: &mut Stream, text: &str, state: &Mutex<State>) -> Result<(), String> {
    let piece = text.repeat(16 * 1024 / text.len() + 1);
    for _ in 0..GIGABYTE / piece.len() {
        if stream.write_all(piece.as_bytes()).await.is_err() || stream.flush().await.is_err() {
            return Ok(());
        }
        state.lock().unwrap().flooded += piece.len() as u64;
    }
    Err("the client took a gigabyte".into())
}

async fn wait(stream: &mut Stream) -> Result<(), String> {
    while line(stream).await.is_some() {}
    Ok(())
}

async fn farewell(stream: &mut Stream) -> Result<(), String> {
    while let Some(command) = line(stream).await {
        match command.as_str() {
            "RSET" => say(stream, "250 reset").await,
            "QUIT" => say(stream, "221 bye").await,
            other => return Err(format!("behind the transcript the client said {other}")),
        }
    }
    Ok(())
}
