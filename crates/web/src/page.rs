//! Pages for people, in the language that their browser asks for.

use anser_base::{Language, Text};
use anser_net::http::header::{ACCEPT, CONTENT_SECURITY_POLICY, HeaderValue, VARY};
use anser_net::http::{HeaderMap, HeaderName, Response};
pub use anser_net::http::{escaped, language};

/// A page loads nothing and runs nothing.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
const STYLE: &str = "body{font:1.1rem/1.6 system-ui,sans-serif;max-width:34rem;margin:15vh auto;padding:0 1.5rem;\
    color:#222;background:#fff}h1{font-size:1.5rem}@media(prefers-color-scheme:dark){body{color:#ddd;background:#181818}}";

/// A text of a page in both languages: English, Chinese.
#[derive(Clone, Copy)]
pub struct Words(pub &'static str, pub &'static str);

impl Words {
    /// The one of these that is read.
    pub fn of(self, language: Language) -> &'static str {
        if language == Language::Chinese { self.1 } else { self.0 }
    }
}

/// A page with a title and a paragraph.
pub fn of(status: u16, headers: &HeaderMap, title: &Text, text: &Text) -> Response {
    let language = language(headers);
    let tag = if language == Language::Chinese { "zh" } else { "en" };
    let (title, text) = (escaped(language.of_text(title)), escaped(language.of_text(text)));
    let page = format!(
        "<!DOCTYPE html>\n<html lang=\"{tag}\">\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n<h1>{title}</h1>\n<p>{text}</p>\n</html>\n"
    );
    Response::html(status, page)
        .with(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY))
        .with(VARY, HeaderValue::from_static("Accept, Accept-Language"))
}

/// The page of a refusal: for browsers a page, for programs a line.
pub fn error(status: u16, headers: &HeaderMap) -> Response {
    let text = words(status);
    if first(headers, ACCEPT).contains("text/html") {
        let title = Text::new(status.to_string(), status.to_string());
        return of(status, headers, &title, &text);
    }
    Response::text(status, format!("{}\n", language(headers).of_text(&text)))
}

fn words(status: u16) -> Text {
    let (en, zh) = match status {
        400 => ("The request cannot be understood.", "无法理解该请求。"),
        403 => ("This is only served over HTTPS.", "仅通过 HTTPS 提供服务。"),
        404 => ("There is nothing here.", "此处没有内容。"),
        405 => ("This cannot be done here.", "此处不支持该操作。"),
        413 => ("What was sent is too long.", "发送的内容过长。"),
        429 => ("Too many requests; try again in a moment.", "请求过多，请稍后再试。"),
        503 => ("This takes too long now; try again in a moment.", "当前响应过慢，请稍后再试。"),
        _ => ("Something went wrong here; it has been written down.", "服务器内部出错，已记录。"),
    };
    Text::new(en, zh)
}

fn first(headers: &HeaderMap, name: HeaderName) -> &str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}
