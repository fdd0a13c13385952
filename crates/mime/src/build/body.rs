//! Text bodies in their transfer encodings.

use crate::encoding::encode_base64;

/// Characters of an encoded line (RFC 2045 §6.7, §6.8).
const MAX_ENCODED_LINE: usize = 76;

/// Bytes of any line without its CRLF (RFC 5322 §2.1.1).
const MAX_LINE: usize = 998;

/// How to write a text part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextEncoding {
    /// As it is: `7bit` or `8bit`; `quoted-printable` when a line is too long.
    Plain,
    /// `quoted-printable`: good for text that is mostly US-ASCII.
    QuotedPrintable,
    /// `base64`: good for other scripts.
    Base64,
}

/// The `Content-Transfer-Encoding` of `text` in `encoding`, and its bytes. Line breaks of any kind become CRLF.
pub fn encode_text(text: &str, encoding: TextEncoding) -> (&'static str, Vec<u8>) {
    let text = with_crlf(text);
    match encoding {
        TextEncoding::Base64 => ("base64", base64_lines(text.as_bytes())),
        TextEncoding::Plain if text.lines().all(|line| line.len() <= MAX_LINE) => {
            (if text.is_ascii() { "7bit" } else { "8bit" }, text.into_bytes())
        }
        TextEncoding::Plain | TextEncoding::QuotedPrintable => ("quoted-printable", quoted_printable(&text)),
    }
}

/// Bytes that one line of base64 stands for.
pub const BASE64_LINE: usize = MAX_ENCODED_LINE / 4 * 3;

/// Base64 in lines of 76 characters, each ending with CRLF. Pieces of a whole that are multiples of [`BASE64_LINE`] can be encoded one
/// after the other.
pub fn base64_lines(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() * 4 / 3 + bytes.len() / 28 + 4);
    for chunk in bytes.chunks(BASE64_LINE) {
        out.extend_from_slice(encode_base64(chunk).as_bytes());
        out.extend_from_slice(b"\r\n");
    }
    out
}

/// Makes every line break CRLF, a bare CR too.
fn with_crlf(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 32);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\r' => {
                chars.next_if_eq(&'\n');
                out.push_str("\r\n");
            }
            '\n' => out.push_str("\r\n"),
            '\0' => {}
            c => out.push(c),
        }
    }
    out
}

/// Quoted-printable of text whose line breaks are CRLF.
fn quoted_printable(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() * 2);
    for line in text.split_inclusive("\r\n") {
        let content = line.strip_suffix("\r\n").unwrap_or(line);
        quoted_line(content.as_bytes(), &mut out);
        if content.len() < line.len() {
            out.extend_from_slice(b"\r\n");
        }
    }
    out
}

fn quoted_line(line: &[u8], out: &mut Vec<u8>) {
    let mut column = 0;
    for (at, &byte) in line.iter().enumerate() {
        let is_last = at + 1 == line.len();
        let is_plain = (byte.is_ascii_graphic() && byte != b'=') || (matches!(byte, b' ' | b'\t') && !is_last);
        let width = if is_plain { 1 } else { 3 };
        if column + width >= MAX_ENCODED_LINE {
            out.extend_from_slice(b"=\r\n");
            column = 0;
        }
        if is_plain {
            out.push(byte);
        } else {
            out.extend_from_slice(format!("={byte:02X}").as_bytes());
        }
        column += width;
    }
}
