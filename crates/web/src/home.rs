//! The first page, and whether the server is well.

use std::sync::Arc;

use anser_base::Text;
use anser_net::http::{Request, Response};

use crate::{Deps, page};

/// `/`
pub async fn home(deps: Arc<Deps>, request: Request) -> Response {
    let text = Text::new(
        "This is a mail server. Mail programs find their settings here by themselves: give them the address and the password.",
        "这是一台邮件服务器。邮件程序会自动获取设置：只需填写邮箱地址和密码。",
    );
    page::of(200, request.headers(), &Text::new(deps.hostname.clone(), deps.hostname.clone()), &text)
}

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
