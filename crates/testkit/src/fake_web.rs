//! A web server whose answers a test gives.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// A request that came.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Its method.
    pub method: String,
    /// Its path.
    pub path: String,
    /// Its field Host.
    pub host: String,
    /// Its field Authorization; empty without one.
    pub authorization: String,
    /// Its body; octets that are no UTF-8 stand as U+FFFD.
    pub body: String,
}

impl Asked {
    /// A value of a form, as it was sent.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.body.split('&').find_map(|field| field.strip_prefix(name)?.strip_prefix('='))
    }
}

/// What it is answered: a status, fields with their line ends, and a body.
pub type Answer = (u16, &'static str, Vec<u8>);

/// A running server; it lives until the process ends.
#[derive(Clone)]
pub struct FakeWeb {
    /// On loopback.
    pub port: u16,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl FakeWeb {
    /// Starts it.
    pub fn start(answer: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let (asked, answer) = (Arc::new(Mutex::new(Vec::new())), Arc::new(answer));
        let heard = asked.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (heard, answer) = (heard.clone(), answer.clone());
                std::thread::spawn(move || drop(serve(stream, &heard, &*answer)));
            }
        });
        Self { port, asked }
    }

    /// The URL of a path there.
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// What came so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

fn serve(stream: TcpStream, heard: &Mutex<Vec<Asked>>, answer: &dyn Fn(&Asked) -> Answer) -> std::io::Result<()> {
    let mut input = BufReader::new(stream);
    loop {
        let mut line = String::new();
        if input.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let mut words = line.split(' ').map(str::to_owned);
        let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let (mut length, mut authorization, mut host) = (0, String::new(), String::new());
        loop {
            let mut field = String::new();
            input.read_line(&mut field)?;
            let Some((name, value)) = field.trim_end().split_once(": ") else { break };
            match name.to_lowercase().as_str() {
                "content-length" => length = value.parse().unwrap_or(0),
                "host" => host = value.to_owned(),
                "authorization" => authorization = value.to_owned(),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        input.read_exact(&mut body)?;
        let asked = Asked { method, path, host, authorization, body: String::from_utf8_lossy(&body).into_owned() };
        heard.lock().unwrap().push(asked.clone());
        let (status, fields, body) = answer(&asked);
        let head = format!("HTTP/1.1 {status} said\r\n{fields}Content-Length: {}\r\n\r\n", body.len());
        input.get_mut().write_all(&[head.as_bytes(), &body].concat())?;
    }
}
