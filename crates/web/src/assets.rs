//! The scripts and style sheets of the pages: built in `web/`, taken in by `build.rs`.

use std::sync::LazyLock;

use anser_net::http::{HeaderMap, HeaderValue, Request, Response, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha384};

/// For browsers to keep: another content has another path.
const KEPT: &str = "public, max-age=31536000, immutable";

/// One file.
pub(crate) struct Asset {
    name: &'static str,
    kind: &'static str,
    plain: &'static [u8],
    gzip: &'static [u8],
    /// What stands in its path, so that it changes with the content.
    hash: String,
    /// What the page that loads it says of its content (Subresource Integrity §3.5).
    pub integrity: String,
}

/// A file and its compressed form, as `build.rs` left them; empty in debug builds without `web/dist`.
macro_rules! taken_in {
    ($name:literal, $kind:literal) => {
        Asset::new(
            $name,
            $kind,
            include_bytes!(concat!(env!("OUT_DIR"), "/", $name)),
            include_bytes!(concat!(env!("OUT_DIR"), "/", $name, ".gz")),
        )
    };
}

static ALL: LazyLock<[Asset; 9]> = LazyLock::new(|| {
    [
        taken_in!("login.js", "text/javascript; charset=utf-8"),
        taken_in!("login.css", "text/css; charset=utf-8"),
        taken_in!("webmail.js", "text/javascript; charset=utf-8"),
        taken_in!("webmail.css", "text/css; charset=utf-8"),
        taken_in!("more.js", "text/javascript; charset=utf-8"),
        taken_in!("pdf.js", "text/javascript; charset=utf-8"),
        taken_in!("pdf.css", "text/css; charset=utf-8"),
        taken_in!("pdfworker.js", "text/javascript; charset=utf-8"),
        taken_in!("pdfparts.bin", "application/octet-stream"),
    ]
});

impl Asset {
    fn new(name: &'static str, kind: &'static str, plain: &'static [u8], gzip: &'static [u8]) -> Self {
        let digest = Sha384::digest(plain);
        let hash = digest[..6].iter().map(|byte| format!("{byte:02x}")).collect();
        Self { name, kind, plain, gzip, hash, integrity: format!("sha384-{}", STANDARD.encode(digest)) }
    }

    /// The file of this name, if it was taken in.
    pub fn named(name: &str) -> Option<&'static Self> {
        ALL.iter().find(|asset| asset.name == name && !asset.plain.is_empty())
    }

    /// Where it is served: `/assets/webmail.0123456789ab.js`.
    pub fn path(&self) -> String {
        let (stem, end) = self.name.split_once('.').unwrap_or((self.name, ""));
        format!("/assets/{stem}.{}.{end}", self.hash)
    }
}

/// `/assets/{name}`
pub(crate) async fn serve(request: Request) -> Response {
    let Some(asset) = ALL.iter().find(|asset| !asset.plain.is_empty() && asset.path() == request.path()) else {
        return crate::nothing(&request);
    };
    let packed = takes_gzip(request.headers());
    let response = Response::new(200, asset.kind, if packed { asset.gzip } else { asset.plain })
        .with(header::CACHE_CONTROL, HeaderValue::from_static(KEPT))
        .with(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    if packed { response.with(header::CONTENT_ENCODING, HeaderValue::from_static("gzip")) } else { response }
}

/// Whether gzip may be sent (RFC 9110 §12.5.3).
fn takes_gzip(headers: &HeaderMap) -> bool {
    let field = headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    field.split(',').any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, "q=1"));
        let is_refused = weight.trim().strip_prefix("q=").is_some_and(|weight| weight.parse() == Ok(0.0));
        name.trim().eq_ignore_ascii_case("gzip") && !is_refused
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_takes_gzip_gets_it() {
        for (said, taken) in
            [("", false), ("gzip", true), ("br, GZIP;q=0.5", true), ("gzip;q=0", false), ("deflate", false)]
        {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(said));
            assert_eq!(takes_gzip(&headers), taken, "{said}");
        }
    }
}
