//! SearchSnippet (RFC 8621 §5): where a message says what was looked for.

use std::sync::Arc;

use anser_base::{Error, MessageId, Result, TenantId};
use anser_store::{Listing, Store};
use anser_text::fold;
use serde_json::{Value, json};

use super::body::Shape;
use super::find::Wish;
use super::load::{self, Loaded};
use super::octets::Octets;
use super::value::value;
use crate::error::MethodError;
use crate::ids;
use crate::method::{Call, Outcome};

/// Bytes of a snippet at most (RFC 8621 §5).
const SNIPPET: usize = 255;
/// Bytes that a snippet shows before what was found, about.
const BEFORE: usize = 60;
/// Bytes of one part's text that are looked through.
const TEXT: usize = 256 * 1024;

/// Folded texts that are looked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Needles {
    pub subject: Vec<String>,
    pub body: Vec<String>,
}

/// RFC 8621 §5.1.
pub(crate) async fn get(call: &mut Call) -> Outcome {
    let access = call.access()?;
    let wish = Wish::read(access.scope(), call.args.take("filter"), Vec::new(), false)?;
    let wanted = call.args.strings("emailIds")?.ok_or_else(|| MethodError::invalid("emailIds are missing"))?;
    call.args.done()?;
    if wanted.len() > call.door.deps.limits.objects_in_get {
        return Err(MethodError::new("requestTooLarge", "too many ids"));
    }
    let needles = Arc::new(wish.needles());
    let scope = access.scope();
    let numbers: Vec<Option<MessageId>> = wanted.iter().map(|id| ids::parse_email(scope, id)).collect();
    let (reader, known) = (access.clone(), numbers.iter().copied().flatten().collect::<Vec<_>>());
    let read = call.door.deps.store.read(access.owner.id, move |tx| {
        let allowed = reader.allowed(tx)?;
        load::messages(tx, &allowed, &known)
    });
    let mut found = read.await?.into_iter();
    let (mut list, mut not_found) = (Vec::new(), Vec::new());
    for (id, number) in wanted.into_iter().zip(numbers) {
        let Some(loaded) = number.and_then(|_| found.next().flatten()) else {
            not_found.push(id);
            continue;
        };
        let (store, tenant, needles) = (call.door.deps.store.clone(), access.owner.tenant, needles.clone());
        let work = move || snippet(&store, tenant, &loaded, &needles);
        let (subject, preview) = tokio::task::spawn_blocking(work).await.map_err(Error::unavailable)??;
        let one = json!({ "emailId": id, "subject": subject, "preview": preview });
        call.spend(&one)?;
        list.push(one);
    }
    let not_found = if not_found.is_empty() { Value::Null } else { json!(not_found) };
    Ok(json!({ "accountId": ids::account_id(access.owner.id), "list": list, "notFound": not_found }))
}

/// Subject and preview, where something was found in them. Blocks on the disk.
fn snippet(
    store: &Store,
    tenant: TenantId,
    loaded: &Loaded,
    needles: &Needles,
) -> Result<(Option<String>, Option<String>)> {
    let message = &loaded.message;
    let subject = Listing::of(message).envelope.subject.unwrap_or_default();
    let subject = marked(&anser_mime::text::decode_header(&subject), &needles.subject);
    if needles.body.is_empty() {
        return Ok((subject, None));
    }
    let structure = message.parsed_structure().ok_or_else(|| Error::damaged(format!("message {}", message.id)))?;
    let mut octets = Octets::open(store, tenant, message)?;
    for at in Shape::of(&structure).text {
        let part = &structure.parts[at];
        if !part.is_text() {
            continue;
        }
        let text = value(&mut octets, part, TEXT)?["value"].as_str().unwrap_or_default().to_owned();
        let text = match part.subtype == "html" {
            true => {
                let mut plain = String::new();
                anser_text::html::text(&text, &mut plain);
                plain
            }
            false => text,
        };
        if let Some(preview) = marked(&text, &needles.body) {
            return Ok((subject, Some(preview)));
        }
    }
    Ok((subject, None))
}

/// The piece of a text where the first of these stands, as HTML in which they are marked; `None` when none of them does.
fn marked(text: &str, needles: &[String]) -> Option<String> {
    let (mut folded, mut places) = (String::new(), Vec::new());
    for (at, c) in text.char_indices() {
        let before = folded.len();
        folded.push_str(&fold(c.encode_utf8(&mut [0; 4])));
        places.extend(std::iter::repeat_n((at, at + c.len_utf8()), folded.len() - before));
    }
    let mut found: Vec<(usize, usize)> = Vec::new();
    for needle in needles.iter().filter(|needle| !needle.is_empty()) {
        let hits = folded.match_indices(needle.as_str()).take(SNIPPET);
        found.extend(hits.map(|(from, hit)| (places[from].0, places[from + hit.len() - 1].1)));
    }
    found.sort_unstable();
    let first = found.first()?.0;
    let mut at = text.floor_char_boundary(first.saturating_sub(BEFORE));
    let mut out = String::new();
    let mut next = found.into_iter().peekable();
    while at < text.len() {
        while next.next_if(|(from, _)| *from < at).is_some() {}
        let (piece, end) = match next.peek() {
            Some((from, to)) if *from == at => (format!("<mark>{}</mark>", escaped(&text[at..*to])), *to),
            _ => {
                let end = text.ceil_char_boundary(at + 1);
                (escaped(&text[at..end]), end)
            }
        };
        if out.len() + piece.len() > SNIPPET {
            break;
        }
        out.push_str(&piece);
        at = end;
    }
    Some(out)
}

/// As HTML, of one line.
fn escaped(text: &str) -> String {
    anser_net::http::escaped(&text.replace(char::is_control, " "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_found_is_marked_and_nothing_else_is_html() {
        let marked = |text: &str, needles: &[&str]| {
            marked(text, &needles.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>())
        };
        assert_eq!(
            marked("The <b> Quarterly report", &["quarterly", "report"]).as_deref(),
            Some("The &lt;b&gt; <mark>Quarterly</mark> <mark>report</mark>")
        );
        assert_eq!(marked("明天开会", &["开会"]).as_deref(), Some("明天<mark>开会</mark>"));
        assert_eq!(marked("aaa", &["aa", "a"]).as_deref(), Some("<mark>a</mark><mark>a</mark><mark>a</mark>"));
        assert_eq!(marked("nothing", &["x", ""]), None);
        let long = format!("{} needle {}", "é".repeat(500), "&".repeat(500));
        let told = marked(&long, &["needle"]).unwrap();
        assert!(told.len() <= SNIPPET && told.contains("<mark>needle</mark>"), "{told}");
    }
}
