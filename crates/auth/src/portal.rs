//! People whom a portal hands over (see [`anser_directory::portals`]).

use std::sync::Arc;

use anser_base::Text;
use anser_directory::{AuthFailure, PortalTicket, Refusal, Signed, Visitor};
use anser_journal::{By, What};
use anser_net::http::{Request, Response, either, escaped, is_own_path};

use crate::answer::{failed, refused, with_cookie};
use crate::login::{HOME, Next, enrolment};
use crate::{Door, device, page, visitor};

/// `GET /auth/portal/{portal}?user=…&time=…&nonce=…&signature=…`, and perhaps `next`: a link of the portal.
pub async fn arrive(door: Arc<Door>, request: Request) -> Response {
    either(arrived(&door, &request).await)
}

async fn arrived(door: &Door, request: &Request) -> Result<Response, Response> {
    let value = |name: &str| request.query(name).unwrap_or_default();
    let (user, time, nonce, signature) = (value("user"), value("time"), value("nonce"), value("signature"));
    let portal = request.parameter("portal");
    let ticket = PortalTicket { portal, user: &user, time: &time, nonce: &nonce, signature: &signature };
    let device = device::in_words(request.header("user-agent"));
    let visitor = visitor(request, &device);
    let way = request.query("next").filter(|path| is_own_path(path)).unwrap_or_else(|| HOME.to_owned());
    let outcome = door.deps.directory.sign_in_from_portal(ticket, visitor).await;
    let (mechanism, who) = (format!("PORTAL {portal}"), format!("{user} (portal {portal})"));
    taken_in(door, request, outcome, visitor, mechanism, who, &way).await
}

/// The page of somebody who comes from another site, where they were signed in: on, or what else is asked for, or why not.
pub async fn taken_in(
    door: &Door,
    request: &Request,
    outcome: Result<Signed, AuthFailure>,
    visitor: Visitor<'_>,
    mechanism: String,
    who: String,
    way: &str,
) -> Result<Response, Response> {
    match outcome {
        Ok(Signed::In(session)) => {
            let (account, user) = (session.account.id, session.account.address.to_string());
            let by = mechanism.split(' ').next().unwrap_or_default().to_ascii_lowercase();
            let by = By::of(&by, None).from_device(visitor.device);
            door.note(request.peer().ip(), What::Login { account, user, mechanism, by }).await;
            // A redirect would still come from the other site, and a strict cookie stays behind on such a way.
            let on = escaped(way);
            let content =
                format!("<meta http-equiv=\"refresh\" content=\"0;url={on}\">\n<p><a href=\"{on}\">&#8230;</a></p>\n");
            let page = page::of(request, 200, &Text::new("One moment", "请稍候"), &content);
            Ok(with_cookie(page, request, &session, false))
        }
        Ok(Signed::Needs(need, ticket)) => {
            let enrol = enrolment(door, request, need, &ticket, visitor).await?;
            Ok(page::step(request, &Next { need, ticket, enrol }, way, None))
        }
        Err(failure) if failure.reason == Refusal::Unavailable => Err(failed(request, &failure.error)),
        Err(failure) => {
            door.note_failure(request, who, &failure).await;
            tokio::time::sleep(failure.delay).await;
            let status = refused(request, &failure).status.as_u16();
            let said = format!("<p>{}</p>\n", escaped(request.language().of_text(&failure.error.text)));
            Err(page::of(request, status, &Text::new("Not signed in", "未能登录"), &said))
        }
    }
}
