//! The pages that a script of ours fills: what they may load, and that it is what was built.

use anser_base::{Language, Text};
use anser_net::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, VARY, X_FRAME_OPTIONS};
use anser_net::http::{HeaderName, HeaderValue, Request, Response};

use crate::assets::Asset;
use crate::page::{self, Words, escaped};

/// What a page may do: run our script, ask our server, and make HTML only through the two policies that are named (Trusted Types).
/// The attribute `style` is let in for letters that are answered; a style sheet is not.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; \
    img-src 'self' data: blob:; media-src 'self' blob:; connect-src 'self'; frame-src 'self'; form-action 'self'; \
    base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; \
    trusted-types dompurify svelte-trusted-html";

/// What the frame in which a letter is read may do: look, within itself.
const LETTER_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data: blob:; font-src data:; \
    form-action 'none'; base-uri 'none'; frame-ancestors 'self'";

/// What the page in which a PDF is shown may do: run our script and its worker in an origin of its own, and ask nobody for anything.
const PDF_POLICY: &str = "sandbox allow-scripts; default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
    worker-src blob:; form-action 'none'; base-uri 'none'; frame-ancestors 'self'";

/// What of the device no page of ours asks for.
const PERMISSIONS: &str = "camera=(), microphone=(), geolocation=(), payment=(), usb=()";

/// The goose of the window's tab.
const ICON: &str = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E%3Crect width='32' height='32' \
    rx='7' fill='%23a63a24'/%3E%3Cpath d='M6 12c5 0 8 3 10 9 2-6 5-9 10-9' fill='none' stroke='%23fff8ea' stroke-width='3' \
    stroke-linecap='round'/%3E%3C/svg%3E";

const NEEDS: Words = Words("The webmail needs JavaScript.", "网页邮箱需要启用 JavaScript。");

/// The session of JMAP (RFC 8620 §2) travels while the webmail's script does, which asks for it first of all.
const FIRST: &str = "<link rel=\"preload\" href=\"/.well-known/jmap\" as=\"fetch\" crossorigin>\n";

/// A page of an entry of `web/`, with this title, more of its head, and attributes and content of its body. Its script and style sheet are what was taken in, or they do not load.
pub(crate) fn page(language: Language, entry: &str, title: &str, head: &str, attributes: &str, body: &str) -> Response {
    let tag = if language == Language::Chinese { "zh" } else { "en" };
    let title = escaped(title);
    let loaded = |asset: &Asset| {
        let (path, integrity) = (asset.path(), &asset.integrity);
        match path.ends_with(".js") {
            true => format!("<script type=\"module\" src=\"{path}\" integrity=\"{integrity}\"></script>\n"),
            false => format!("<link rel=\"stylesheet\" href=\"{path}\" integrity=\"{integrity}\">\n"),
        }
    };
    let names = [format!("{entry}.css"), format!("{entry}.js")];
    let loads: String = names.iter().filter_map(|name| Asset::named(name)).map(loaded).collect();
    let html = format!(
        "<!DOCTYPE html>\n<html lang=\"{tag}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}</title>\n<link rel=\"icon\" href=\"{ICON}\">\n\
         {loads}{head}</head>\n<body{attributes}>\n{body}\n</body>\n</html>\n"
    );
    Response::html(200, html)
        .with(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY))
        .with(CACHE_CONTROL, HeaderValue::from_static("no-cache"))
        .with(VARY, HeaderValue::from_static("Accept-Language"))
        .with(HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin"))
        .with(HeaderName::from_static("permissions-policy"), HeaderValue::from_static(PERMISSIONS))
}

/// `/mail/`: the webmail. The page itself holds nothing of anybody; what it shows it asks for.
pub(crate) async fn webmail(request: Request) -> Response {
    let language = page::language(request.headers());
    if Asset::named("webmail.js").is_none() {
        let text = Text::new(
            "This build is without the webmail: run ./x web and build again.",
            "此构建不含网页邮箱：请先运行 ./x web 再重新构建。",
        );
        return page::of(503, request.headers(), &Text::new("Anser", "Anser"), &text);
    }
    let body = format!("<div id=\"app\"></div>\n<noscript>{}</noscript>", escaped(NEEDS.of(language)));
    // The second script is asked for by the first, once there are rows to look at.
    let more = Asset::named("more.js")
        .map(|asset| format!(" data-more=\"{}\" data-more-integrity=\"{}\"", asset.path(), asset.integrity))
        .unwrap_or_default();
    page(language, "webmail", "Anser", FIRST, &more, &body)
}

/// `/mail`
pub(crate) async fn to_webmail(_: Request) -> Response {
    Response::redirect(308, "/mail/")
}

/// `/mail/letter`: an empty page for the frame in which a letter is read. It runs nothing and loads nothing from elsewhere, whatever
/// the webmail puts in.
pub(crate) async fn letter(_: Request) -> Response {
    framed("", "<body></body>", LETTER_POLICY, "private, max-age=3600")
}

/// `/mail/pdf`: the page of the frame in which a PDF is read. Its script is handed all else by the webmail; being of no origin, it loads
/// as a stranger's page does (`crossorigin`).
pub(crate) async fn pdf(_: Request) -> Response {
    let loaded = |name| Asset::named(name).map(|asset| (asset.path(), asset.integrity.as_str())).unwrap_or_default();
    let ((css, css_is), (js, js_is)) = (loaded("pdf.css"), loaded("pdf.js"));
    let ((worker, worker_is), (parts, parts_is)) = (loaded("pdfworker.js"), loaded("pdfparts.bin"));
    let head = format!(
        "<link rel=\"stylesheet\" href=\"{css}\" integrity=\"{css_is}\" crossorigin>\n\
         <script src=\"{js}\" integrity=\"{js_is}\" crossorigin defer></script>\n"
    );
    let body = format!(
        "<body data-worker=\"{worker}\" data-worker-integrity=\"{worker_is}\" data-parts=\"{parts}\" data-parts-integrity=\"{parts_is}\"></body>"
    );
    // It names files by their content, as the webmail does.
    framed(&head, &body, PDF_POLICY, "no-cache")
}

/// A page for a frame of the webmail.
fn framed(head: &str, body: &str, policy: &'static str, kept: &'static str) -> Response {
    let html = format!(
        "<!DOCTYPE html>\n<html>\n<head>\n<meta charset=\"utf-8\">\n<title>-</title>\n{head}</head>\n{body}\n</html>\n"
    );
    Response::html(200, html)
        .with(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy))
        .with(X_FRAME_OPTIONS, HeaderValue::from_static("SAMEORIGIN"))
        // To ask for a name is to tell its owner; no policy of content is asked before.
        .with(HeaderName::from_static("x-dns-prefetch-control"), HeaderValue::from_static("off"))
        .with(CACHE_CONTROL, HeaderValue::from_static(kept))
}
