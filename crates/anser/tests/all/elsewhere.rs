//! A mail server elsewhere, as small as one can be.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream, ToSocketAddrs};
use std::sync::Arc;

/// Takes every letter but those to `nobody@`; `take` is given each recipient and the content before it is acknowledged. Lives as long as
/// this process.
pub fn serve_smtp(at: impl ToSocketAddrs, take: impl Fn(&str, &[u8]) + Send + Sync + 'static) {
    let (listener, take) = (TcpListener::bind(at).unwrap(), Arc::new(take));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (stream, take) = (stream.unwrap(), take.clone());
            // Whoever leaves early is no fault of ours.
            std::thread::spawn(move || drop(serve_one(stream, &*take)));
        }
    });
}

fn serve_one(mut stream: TcpStream, take: &impl Fn(&str, &[u8])) -> io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?);
    let mut recipients = Vec::new();
    stream.write_all(b"220 elsewhere\r\n")?;
    loop {
        let line = String::from_utf8_lossy(&line(&mut lines)?).trim_end().to_owned();
        let answer = match line.split(' ').next().unwrap_or_default().to_uppercase().as_str() {
            "RCPT" if line.contains("<nobody@") => "550 5.1.1 nobody\r\n",
            "RCPT" => {
                recipients.extend(line.split(['<', '>']).nth(1).map(str::to_owned));
                "250 fine\r\n"
            }
            "DATA" => {
                stream.write_all(b"354 go on\r\n")?;
                let content = content(&mut lines)?;
                recipients.drain(..).for_each(|to| take(&to, &content));
                "250 2.0.0 taken\r\n"
            }
            "RSET" => {
                recipients.clear();
                "250 fine\r\n"
            }
            _ => "250 fine\r\n",
        };
        stream.write_all(answer.as_bytes())?;
    }
}

fn line(lines: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    match lines.read_until(b'\n', &mut line)? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(line),
    }
}

/// Up to the line with one dot, without the dots that were doubled.
fn content(lines: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    loop {
        let line = line(lines)?;
        if line == b".\r\n" {
            return Ok(content);
        }
        content.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
    }
}
