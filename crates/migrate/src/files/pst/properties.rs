//! Properties of messages and attachments ([MS-OXPROPS]), and texts in whatever code page.

use anser_mime::charset;
use anser_pst::{Octets, Properties, Row, Value};

/// Property ids, by what they mean here.
pub mod id {
    pub const CLASS: u16 = 0x001a;
    pub const SUBJECT: u16 = 0x0037;
    pub const SUBMITTED: u16 = 0x0039;
    pub const SENT_FOR_NAME: u16 = 0x0042;
    pub const HEADERS: u16 = 0x007d;
    pub const RECIPIENT_TYPE: u16 = 0x0c15;
    pub const SENDER_NAME: u16 = 0x0c1a;
    pub const SENDER_ADDRESS: u16 = 0x0c1f;
    pub const DELIVERED: u16 = 0x0e06;
    pub const FLAGS: u16 = 0x0e07;
    pub const TEXT: u16 = 0x1000;
    pub const RTF: u16 = 0x1009;
    pub const HTML: u16 = 0x1013;
    pub const MESSAGE_ID: u16 = 0x1035;
    pub const REFERENCES: u16 = 0x1039;
    pub const REPLY_TO: u16 = 0x1042;
    pub const VERB: u16 = 0x1081;
    pub const FLAG_STATUS: u16 = 0x1090;
    pub const NAME: u16 = 0x3001;
    pub const ADDRESS: u16 = 0x3003;
    pub const CREATED: u16 = 0x3007;
    pub const TOP: u16 = 0x35e0;
    pub const TRASH: u16 = 0x35e3;
    pub const SENT: u16 = 0x35e4;
    pub const DATA: u16 = 0x3701;
    pub const SHORT_FILE_NAME: u16 = 0x3704;
    pub const METHOD: u16 = 0x3705;
    pub const FILE_NAME: u16 = 0x3707;
    pub const MEDIA_TYPE: u16 = 0x370e;
    pub const CONTENT_ID: u16 = 0x3712;
    pub const SMTP_ADDRESS: u16 = 0x39fe;
    pub const CODE_PAGE: u16 = 0x3fde;
    pub const MESSAGE_CODE_PAGE: u16 = 0x3ffd;
    pub const SENDER_SMTP: u16 = 0x5d01;
}

/// The properties of a node, and the code page of its texts.
pub struct Known<'p, O> {
    pub of: &'p Properties<'p, O>,
    label: Option<String>,
}

impl<'p, O: Octets> Known<'p, O> {
    /// Of a message, which knows its code page, or of what has none.
    pub fn new(of: &'p Properties<'p, O>) -> Self {
        let page = [id::MESSAGE_CODE_PAGE, id::CODE_PAGE].into_iter().find_map(|id| label_of(of.number(id)?));
        Self { of, label: page }
    }

    /// Of what is within a message, whose code page it has.
    pub fn within(of: &'p Properties<'p, O>, label: Option<&str>) -> Self {
        Self { of, label: label.map(str::to_owned) }
    }

    /// The code page, as MIME calls it.
    pub fn label(&self) -> Option<&str> {
        self.label.as_deref()
    }

    /// A text, whatever it is written in; empty ones are none.
    pub fn text(&self, id: u16) -> Option<String> {
        text_of(self.of.get(id)?, self.label()).filter(|text| !text.is_empty())
    }

    pub fn number(&self, id: u16) -> Option<i64> {
        self.of.number(id)
    }

    pub fn time(&self, id: u16) -> Option<i64> {
        self.of.time(id)
    }

    /// The node that an entry id names ([MS-PST] §2.4.3.2).
    pub fn entry(&self, id: u16) -> Option<u32> {
        match self.of.get(id)? {
            Value::Octets(entry) => Some(u32::from_le_bytes(entry.get(20..24)?.try_into().ok()?)),
            _ => None,
        }
    }

    /// The HTML as it is, and its charset where that is known.
    pub fn html(&self) -> Option<(Vec<u8>, Option<String>)> {
        let (octets, label) = match self.of.get(id::HTML)? {
            Value::Octets(octets) | Value::Coded(octets) => {
                let page = self.of.number(id::CODE_PAGE).and_then(label_of);
                (octets, page.or_else(|| self.label.clone()))
            }
            Value::Text(text) => (text.into_bytes(), Some("utf-8".to_owned())),
            _ => return None,
        };
        let octets = octets.strip_suffix(b"\0").map(<[u8]>::to_vec).unwrap_or(octets);
        (!octets.trim_ascii().is_empty()).then_some((octets, label))
    }
}

fn text_of(value: Value, label: Option<&str>) -> Option<String> {
    match value {
        Value::Text(text) => Some(text),
        Value::Coded(octets) => Some(charset::decode(label, &octets)),
        _ => None,
    }
}

/// A text of a row; empty ones are none.
pub fn cell<O: Octets>(row: &Row<'_, '_, O>, id: u16, label: Option<&str>) -> Option<String> {
    text_of(row.get(id)?, label).filter(|text| !text.is_empty())
}

/// A Windows code page as MIME calls it.
pub fn label_of(page: i64) -> Option<String> {
    Some(match page {
        65001 => "utf-8".to_owned(),
        936 | 52936 | 54936 => "gb18030".to_owned(),
        950 => "big5".to_owned(),
        932 => "shift_jis".to_owned(),
        949 | 51949 => "euc-kr".to_owned(),
        51932 => "euc-jp".to_owned(),
        1250..=1258 | 874 => format!("windows-{page}"),
        28591..=28606 => format!("iso-8859-{}", page - 28590),
        20127 => "us-ascii".to_owned(),
        20866 => "koi8-r".to_owned(),
        21866 => "koi8-u".to_owned(),
        50220..=50222 => "iso-2022-jp".to_owned(),
        _ => return None,
    })
}
