//! A message as signatures see it: its header fields as they came, and its body as hashes that were made while it passed by.

use std::ops::Range;

use anser_mime::header::fields;

use crate::dkim::canon::{Body, BodyHash, Canon};
use crate::dkim::signature::Signature;

/// Fields of a header that are looked at; what is below does not exist for signatures.
pub const FIELDS: usize = 2_000;
/// `DKIM-Signature` fields that are tried, from the top; others are not looked at.
pub const SIGNATURES: usize = 10;

/// One header field as it came.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    /// In lower case; empty for a line that is no field.
    pub name: String,
    /// The whole field, from its name to its last line break.
    pub range: Range<usize>,
}

/// The header of a message and what its signatures claim; [`Self::push`] then takes the body.
pub struct Message {
    header: Vec<u8>,
    fields: Vec<Field>,
    bodies: Vec<Body>,
}

/// A message that passed by whole.
pub struct Passed {
    pub(crate) header: Vec<u8>,
    pub(crate) fields: Vec<Field>,
    pub(crate) hashes: Vec<BodyHash>,
}

impl Message {
    /// Begins with the header, with or without its blank line. The body is hashed only as the signatures in this header ask for it.
    pub fn new(header: &[u8]) -> Self {
        let mut message = Self::plain(header);
        let asked: Vec<Canon> = message.claims().filter_map(|signature| Some(signature.ok()?.body)).collect();
        for canon in [Canon::Simple, Canon::Relaxed] {
            if asked.contains(&canon) {
                message.bodies.push(Body::new(canon));
            }
        }
        message
    }

    /// Begins with the header of a message that will be signed by this house, which signs relaxed bodies. Earlier signatures can
    /// be verified on the way as well.
    pub fn to_sign(header: &[u8]) -> Self {
        let mut message = Self::new(header);
        if !message.bodies.iter().any(|body| body.canon() == Canon::Relaxed) {
            message.bodies.push(Body::new(Canon::Relaxed));
        }
        message
    }

    fn plain(header: &[u8]) -> Self {
        let found = fields(header).take(FIELDS);
        let fields: Vec<Field> = found
            .map(|field| Field { name: String::from_utf8_lossy(field.name).to_ascii_lowercase(), range: field.range })
            .collect();
        let end = fields.last().map_or(0, |field| field.range.end);
        Self { header: header[..end].to_vec(), fields, bodies: Vec::new() }
    }

    /// Everything in the header that says how the body was hashed.
    fn claims(&self) -> impl Iterator<Item = Result<Signature, &'static str>> {
        let dkim = self.fields.iter().filter(|field| field.name == "dkim-signature").take(SIGNATURES);
        let arc = self.fields.iter().filter(|field| field.name == "arc-message-signature").take(crate::arc::SETS);
        let value = |field: &Field| value_of(&self.header, field);
        dkim.map(move |field| Signature::dkim(value(field))).chain(arc.map(move |field| Signature::arc(value(field))))
    }

    /// The next octets of the body: everything after the blank line.
    pub fn push(&mut self, octets: &[u8]) {
        for body in &mut self.bodies {
            body.push(octets);
        }
    }

    /// The body is over.
    pub fn finish(self) -> Passed {
        let hashes = self.bodies.into_iter().map(Body::finish).collect();
        Passed { header: self.header, fields: self.fields, hashes }
    }

    /// A whole message at once; at the first blank line the body begins.
    pub fn whole(raw: &[u8]) -> Passed {
        let (header, body) = split(raw);
        let mut message = Self::new(header);
        message.push(body);
        message.finish()
    }

    /// A whole message at once, to be signed.
    pub fn whole_to_sign(raw: &[u8]) -> Passed {
        let (header, body) = split(raw);
        let mut message = Self::to_sign(header);
        message.push(body);
        message.finish()
    }
}

impl Passed {
    /// The fields of a name in lower case, top down: their place and their value.
    pub(crate) fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = (usize, &'a [u8])> {
        let all = self.fields.iter().enumerate().filter(move |(_, field)| field.name == name);
        all.map(|(at, field)| (at, value_of(&self.header, field)))
    }

    /// A whole field as it came.
    pub(crate) fn raw(&self, at: usize) -> &[u8] {
        &self.header[self.fields[at].range.clone()]
    }

    pub(crate) fn hash(&self, canon: Canon) -> Option<&BodyHash> {
        self.hashes.iter().find(|hash| hash.canon == canon)
    }

    /// The header as it came, without its blank line.
    pub fn header(&self) -> &[u8] {
        &self.header
    }
}

fn value_of<'a>(header: &'a [u8], field: &Field) -> &'a [u8] {
    let raw = &header[field.range.clone()];
    let colon = memchr::memchr(b':', raw).map_or(0, |at| at + 1);
    &raw[colon..]
}

/// The header with its last line break, and what is behind the blank line.
pub fn split(raw: &[u8]) -> (&[u8], &[u8]) {
    let end = fields(raw).last().map_or(0, |field| field.range.end);
    let rest = &raw[end..];
    let blank = if rest.starts_with(b"\r\n") { 2 } else { usize::from(rest.starts_with(b"\n")) };
    (&raw[..end], &rest[blank..])
}
