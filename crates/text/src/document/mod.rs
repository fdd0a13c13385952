//! Documents as text. Formats are told by their first bytes, for senders label them as they like. Whatever is wrong with a document is
//! [`Failed`]; the readers of others' libraries may also use much memory or never end: see [`crate::Documents`].

mod office;
mod pdf;
mod rtf;

/// Bytes of one document.
pub const INPUT: usize = 48 << 20;
/// Bytes of the text of one document.
pub const OUTPUT: usize = 8 << 20;
/// Bytes that one document is unpacked to.
pub const UNPACKED: u64 = 256 << 20;

/// A family of document formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// PDF.
    Pdf = 1,
    /// Anything in a zip: Office Open XML (docx, xlsx, pptx) and OpenDocument (odt, ods, odp). Another zip is a document without text.
    Zip = 2,
    /// Rich text.
    Rtf = 3,
}

/// The document cannot be read: damaged, encrypted, or beyond a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failed;

impl Kind {
    /// What the first bytes tell.
    pub fn of(start: &[u8]) -> Option<Kind> {
        let start = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start).trim_ascii_start();
        let known: [(&[u8], Kind); 3] = [(b"%PDF-", Kind::Pdf), (b"PK\x03\x04", Kind::Zip), (b"{\\rtf", Kind::Rtf)];
        known.into_iter().find(|(magic, _)| start.starts_with(magic)).map(|(_, kind)| kind)
    }

    /// The kind of this number.
    pub fn from_number(number: u8) -> Option<Kind> {
        [Kind::Pdf, Kind::Zip, Kind::Rtf].into_iter().find(|kind| *kind as u8 == number)
    }
}

/// The text of a document, and whether it was cut.
pub fn text(kind: Kind, bytes: &[u8]) -> Result<(String, bool), Failed> {
    if bytes.len() > INPUT {
        return Err(Failed);
    }
    let mut out = Limited::default();
    match kind {
        Kind::Pdf => pdf::text(bytes, &mut out)?,
        Kind::Zip => office::text(bytes, &mut out)?,
        Kind::Rtf => rtf::text(bytes, &mut out),
    }
    Ok((out.text, out.is_full))
}

/// Text up to [`OUTPUT`].
#[derive(Default)]
struct Limited {
    text: String,
    is_full: bool,
}

impl Limited {
    fn push(&mut self, text: &str) {
        if self.text.len() + text.len() > OUTPUT {
            self.is_full = true;
        } else {
            self.text.push_str(text);
        }
    }
}
