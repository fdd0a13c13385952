//! A connection in two halves, each with an owner of its own: for whoever passes bytes on in both directions at once, where neither
//! may wait for the other.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use anser_base::{Error, Result};
use bytes::Bytes;
use tokio::io::{self, AsyncRead, AsyncWriteExt, ReadBuf};
use tokio::time::timeout;

use crate::stream::{READ_SIZE, SCRATCH, is_hang_up};
use crate::transport::Io;

/// What comes in. A reader that waits holds no buffer.
#[derive(Debug)]
pub struct Reader {
    io: io::ReadHalf<Io>,
    /// Came before the connection was parted.
    left: Bytes,
}

/// What goes out.
#[derive(Debug)]
pub struct Writer {
    io: io::WriteHalf<Io>,
    timeout: Duration,
}

pub(crate) fn part(io: Io, left: Bytes, write_timeout: Duration) -> (Reader, Writer) {
    let (reader, writer) = io::split(io);
    (Reader { io: reader, left }, Writer { io: writer, timeout: write_timeout })
}

impl Reader {
    /// The next octets, at most [`READ_SIZE`]; none at the end. Cancel-safe, and without a deadline.
    pub async fn read(&mut self) -> Result<Bytes> {
        if !self.left.is_empty() {
            return Ok(std::mem::take(&mut self.left));
        }
        let read = poll_fn(|cx| {
            SCRATCH.with_borrow_mut(|scratch| {
                let mut into = ReadBuf::new(&mut scratch[..READ_SIZE]);
                match Pin::new(&mut self.io).poll_read(cx, &mut into) {
                    Poll::Ready(result) => Poll::Ready(result.map(|()| Bytes::copy_from_slice(into.filled()))),
                    Poll::Pending => Poll::Pending,
                }
            })
        });
        match read.await {
            Err(error) if is_hang_up(&error) => Ok(Bytes::new()),
            other => other.map_err(Error::unavailable),
        }
    }
}

impl Writer {
    /// Sends all of it. Not cancel-safe. [`anser_base::Class::Unavailable`] when the peer does not take it in time.
    pub async fn send(&mut self, bytes: &[u8]) -> Result<()> {
        let sent = async {
            self.io.write_all(bytes).await?;
            self.io.flush().await
        };
        timeout(self.timeout, sent).await.map_err(Error::unavailable)?.map_err(Error::unavailable)
    }

    /// Ends this direction; the other one stays open.
    pub async fn end(&mut self) -> Result<()> {
        timeout(self.timeout, self.io.shutdown()).await.map_err(Error::unavailable)?.map_err(Error::unavailable)
    }
}
