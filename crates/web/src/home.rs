//! Whether the server is well, what this is, and what robots may look at.

use std::sync::Arc;

use anser_base::Text;
use anser_net::http::{Request, Response};

use crate::{Deps, domain, page};

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

/// `/status`: the same as [`health`], in words for people. What runs here, and since when, is nobody's business.
pub async fn status(deps: Arc<Deps>, request: Request) -> Response {
    let title = Text::new("Status", "服务状态");
    match deps.directory.default_domain().await {
        Ok(_) => {
            let text = Text::new("Mail is being sent, received and shown as usual.", "邮件收发与查看一切正常。");
            page::of(200, request.headers(), &title, &text)
        }
        Err(error) => {
            tracing::error!(error = error.chain(), "the engine does not answer");
            let text = Text::new(
                "Mail cannot be shown just now. What is sent to you meanwhile is not lost: it arrives later.",
                "暂时无法查看邮件。此时发给您的邮件不会丢失，稍后即会送达。",
            );
            page::of(503, request.headers(), &title, &text)
        }
    }
}

/// `/about`: whose mail this is, and how one comes in.
pub async fn about(deps: Arc<Deps>, request: Request) -> Response {
    let ours = match domain::of_host(&deps.directory, &request).await {
        Ok(ours) => ours.unwrap_or_else(|| deps.hostname.clone()),
        Err(error) => return crate::failed(&request, &error),
    };
    let text = Text::new(
        format!(
            "This is the mail of {ours}. Who has an address here logs in with it and its password, in a browser or in a mail \
             program, which finds its settings by itself. Whoever looks after it answers at postmaster@{ours}."
        ),
        format!(
            "这里是 {ours} 的邮件系统。使用您的邮箱地址和密码，即可通过浏览器或邮件客户端登录，客户端会自动获取设置。\
             如需帮助，请联系 postmaster@{ours}。"
        ),
    );
    page::of(200, request.headers(), &Text::new("About", "关于"), &text)
}

/// `/robots.txt` (RFC 9309): there is nothing to be found here.
pub async fn robots(_: Request) -> Response {
    Response::text(200, "User-agent: *\nDisallow: /\n")
}
