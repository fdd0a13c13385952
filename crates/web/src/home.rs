//! Whether the server is well, and what robots may look at.

use std::sync::Arc;

use anser_net::http::{Request, Response};

use crate::Deps;

/// `/health`: 200 as long as the engine answers.
pub async fn health(deps: Arc<Deps>, _: Request) -> Response {
    match deps.directory.default_domain().await {
        Ok(_) => Response::text(200, "ok\n"),
        Err(error) => {
            tracing::error!(error = error.chain(), "the engine does not answer");
            Response::text(503, "the engine does not answer\n")
        }
    }
}

/// `/robots.txt` (RFC 9309): there is nothing to be found here.
pub async fn robots(_: Request) -> Response {
    Response::text(200, "User-agent: *\nDisallow: /\n")
}
