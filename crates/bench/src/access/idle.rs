//! What connections cost that have opened a mailbox and idle.

use std::io;

use anser_net::{Fill, Stream, TlsConnector};
use tokio::net::TcpStream;

use super::seed::SMALL;
use crate::process::resident;
use crate::servers::{PASSWORD, Server};

/// Sessions that log in at the same time.
const AT_ONCE: usize = 16;

/// Opens so many sessions in plain and over TLS, and prints what each costs the server's processes.
pub async fn show(servers: &mut [Server], connections: usize) -> io::Result<()> {
    for server in servers {
        for (kind, port) in [("plain", Some(server.imap)), ("TLS", server.imaps)] {
            let Some(port) = port else { continue };
            // So that no memory of earlier sessions is used again.
            server.restart()?;
            let kilobytes = cost(server, port, kind == "TLS", connections).await?;
            println!(
                "{:<44} {:<14} {kilobytes:.1} KB each",
                format!("{connections} idle sessions, {kind}"),
                server.name
            );
        }
    }
    Ok(())
}

async fn cost(server: &Server, port: u16, tls: bool, connections: usize) -> io::Result<f64> {
    let connector = TlsConnector::opportunistic().map_err(io::Error::other)?;
    let user = server.address(SMALL);
    // What the first sessions load is shared by all.
    let mut idle = vec![session(port, tls.then_some(&connector), &user).await?];
    let before = resident(&server.roots());
    while idle.len() <= connections {
        let some = AT_ONCE.min(connections + 1 - idle.len());
        let opening = (0..some).map(|_| {
            let (connector, user) = (connector.clone(), user.clone());
            tokio::spawn(async move { session(port, tls.then_some(&connector), &user).await })
        });
        for opened in opening.collect::<Vec<_>>() {
            idle.push(opened.await.map_err(io::Error::other)??);
        }
    }
    let after = resident(&server.roots());
    Ok((after - before) * 1000.0 / connections as f64)
}

async fn session(port: u16, tls: Option<&TlsConnector>, user: &str) -> io::Result<Stream> {
    let mut stream = Stream::from_tcp(TcpStream::connect(("127.0.0.1", port)).await?)?;
    if let Some(connector) = tls {
        stream.start_tls_as_client(connector, "localhost").await.map_err(io::Error::other)?;
    }
    until(&mut stream, "* OK").await?;
    for (command, end) in [
        (format!("a LOGIN {user} {PASSWORD}\r\n"), "a OK"),
        ("b SELECT INBOX\r\n".to_owned(), "b OK"),
        ("c IDLE\r\n".to_owned(), "+ "),
    ] {
        stream.write_all(command.as_bytes()).await.map_err(io::Error::other)?;
        stream.flush().await.map_err(io::Error::other)?;
        until(&mut stream, end).await?;
    }
    Ok(stream)
}

async fn until(stream: &mut Stream, end: &str) -> io::Result<()> {
    loop {
        let text = String::from_utf8_lossy(stream.buffer()).into_owned();
        if text.ends_with("\r\n") && text.lines().any(|line| line.starts_with(end)) {
            stream.consume(usize::MAX);
            return Ok(());
        }
        if !matches!(stream.fill().await.map_err(io::Error::other)?, Fill::Data(_)) {
            return Err(io::Error::other("an idle session was closed"));
        }
    }
}
