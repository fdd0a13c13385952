//! What a handler returns.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::Stream;
use futures_util::future::BoxFuture;
use futures_util::stream::{BoxStream, StreamExt};
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue, LOCATION};
use http::{HeaderMap, StatusCode};
use hyper::body::{Body, Frame, SizeHint};

use super::watch::Underway;
use crate::serve::Seat;

/// An answer.
#[derive(Debug)]
pub struct Response {
    /// The status code.
    pub status: StatusCode,
    /// The header, but for what is the same for all answers.
    pub headers: HeaderMap,
    pub(super) content: Content,
    /// It lasts as long as its client listens.
    pub(super) lasts: bool,
}

/// The body of an answer.
pub(super) enum Content {
    Whole(Bytes),
    Pieces(BoxStream<'static, io::Result<Bytes>>),
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(bytes) => write!(f, "{} bytes", bytes.len()),
            Self::Pieces(_) => f.write_str("pieces"),
        }
    }
}

impl Response {
    /// An answer without a body. A number that is no status code becomes 500.
    pub fn empty(status: u16) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self { status, headers: HeaderMap::new(), content: Content::Whole(Bytes::new()), lasts: false }
    }

    /// An answer of this media type.
    pub fn new(status: u16, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        Self { content: Content::Whole(body.into()), ..Self::empty(status) }
            .with(CONTENT_TYPE, HeaderValue::from_static(content_type))
    }

    /// Plain text in UTF-8.
    pub fn text(status: u16, body: impl Into<Bytes>) -> Self {
        Self::new(status, "text/plain; charset=utf-8", body)
    }

    /// A page of HTML in UTF-8.
    pub fn html(status: u16, body: impl Into<Bytes>) -> Self {
        Self::new(status, "text/html; charset=utf-8", body)
    }

    /// JSON (RFC 8259 §11).
    pub fn json(status: u16, body: impl Into<Bytes>) -> Self {
        Self::new(status, "application/json", body)
    }

    /// The way to another place: 301, 302, 303, 307, 308 (RFC 9110 §15.4). A place that is no header value becomes 500.
    pub fn redirect(status: u16, to: &str) -> Self {
        match HeaderValue::from_str(to) {
            Ok(to) => Self::empty(status).with(LOCATION, to),
            Err(_) => Self::empty(500),
        }
    }

    /// An answer that comes in pieces, as long as the stream gives some; an error breaks the connection off, so that the peer
    /// knows that it is not whole. When the server ends, so does the stream.
    pub fn stream(
        status: u16,
        content_type: &'static str,
        pieces: impl Stream<Item = io::Result<Bytes>> + Send + 'static,
    ) -> Self {
        Self { content: Content::Pieces(pieces.boxed()), ..Self::empty(status) }
            .with(CONTENT_TYPE, HeaderValue::from_static(content_type))
    }

    /// The events of an event source (the HTML standard §9.2), as long as its client listens. It is none of the requests that are under
    /// way at once from its source, of whose people each may listen: who answers so counts them.
    pub fn events(pieces: impl Stream<Item = io::Result<Bytes>> + Send + 'static) -> Self {
        Self { lasts: true, ..Self::stream(200, "text/event-stream", pieces) }
    }

    /// With this header field, instead of one of this name.
    pub fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }
}

/// A body on its way; what it holds is free again when it is dropped.
pub(super) struct Outgoing {
    content: Content,
    underway: Underway,
    ending: BoxFuture<'static, ()>,
    _seat: Option<Seat>,
}

impl Outgoing {
    pub fn new(content: Content, underway: Underway, seat: Option<Seat>, ending: BoxFuture<'static, ()>) -> Self {
        underway.waits_for_peer();
        Self { content, underway, ending, _seat: seat }
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let this = &mut *self;
        let next = match &mut this.content {
            Content::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            Content::Whole(bytes) => Poll::Ready(Some(Ok(bytes.split_to(bytes.len().min(PIECE))))),
            Content::Pieces(pieces) => match pieces.poll_next_unpin(cx) {
                Poll::Pending if this.ending.as_mut().poll(cx).is_ready() => Poll::Ready(None),
                other => other,
            },
        };
        match next {
            Poll::Pending => this.underway.works(),
            Poll::Ready(_) => this.underway.waits_for_peer(),
        }
        next.map(|piece| piece.map(|piece| piece.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        matches!(&self.content, Content::Whole(bytes) if bytes.is_empty())
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Content::Pieces(_) => SizeHint::default(),
        }
    }
}

/// Most bytes that are handed over at once, so that progress shows.
const PIECE: usize = 64 * 1024;
