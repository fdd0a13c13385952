//! Contacts that come from other programs and go to them: vCard (RFC 6350, 2.1 and 3.0 of old) and CSV. What `urn:anser:mail` adds.
//!
//! | file | holds |
//! |---|---|
//! | `vcard` | cards as vCards |
//! | `csv` | cards as lines of a table |

mod csv;
mod vcard;

use anser_base::{Durability, Error, Result};
use anser_mime::charset::decode_exactly;
use anser_roster::charset;
use anser_store::MailTx;
use serde_json::{Map, Value, json};

use super::book::furnish;
use super::{BOOK, CARD};
use crate::access::Access;
use crate::blob;
use crate::email::written_utc;
use crate::error::{MethodError, SetError};
use crate::identity::own;
use crate::ids;
use crate::law::state;
use crate::method::{Call, Outcome};

/// Bytes of a file.
const FILE: usize = 32 * 1024 * 1024;
/// Cards of a file.
const CARDS: usize = 10_000;
/// Cards that are written in one transaction.
const PIECE: usize = 200;
/// Cards whose refusal is told.
const TOLD: usize = 100;

/// A card as a file has it, without an id (RFC 9553).
pub type Card = Map<String, Value>;

/// ContactCard/import: makes cards of a file, each once however often it is imported. Its own `uid` tells a card, where it has none, what
/// it says.
pub(crate) async fn import(call: &mut Call) -> Outcome {
    let access = call.access()?;
    let wanted = call.args.string("blobId")?.ok_or_else(|| MethodError::invalid("blobId is missing"))?;
    let no_book = || MethodError::invalid("there is no such address book");
    let book = match call.args.string("addressBookId")? {
        Some(id) => Some(call.resolve(&id).ok_or_else(no_book)?),
        None => None,
    };
    let label = call.args.string("charset")?;
    call.args.done()?;
    own(&access)?;
    furnish(call, &access).await?;
    let wanted = call.resolve(&wanted).unwrap_or(wanted);
    let found = blob::find(&call.door, &call.user, &access, &[wanted]).await?.pop().flatten();
    let missing = || MethodError::new("blobNotFound", "");
    let bytes = blob::whole(&call.door.deps.store, access.owner.tenant, found.ok_or_else(missing)?, FILE).await?;
    let bytes = bytes.ok_or_else(|| MethodError::new("requestTooLarge", "the file is too long"))?;
    let now = written_utc(call.door.deps.clock.now());
    let work = move || read(&bytes, label.as_deref(), &now);
    let read = tokio::task::spawn_blocking(work).await.map_err(Error::unavailable)?;
    let Read { format, charset, total, cards, refused } = read?;
    let mut told = Told { refused, ..Told::default() };
    for piece in cards.chunks(PIECE) {
        let (piece, book) = (piece.to_vec(), book.clone());
        let write = call.door.deps.store.write(access.owner.id, Durability::Sync, move |tx| {
            let Some(book) = book_of(tx, book.as_deref())? else { return Ok(None) };
            let all: Result<Vec<_>> = piece.iter().map(|(at, card)| Ok((*at, add(tx, &book, card)?))).collect();
            all.map(Some)
        });
        let all = write.await?.ok_or_else(no_book)?;
        for (at, added) in all {
            match added {
                Ok(id) => told.created.push(id.into()),
                Err(error) => told.refuse(at, error),
            }
        }
    }
    let now = call.door.deps.store.read(access.owner.id, |tx| Ok(state::now(tx))).await?;
    Ok(json!({
        "accountId": ids::account_id(access.owner.id),
        "format": format,
        "charset": charset,
        "total": total,
        "created": told.created,
        "existing": told.existing,
        "notCreated": told.refused,
        "newState": now,
    }))
}

/// What became of a file's cards.
#[derive(Default)]
struct Told {
    created: Vec<Value>,
    existing: usize,
    refused: Vec<Value>,
}

impl Told {
    fn refuse(&mut self, at: usize, error: SetError) {
        let mut error = error.into_value();
        if error["type"] == "alreadyExists" {
            self.existing += 1;
        } else if self.refused.len() < TOLD {
            error["index"] = at.into();
            self.refused.push(error);
        }
    }
}

/// The book that cards go to: the one that is named, else the default.
fn book_of(tx: &mut MailTx<'_, '_>, named: Option<&str>) -> Result<Option<String>> {
    let all = BOOK.all(tx)?;
    let is_it = |(number, book): &&(u64, Card)| match named {
        Some(id) => BOOK.id(*number) == id,
        None => book.get("isDefault").is_some_and(|is| *is == true),
    };
    let first = all.first().filter(|_| named.is_none());
    Ok(all.iter().find(is_it).or(first).map(|(number, _)| BOOK.id(*number)))
}

fn add(tx: &mut MailTx<'_, '_>, book: &str, card: &Card) -> Result<std::result::Result<String, SetError>> {
    let mut card = card.clone();
    card.insert("addressBookIds".into(), json!({ book: true }));
    let made = CARD.create(tx, &card)?;
    Ok(made.map(|made| made.get("id").and_then(Value::as_str).unwrap_or_default().to_owned()))
}

/// What a file holds: each card with its place in it.
struct Read {
    format: &'static str,
    charset: String,
    total: usize,
    cards: Vec<(usize, Card)>,
    refused: Vec<Value>,
}

fn read(bytes: &[u8], label: Option<&str>, now: &str) -> std::result::Result<Read, MethodError> {
    let (text, charset) = match label {
        Some(label) => {
            let wrong = || MethodError::invalid("the file does not read in this charset");
            (decode_exactly(label, bytes).ok_or_else(wrong)?, label.to_ascii_lowercase())
        }
        None => {
            let (text, name) = charset::decode(bytes);
            (text.into_owned(), name.to_ascii_lowercase())
        }
    };
    let is_vcard = text.lines().take(20).any(|line| line.trim().eq_ignore_ascii_case("BEGIN:VCARD"));
    let (format, all) = match is_vcard {
        true => ("vcard", vcard::read(&text, CARDS)),
        false => ("csv", csv::read(&text, CARDS)?),
    };
    let (total, mut cards, mut refused) = (all.len(), Vec::new(), Vec::new());
    for (at, card) in all.into_iter().enumerate() {
        match card {
            Some(card) => cards.push((at, whole(card, now))),
            None if refused.len() < TOLD => {
                refused.push(json!({ "type": "invalidProperties", "index": at, "description": "it cannot be read" }));
            }
            None => {}
        }
    }
    Ok(Read { format, charset, total, cards, refused })
}

/// A card with what every card has. The uid of one that has none comes of what it says, so that it is known again.
fn whole(mut card: Card, now: &str) -> Card {
    for given in ["id", "addressBookIds", "blobId"] {
        card.remove(given);
    }
    if card.get("uid").and_then(Value::as_str).unwrap_or_default().is_empty() {
        for changes in ["uid", "created", "updated", "prodId"] {
            card.remove(changes);
        }
        let said = blake3::hash(Value::Object(card.clone()).to_string().as_bytes()).to_hex();
        card.insert("uid".into(), format!("urn:anser:card:{}", &said[..32]).into());
    }
    card.entry("created").or_insert_with(|| now.into());
    card.entry("updated").or_insert_with(|| now.into());
    card
}

/// The cards of a file, as ContactCard/import takes them; none of what is no such file.
pub fn cards_in(bytes: &[u8]) -> Vec<Card> {
    let read = read(bytes, None, "2026-01-01T00:00:00Z");
    read.map(|read| read.cards.into_iter().map(|(_, card)| card).collect()).unwrap_or_default()
}

/// How a file of cards is written; `None` for a format that there is none of.
pub fn writer(format: &str) -> Option<(&'static str, fn(Vec<Card>) -> String)> {
    match format {
        "vcard" => Some(("text/vcard", vcard::write_new)),
        "vcard3" => Some(("text/vcard", vcard::write_old)),
        "csv" => Some(("text/csv", csv::write)),
        _ => None,
    }
}

/// ContactCard/export: a blob with the cards that are named, of a book, or all.
pub(crate) async fn export(call: &mut Call) -> Outcome {
    let access = call.access()?;
    let wanted = call.args.strings("ids")?;
    let book = call.args.string("addressBookId")?;
    let format = call.args.string("format")?.unwrap_or_else(|| "vcard".to_owned());
    call.args.done()?;
    own(&access)?;
    let (_, all) = CARD.listed(call, &access).await?;
    let is_in = |card: &Card| match &book {
        Some(book) => card.get("addressBookIds").is_some_and(|books| books.get(book).is_some()),
        None => true,
    };
    let is_wanted = |number: u64| wanted.as_ref().is_none_or(|ids| ids.contains(&CARD.id(number)));
    let cards: Vec<Card> = all
        .into_iter()
        .filter(|(number, card)| is_wanted(*number) && is_in(card))
        .map(|(_, mut card)| {
            card.remove("addressBookIds");
            card
        })
        .collect();
    let count = cards.len();
    let (kind, work) = writer(&format).ok_or_else(|| MethodError::invalid("format is vcard, vcard3 or csv"))?;
    let text = tokio::task::spawn_blocking(move || work(cards)).await.map_err(Error::unavailable)?;
    let (blob, size) = made(call, &access, text).await?;
    Ok(
        json!({ "accountId": ids::account_id(access.owner.id), "blobId": blob, "type": kind, "size": size, "total": count }),
    )
}

async fn made(call: &Call, access: &Access, text: String) -> Result<(String, u64)> {
    let (blob, size) = blob::put(&call.door, &call.user, access, text.into_bytes()).await?;
    Ok((blob::upload_blob(blob), size))
}
