//! A message of a PST file as mail again: the header that it came with, or one made from its properties; its text, HTML or RTF; its
//! attachments. It is handed over piece by piece: an attachment is never held as a whole.

use std::io;

use anser_mime::build::{BASE64_LINE, Headers, Mailbox, TextEncoding, base64_lines, encode_text};
use anser_mime::date::DateTime;
use anser_pst::{Octets, Value, id as node, kind, rtf};

use super::properties::{Known, cell, id, label_of};
use super::{NAME, Node};

/// Messages within messages that are followed.
const WITHIN: usize = 20;
/// Attachments of one message at most.
const ATTACHMENTS: usize = 10_000;
/// Recipients of one message at most.
const RECIPIENTS: usize = 100_000;
/// Octets of an attachment that are encoded at once.
const PIECE: usize = BASE64_LINE * 1024;
/// What Exchange puts before a header, which is no field.
const STAMP: &str = "Microsoft Mail Internet Headers Version 2.0";
/// An attachment that is a message ([MS-OXCMSG] §2.2.2.9).
const IS_MESSAGE: i64 = 5;

/// What takes a message.
type Out<'a> = &'a mut dyn FnMut(&[u8]) -> io::Result<()>;

/// Hands over the whole message. The same node has the same bytes at every look.
pub fn read(of: &Node, out: Out<'_>) -> io::Result<()> {
    let reader = of.pst.reader();
    whole(&reader.node(of.id)?, &of.id.to_string(), 0, out)
}

/// A message; `path` leads to it and no other in this file.
fn whole<O: Octets>(message: &anser_pst::Node<'_, O>, path: &str, depth: usize, out: Out<'_>) -> io::Result<()> {
    let properties = message.properties()?;
    let known = Known::new(&properties);
    let came = known.text(id::HEADERS).map(|text| kept(&text)).filter(|kept| !kept.is_empty());
    match came {
        Some(kept) => out(kept.as_bytes())?,
        None => out(made(message, &known).as_bytes())?,
    }
    out(b"MIME-Version: 1.0\r\n")?;
    let mut attachments = message.all(kind::ATTACHMENT)?;
    attachments.truncate(ATTACHMENTS);
    if attachments.is_empty() {
        return body(&known, path, out);
    }
    let boundary = begin(out, "mixed", path)?;
    part(out, &boundary)?;
    body(&known, path, out)?;
    let mut unread = Vec::new();
    for (id, attachment) in attachments {
        match attachment.properties() {
            Ok(properties) => {
                let of = Known::within(&properties, known.label());
                part(out, &boundary)?;
                attached(&of, &format!("{path}/{id}"), depth, &mut unread, out)?;
            }
            Err(error) => unread.push(error.to_string()),
        }
    }
    if !unread.is_empty() {
        // Nothing is left out without a word.
        part(out, &boundary)?;
        let said = format!("Attachments that were not read / 未能读取的附件:\n{}\n", unread.join("\n"));
        text(out, "plain", &said)?;
    }
    end(out, &boundary)
}

/// Begins a multipart. Its boundary is the same at every look, and stands in no part: those are base64, or headers and boundaries of others.
fn begin(out: Out<'_>, subtype: &str, path: &str) -> io::Result<String> {
    let hash = blake3::hash(format!("{subtype} of {path}").as_bytes()).to_hex();
    let boundary = format!("=_{}", &hash[..40]);
    out(format!("Content-Type: multipart/{subtype};\r\n boundary=\"{boundary}\"\r\n\r\n").as_bytes())?;
    Ok(boundary)
}

fn part(out: Out<'_>, boundary: &str) -> io::Result<()> {
    out(format!("\r\n--{boundary}\r\n").as_bytes())
}

fn end(out: Out<'_>, boundary: &str) -> io::Result<()> {
    out(format!("\r\n--{boundary}--\r\n").as_bytes())
}

fn text(out: Out<'_>, subtype: &str, text: &str) -> io::Result<()> {
    let (_, body) = encode_text(text, TextEncoding::Base64);
    let head = format!("Content-Type: text/{subtype}; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n");
    out(head.as_bytes())?;
    out(&body)
}

/// The fields of the header that a message came with, but for those that say how its body was written.
fn kept(header: &str) -> String {
    let (mut out, mut goes) = (String::new(), true);
    for line in header.lines().skip_while(|line| line.is_empty()).take_while(|line| !line.is_empty()) {
        if !line.starts_with([' ', '\t']) {
            let name = line.split(':').next().unwrap_or_default().trim_end().to_ascii_lowercase();
            goes = name == "mime-version" || name.starts_with("content-") || line.starts_with(STAMP);
            // What is no field would end the header.
            goes |= !line.contains(':') || name.is_empty() || name.contains(' ');
        }
        if !goes {
            out.push_str(line);
            out.push_str("\r\n");
        }
    }
    out
}

/// A header of what the properties say.
fn made<O: Octets>(message: &anser_pst::Node<'_, O>, known: &Known<'_, O>) -> Headers {
    let mut headers = Headers::new();
    if let Some(unix) = known.time(id::SUBMITTED).or_else(|| known.time(id::DELIVERED)) {
        headers = headers.date("Date", DateTime { unix, offset_minutes: 0 });
    }
    let name = known.text(id::SENDER_NAME).or_else(|| known.text(id::SENT_FOR_NAME)).unwrap_or_default();
    let email = [id::SENDER_SMTP, id::SENDER_ADDRESS]
        .into_iter()
        .find_map(|id| known.text(id).filter(|text| text.contains('@')));
    headers = people(headers, "From", &[(name, email.unwrap_or_default())]);
    let all = recipients(message, known.label());
    for (kind, field) in [(1, "To"), (2, "Cc"), (3, "Bcc")] {
        let of: Vec<_> = all.iter().filter(|one| one.0 == kind).map(|one| (one.1.clone(), one.2.clone())).collect();
        headers = people(headers, field, &of);
    }
    if let Some(subject) = known.text(id::SUBJECT) {
        headers = headers.text("Subject", &subject_of(&subject));
    }
    for (id, field) in [(id::MESSAGE_ID, "Message-ID"), (id::REPLY_TO, "In-Reply-To"), (id::REFERENCES, "References")] {
        if let Some(text) = known.text(id).filter(|text| text.is_ascii()) {
            headers = headers.structured(field, &text);
        }
    }
    headers
}

/// Two characters before a subject may say how long its prefix is ([MS-PST] §2.5.3.1.1.1).
fn subject_of(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        // The second of the two is the length itself.
        Some('\u{1}') => letters.skip(1).collect(),
        _ => text.to_owned(),
    }
}

/// An address field; whoever has no address of the Internet is a group of that name without members.
fn people(headers: Headers, field: &str, all: &[(String, String)]) -> Headers {
    let groups: Vec<_> = all
        .iter()
        .filter(|(name, email)| !name.is_empty() || !email.is_empty())
        .map(|(name, email)| match email.is_empty() {
            true => (Some(name.as_str()), Vec::new()),
            false => (None, vec![Mailbox { name: if name == email { "" } else { name }, email }]),
        })
        .collect();
    if groups.is_empty() { headers } else { headers.groups(field, &groups) }
}

/// Recipients, each with its kind ([MS-OXOMSG] §2.2.3.1), name and address. A table that cannot be read has none.
fn recipients<O: Octets>(message: &anser_pst::Node<'_, O>, label: Option<&str>) -> Vec<(i64, String, String)> {
    let Ok(Some(table)) = message.table(node::RECIPIENTS) else { return Vec::new() };
    let rows = table.rows().take(RECIPIENTS).filter_map(Result::ok);
    let person = |row: anser_pst::Row<'_, '_, O>| {
        let email = [id::SMTP_ADDRESS, id::ADDRESS]
            .into_iter()
            .find_map(|id| cell(&row, id, label).filter(|text| text.contains('@') && text.len() <= NAME));
        let kind = row.number(id::RECIPIENT_TYPE).unwrap_or(1);
        (kind, short(&cell(&row, id::NAME, label).unwrap_or_default()), email.unwrap_or_default())
    };
    rows.map(person).collect()
}

/// The text, and beside it the HTML, else the RTF.
fn body<O: Octets>(known: &Known<'_, O>, path: &str, out: Out<'_>) -> io::Result<()> {
    match (known.text(id::TEXT), rich(known)) {
        (Some(plain), Some((head, rich))) => {
            let boundary = begin(out, "alternative", path)?;
            part(out, &boundary)?;
            text(out, "plain", &plain)?;
            part(out, &boundary)?;
            encoded(out, &head, &rich)?;
            end(out, &boundary)
        }
        (Some(plain), None) => text(out, "plain", &plain),
        (None, Some((head, rich))) => encoded(out, &head, &rich),
        (None, None) => text(out, "plain", ""),
    }
}

/// The HTML, also out of RTF, else the RTF; with its `Content-Type`.
fn rich<O: Octets>(known: &Known<'_, O>) -> Option<(String, Vec<u8>)> {
    let html = |(html, label): (Vec<u8>, Option<String>)| {
        let charset = label.map(|label| format!("; charset={label}")).unwrap_or_default();
        (format!("Content-Type: text/html{charset}\r\n"), html)
    };
    if let Some(found) = known.html() {
        return Some(html(found));
    }
    let Value::Octets(octets) = known.of.get(id::RTF)? else { return None };
    let rtf = rtf::decompressed(&octets).filter(|rtf| !rtf.is_empty())?;
    let wrapped = rtf::html_in(&rtf).filter(|(html, _)| !html.trim_ascii().is_empty());
    Some(match wrapped {
        Some((found, page)) => html((found, label_of(page.into()))),
        None => ("Content-Type: text/rtf; name=\"body.rtf\"\r\n".to_owned(), rtf),
    })
}

fn encoded(out: Out<'_>, head: &str, octets: &[u8]) -> io::Result<()> {
    out(head.as_bytes())?;
    out(b"Content-Transfer-Encoding: base64\r\n\r\n")?;
    octets.chunks(PIECE).try_for_each(|piece| out(&base64_lines(piece)))
}

/// An attachment as a part. What of it cannot be read is added to `unread`.
fn attached<O: Octets>(
    known: &Known<'_, O>,
    path: &str,
    depth: usize,
    unread: &mut Vec<String>,
    out: Out<'_>,
) -> io::Result<()> {
    let name = file_name(known);
    let inside = known.of.inside(id::DATA);
    if let Some(message) = inside.as_ref().filter(|_| known.number(id::METHOD) == Some(IS_MESSAGE) && depth < WITHIN) {
        out(b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 8bit\r\n\r\n")?;
        return forgiven(whole(message, path, depth + 1, out), name, unread);
    }
    let media = known.text(id::MEDIA_TYPE).filter(|media| is_media(media));
    let media = media.unwrap_or_else(|| "application/octet-stream".to_owned());
    let mut headers = Headers::new()
        .structured("Content-Type", &media)
        .structured("Content-Transfer-Encoding", "base64")
        .parameterised("Content-Disposition", "attachment", &[("filename", &name)]);
    if let Some(id) = known.text(id::CONTENT_ID) {
        let id: String = id.chars().filter(|c| c.is_ascii_graphic() && !matches!(c, '<' | '>')).take(NAME).collect();
        headers = headers.structured("Content-ID", &format!("<{id}>"));
    }
    out(headers.as_bytes())?;
    out(b"\r\n")?;
    let mut lines = Lines { held: Vec::new(), out };
    let read = match inside {
        Some(node) => node.stream(&mut |octets| lines.take(octets)).map(|()| true),
        None => known.of.stream(id::DATA, &mut |octets| lines.take(octets)),
    };
    lines.end()?;
    match read {
        Ok(true) => Ok(()),
        Ok(false) => {
            unread.push(name);
            Ok(())
        }
        Err(error) => forgiven(Err(error), name, unread),
    }
}

/// What is broken in the file is told; whoever takes the message may still say no.
fn forgiven(read: io::Result<()>, name: String, unread: &mut Vec<String>) -> io::Result<()> {
    match read {
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof) => {
            unread.push(format!("{name}: {error}"));
            Ok(())
        }
        other => other,
    }
}

/// Octets on their way as lines of base64.
struct Lines<'a> {
    held: Vec<u8>,
    out: Out<'a>,
}

impl Lines<'_> {
    fn take(&mut self, octets: &[u8]) -> io::Result<()> {
        self.held.extend_from_slice(octets);
        let whole = self.held.len() / PIECE * PIECE;
        if whole > 0 {
            (self.out)(&base64_lines(&self.held[..whole]))?;
            self.held.drain(..whole);
        }
        Ok(())
    }

    fn end(self) -> io::Result<()> {
        (self.out)(&base64_lines(&self.held))
    }
}

fn is_media(text: &str) -> bool {
    let is_token =
        |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.+_".contains(&b));
    // What is composed is more than a file.
    text.len() <= NAME
        && text.split_once('/').is_some_and(|(kind, subtype)| is_token(kind) && is_token(subtype))
        && !["multipart/", "message/"].iter().any(|composed| text.to_ascii_lowercase().starts_with(composed))
}

fn file_name<O: Octets>(known: &Known<'_, O>) -> String {
    let name = [id::FILE_NAME, id::SHORT_FILE_NAME, id::NAME].into_iter().find_map(|id| known.text(id));
    name.map_or_else(|| "attachment".to_owned(), |name| short(&name))
}

/// A name as far as names go: a broken file has very many, each as long as what is held of one value.
fn short(name: &str) -> String {
    name.chars().take(NAME).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_loses_what_says_how_the_body_was_written() {
        let header = "Microsoft Mail Internet Headers Version 2.0\r\nReceived: a\r\n\tb\r\nMIME-Version: 1.0\r\n\
                      Content-Type: multipart/mixed;\r\n boundary=x\r\nSubject: s\r\nno field\r\n : x\r\nX: y\r\n\r\nBody: z\r\n";
        assert_eq!(kept(header), "Received: a\r\n\tb\r\nSubject: s\r\nX: y\r\n");
        assert_eq!(kept(" folded first\r\nX: y\r\n"), "X: y\r\n");
        assert_eq!(subject_of("\u{1}\u{5}Re: x"), "Re: x");
        assert_eq!(subject_of("x"), "x");
        assert!(is_media("image/png") && !is_media("message/rfc822") && !is_media("x") && !is_media("a/b\r\nX: y"));
    }
}
