//! vCards, by the mapping of RFC 9555.

use calcard::jscontact::JSContact;
use calcard::vcard::{VCard, VCardVersion};
use calcard::{Entry, Parser};
use serde_json::Value;

use super::Card;

/// Bytes of one vCard that are looked at: beyond it, nobody's photo is that large.
const LENGTH: usize = 2 * 1024 * 1024;

/// The cards of a file, at most so many; `None` for what is none.
pub(super) fn read(text: &str, most: usize) -> Vec<Option<Card>> {
    pieces(text).take(most).map(|piece| one(piece).filter(|_| piece.len() <= LENGTH)).collect()
}

/// What stands between `BEGIN:VCARD` and `END:VCARD`, each with both.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut at = 0;
    let mut begun = None;
    let mut lines = text.split_inclusive('\n');
    std::iter::from_fn(move || {
        for line in lines.by_ref() {
            let start = at;
            at += line.len();
            let word = line.trim();
            if word.eq_ignore_ascii_case("BEGIN:VCARD") && begun.is_none() {
                begun = Some(start);
            } else if word.eq_ignore_ascii_case("END:VCARD")
                && let Some(from) = begun.take()
            {
                return Some(&text[from..at]);
            }
        }
        None
    })
}

fn one(text: &str) -> Option<Card> {
    let Entry::VCard(card) = Parser::new(text).entry() else { return None };
    let card: JSContact<'static, String, String> = card.into_jscontact();
    match serde_json::from_str(&serde_json::to_string(&card.0).ok()?).ok()? {
        Value::Object(mut card) => {
            // What RFC 9555 keeps of the vCard as it was is nobody's business here.
            card.remove("vCard");
            Some(card)
        }
        _ => None,
    }
}

/// As vCard 4.0.
pub(super) fn write_new(cards: Vec<Card>) -> String {
    write(cards, VCardVersion::V4_0)
}

/// As vCard 3.0, which most programs take.
pub(super) fn write_old(cards: Vec<Card>) -> String {
    write(cards, VCardVersion::V3_0)
}

fn write(cards: Vec<Card>, version: VCardVersion) -> String {
    let mut out = String::new();
    for card in cards {
        let text = Value::Object(card).to_string();
        let card: Option<VCard> = JSContact::<String, String>::parse(&text)
            .ok()
            .and_then(|card: JSContact<'_, String, String>| card.into_vcard());
        // Writing to memory does not fail.
        let _ = card.map(|card| card.write_to(&mut out, version));
    }
    out
}
