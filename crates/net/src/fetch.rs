//! One text from a web server, for what mail needs of the Web.

use anser_base::{Error, Result};
use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};

use crate::dns::Resolver;
use crate::http::client::{Options, exchange};

/// GET of `https://<host><path>`, at most so many bytes of it as UTF-8 text. Redirects are not followed (RFC 8461 §3.3).
/// [`anser_base::Class::Unavailable`] for anything but a whole text/plain answer with status 200.
pub async fn text(resolver: &Resolver, host: &str, path: &str, most: usize, options: &Options) -> Result<String> {
    let request = http::Request::get(format!("https://{host}{path}")).header(ACCEPT, "text/plain").body(Bytes::new());
    let answer = exchange(resolver, request.map_err(Error::unavailable)?, most, options).await?;
    if answer.status() != http::StatusCode::OK {
        return Err(Error::unavailable(format!("it answers {}", answer.status())));
    }
    let kind = answer.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("text/plain") {
        return Err(Error::unavailable("it is no text/plain"));
    }
    String::from_utf8(answer.into_body().into()).map_err(|_| Error::unavailable("it is no text"))
}
