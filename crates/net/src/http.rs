//! A very small HTTP/1.1 responder for machines that watch the house: GET and HEAD of short texts, one request a connection
//! (RFC 9112 §9.6 `Connection: close`). People and programs of users get a real server elsewhere.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use anser_base::Result;

use crate::listen::BoundListener;
use crate::serve::{ServeOptions, serve};
use crate::shutdown::Shutdown;
use crate::stream::{Line, Stream};

/// Longest request line or header line, in bytes.
const LINE: usize = 8192;
/// Header lines of one request.
const HEADERS: usize = 100;
/// How long a request may take to come.
const TIMEOUT: Duration = Duration::from_secs(10);

/// What is answered to a GET.
#[derive(Clone, Debug)]
pub struct Page {
    /// The status code.
    pub status: u16,
    /// The media type.
    pub content_type: &'static str,
    /// The text.
    pub body: String,
}

/// Answers GETs on these listeners until the shutdown begins; `answer` is given the path without its query, and gives `None` for
/// what does not exist.
pub async fn serve_pages<H, F>(
    listeners: Vec<BoundListener>,
    options: ServeOptions,
    shutdown: Shutdown,
    answer: H,
) -> Result<()>
where
    H: Fn(String) -> F + Send + Sync + 'static,
    F: Future<Output = Option<Page>> + Send + 'static,
{
    let answer = Arc::new(answer);
    serve(listeners, options, shutdown, move |stream, _| {
        let answer = answer.clone();
        async move {
            if let Err(error) = session(stream, &*answer).await {
                tracing::debug!(error = error.chain(), "a watcher's request was not answered");
            }
        }
    })
    .await
}

async fn session<H, F>(mut stream: Stream, answer: &H) -> Result<()>
where
    H: Fn(String) -> F,
    F: Future<Output = Option<Page>>,
{
    stream.set_read_timeout(TIMEOUT);
    stream.set_write_timeout(TIMEOUT);
    let Line::Full(request) = stream.read_line(LINE).await? else { return Ok(()) };
    for _ in 0..HEADERS {
        match stream.read_line(LINE).await? {
            Line::Full(line) if line.trim_ascii().is_empty() => return reply(stream, &request, answer).await,
            Line::Full(_) | Line::TooLong => {}
            Line::Closed | Line::TimedOut => return Ok(()),
        }
    }
    reply(stream, b"", answer).await
}

async fn reply<H, F>(mut stream: Stream, request: &[u8], answer: &H) -> Result<()>
where
    H: Fn(String) -> F,
    F: Future<Output = Option<Page>>,
{
    let line = String::from_utf8_lossy(request);
    let mut words = line.split_ascii_whitespace();
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let page = match method {
        "GET" | "HEAD" => {
            let path = target.split('?').next().unwrap_or_default().to_owned();
            answer(path).await.unwrap_or_else(|| text(404, "not found\n"))
        }
        "" => text(400, "bad request\n"),
        _ => text(405, "only GET\n"),
    };
    let Page { status, content_type, body } = page;
    let head = format!(
        "HTTP/1.1 {status} {}\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        reason(status),
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    if method != "HEAD" {
        stream.write_all(body.as_bytes()).await?;
    }
    stream.close().await
}

fn text(status: u16, body: &str) -> Page {
    Page { status, content_type: "text/plain; charset=utf-8", body: body.to_owned() }
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        404 => "Not Found",
        405 => "Method Not Allowed",
        503 => "Service Unavailable",
        _ => "Bad Request",
    }
}
