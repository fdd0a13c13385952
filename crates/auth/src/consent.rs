//! The authorisation server's face to owners: what a client wants, and yes or no (RFC 6749 §4.1.1, RFC 7636, RFC 8628 §3.3, RFC 9207).
//!
//! A client's page leads here from another site, and a `SameSite=Strict` cookie does not come along. So the first answer to somebody
//! without one is a page that leads here once more, from ourselves; who has none then signs in first.

use std::sync::Arc;
use std::time::Duration;

use anser_base::Text;
use anser_directory::oauth::{TEXT, Wanted};
use anser_directory::{Client, Session, cookie_name};
use anser_net::http::{HeaderValue, Request, Response, either, escaped, header};

use crate::answer::{failed, foreign, unkept};
use crate::asked::Asked;
use crate::login::session;
use crate::page::percent;
use crate::{Door, page, scope};

/// How long a wrong code of a device is answered after, so that codes are not tried out.
const WRONG_CODE: Duration = Duration::from_secs(1);
/// The parameters of a request, which go through the page and are looked at again after it.
const PARAMETERS: [&str; 8] = [
    "client_id",
    "redirect_uri",
    "response_type",
    "scope",
    "state",
    "code_challenge",
    "code_challenge_method",
    "nonce",
];

/// A request of a client, sound so far.
struct Ask {
    client: Client,
    redirect: String,
    state: String,
}

/// `GET /auth/authorize`
pub async fn authorize(door: Arc<Door>, request: Request) -> Response {
    either(ask(&door, &request).await)
}

async fn ask(door: &Door, request: &Request) -> Result<Response, Response> {
    let value = |name: &str| request.query(name).unwrap_or_default();
    let ask = whose(door, request, &value).await?;
    let wanted = wanted(&ask, &value).map_err(|error| back(door, &ask, &[("error", error)]))?;
    let Some(session) = visiting(door, request).await? else { return Ok(sign_in_first(request)) };
    if value("prompt") == "none" {
        return Err(back(door, &ask, &[("error", "interaction_required")]));
    }
    let kept: String = PARAMETERS.iter().map(|name| hidden(name, &value(name))).collect();
    Ok(consent(request, &session, &ask.client, &wanted, "/auth/authorize", &kept))
}

/// `POST /auth/authorize`: the owner's answer.
pub async fn decide(door: Arc<Door>, mut request: Request) -> Response {
    either(decided(&door, &mut request).await)
}

async fn decided(door: &Door, request: &mut Request) -> Result<Response, Response> {
    let session = session(door, request).await?;
    let asked = Asked::read(request).await?;
    let value = |name: &str| asked.text(name).unwrap_or_default();
    let ask = whose(door, request, &value).await?;
    let wanted = wanted(&ask, &value).map_err(|error| back(door, &ask, &[("error", error)]))?;
    if value("decision") != "allow" {
        return Err(back(door, &ask, &[("error", "access_denied")]));
    }
    let code = door.deps.directory.approve(session.account.id, wanted).await;
    let code = code.map_err(|error| failed(request, &error))?;
    note(door, request, &session, &ask.client).await;
    Ok(back(door, &ask, &[("code", &code)]))
}

/// The client, and where it is sent back to. What is wrong with these is told to the owner, and sends nobody anywhere (RFC 6749 §4.1.2.1).
async fn whose(door: &Door, request: &Request, value: &impl Fn(&str) -> String) -> Result<Ask, Response> {
    let client = door.deps.directory.client(&value("client_id")).await.map_err(|error| failed(request, &error))?;
    let redirect = value("redirect_uri");
    match client.filter(|client| redirect.len() <= TEXT && client.returns_to(&redirect)) {
        Some(client) => Ok(Ask { client, redirect, state: value("state") }),
        None => Err(page::of(
            request,
            400,
            &Text::new("This program is not known here", "本系统未登记此程序"),
            &paragraph(request, "Ask your administrator to register it.", "请联系管理员登记。"),
        )),
    }
}

fn wanted(ask: &Ask, value: &impl Fn(&str) -> String) -> Result<Wanted, &'static str> {
    if value("response_type") != "code" {
        return Err("unsupported_response_type");
    }
    let (challenge, nonce) = (value("code_challenge"), value("nonce"));
    // S256 and nothing else (RFC 9700 §2.1.1): 43 characters of base64url.
    let sound = value("code_challenge_method") == "S256" && challenge.len() == 43;
    if !sound || nonce.len() > TEXT || ask.state.len() > TEXT {
        return Err("invalid_request");
    }
    let (services, openid) = scope::asked(&value("scope"), &ask.client).ok_or("invalid_scope")?;
    let (client, redirect) = (ask.client.id.clone(), ask.redirect.clone());
    Ok(Wanted { client, services, openid, nonce, challenge, redirect })
}

/// The way back to the client.
fn back(door: &Door, ask: &Ask, said: &[(&str, &str)]) -> Response {
    let mut to = ask.redirect.clone();
    let state = [("state", ask.state.as_str())];
    let more = said.iter().chain(state.iter().filter(|(_, state)| !state.is_empty()));
    for (name, value) in more.chain(&[("iss", door.deps.url.as_str())]) {
        to.push(if to.contains('?') { '&' } else { '?' });
        to.push_str(&format!("{name}={}", percent(value)));
    }
    unkept(Response::redirect(303, &to))
}

/// Whose cookie comes along. A page may be looked at from wherever; what it asks is answered by a page of ours only.
async fn visiting(door: &Door, request: &Request) -> Result<Option<Session>, Response> {
    let Some(token) = request.cookie(cookie_name(request.tls().is_some())) else { return Ok(None) };
    let found = door.deps.directory.session(token.as_bytes(), request.peer().ip()).await;
    found.map_err(|error| failed(request, &error))
}

fn sign_in_first(request: &Request) -> Response {
    let query = request.target_query();
    let here = format!("{}?{query}", request.path());
    if request.query("again").is_none() && request.header("sec-fetch-site") != "same-origin" {
        let on = escaped(&format!("{here}&again=1"));
        let content =
            format!("<meta http-equiv=\"refresh\" content=\"0;url={on}\">\n<p><a href=\"{on}\">&#8230;</a></p>\n");
        return page::of(request, 200, &Text::new("One moment", "请稍候"), &content);
    }
    let here = here.replace("&again=1", "");
    unkept(Response::redirect(303, &format!("/?next={}", percent(&here))))
}

fn consent(request: &Request, session: &Session, client: &Client, wanted: &Wanted, to: &str, kept: &str) -> Response {
    let say = |en, zh| escaped(request.language().of_text(&Text::new(en, zh)));
    let name = if client.name.is_empty() { &client.id } else { &client.name };
    let wants: String = scope::in_words(wanted.services, wanted.openid)
        .iter()
        .map(|text| format!("<li>{}</li>\n", escaped(request.language().of_text(text))))
        .collect();
    let content = format!(
        "<p><strong>{}</strong> {}</p>\n<ul>\n{wants}</ul>\n<p>{} <strong>{}</strong></p>\n\
         <form method=\"post\" action=\"{to}\">\n{kept}<p><button name=\"decision\" value=\"allow\">{}</button></p>\n\
         <p><button name=\"decision\" value=\"deny\">{}</button></p>\n</form>\n",
        escaped(name),
        say("asks to:", "请求以下权限："),
        say("You are signed in as", "当前登录账号："),
        escaped(&session.account.address.to_string()),
        say("Allow", "允许"),
        say("Do not allow", "拒绝"),
    );
    // After the form the browser goes on to the client, which `form-action` would keep it from.
    let policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'";
    page::of(request, 200, &Text::new("Allow access?", "是否授权？"), &content)
        .with(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy))
}

/// `GET /auth/device`: where an owner types a device's code.
pub async fn device(door: Arc<Door>, request: Request) -> Response {
    either(device_page(&door, &request).await)
}

async fn device_page(door: &Door, request: &Request) -> Result<Response, Response> {
    match visiting(door, request).await? {
        Some(_) => Ok(code_form(request, &request.query("user_code").unwrap_or_default(), false)),
        None => Ok(sign_in_first(request)),
    }
}

/// `POST /auth/device`: the code, then the answer.
pub async fn device_decide(door: Arc<Door>, mut request: Request) -> Response {
    either(device_decided(&door, &mut request).await)
}

async fn device_decided(door: &Door, request: &mut Request) -> Result<Response, Response> {
    let session = session(door, request).await?;
    let asked = Asked::read(request).await?;
    if !asked.is_form() {
        return Err(foreign(request));
    }
    let code = asked.text("user_code").unwrap_or_default();
    let directory = &door.deps.directory;
    let waiting = directory.waiting_device(&code).await.map_err(|error| failed(request, &error))?;
    let client = match &waiting {
        Some(wanted) => directory.client(&wanted.client).await.map_err(|error| failed(request, &error))?,
        None => None,
    };
    let (Some(wanted), Some(client)) = (waiting, client) else {
        tokio::time::sleep(WRONG_CODE).await;
        return Err(code_form(request, &code, true));
    };
    let decision = asked.text("decision").unwrap_or_default();
    if decision.is_empty() {
        return Ok(consent(request, &session, &client, &wanted, "/auth/device", &hidden("user_code", &code)));
    }
    let allowed = decision == "allow";
    let answered = directory.answer_device(&code, session.account.id, allowed).await;
    answered.map_err(|error| failed(request, &error))?;
    if allowed {
        note(door, request, &session, &client).await;
    }
    let said = paragraph(request, "Go on at your device.", "请返回您的设备继续操作。");
    Ok(page::of(request, 200, &Text::new("Done", "完成"), &said))
}

fn code_form(request: &Request, code: &str, wrong: bool) -> Response {
    let say = |en, zh| escaped(request.language().of_text(&Text::new(en, zh)));
    let wrong = match wrong {
        true => {
            format!("<p class=\"wrong\">{}</p>\n", say("No device waits with this code.", "没有设备在等待此代码。"))
        }
        false => String::new(),
    };
    let content = format!(
        "{wrong}<form method=\"post\" action=\"/auth/device\">\n<label>{}<input name=\"user_code\" value=\"{}\" autocomplete=\"off\" \
         required autofocus></label>\n<button>{}</button>\n</form>\n",
        say("The code that the device shows", "设备上显示的代码"),
        escaped(code),
        say("Continue", "继续"),
    );
    page::of(request, 200, &Text::new("Connect a device", "连接设备"), &content)
}

async fn note(door: &Door, request: &Request, session: &Session, client: &Client) {
    let actor = session.account.address.to_string();
    door.note_act(request.peer().ip(), &actor, "grant.create", Some(client.id.clone())).await;
}

fn paragraph(request: &Request, en: &'static str, zh: &'static str) -> String {
    format!("<p>{}</p>\n", escaped(request.language().of_text(&Text::new(en, zh))))
}

fn hidden(name: &str, value: &str) -> String {
    format!("<input type=\"hidden\" name=\"{name}\" value=\"{}\">\n", escaped(value))
}
