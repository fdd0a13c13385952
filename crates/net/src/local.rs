//! Sockets of this machine alone, named by a file: how the command line speaks to the running server. What travels is lines and
//! runs of bytes; both sides belong to the house, so that nothing here has a deadline.

use std::fs::{self, Permissions};
use std::future::Future;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anser_base::{Class, Error, Result};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, BufWriter};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::shutdown::Shutdown;

/// Connections served at once; further ones wait.
const CONNECTIONS: usize = 64;
/// Bytes that each direction gathers.
const BUFFER: usize = 64 * 1024;

/// What arrives.
#[derive(Debug)]
pub struct LocalReader(BufReader<OwnedReadHalf>);

/// What is sent.
#[derive(Debug)]
pub struct LocalWriter(BufWriter<OwnedWriteHalf>);

impl LocalReader {
    /// The next line without its end; `None` at the end of all. [`Class::Limit`] when it is longer than `max` bytes,
    /// [`Class::Unavailable`] when the connection broke, also in the middle of a line.
    pub async fn read_line(&mut self, max: usize) -> Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        let most = u64::try_from(max).unwrap_or(u64::MAX).saturating_add(1);
        (&mut self.0).take(most).read_until(b'\n', &mut line).await.map_err(Error::io)?;
        match line.pop() {
            None => Ok(None),
            Some(b'\n') => Ok(Some(line)),
            Some(_) if line.len() >= max => Err(Error::new(Class::Limit, "the line is too long", "行过长")),
            Some(_) => Err(Error::unavailable("the connection ended within a line")),
        }
    }

    /// Exactly `count` bytes. The caller has checked that so many may be held. [`Class::Unavailable`] when fewer come.
    pub async fn read_exact(&mut self, count: usize) -> Result<Vec<u8>> {
        let mut bytes = vec![0; count];
        self.0.read_exact(&mut bytes).await.map_err(Error::io)?;
        Ok(bytes)
    }
}

impl LocalWriter {
    /// Puts bytes into the buffer, and sends what exceeds it.
    pub async fn write_all(&mut self, bytes: &[u8]) -> Result<()> {
        self.0.write_all(bytes).await.map_err(Error::io)
    }

    /// Sends what is in the buffer.
    pub async fn flush(&mut self) -> Result<()> {
        self.0.flush().await.map_err(Error::io)
    }

    /// Sends what is in the buffer and ends this direction.
    pub async fn close(mut self) -> Result<()> {
        self.0.shutdown().await.map_err(Error::io)
    }
}

fn halves(stream: UnixStream) -> (LocalReader, LocalWriter) {
    let (read, write) = stream.into_split();
    (LocalReader(BufReader::with_capacity(BUFFER, read)), LocalWriter(BufWriter::with_capacity(BUFFER, write)))
}

/// Connects; `None` when nobody listens there.
pub async fn connect_local(path: &Path) -> Result<Option<(LocalReader, LocalWriter)>> {
    match UnixStream::connect(path).await {
        Ok(stream) => Ok(Some(halves(stream))),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => Ok(None),
        Err(error) => Err(Error::new(
            Class::Unavailable,
            format!("cannot speak to the server through {}: {error}", path.display()),
            format!("无法通过 {} 与服务器通信：{error}", path.display()),
        )),
    }
}

/// A listening socket; its file goes with it.
#[derive(Debug)]
pub struct LocalListener {
    listener: tokio::net::UnixListener,
    path: PathBuf,
}

impl Drop for LocalListener {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// Listens at a path that only this user may open, in place of a file that an earlier process left there. The caller makes sure
/// that no other process listens. Needs a runtime.
pub fn bind_local(path: &Path) -> Result<LocalListener> {
    let failed = |error: io::Error| {
        let (en, zh) = (format!("cannot listen on {}", path.display()), format!("无法监听 {}", path.display()));
        Error::new(Class::Unavailable, en, zh).caused_by(error)
    };
    // Under another name until the permissions are right: nobody connects before.
    let mut early = path.as_os_str().to_owned();
    early.push(".new");
    let early = PathBuf::from(early);
    let _ = fs::remove_file(&early);
    let listener = tokio::net::UnixListener::bind(&early).map_err(failed)?;
    fs::set_permissions(&early, Permissions::from_mode(0o600)).map_err(failed)?;
    fs::rename(&early, path).map_err(failed)?;
    Ok(LocalListener { listener, path: path.to_owned() })
}

/// Serves connections, a task each, until the shutdown begins; then waits for those that stand until its grace is over. The
/// handler is told the user id of the peer's process.
pub async fn serve_local<H, F>(listener: LocalListener, shutdown: Shutdown, handler: H)
where
    H: Fn(LocalReader, LocalWriter, u32) -> F + Send + Sync + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    let mut sessions = JoinSet::new();
    loop {
        let next = async {
            let permit = room.clone().acquire_owned().await.ok();
            (permit, listener.listener.accept().await)
        };
        let Some((permit, accepted)) = shutdown.or(next).await else { break };
        while sessions.try_join_next().is_some() {}
        let Ok((stream, _)) = accepted else { continue };
        let Ok(peer) = stream.peer_cred() else { continue };
        let (reader, writer) = halves(stream);
        let session = handler(reader, writer, peer.uid());
        sessions.spawn(async move {
            session.await;
            drop(permit);
        });
    }
    drop(listener);
    let all_ended = async { while sessions.join_next().await.is_some() {} };
    tokio::select! {
        () = all_ended => {}
        () = shutdown.expired() => sessions.shutdown().await,
    }
}
