//! The acts over HTTP: what the command line asks for over its socket, programs ask for here, in the same JSON, with a token.
//!
//! ```text
//! POST /admin/api   {"act":"move","name":"example","what":"status"}
//! 200               {"items":[{"move-mailbox":{…}}],"left_out":0,"report":{"report":"done"}}
//! ```
//!
//! Whoever accepts `text/event-stream` is told while the act goes on (`events`). Nobody comes in by a cookie: a token is shown
//! (RFC 6750 §2.1), and pages of other sites cannot send one. Which acts there are from afar says `scope_of`; all others are for who is at
//! the server itself.

mod events;

use std::sync::Arc;
use std::time::Duration;

use anser_auth::answer::{failed, plain_problem, problem, refused, unkept};
use anser_base::{Error, Result, Text};
use anser_directory::{AdminScope, AdminToken};
use anser_net::http::{HeaderValue, Request, Response, Route, Routes, either, header, with};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinHandle;

use crate::request::{MoveAct, Request as Act};
use crate::{Actor, Admin, Event, Out, Report};

/// Most bytes of what is asked for: the logins of some ten thousand mailboxes.
const BODY: u64 = 4 * 1024 * 1024;
/// How long an act may take that is answered as a whole; as events it may take as long as it takes.
const TIME: Duration = Duration::from_secs(600);
/// Bytes of the items of one whole answer. What is more is counted and left out.
const ANSWER: usize = 16 * 1024 * 1024;
/// Acts under way at once, of all tokens together.
pub const ACTS: usize = 32;
/// Longest token, in bytes.
const TOKEN: usize = 200;
/// The kind of the refusal of an act that a token does not open (RFC 6750 §3.1).
const SCOPE: &str = "urn:anser:admin:insufficient-scope";

struct Door {
    admin: Admin,
    seats: Arc<Semaphore>,
}

/// The table of this door.
pub fn routes(admin: &Admin) -> Routes {
    let door = Arc::new(Door { admin: admin.clone(), seats: Arc::new(Semaphore::new(ACTS)) });
    Routes::of([Route::post("/admin/api", with(&door, act)).body(BODY).time(TIME)])
}

/// What a token must open for an act; `None` for acts that are done at the server itself alone.
fn scope_of(act: &Act) -> Option<AdminScope> {
    match act {
        Act::MoveList { .. } => Some(AdminScope::MovesRead),
        Act::Move { what, .. } if what.only_looks() => Some(AdminScope::MovesRead),
        // It would have the server read whatever file is named.
        Act::Move { what: MoveAct::Plan(source), .. } if source.kind.is_files() => None,
        // Addresses are given away at the server itself.
        Act::Move { what: MoveAct::OldAddresses { .. }, .. } => None,
        Act::Move { .. } => Some(AdminScope::MovesWrite),
        _ => None,
    }
}

/// An act within the one move that a token is for; else why it is none.
fn within(token: &AdminToken, act: Act) -> Result<Act, Text> {
    let another = || Text::new("this token is for another move", "该令牌只用于另一个迁移项目");
    match act {
        // Of the others it is not even told that they are.
        Act::MoveList { name: None } => Ok(Act::MoveList { name: token.of_move.clone() }),
        Act::MoveList { name: Some(name) } if !token.opens_move(&name) => Err(another()),
        Act::Move { name, .. } if !token.opens_move(&name) => Err(another()),
        // Where a server is that is told every password, and where mail is sent on to. Of old addresses, whose they are elsewhere.
        Act::Move { what: MoveAct::Plan(_) | MoveAct::PassThrough { .. } | MoveAct::OldAddresses { .. }, .. }
            if token.of_move.is_some() =>
        {
            let (en, zh) = ("this wants a token for all moves", "需要可操作所有迁移项目的令牌");
            Err(Text::new(en, zh))
        }
        other => Ok(other),
    }
}

impl Admin {
    /// Whether whoever is listed by an act has neighbours in the move: who leads one move takes nobody of another organisation into it.
    async fn has_their_domains(&self, wanted: &Act) -> Result<bool> {
        let Act::Move { name, what: MoveAct::Accounts { logins, .. }, .. } = wanted else { return Ok(true) };
        let known = self.deps.moves.domains(name).await?;
        let is_known = |domain: &str| known.iter().any(|one| one.eq_ignore_ascii_case(domain));
        Ok(logins.iter().all(|login| login.address.rsplit_once('@').is_some_and(|(_, domain)| is_known(domain))))
    }
}

/// `POST /admin/api`
async fn act(door: Arc<Door>, mut request: Request) -> Response {
    either(answer(&door, &mut request).await)
}

async fn answer(door: &Arc<Door>, request: &mut Request) -> Result<Response, Response> {
    let token = bearer(door, request).await?;
    let body = request.body().await.map_err(|error| failed(request, &error))?;
    let wanted: Act = serde_json::from_slice(&body).map_err(|error| {
        plain_problem(request, 400, &Text::new(format!("this is no act: {error}"), format!("无法识别的操作：{error}")))
    })?;
    let scope = scope_of(&wanted).ok_or_else(|| {
        let (en, zh) = ("this is done at the server itself, by the command line", "该操作只能在服务器上用命令行完成");
        plain_problem(request, 403, &Text::new(en, zh))
    })?;
    let wanted = within(&token, wanted).map_err(|text| problem(request, 403, SCOPE, &text))?;
    if !token.opens(scope) {
        let (en, zh) =
            (format!("this wants a token for {}", scope.word()), format!("需要权限为 {} 的令牌", scope.word()));
        return Err(problem(request, 403, SCOPE, &Text::new(en, zh)));
    }
    if token.of_move.is_some()
        && !door.admin.has_their_domains(&wanted).await.map_err(|error| failed(request, &error))?
    {
        let (en, zh) = (
            "this token lists accounts of domains alone that somebody is listed of in its move",
            "该令牌只能列出项目中已有账号的域名下的账号",
        );
        return Err(problem(request, 403, SCOPE, &Text::new(en, zh)));
    }
    let actor = Actor::program(&token.name, request.peer().ip());
    let underway = door
        .begin(actor, wanted)
        .ok_or_else(|| plain_problem(request, 429, &Text::new("too many acts at once", "同时进行的操作过多")))?;
    if request.header("accept").contains("text/event-stream") {
        return Ok(events::answer(door.clone(), token, underway, request.language()));
    }
    whole(underway).await.map_err(|error| failed(request, &error))
}

/// The token that a request shows. Whatever is wrong with it is answered alike.
async fn bearer(door: &Door, request: &Request) -> Result<AdminToken, Response> {
    let field = request.header("authorization");
    let shown = field.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let shown = shown.map(|(_, token)| token.trim()).filter(|token| !token.is_empty() && token.len() <= TOKEN);
    let refusal = |response: Response| {
        response.with(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"Anser administration\""))
    };
    let Some(shown) = shown else {
        let text = Text::new("show a token: Authorization: Bearer …", "请出示令牌：Authorization: Bearer …");
        return Err(refusal(plain_problem(request, 401, &text)));
    };
    match door.admin.deps.directory.authenticate_admin(shown.as_bytes(), request.peer().ip()).await {
        Ok(token) => Ok(token),
        Err(failure) => {
            tokio::time::sleep(failure.delay).await;
            Err(refusal(refused(request, &failure)))
        }
    }
}

/// An act that goes on, whether or not somebody waits for it: what it changes and what the journal says of it belong together.
struct Underway {
    events: mpsc::Receiver<Event>,
    acting: JoinHandle<Result<Report>>,
}

impl Underway {
    /// How it ended, once there are no more events.
    async fn end(&mut self) -> Result<Report> {
        (&mut self.acting).await.unwrap_or_else(|panic| Err(Error::unavailable(panic)))
    }
}

impl Door {
    /// `None` when there are too many under way.
    fn begin(&self, actor: Actor, wanted: Act) -> Option<Underway> {
        let seat = self.seats.clone().try_acquire_owned().ok()?;
        let (admin, (out, events)) = (self.admin.clone(), Out::new());
        let acting = tokio::spawn(async move {
            let _seat = seat;
            // No act that is done from afar takes messages.
            admin.run(&actor, wanted, mpsc::channel(1).1, &out).await
        });
        Some(Underway { events, acting })
    }
}

/// All of an answer at once: `{"items":[…],"left_out":0,"report":{…}}`.
async fn whole(mut underway: Underway) -> Result<Response> {
    let (mut items, mut left_out) = (String::new(), 0_u64);
    while let Some(event) = underway.events.recv().await {
        let Event::Item(item) = event else { continue };
        let text = serde_json::to_string(&item).map_err(Error::unavailable)?;
        if left_out > 0 || items.len() + text.len() > ANSWER {
            left_out += 1;
            continue;
        }
        if !items.is_empty() {
            items.push(',');
        }
        items.push_str(&text);
    }
    let report = serde_json::to_string(&underway.end().await?).map_err(Error::unavailable)?;
    let body = format!("{{\"items\":[{items}],\"left_out\":{left_out},\"report\":{report}}}");
    Ok(unkept(Response::json(200, body)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_acts_about_moves_are_done_from_afar_and_none_that_names_a_file() {
        let scope = |text: &str| scope_of(&serde_json::from_str(text).unwrap());
        let what = |what: &str| scope(&format!(r#"{{"act":"move","name":"m","what":{what}}}"#));
        let plan = |kind: &str| {
            let place = r#""name":"old","host":"/etc","port":1,"tls":"none","profile":"generic","connections":1"#;
            what(&format!(r#"{{"plan":{{"kind":"{kind}",{place}}}}}"#))
        };
        let (read, write) = (Some(AdminScope::MovesRead), Some(AdminScope::MovesWrite));
        assert_eq!((scope(r#"{"act":"move-list"}"#), what(r#""status""#)), (read, read));
        assert_eq!((what(r#"{"form":[]}"#), what(r#"{"form":[["a","b"]]}"#)), (read, write));
        let gates = |check| format!(r#"{{"cutover":{{"check":{check},"noticed":false,"accepted":[],"close":false}}}}"#);
        assert_eq!((what(&gates(true)), what(&gates(false))), (read, write));
        assert_eq!((what(r#""start""#), what(r#"{"verify":{"level":"bodies"}}"#)), (write, write));
        assert_eq!((plan("imap"), plan("maildir"), plan("pst")), (write, None, None));
        let old = |dry_run| format!(r#"{{"old-addresses":{{"domain":null,"dry_run":{dry_run}}}}}"#);
        assert_eq!((what(&old(true)), what(&old(false))), (read, None));
        for other in [
            r#"{"act":"status"}"#,
            r#"{"act":"admin-token","what":"list"}"#,
            r#"{"act":"backup","path":"/tmp/x"}"#,
            r#"{"act":"account-show","address":"ann@anser.test"}"#,
        ] {
            assert_eq!(scope(other), None, "{other}");
        }
    }
}
