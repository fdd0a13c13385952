//! The IMAP client that counts and waits.

use std::io;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// One connection after LOGIN.
pub struct Imap {
    stream: BufReader<TcpStream>,
    tag: u32,
}

impl Imap {
    /// Connects and logs in.
    pub async fn login(port: u16, user: &str, password: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.set_nodelay(true)?;
        let mut imap = Self { stream: BufReader::with_capacity(4096, stream), tag: 0 };
        imap.line().await?;
        imap.run(&format!("LOGIN {user} {password}")).await?;
        Ok(imap)
    }

    /// How many messages the inbox has.
    pub async fn count(&mut self) -> io::Result<u64> {
        let lines = self.run("STATUS INBOX (MESSAGES)").await?;
        let number = lines.iter().find_map(|line| line.split_once("MESSAGES ")).map(|(_, rest)| rest);
        number
            .and_then(|rest| rest.trim_end().trim_end_matches(')').parse().ok())
            .ok_or_else(|| io::Error::other("imap: no STATUS"))
    }

    /// Opens the inbox and starts to idle.
    pub async fn idle(&mut self) -> io::Result<()> {
        self.run("SELECT INBOX").await?;
        self.stream.get_mut().write_all(b"i IDLE\r\n").await?;
        while !self.line().await?.starts_with('+') {}
        Ok(())
    }

    /// Waits for the next EXISTS.
    pub async fn exists(&mut self) -> io::Result<()> {
        while !self.line().await?.trim_end().ends_with("EXISTS") {}
        Ok(())
    }

    async fn run(&mut self, command: &str) -> io::Result<Vec<String>> {
        self.tag += 1;
        let tag = format!("a{} ", self.tag);
        self.stream.get_mut().write_all(format!("{tag}{command}\r\n").as_bytes()).await?;
        let mut lines = Vec::new();
        loop {
            let line = self.line().await?;
            match line.strip_prefix(&tag) {
                Some(status) if status.starts_with("OK") => return Ok(lines),
                Some(status) => return Err(io::Error::other(format!("imap: {}", status.trim_end()))),
                None => lines.push(line),
            }
        }
    }

    async fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        match self.stream.read_line(&mut line).await? {
            0 => Err(io::Error::other("imap: closed")),
            _ => Ok(line),
        }
    }
}
