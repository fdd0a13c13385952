//! EmailView/get: a message as it may be shown to a person: its text as harmless HTML, and what the house found out about its sender.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use anser_base::{Error, Result, TenantId};
use anser_mime::charset;
use anser_mime::header::find_all;
use anser_mime::structure::{Part, Structure};
use anser_mime::summary::parse_message;
use anser_senderauth::results;
use anser_store::{MailTx, Store};
use serde_json::{Map, Value, json};

use super::image::Addresses;
use super::safe::{Pictures, percent_encoded, safe};
use crate::blob::{self, OPENED, message_blob};
use crate::email::{Loaded, Octets, Shape, is_message, messages, text_of};
use crate::error::MethodError;
use crate::ids;
use crate::law::get::{Get, Got};
use crate::law::state;
use crate::method::{Call, Outcome};

/// Messages of one call at most.
const VIEWS: usize = 50;
/// Bytes of one part's text that are shown.
const TEXT: usize = 1024 * 1024;
/// Bytes of all of them.
const TEXTS: usize = 4 * 1024 * 1024;

/// The properties of a result that tell of what it was found.
const OF: [&str; 5] = ["smtp.mailfrom", "smtp.helo", "header.d", "header.from", "policy.iprev"];

pub(crate) const PROPERTIES: [&str; 5] = ["id", "html", "remoteImages", "isTruncated", "authentication"];

/// How it is to be shown.
struct Wish {
    /// What brings pictures of other servers; `None` when none is fetched.
    proxy: Option<Addresses>,
    /// Where the blobs of the account are.
    blobs: String,
    /// The charset that the reader knows better.
    charset: Option<String>,
    /// A word that nobody can foretell.
    unique: String,
}

/// `EmailView/get`.
pub(crate) async fn get(call: &mut Call) -> Outcome {
    let get = Get::read(call, |name| PROPERTIES.contains(&name))?;
    let images = call.args.string("images")?;
    let charset = call.args.string("charset")?;
    let within = call.args.strings("blobIds")?.unwrap_or_default();
    call.args.done()?;
    let few = |ids: &Vec<String>| ids.len() + within.len() <= VIEWS;
    let wanted = get.ids.clone().or_else(|| (!within.is_empty()).then(Vec::new)).filter(few);
    let wanted = wanted.ok_or_else(|| MethodError::new("requestTooLarge", format!("1 to {VIEWS} ids are needed")))?;
    if charset.as_deref().is_some_and(|label| charset::for_label(Some(label)).is_none()) {
        return Err(MethodError::invalid("this charset is not known"));
    }
    let account = ids::account_id(get.access.owner.id);
    let proxy = match images.as_deref() {
        None | Some("blocked") => None,
        Some("fetched") => Some(Addresses::of(&call.door, call.user.account.id).await?),
        Some(_) => return Err(MethodError::invalid("images are blocked or fetched")),
    };
    let unique = call.door.deps.entropy.token(16);
    let wish = Arc::new(Wish { proxy, blobs: format!("/jmap/download/{account}"), charset, unique });
    let scope = get.access.scope();
    let numbers: Vec<_> = wanted.iter().map(|id| ids::parse_email(scope, id)).collect();
    let (reader, known) = (get.access.clone(), numbers.iter().copied().flatten().collect::<Vec<_>>());
    let read = call.door.deps.store.read(get.access.owner.id, move |tx: &mut MailTx<'_, '_>| {
        let allowed = reader.allowed(tx)?;
        Ok((state::now(tx), messages(tx, &allowed, &known)?))
    });
    let (state, found) = read.await?;
    let (mut found, mut got) = (found.into_iter(), Got { state, ..Got::default() });
    for (id, number) in wanted.into_iter().zip(numbers) {
        let Some(loaded) = number.and_then(|_| found.next().flatten()) else {
            got.not_found.push(id);
            continue;
        };
        let (store, tenant, wish) = (call.door.deps.store.clone(), get.access.owner.tenant, wish.clone());
        let work = move || view(&store, tenant, &loaded, &wish);
        let mut view = tokio::task::spawn_blocking(work).await.map_err(Error::unavailable)??;
        view.insert("id".into(), id.into());
        let shown = get.shown(view);
        call.spend(&shown)?;
        got.list.push(shown);
    }
    views_within(call, &get, within, &wish, &mut got).await?;
    get.answer(got)
}

/// Messages that are blobs: those that others bring along.
async fn views_within(
    call: &mut Call,
    get: &Get,
    wanted: Vec<String>,
    wish: &Arc<Wish>,
    got: &mut Got,
) -> std::result::Result<(), MethodError> {
    let asked: Vec<String> = wanted.into_iter().map(|id| call.resolve(&id).unwrap_or(id)).collect();
    let found = blob::find(&call.door, &call.user, &get.access, &asked).await?;
    for (id, found) in asked.into_iter().zip(found) {
        let bytes = match found {
            Some(found) => blob::whole(&call.door.deps.store, get.access.owner.tenant, found, OPENED).await?,
            None => None,
        };
        let Some(bytes) = bytes.filter(|bytes| is_message(bytes)) else {
            got.not_found.push(id);
            continue;
        };
        let (wish, place) = (wish.clone(), format!("{}/{id}", wish.blobs));
        let work = move || {
            let structure = parse_message(&bytes).structure;
            shown(&mut Octets::Whole(bytes), &structure, &place, &wish)
        };
        let mut view = tokio::task::spawn_blocking(work).await.map_err(Error::unavailable)??;
        // Nobody looked at who sent it when it came.
        view.insert("authentication".into(), Value::Null);
        view.insert("id".into(), id.into());
        let shown = get.shown(view);
        call.spend(&shown)?;
        got.list.push(shown);
    }
    Ok(())
}

/// Blocks on the disk.
fn view(store: &Store, tenant: TenantId, loaded: &Loaded, wish: &Wish) -> Result<Map<String, Value>> {
    let message = &loaded.message;
    let structure = message.parsed_structure().ok_or_else(|| Error::damaged(format!("message {}", message.id)))?;
    let mut octets = Octets::open(store, tenant, message)?;
    let blob = format!("{}/{}", wish.blobs, message_blob(message.id));
    let mut view = shown(&mut octets, &structure, &blob, wish)?;
    view.insert("authentication".into(), authentication(&message.prefix));
    Ok(view)
}

/// A message whose blob has this address. Blocks on the disk.
fn shown(octets: &mut Octets, structure: &Structure, blob: &str, wish: &Wish) -> Result<Map<String, Value>> {
    let parts = pictures(structure, blob);
    let (mut html, mut remote, mut is_cut) = (String::new(), 0, false);
    for at in Shape::of(structure).html {
        let part = &structure.parts[at];
        if !part.is_text() {
            html.extend(address(part, at, blob).map(|src| format!("<p><img src=\"{src}\"></p>")));
            continue;
        }
        let room = TEXT.min(TEXTS.saturating_sub(html.len()));
        let (text, cut) = text_of(octets, part, room, wish.charset.as_deref())?;
        is_cut |= cut;
        let pictures = Pictures { parts: parts.clone(), proxy: wish.proxy.clone(), unique: wish.unique.clone() };
        let made = (part.subtype == "html").then(|| safe(&text, pictures)).flatten();
        match made {
            Some(made) => {
                html.push_str(&made.html);
                remote += made.remote;
            }
            None => html.push_str(&plain(&text, part)),
        }
    }
    let Value::Object(view) = json!({
        "html": html,
        "remoteImages": remote,
        "isTruncated": is_cut,
    }) else {
        return Ok(Map::new());
    };
    Ok(view)
}

/// A text, or HTML that nobody should parse, as it reads.
fn plain(text: &str, part: &Part) -> String {
    let mut plain = String::new();
    match part.subtype == "html" {
        true => anser_text::html::text(text, &mut plain),
        false => plain.push_str(text),
    }
    format!("<div style=\"white-space: pre-wrap\">{}</div>", ammonia::clean_text(&plain))
}

/// Where the message's own pictures are, by Content-ID.
fn pictures(structure: &Structure, blob: &str) -> HashMap<String, String> {
    let one = |(at, part): (usize, &Part)| {
        let id = String::from_utf8_lossy(part.id.as_deref()?).trim().to_owned();
        Some((id.trim_start_matches('<').trim_end_matches('>').to_owned(), address(part, at, blob)?))
    };
    structure.parts.iter().enumerate().filter_map(one).collect()
}

/// Where a picture is that is part of a message. Drawings that can hold scripts are none.
fn address(part: &Part, at: usize, blob: &str) -> Option<String> {
    let shown = part.media_type == "image" && !part.subtype.starts_with("svg");
    let kind = percent_encoded(&format!("image/{}", part.subtype));
    shown.then(|| format!("{blob}-{at}/picture?accept={kind}"))
}

/// What this house found out when the message came in, as it wrote it into a field of its own (RFC 8601); null for what came in by no
/// door that looks.
fn authentication(own: &[u8]) -> Value {
    let Some(field) = find_all(own, "Authentication-Results").next() else { return Value::Null };
    let text = String::from_utf8_lossy(field.value);
    // Before the first semicolon is who wrote it.
    let Some((_, results)) = text.split_once(';') else { return Value::Null };
    let mut told: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for result in results::each(results) {
        let of = OF.iter().find_map(|name| result.property(name));
        told.entry(result.method.clone()).or_default().push(json!({ "result": result.word, "of": of }));
    }
    json!(told)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_house_found_is_told_by_method() {
        let field = b"Authentication-Results: mail.anser.test;\r\n\tiprev=pass policy.iprev=192.0.2.1 (a.example);\r\n\tspf=fail smtp.mailfrom=x@b.example;\r\n\tdkim=pass\r\n\t header.d=b.example header.s=s;\r\n\tdkim=fail reason=\"gone\" header.d=c.example;\r\n\tdmarc=pass (p=none) header.from=b.example\r\n";
        let told = authentication(field);
        assert_eq!(told["spf"], json!([{"result": "fail", "of": "x@b.example"}]));
        assert_eq!(told["dkim"], json!([{"result": "pass", "of": "b.example"}, {"result": "fail", "of": "c.example"}]));
        assert_eq!(told["dmarc"][0]["result"], "pass");
        assert_eq!(authentication(b"Received: by x\r\n"), Value::Null);
    }
}
