//! One connection.

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use http::Method;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::time::{Instant, sleep_until, timeout};

use super::request::{About, Asked};
use super::response::{Content, Outgoing, Response};
use super::site::Site;
use super::watch::{Sight, Underway, Watch};
use crate::network::source_of;
use crate::serve::{Seat, words_of};
use crate::shutdown::Shutdown;
use crate::stream::Stream;
use crate::tls::{ALPN_ACME, ALPN_H2};

/// Bytes that one request, and all requests of a connection, may have sent ahead of their handlers (RFC 9113 §5.2).
const STREAM_WINDOW: u32 = 256 * 1024;
const CONNECTION_WINDOW: u32 = 1024 * 1024;

/// How long a connection may take to end once it was idle for too long.
const FAREWELL: Duration = Duration::from_secs(5);

/// Serves one connection to its end: HTTP/2 where ALPN chose it, else HTTP/1.1.
pub async fn session(stream: Stream, site: Arc<Site>, shutdown: Shutdown) {
    let tls = stream.tls_info().cloned();
    let protocol = tls.as_ref().and_then(|tls| tls.alpn.clone()).unwrap_or_default();
    if protocol == ALPN_ACME {
        // The handshake was all that was wanted (RFC 8737 §3).
        return;
    }
    let about = Arc::new(About { peer: stream.peer_addr(), local: stream.local_addr(), tls });
    let watch = Watch::new(site.limits.header_time);
    let io = TokioIo::new(stream.into_io());
    let service = service_fn({
        let (site, watch, shutdown) = (site.clone(), watch.clone(), shutdown.clone());
        move |request| answer(request, site.clone(), about.clone(), watch.clone(), shutdown.clone())
    });
    let limits = &site.limits;
    if protocol == ALPN_H2 {
        let connection = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .max_concurrent_streams(limits.streams)
            .max_header_list_size(u32::try_from(limits.header_bytes).unwrap_or(u32::MAX))
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_send_buf_size(STREAM_WINDOW as usize)
            .serve_connection(io, service);
        drive(Box::pin(connection), |connection| connection.graceful_shutdown(), &watch, &site, &shutdown).await;
    } else {
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            // The watch looks after that, for both versions.
            .header_read_timeout(None)
            .max_headers(limits.header_fields)
            .max_buf_size(limits.header_bytes.max(8192))
            .serve_connection(io, service)
            .with_upgrades();
        drive(Box::pin(connection), |connection| connection.graceful_shutdown(), &watch, &site, &shutdown).await;
    }
}

/// Runs a connection until it ends, is idle or stalled for too long, or the server has ended what it was doing here. Thousands stand open
/// at once, so that each lies once in memory.
async fn drive<C: Future>(
    mut connection: Pin<Box<C>>,
    end: fn(Pin<&mut C>),
    watch: &Watch,
    site: &Site,
    shutdown: &Shutdown,
) {
    let mut ending = pin!(shutdown.notified().fuse());
    let mut asked = false;
    let mut look = Instant::now() + site.limits.header_time;
    loop {
        tokio::select! {
            _ = &mut connection => return,
            () = &mut ending => {
                asked = true;
                end(connection.as_mut());
            }
            () = sleep_until(look) => match watch.look(site.limits.stall_time) {
                Sight::Fine(next) => look = next,
                Sight::Idle if !asked => {
                    asked = true;
                    end(connection.as_mut());
                    look = Instant::now() + FAREWELL;
                }
                Sight::Idle | Sight::Stalled => return,
            }
        }
    }
}

/// Answers one request. Its place among those of its source, and its line in the watch, are kept until the answer is taken.
async fn answer(
    request: http::Request<Incoming>,
    site: Arc<Site>,
    about: Arc<About>,
    watch: Arc<Watch>,
    shutdown: Shutdown,
) -> Result<http::Response<Outgoing>, Infallible> {
    let underway = watch.begin(site.limits.idle_time);
    let head = request.method() == Method::HEAD;
    let source = source_of(about.peer.ip());
    let seat = Seat::take(&site.askers.0, source, site.limits.requests_per_source);
    let page = {
        let headers = request.headers().clone();
        let site = site.clone();
        move |status| (site.error_page)(status, &headers)
    };
    let (response, route) = match site.judge(request.map(Asked::new), &about) {
        _ if seat.is_none() => (page(429), None),
        Err(response) => (*response, None),
        Ok((route, request)) => {
            let handler = AssertUnwindSafe(timeout(route.time, route.call(request))).catch_unwind();
            let response = match handler.await {
                Ok(Ok(response)) => response,
                Ok(Err(_)) => page(503),
                Err(panic) => {
                    tracing::error!(peer = %about.peer, ?route, panic = words_of(&*panic), "handler panicked");
                    page(500)
                }
            };
            (response, Some(route))
        }
    };
    let response = site.finish(response, route, &about);
    tracing::debug!(peer = %about.peer, ?route, status = response.status.as_u16(), "answered");
    Ok(outgoing(response, head, underway, seat, shutdown))
}

fn outgoing(
    response: Response,
    head: bool,
    underway: Underway,
    seat: Option<Seat>,
    shutdown: Shutdown,
) -> http::Response<Outgoing> {
    let Response { status, headers, content, lasts } = response;
    let length = match &content {
        Content::Whole(bytes) => Some(bytes.len()),
        Content::Pieces(_) => None,
    };
    let content = if head { Content::Whole(Bytes::new()) } else { content };
    let ending = async move { shutdown.notified().await }.boxed();
    let mut answer = http::Response::new(Outgoing::new(content, underway, seat.filter(|_| !lasts), ending));
    (*answer.status_mut(), *answer.headers_mut()) = (status, headers);
    if let Some(length) = length.filter(|length| head && *length > 0) {
        answer.headers_mut().insert(http::header::CONTENT_LENGTH, length.into());
    }
    answer
}
