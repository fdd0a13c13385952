//! From a script to the form that it shows.

use super::code::{MARK, block, requirements};
use super::model::{Form, Item};
use crate::lex::{Lexer, Token};

/// Reads a script piece by piece: blocks that are what their comment says become items, everything else stays script.
pub(super) fn read(script: &str) -> Form {
    let mut form = Form::default();
    let mut plain = 0;
    let mut at = 0;
    while let Some(start) = next_mark(script, at) {
        let rest = &script[start..];
        match item_at(rest) {
            Some((item, length)) => {
                push_script(&mut form, &script[plain..start]);
                form.items.push(item);
                at = start + length;
                plain = at;
            }
            None => at = start + MARK.len(),
        }
    }
    push_script(&mut form, &script[plain..]);
    if !take_requirements(&mut form) {
        take_head(&mut form);
    }
    form
}

/// The next comment of a form at the start of a line.
fn next_mark(script: &str, from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        let found = at + memchr::memmem::find(&script.as_bytes()[at..], MARK.as_bytes())?;
        if found == 0 || script.as_bytes()[found - 1] == b'\n' {
            return Some(found);
        }
        at = found + MARK.len();
    }
}

fn line_of(text: &str) -> &str {
    text.split('\n').next().unwrap_or_default().trim_end_matches('\r')
}

/// The item whose block `text` starts with, and the length of the block.
fn item_at(text: &str) -> Option<(Item, usize)> {
    let line = line_of(text).strip_prefix(MARK)?;
    let (kind, json) = line.split_once(' ')?;
    let item = match kind {
        "rule" => Item::Rule(serde_json::from_str(after_name(json)?.1).ok()?),
        "away" => Item::Away(serde_json::from_str(json).ok()?),
        "forward" => Item::Forward(serde_json::from_str(json).ok()?),
        "blocked" => Item::Blocked(serde_json::from_str(json).ok()?),
        "allowed" => Item::Allowed(serde_json::from_str(json).ok()?),
        _ => return None,
    };
    length_of(text, &block(&item)).map(|length| (item, length))
}

/// A name in JSON, and what follows it.
fn after_name(json: &str) -> Option<(String, &str)> {
    let mut stream = serde_json::Deserializer::from_str(json).into_iter::<String>();
    let name = stream.next()?.ok()?;
    Some((name, json[stream.byte_offset()..].trim_start()))
}

/// How much of `text` is `block`, whatever line breaks it was stored with.
fn length_of(text: &str, block: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 0;
    for &byte in block.as_bytes() {
        if byte == b'\n' && bytes.get(at) == Some(&b'\r') && bytes.get(at + 1) == Some(&b'\n') {
            at += 1;
        }
        if bytes.get(at) != Some(&byte) {
            return None;
        }
        at += 1;
    }
    Some(at)
}

fn push_script(form: &mut Form, text: &str) {
    if !text.is_empty() {
        form.items.push(Item::Script(text.to_owned()));
    }
}

/// Takes the block out that requires what the items use, and makes what stands before it the head; `false` when there is
/// none. One that a person changed stays where it is.
fn take_requirements(form: &mut Form) -> bool {
    let wanted = requirements(&form.items);
    if wanted.is_empty() {
        return false;
    }
    for at in 0..form.items.len() {
        let Item::Script(text) = &mut form.items[at] else { continue };
        let mut from = 0;
        while let Some(start) = next_mark(text, from) {
            if let Some(length) = length_of(&text[start..], &wanted) {
                text.replace_range(start..start + length, "");
                let (head, rest) = (text[..start].to_owned(), text[start..].to_owned());
                form.head = head;
                if rest.is_empty() {
                    form.items.remove(at);
                } else {
                    form.items[at] = Item::Script(rest);
                }
                return true;
            }
            from = start + MARK.len();
        }
    }
    false
}

/// Moves the comments and `require` commands that a script starts with into the head.
fn take_head(form: &mut Form) {
    let Some(Item::Script(text)) = form.items.first() else { return };
    let length = head_length(text);
    if length == 0 {
        return;
    }
    let (head, rest) = (text[..length].to_owned(), text[length..].to_owned());
    form.head = head;
    if rest.is_empty() {
        form.items.remove(0);
    } else {
        form.items[0] = Item::Script(rest);
    }
}

/// How long the `require` commands at the start of `text` are, with the line break after them.
fn head_length(text: &str) -> usize {
    let mut lexer = Lexer::new(text);
    let mut end = 0;
    while let Ok((Token::Identifier(name), _)) = lexer.next()
        && name.eq_ignore_ascii_case("require")
    {
        loop {
            match lexer.next() {
                Ok((Token::Mark(';'), _)) => break,
                Ok((Token::Text(_) | Token::Mark('[' | ']' | ','), _)) => {}
                _ => return end,
            }
        }
        end = lexer.position();
    }
    let rest = &text[end..];
    let line_break = ["\r\n", "\n"].into_iter().find(|line_break| rest.starts_with(line_break));
    if end == 0 { 0 } else { end + line_break.map_or(0, str::len) }
}

/// Lines on which rules of the form start, with their names; an empty name ends one.
pub(crate) fn rule_lines(text: &str) -> Vec<(u32, String)> {
    let mut found = Vec::new();
    let (mut line, mut counted) = (1u32, 0);
    let mut at = 0;
    while let Some(start) = next_mark(text, at) {
        line += memchr::memchr_iter(b'\n', &text.as_bytes()[counted..start]).count() as u32;
        counted = start;
        at = start + MARK.len();
        let mark = line_of(&text[at..]);
        let (kind, rest) = mark.split_once(' ').unwrap_or((mark, ""));
        let name = match kind {
            "rule" => after_name(rest).map(|(name, _)| name),
            "away" | "forward" | "blocked" | "allowed" => Some(kind.to_owned()),
            "end" => Some(String::new()),
            _ => None,
        };
        found.extend(name.map(|name| (line, name)));
    }
    found
}
