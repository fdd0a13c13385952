//! Who a message says it is from: the one address that a reader is shown, and whether a reader could be shown another.

use anser_base::Address;
use anser_mime::address::parse_list;

use crate::dns;
use crate::message::Passed;

/// Domains of one author that are looked at; a message with more is not clean.
pub const DOMAINS: usize = 3;

/// The author.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Author {
    /// The address that is shown: the first one of the first `From` field. `None` when it is no address.
    pub shown: Option<Address>,
    /// The domains of all addresses, each once, in A-labels; at most [`DOMAINS`].
    pub domains: Vec<String>,
    /// There is one `From` field, and every program reads the same addresses in it. Messages that are not clean are made to deceive, or
    /// broken beyond what RFC 5322 §3.6 allows.
    pub clean: bool,
}

impl Author {
    /// Of a message.
    pub fn of(message: &Passed) -> Self {
        let mut author = Self { clean: true, ..Self::default() };
        let mut fields = 0;
        for (_, value) in message.named("from") {
            fields += 1;
            author.add(value);
        }
        // A line before the first field that begins with white space is none for us, but is for some.
        for (_, value) in disguised(message) {
            author.clean = false;
            author.add(&value);
        }
        author.clean &= fields == 1 && author.shown.is_some();
        author
    }

    fn add(&mut self, value: &[u8]) {
        let odd = |byte: &u8| (*byte < b' ' && !matches!(byte, b'\t' | b'\r' | b'\n')) || *byte == 0x7f;
        if value.iter().any(odd) {
            self.clean = false;
        }
        let list = parse_list(value);
        for (index, entry) in list.iter().filter(|entry| entry.host.is_some()).enumerate() {
            let part = |part: &Option<Vec<u8>>| part.as_deref().and_then(|part| String::from_utf8(part.to_vec()).ok());
            let (local, host) = (part(&entry.mailbox), part(&entry.host));
            let address = local.zip(host).and_then(|(local, host)| Address::new(&local, &host));
            let domain = address.as_ref().and_then(|address| dns::domain(address.domain()));
            self.clean &= entry.route.is_none() && domain.is_some();
            if index == 0 && self.shown.is_none() && domain.is_some() {
                self.shown = address;
            }
            if let Some(domain) = domain {
                self.add_domain(domain);
            }
        }
        // Whatever else looks like an address could be what another program shows.
        for domain in domains_outside_of_quotes(value).iter().filter_map(|domain| dns::domain(domain)) {
            self.add_domain(domain);
        }
    }

    fn add_domain(&mut self, domain: String) {
        if !self.domains.contains(&domain) {
            if self.domains.len() < DOMAINS { self.domains.push(domain) } else { self.clean = false }
        }
    }
}

/// What follows each `@` that is neither in quotes nor in a comment; [`DOMAINS`] and one more at most.
fn domains_outside_of_quotes(value: &[u8]) -> Vec<String> {
    let (mut found, mut quoted, mut depth, mut at) = (Vec::new(), false, 0usize, 0);
    while at < value.len() && found.len() <= DOMAINS {
        match value[at] {
            b'\\' => at += 1,
            b'"' if depth == 0 => quoted = !quoted,
            b'(' if !quoted => depth += 1,
            b')' if !quoted => depth = depth.saturating_sub(1),
            b'@' if !quoted && depth == 0 => {
                let rest = &value[at + 1..];
                let part =
                    |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.') || *byte >= 0x80;
                let end = rest.iter().position(|byte| !part(byte)).unwrap_or(rest.len());
                let domain = String::from_utf8_lossy(&rest[..end]).into_owned();
                if !found.contains(&domain) {
                    found.push(domain);
                }
            }
            _ => {}
        }
        at += 1;
    }
    found
}

/// `From` fields that only some programs take for such.
fn disguised(message: &Passed) -> Vec<(usize, Vec<u8>)> {
    let all = message.fields.iter().enumerate().filter(|(_, field)| field.name.is_empty());
    let hidden = all.filter_map(|(at, _)| {
        let raw = message.raw(at);
        let colon = memchr::memchr(b':', raw)?;
        let name: Vec<u8> = raw[..colon].iter().copied().filter(|byte| byte.is_ascii_graphic()).collect();
        name.eq_ignore_ascii_case(b"from").then(|| (at, raw[colon + 1..].to_vec()))
    });
    hidden.take(DOMAINS).collect()
}
