//! The SMTP client of the load.

use std::io;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// One connection after EHLO.
pub struct Smtp {
    stream: BufReader<TcpStream>,
}

impl Smtp {
    /// Connects and greets.
    pub async fn connect(port: u16) -> io::Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.set_nodelay(true)?;
        let mut smtp = Self { stream: BufReader::with_capacity(4096, stream) };
        smtp.expect(2).await?;
        smtp.send(b"EHLO client.src.test\r\n").await?;
        smtp.expect(2).await?;
        Ok(smtp)
    }

    /// One transaction, pipelined as RFC 2920 allows.
    pub async fn deliver(&mut self, to: &str, message: &[u8]) -> io::Result<()> {
        self.deliver_from("sender@src.test", to, message).await
    }

    /// AUTH PLAIN with an initial response (RFC 4954 §4).
    pub async fn login(&mut self, user: &str, password: &str) -> io::Result<()> {
        let text = anser_wire::sasl::encode_base64(format!("\0{user}\0{password}").as_bytes());
        self.send(format!("AUTH PLAIN {text}\r\n").as_bytes()).await?;
        self.expect(2).await
    }

    /// The same from this sender.
    pub async fn deliver_from(&mut self, from: &str, to: &str, message: &[u8]) -> io::Result<()> {
        self.send(format!("MAIL FROM:<{from}>\r\nRCPT TO:<{to}>\r\nDATA\r\n").as_bytes()).await?;
        for class in [2, 2, 3] {
            self.expect(class).await?;
        }
        let mut data = Vec::with_capacity(message.len() + 3);
        data.extend_from_slice(message);
        data.extend_from_slice(b".\r\n");
        self.send(&data).await?;
        self.expect(2).await
    }

    /// Says goodbye.
    pub async fn quit(mut self) -> io::Result<()> {
        self.send(b"QUIT\r\n").await?;
        self.expect(2).await
    }

    async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.get_mut().write_all(bytes).await
    }

    async fn expect(&mut self, class: u8) -> io::Result<()> {
        loop {
            let mut line = String::new();
            if self.stream.read_line(&mut line).await? == 0 {
                return Err(io::Error::other("smtp: closed"));
            }
            if line.as_bytes().get(3) == Some(&b'-') {
                continue;
            }
            return match line.starts_with(char::from(b'0' + class)) {
                true => Ok(()),
                false => Err(io::Error::other(format!("smtp: {}", line.trim_end()))),
            };
        }
    }
}
