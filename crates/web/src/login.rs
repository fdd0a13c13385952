//! The first page: the login. It works as a plain form too; its script seals the password and asks for what else is needed.

use std::sync::Arc;

use anser_base::{Language, Text};
use anser_directory::Provider;
use anser_directory::looks::Look;
use anser_net::http::{Request, Response, is_own_path};

use crate::page::{self, Words, escaped};
use crate::{Deps, domain, look, shell};

/// Where somebody goes after the login, unless they came from elsewhere.
const AFTER: &str = "/mail/";

/// Why somebody is here again: the page's `why`, as `/auth/login` and the webmail say it.
const REASONS: [(&str, Words); 6] = [
    ("wrong", Words("The address or the password is wrong.", "邮箱地址或密码不正确。")),
    ("wait", Words("Too many attempts. Please wait a moment.", "尝试次数过多，请稍后再试。")),
    ("not-allowed", Words("This account may not log in here.", "此帐户不允许在此登录。")),
    ("unavailable", Words("Logging in takes too long now. Please try again.", "当前无法登录，请稍后再试。")),
    ("expired", Words("Your session has ended. Please log in again.", "会话已结束，请重新登录。")),
    ("out", Words("You have logged out.", "您已退出登录。")),
];

/// `/`
pub async fn login(deps: Arc<Deps>, request: Request) -> Response {
    let ours = match domain::of_host(&deps.directory, &request).await {
        Ok(ours) => ours,
        Err(error) => return crate::failed(&request, &error),
    };
    let language = request
        .query("lang")
        .and_then(|tag| Language::named(&tag))
        .unwrap_or_else(|| page::language(request.headers()));
    let next = request.query("next").filter(|next| is_own_path(next)).unwrap_or_else(|| AFTER.to_owned());
    let why = request.query("why").unwrap_or_default();
    let providers = match deps.directory.providers().await {
        Ok(all) => all.into_iter().filter(|one| ours.as_ref().is_none_or(|ours| one.speaks_for(ours))).collect(),
        Err(error) => return crate::failed(&request, &error),
    };
    let look = match deps.directory.look_of(request.host()).await {
        Ok(look) => look,
        Err(error) => return crate::failed(&request, &error),
    };
    let house = ours.unwrap_or_else(|| deps.hostname.clone());
    let attributes = look::attributes(&look);
    let form = Form { language, house, look, next, why, providers };
    shell::page(language, "login", TITLE.of(language), "", &attributes, &form.html())
}

/// A path as a value of a query (RFC 3986 §2.1).
fn encoded(path: &str) -> String {
    let one = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' | b'~' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    path.bytes().map(one).collect()
}

struct Form {
    language: Language,
    /// What the page calls the house, unless its look says another name.
    house: String,
    look: Arc<Look>,
    next: String,
    why: String,
    /// Where people of this host may sign in instead.
    providers: Vec<Provider>,
}

const TITLE: Words = Words("Log in", "登录");
const LEAD: Words = Words("Letters, carried well.", "鸿雁传书，安然抵达。");
const ADDRESS: Words = Words("Address", "邮箱地址");
const PASSWORD: Words = Words("Password", "密码");
const KEYS: Words = Words("Keys on the screen", "软键盘");
const CODE: Words = Words("Code", "验证码");
const PASSKEY: Words = Words("Log in with a passkey", "使用通行密钥登录");
const PROVIDER: Words = Words("Log in with {}", "使用{}登录");
const FRESH: Words = Words("New password", "新密码");
const ABOUT: Words = Words("About", "关于");
const STATUS: Words = Words("Status", "服务状态");
const OTHER: Words = Words("中文", "English");
const PROGRAMS: Words = Words(
    "Mail programs find their settings by themselves: give them the address and the password.",
    "邮件客户端会自动获取设置：只需填写邮箱地址和密码。",
);

impl Form {
    /// A link for each provider, which a query of `next` follows.
    fn providers(&self) -> String {
        let next = encoded(&self.next);
        let link = |one: &Provider| {
            let name = if one.name.is_empty() { &one.id } else { &one.name };
            let words = PROVIDER.of(self.language).replace("{}", &escaped(name));
            format!("<a class=\"other\" href=\"/auth/outside/{}?next={next}\">{words}</a>\n", escaped(&one.id))
        };
        self.providers.iter().map(link).collect()
    }

    fn html(&self) -> String {
        let say = |words: Words| escaped(words.of(self.language));
        let (next, logo) = (escaped(&self.next), look::logo(&self.look));
        let own = |text: &Option<Text>| text.as_ref().map(|text| escaped(self.language.of_text(text)));
        let name = own(&self.look.name).unwrap_or_else(|| escaped(&self.house));
        let lead = own(&self.look.line).unwrap_or_else(|| say(LEAD));
        let why = REASONS.iter().find(|(word, _)| *word == self.why).map(|(_, words)| say(*words)).unwrap_or_default();
        // Another language leads to the same place.
        let on = if self.next == AFTER { String::new() } else { format!("&amp;next={}", encoded(&self.next)) };
        let other = if self.language == Language::Chinese { "en" } else { "zh" };
        format!(
            r#"<main class="login">
<header>{logo}<h1>{name}</h1><p>{lead}</p></header>
<form method="post" action="/auth/login" id="login">
<p class="why" id="why" role="alert">{why}</p>
<input type="hidden" name="next" value="{next}">
<label>{address}<input name="username" type="text" inputmode="email" autocomplete="username" autocapitalize="none" spellcheck="false" required maxlength="320"></label>
<label>{password}<input name="password" type="password" autocomplete="current-password" required maxlength="1000"></label>
<button type="button" id="keys" aria-expanded="false" aria-controls="keyboard" hidden>{keys}</button>
<div id="keyboard" role="group" aria-label="{keys}" hidden></div>
<label hidden>{code}<input name="code" inputmode="numeric" autocomplete="one-time-code" maxlength="20"></label>
<label hidden>{fresh}<input name="new" type="password" autocomplete="new-password" maxlength="1000"></label>
<button type="submit">{go}</button>
<button type="button" id="passkey" class="other" hidden>{passkey}</button>
{providers}</form>
<footer><a href="/?lang={other}{on}" hreflang="{other}" lang="{other}">{other_word}</a> <a href="/about">{about}</a> <a href="/status">{status}</a><p>{programs}</p></footer>
</main>"#,
            address = say(ADDRESS),
            password = say(PASSWORD),
            keys = say(KEYS),
            code = say(CODE),
            fresh = say(FRESH),
            go = say(TITLE),
            passkey = say(PASSKEY),
            providers = self.providers(),
            other_word = say(OTHER),
            about = say(ABOUT),
            status = say(STATUS),
            programs = say(PROGRAMS),
        )
    }
}
