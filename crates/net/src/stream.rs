//! The one byte stream of protocol sessions: buffered, with deadlines, over TCP or TLS, with the upgrade in the middle.
//!
//! A stream that waits for its peer holds no buffer: bytes are read through one scratch buffer per thread and kept only once
//! they arrived, so that thousands of idle connections are cheap.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

#[cfg(doc)]
use anser_base::Class;
use anser_base::{Error, Result};
use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};

use crate::client::TlsConnector;
use crate::deflate::{COMPRESSED, Deflate};
use crate::halves::{self, Reader, Writer};
use crate::input::Input;
pub use crate::input::{INPUT_BUFFER, SKIPPED_LINE};
use crate::tls::{TlsAcceptor, TlsInfo};
use crate::transport::{Io, Transport};

/// Most bytes that one read takes.
pub const READ_SIZE: usize = 64 * 1024;
/// Bytes that gather in the output buffer before they are sent without being asked to.
pub const OUTPUT_BUFFER: usize = 64 * 1024;
/// Longest and default deadline. Doors set what their protocol asks for.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(24 * 3600);
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(300);
/// An output buffer larger than this many bytes is given back once it is sent.
const OUTPUT_KEPT: usize = 16 * 1024;
/// [`Stream::close`] waits this long for the peer to close too, and reads this many bytes of it at most. Closing while input
/// is unread would reset the connection and could destroy the last reply on its way.
const CLOSE_WAIT: Duration = Duration::from_secs(2);
const CLOSE_DRAIN: usize = 256 * 1024;
/// Idle TCP connections are probed after this long, so that peers that vanished are noticed.
const KEEPALIVE: Duration = Duration::from_secs(300);

thread_local! {
    pub(crate) static SCRATCH: RefCell<Vec<u8>> = RefCell::new(vec![0; READ_SIZE]);
}

/// What [`Stream::read_line`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// A line with its terminator as it came: `CR LF` or a bare `LF`; the codec judges.
    Full(Vec<u8>),
    /// The line was longer than allowed. It has been skipped to its end; the next call reads the next line.
    TooLong,
    /// The peer closed. An unfinished line before it is dropped.
    Closed,
    /// No whole line came within the read timeout. What came of it is kept.
    TimedOut,
}

/// A line without its terminator, as it came in [`Line::Full`].
pub fn without_end(mut line: Vec<u8>) -> Vec<u8> {
    for end in [b'\n', b'\r'] {
        line.pop_if(|last| *last == end);
    }
    line
}

/// What [`Stream::fill`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fill {
    /// So many bytes, at least one, were added to [`Stream::buffer`].
    Data(usize),
    /// The peer closed; nothing more will come. What is buffered stays readable.
    Closed,
    /// Nothing came within the read timeout.
    TimedOut,
}

/// A connection. Errors mean that it is broken and can only be dropped.
#[derive(Debug)]
pub struct Stream {
    io: Io,
    input: Input,
    ended: bool,
    output: Vec<u8>,
    /// Output before this index is sent.
    sent: usize,
    read_timeout: Duration,
    write_timeout: Duration,
    peer: SocketAddr,
    local: SocketAddr,
    tls: Option<Box<TlsInfo>>,
    /// Between this and TLS, once the session agreed to it.
    deflate: Option<Box<Deflate>>,
}

impl Stream {
    /// Wraps a connected TCP socket. Fails when it is no longer connected.
    pub fn from_tcp(tcp: TcpStream) -> io::Result<Self> {
        let (peer, local) = (tcp.peer_addr()?, tcp.local_addr()?);
        tcp.set_nodelay(true)?;
        socket2::SockRef::from(&tcp).set_tcp_keepalive(&socket2::TcpKeepalive::new().with_time(KEEPALIVE))?;
        Ok(Self::over(Transport::Tcp(tcp), peer, local))
    }

    /// Two ends joined in memory, for tests: the first is the server's, its peer is `127.0.0.1:1`.
    pub fn pair() -> (Self, Self) {
        let (server, client) = tokio::io::duplex(READ_SIZE);
        let (there, here) = (SocketAddr::from((Ipv4Addr::LOCALHOST, 1)), SocketAddr::from((Ipv4Addr::LOCALHOST, 2)));
        (Self::over(Transport::Memory(server), there, here), Self::over(Transport::Memory(client), here, there))
    }

    fn over(transport: Transport, peer: SocketAddr, local: SocketAddr) -> Self {
        Self {
            io: Io::Plain(transport),
            input: Input::default(),
            ended: false,
            output: Vec::new(),
            sent: 0,
            read_timeout: DEFAULT_TIMEOUT,
            write_timeout: DEFAULT_TIMEOUT,
            peer: canonical(peer),
            local: canonical(local),
            tls: None,
            deflate: None,
        }
    }
}

/// Who is on the other side, and how.
impl Stream {
    /// The peer; behind a trusted proxy the client that the PROXY header names. Never an IPv4 address in IPv6 form.
    pub fn peer_addr(&self) -> SocketAddr {
        self.peer
    }

    /// Our own address on this connection; behind a trusted proxy the one that the client connected to.
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// The socket, as long as it is a plain one.
    pub(crate) fn tcp(&self) -> Option<&TcpStream> {
        match &self.io {
            Io::Plain(Transport::Tcp(tcp)) => Some(tcp),
            _ => None,
        }
    }

    pub(crate) fn set_addresses(&mut self, peer: SocketAddr, local: SocketAddr) {
        (self.peer, self.local) = (canonical(peer), canonical(local));
    }

    /// Whether the bytes travel inside TLS.
    pub fn is_secure(&self) -> bool {
        self.tls.is_some()
    }

    /// What TLS agreed on; `None` on a plain connection.
    pub fn tls_info(&self) -> Option<&TlsInfo> {
        self.tls.as_deref()
    }

    /// How long each [`Self::fill`] and [`Self::read_line`] may wait. A line has to be whole within it, so a peer cannot
    /// stretch it byte by byte. At most a day; 5 minutes unless set.
    pub fn set_read_timeout(&mut self, timeout: Duration) {
        self.read_timeout = timeout.min(LONGEST_TIMEOUT);
    }

    /// How long the peer may take to accept each [`OUTPUT_BUFFER`] bytes. At most a day; 5 minutes unless set.
    pub fn set_write_timeout(&mut self, timeout: Duration) {
        self.write_timeout = timeout.min(LONGEST_TIMEOUT);
    }
}

/// Input.
impl Stream {
    /// The bytes that arrived and are not consumed yet.
    pub fn buffer(&self) -> &[u8] {
        self.input.rest()
    }

    /// How many bytes [`Self::buffer`] holds. While a pipelining peer has sent more (RFC 2920), replies need no flush.
    pub fn buffered_input_len(&self) -> usize {
        self.input.rest().len()
    }

    /// Marks the first `count` bytes of [`Self::buffer`] as used; more than there are means all.
    pub fn consume(&mut self, count: usize) {
        self.input.consume(count);
    }

    /// Waits for more bytes and adds them to [`Self::buffer`], also when it is not empty. Cancel-safe.
    /// [`Class::Limit`] when the buffer is full ([`INPUT_BUFFER`]): consume first.
    pub async fn fill(&mut self) -> Result<Fill> {
        self.fill_until(Instant::now() + self.read_timeout, READ_SIZE).await
    }

    /// Reads a line of up to `max` bytes, its terminator included (`max` at most [`INPUT_BUFFER`]). Cancel-safe: what came
    /// of a line is kept for the next call. [`Class::Limit`] when a line runs on beyond [`SKIPPED_LINE`]: close.
    pub async fn read_line(&mut self, max: usize) -> Result<Line> {
        let (max, deadline) = (max.min(INPUT_BUFFER - 1), Instant::now() + self.read_timeout);
        let mut searched = 0;
        loop {
            if let Some(line) = self.input.take_line(max, &mut searched)? {
                return Ok(line);
            }
            match self.fill_until(deadline, READ_SIZE).await? {
                Fill::Data(_) => {}
                Fill::Closed => return Ok(Line::Closed),
                Fill::TimedOut => return Ok(Line::TimedOut),
            }
        }
    }

    /// Waits until there is input, or the peer closed; returns at once when [`Self::buffer`] is not empty. Cancel-safe and
    /// without a deadline: made for `select!` beside other events (IDLE, RFC 2177).
    pub async fn readable(&mut self) -> Result<()> {
        if self.buffered_input_len() == 0 && !self.ended {
            self.receive(READ_SIZE).await?;
        }
        Ok(())
    }

    /// Makes [`Self::buffer`] hold `count` bytes without reading any byte beyond them.
    pub(crate) async fn fill_to(&mut self, count: usize, deadline: Instant) -> Result<Fill> {
        while self.buffered_input_len() < count {
            match self.fill_until(deadline, count - self.buffered_input_len()).await? {
                Fill::Data(_) => {}
                end => return Ok(end),
            }
        }
        Ok(Fill::Data(count))
    }

    async fn fill_until(&mut self, deadline: Instant, most: usize) -> Result<Fill> {
        let room = INPUT_BUFFER.saturating_sub(self.buffered_input_len());
        if room == 0 {
            return Err(crate::input::too_much());
        }
        match timeout_at(deadline, self.receive(most.min(room))).await {
            Err(_) => Ok(Fill::TimedOut),
            Ok(Ok(0)) => Ok(Fill::Closed),
            Ok(Ok(count)) => Ok(Fill::Data(count)),
            Ok(Err(error)) => Err(error),
        }
    }

    /// Reads once; 0 bytes is the end.
    async fn receive(&mut self, most: usize) -> Result<usize> {
        if self.ended {
            return Ok(0);
        }
        let count = match poll_fn(|cx| self.poll_receive(cx, most)).await {
            // Many mail clients leave without a close_notify, or by a reset: for a line protocol it is all the same.
            Err(error) if is_hang_up(&error) => 0,
            other => other.map_err(Error::unavailable)?,
        };
        self.ended = count == 0;
        Ok(count)
    }

    fn poll_receive(&mut self, cx: &mut Context<'_>, most: usize) -> Poll<io::Result<usize>> {
        if self.deflate.is_some() {
            return self.poll_inflated(cx, most);
        }
        SCRATCH.with_borrow_mut(|scratch| {
            let mut read = ReadBuf::new(&mut scratch[..most.min(READ_SIZE)]);
            match Pin::new(&mut self.io).poll_read(cx, &mut read) {
                Poll::Ready(result) => {
                    result?;
                    self.input.keep(read.filled());
                    Poll::Ready(Ok(read.filled().len()))
                }
                Poll::Pending => {
                    self.shrink();
                    Poll::Pending
                }
            }
        })
    }

    /// The same through the compression: what waits there comes first, and a read that brings nothing whole is followed by another.
    fn poll_inflated(&mut self, cx: &mut Context<'_>, most: usize) -> Poll<io::Result<usize>> {
        let Self { deflate: Some(deflate), io, input, .. } = self else { return Poll::Ready(Ok(0)) };
        let received = SCRATCH.with_borrow_mut(|scratch| {
            loop {
                let count = deflate.inflate(&mut scratch[..most.min(READ_SIZE)])?;
                if count > 0 {
                    input.keep(&scratch[..count]);
                    return Poll::Ready(Ok(count));
                }
                let mut read = ReadBuf::new(&mut scratch[..COMPRESSED]);
                ready!(Pin::new(&mut *io).poll_read(cx, &mut read))?;
                if read.filled().is_empty() {
                    return Poll::Ready(Ok(0));
                }
                deflate.keep(read.filled());
            }
        });
        if received.is_pending() {
            self.shrink();
        }
        received
    }

    /// Gives back empty buffers before a wait.
    fn shrink(&mut self) {
        self.input.shrink();
        if self.output.is_empty() {
            self.output = Vec::new();
        }
    }
}

/// Output.
impl Stream {
    /// Puts bytes into the output buffer; sends them by itself only when [`OUTPUT_BUFFER`] is exceeded, and large pieces
    /// without copying them. Not cancel-safe: part of a large piece may be sent. [`Class::Unavailable`] when the peer does not
    /// take them in time.
    pub async fn write_all(&mut self, bytes: &[u8]) -> Result<()> {
        if self.deflate.is_some() {
            return self.write_deflated(bytes).await;
        }
        if self.output.len() + bytes.len() <= OUTPUT_BUFFER {
            self.output.extend_from_slice(bytes);
            return Ok(());
        }
        self.send_output().await?;
        if bytes.len() <= OUTPUT_BUFFER {
            self.output.extend_from_slice(bytes);
            return Ok(());
        }
        for piece in bytes.chunks(OUTPUT_BUFFER) {
            self.send_piece(piece).await?;
        }
        Ok(())
    }

    async fn write_deflated(&mut self, bytes: &[u8]) -> Result<()> {
        for piece in bytes.chunks(OUTPUT_BUFFER) {
            if let Some(deflate) = &mut self.deflate {
                deflate.deflate(piece, &mut self.output).map_err(Error::unavailable)?;
            }
            if self.output.len() > OUTPUT_BUFFER {
                self.send_output().await?;
            }
        }
        Ok(())
    }

    /// Sends what is in the output buffer. Cancel-safe: a later call goes on where this one stopped.
    /// [`Class::Unavailable`] when the peer does not take it in time.
    pub async fn flush(&mut self) -> Result<()> {
        if let Some(deflate) = &mut self.deflate {
            deflate.flush(&mut self.output).map_err(Error::unavailable)?;
        }
        self.send_output().await?;
        self.within_write_timeout(|io, cx| Pin::new(io).poll_flush(cx)).await
    }

    /// Flushes and ends our direction (with `close_notify` under TLS); the peer's stays readable.
    pub async fn half_close(&mut self) -> Result<()> {
        self.flush().await?;
        self.within_write_timeout(|io, cx| Pin::new(io).poll_shutdown(cx)).await
    }

    /// What it runs over, for machinery with buffers and deadlines of its own; before anything was read or written here.
    pub(crate) fn into_io(self) -> Io {
        debug_assert!(self.buffered_input_len() == 0 && self.output.is_empty() && self.deflate.is_none());
        self.io
    }

    /// Parts it into its two directions; what arrived and was not consumed is read first. [`Class::Invalid`] while it is compressed.
    pub async fn into_halves(mut self) -> Result<(Reader, Writer)> {
        if self.deflate.is_some() {
            return Err(Error::invalid("a compressed connection cannot be parted", "压缩的连接无法拆分"));
        }
        self.flush().await?;
        let left = Bytes::copy_from_slice(self.buffer());
        Ok(halves::part(self.io, left, self.write_timeout))
    }

    /// Ends the connection politely: flushes, ends our direction, and waits a moment for the peer to end its own, so that
    /// the last reply arrives. A stream that is merely dropped closes at once.
    pub async fn close(mut self) -> Result<()> {
        self.half_close().await?;
        let deadline = Instant::now() + CLOSE_WAIT;
        let mut drained = 0;
        while drained < CLOSE_DRAIN {
            self.consume(usize::MAX);
            match self.fill_until(deadline, READ_SIZE).await {
                Ok(Fill::Data(count)) => drained += count,
                _ => break,
            }
        }
        Ok(())
    }

    async fn send_output(&mut self) -> Result<()> {
        while self.sent < self.output.len() {
            let end = self.output.len().min(self.sent + OUTPUT_BUFFER);
            let Self { io, output, sent, .. } = self;
            in_time(self.write_timeout, poll_fn(|cx| poll_send(io, cx, &output[..end], sent))).await?;
        }
        self.sent = 0;
        self.output.clear();
        if self.output.capacity() > OUTPUT_KEPT {
            self.output = Vec::new();
        }
        Ok(())
    }

    async fn send_piece(&mut self, piece: &[u8]) -> Result<()> {
        let (io, mut sent) = (&mut self.io, 0);
        in_time(self.write_timeout, poll_fn(|cx| poll_send(io, cx, piece, &mut sent))).await
    }

    async fn within_write_timeout(
        &mut self,
        mut poll: impl FnMut(&mut Io, &mut Context<'_>) -> Poll<io::Result<()>>,
    ) -> Result<()> {
        let io = &mut self.io;
        in_time(self.write_timeout, poll_fn(|cx| poll(io, cx))).await
    }
}

/// Compression.
impl Stream {
    /// Flushes, then compresses all that is written and takes apart all that comes (RFC 4978), until the connection ends; call it
    /// after the positive answer was written. [`INPUT_BUFFER`], lines and timeouts count what comes out of the compression.
    /// [`Class::Invalid`] when it is compressed already.
    pub async fn start_deflate(&mut self) -> Result<()> {
        if self.is_deflated() {
            return Err(Error::invalid("compression is active already", "压缩已启用"));
        }
        self.flush().await?;
        let mut deflate = Box::<Deflate>::default();
        // A client that did not wait for the answer sent compressed text behind its command.
        deflate.keep(self.input.rest());
        self.input = Input::default();
        self.deflate = Some(deflate);
        Ok(())
    }

    /// Flushes, then sends and takes bytes as they are again (RFC 8437 §4.1); call it after the positive answer was written. What the
    /// peer sends next must be plain: behind its last compressed line it either waits for the answer, or ends the compressed text
    /// properly. Nothing to do where nothing is compressed.
    pub async fn end_deflate(&mut self) -> Result<()> {
        self.flush().await?;
        if let Some(deflate) = self.deflate.take() {
            self.input.keep(deflate.rest());
        }
        Ok(())
    }

    /// Whether the bytes are compressed.
    pub fn is_deflated(&self) -> bool {
        self.deflate.is_some()
    }
}

/// The upgrade to TLS.
impl Stream {
    /// Flushes, then takes a TLS handshake from the peer; call it after the positive reply to `STARTTLS` was written, or
    /// first of all for implicit TLS. Plaintext that came behind the command is thrown away (RFC 3207 §6, RFC 9051 §6.2.1).
    /// The session then starts anew: forget what the peer said in plain. [`Class::Unavailable`] when the handshake fails or
    /// takes longer than [`crate::tls::HANDSHAKE_TIMEOUT`]; [`Class::Invalid`] when the stream is secure already.
    pub async fn start_tls(&mut self, acceptor: &TlsAcceptor) -> Result<()> {
        let transport = self.leave_plaintext().await?;
        let (tls, info) = acceptor.handshake(transport).await?;
        self.enter_tls(tls.into(), info);
        Ok(())
    }

    /// The client's side of [`Self::start_tls`]. `name` is the host that was meant to be reached: it is sent as SNI and, by
    /// a verifying connector, looked for in the certificate.
    pub async fn start_tls_as_client(&mut self, connector: &TlsConnector, name: &str) -> Result<()> {
        let transport = self.leave_plaintext().await?;
        let (tls, info) = connector.handshake(transport, name).await?;
        self.enter_tls(tls.into(), info);
        Ok(())
    }

    async fn leave_plaintext(&mut self) -> Result<Transport> {
        if self.is_secure() {
            return Err(Error::invalid("TLS is active already", "TLS 已启用"));
        }
        if self.is_deflated() {
            return Err(Error::invalid("TLS cannot begin inside compression", "压缩启用后不能再启用 TLS"));
        }
        self.flush().await?;
        let injected = self.buffered_input_len();
        if injected > 0 {
            tracing::warn!(peer = %self.peer, bytes = injected, "plaintext behind STARTTLS thrown away");
        }
        self.input = Input::default();
        match std::mem::replace(&mut self.io, Io::Gone) {
            Io::Plain(transport) => Ok(transport),
            Io::Tls(_) | Io::Gone => Err(Error::unavailable("the connection is gone")),
        }
    }

    fn enter_tls(&mut self, tls: tokio_rustls::TlsStream<Transport>, info: TlsInfo) {
        self.io = Io::Tls(Box::new(tls));
        self.tls = Some(Box::new(info));
    }
}

fn poll_send(io: &mut Io, cx: &mut Context<'_>, bytes: &[u8], sent: &mut usize) -> Poll<io::Result<()>> {
    while *sent < bytes.len() {
        match ready!(Pin::new(&mut *io).poll_write(cx, &bytes[*sent..]))? {
            0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
            count => *sent += count,
        }
    }
    Poll::Ready(Ok(()))
}

async fn in_time(limit: Duration, sending: impl Future<Output = io::Result<()>>) -> Result<()> {
    match timeout(limit, sending).await {
        Ok(result) => result.map_err(Error::unavailable),
        Err(_) => Err(Error::unavailable("the peer does not read")),
    }
}

pub(crate) fn is_hang_up(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(error.kind(), UnexpectedEof | ConnectionReset | ConnectionAborted | BrokenPipe)
}

fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}
