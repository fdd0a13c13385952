//! The pages of those without scripts: what is asked for after the password. They load nothing and run nothing.

use anser_base::{Language, Text};
use anser_directory::Need;
use anser_net::http::{HeaderValue, Request, Response, escaped, header};

use crate::answer::unkept;
use crate::login::Next;

const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'";
const STYLE: &str = "body{font:1.1rem/1.6 system-ui,sans-serif;max-width:26rem;margin:12vh auto;padding:0 1.5rem;\
    color:#222;background:#fff}h1{font-size:1.4rem}label{display:block;margin:1rem 0}input,button{font:inherit;\
    box-sizing:border-box;width:100%;padding:.5rem}.wrong{color:#b00020}@media(prefers-color-scheme:dark)\
    {body{color:#ddd;background:#181818}.wrong{color:#ff8a80}}";

/// A page with a title and, below it, what is HTML already.
pub fn of(request: &Request, status: u16, title: &Text, content: &str) -> Response {
    let language = request.language();
    let tag = if language == Language::Chinese { "zh" } else { "en" };
    let title = escaped(language.of_text(title));
    let page = format!(
        "<!DOCTYPE html>\n<html lang=\"{tag}\">\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n<title>{title}</title>\n<style>{STYLE}</style>\n<h1>{title}</h1>\n{content}</html>\n"
    );
    unkept(Response::html(status, page))
        .with(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY))
        .with(header::VARY, HeaderValue::from_static("Accept-Language"))
}

/// The form for what is asked for; with what was wrong with the last answer.
pub fn step(request: &Request, next: &Next, way: &str, wrong: Option<&Text>) -> Response {
    let wrong = wrong.map(|text| format!("<p class=\"wrong\">{}</p>\n", escaped(request.language().of_text(text))));
    let content = format!("{}{}", wrong.unwrap_or_default(), form(request, next, way));
    of(request, 200, &title(next.need), &content)
}

/// Recovery codes, this once, and the way on.
pub fn recovery(request: &Request, codes: &[String], next: Option<&Next>, way: &str) -> Response {
    let say = |en, zh| escaped(request.language().of_text(&Text::new(en, zh)));
    let on = match next {
        Some(next) => form(request, next, way),
        None => format!("<p><a href=\"{}\">{}</a></p>\n", escaped(way), say("Continue", "继续")),
    };
    let said = say(
        "Keep these codes in a safe place. Each of them opens the account once, should the authenticator be lost. They are not shown again.",
        "请妥善保存以下恢复代码。验证器丢失时，每个代码可用于登录一次。它们不会再次显示。",
    );
    let content = format!("<p>{said}</p>\n<pre>{}</pre>\n{on}", escaped(&codes.join("\n")));
    of(request, 200, &Text::new("Recovery codes", "恢复代码"), &content)
}

fn title(need: Need) -> Text {
    match need {
        Need::Code => Text::new("Enter the code", "请输入验证码"),
        Need::Passkey => Text::new("Enter a code in place of the passkey", "请输入代替通行密钥的验证码"),
        Need::Enrol => Text::new("Set up an authenticator", "请设置验证器"),
        Need::NewPassword => Text::new("Choose a new password", "请设置新密码"),
    }
}

fn form(request: &Request, next: &Next, way: &str) -> String {
    let say = |en, zh| escaped(request.language().of_text(&Text::new(en, zh)));
    let code = || {
        format!(
            "<label>{}<input name=\"code\" autocomplete=\"one-time-code\" inputmode=\"numeric\" required autofocus></label>\n",
            say("Code of the authenticator, or a recovery code", "验证器显示的验证码，或恢复代码")
        )
    };
    let fields = match (next.need, &next.enrol) {
        (Need::NewPassword, _) => format!(
            "<label>{}<input name=\"new\" type=\"password\" autocomplete=\"new-password\" required autofocus></label>\n",
            say("New password", "新密码")
        ),
        (_, Some(enrol)) => format!(
            "<p>{}</p>\n<pre>{}</pre>\n<p><a href=\"{}\">{}</a></p>\n{}",
            say(
                "Type this key into an authenticator, then its code here.",
                "请将此密钥输入验证器，然后在此输入验证码。"
            ),
            escaped(&enrol.secret),
            escaped(&enrol.uri),
            say("Open in an authenticator on this device", "在本机验证器中打开"),
            code()
        ),
        (Need::Passkey, None) => format!(
            "<p><a href=\"/?next={}#passkey={}\">{}</a></p>\n{}",
            percent(way),
            escaped(&next.ticket),
            say("Use a passkey", "使用通行密钥"),
            code()
        ),
        (_, None) => code(),
    };
    format!(
        "<form method=\"post\" action=\"/auth/login\">\n<input type=\"hidden\" name=\"ticket\" value=\"{}\">\n\
         <input type=\"hidden\" name=\"next\" value=\"{}\">\n{fields}<button>{}</button>\n</form>\n",
        escaped(&next.ticket),
        escaped(way),
        say("Continue", "继续"),
    )
}

/// A value in a query.
pub fn percent(value: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    value.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}
