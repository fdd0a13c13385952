//! SEARCH and UID SEARCH (RFC 9051 §6.4.4), with ESEARCH (RFC 4731), SEARCHRES (RFC 5182) and PARTIAL (RFC 9394 §3.1); and what SORT
//! shares with it.

use std::sync::Arc;

use anser_store::Snapshot;
use anser_wire::imap::write::{Status, write_number, write_number_set, write_string};
use anser_wire::imap::{NumberSet, ReturnOptions, Search, SearchKey};

use crate::reply::{Outcome, Reply, Trouble};
use crate::search::{Compiler, Matching, matching};
use crate::session::Session;

pub(super) async fn run(session: &mut Session, tag: &str, search: Search) -> Outcome {
    let options = search.return_options.or(session.enabled.rev2.then(all_of_them));
    if session.enabled.utf8_only && search.charset.is_some() {
        return settle_saved(session, options, Ok(no_charset()));
    }
    let outcome = match find(session, tag, &search.key, search.charset.as_deref(), search.uid).await {
        Ok(found) => tell(session, tag, "SEARCH", found, options).await,
        Err(trouble) => Err(trouble),
    };
    settle_saved(session, options, outcome)
}

/// For a charset beside UTF8=ACCEPT (RFC 9755 §3).
fn no_charset() -> Reply {
    Reply::bad("After UTF8=ACCEPT texts are in UTF-8")
}

fn all_of_them() -> ReturnOptions {
    ReturnOptions { all: true, ..ReturnOptions::default() }
}

/// A search with SAVE that was refused leaves the empty result behind (RFC 5182 §2.1).
pub(super) fn settle_saved(session: &mut Session, options: Option<ReturnOptions>, outcome: Outcome) -> Outcome {
    let save = options.is_some_and(|options| options.save);
    if save && !matches!(outcome, Ok(Reply { status: Status::Ok, .. })) {
        session.saved = NumberSet::default();
    }
    outcome
}

/// The outcome of a search.
pub(super) struct Found {
    pub list: Arc<Snapshot>,
    /// Message numbers: ascending, until SORT orders them.
    pub numbers: Vec<u32>,
    /// Whether UIDs are told instead of them.
    uid: bool,
    /// Whether the key asked for a modification sequence, so that the answer tells one (RFC 7162 §3.1.5).
    asks_modseq: bool,
    /// Messages that may match, for a part of their texts could not be looked through.
    partly: u64,
}

impl Found {
    /// The tagged reply. A result that may lack something says so: a message too large to be looked through whole, or a document that
    /// cannot be read, is no reason to refuse what was found.
    pub fn done(&self) -> Reply {
        match self.partly {
            0 => Reply::ok("Done"),
            partly => Reply::ok(format!("Done; {partly} more messages hold text that could not be searched")),
        }
    }

    /// What is told of one message.
    pub fn told(&self, seq: u32) -> u32 {
        match self.uid {
            true => self.list.by_seq(seq).map_or(0, |entry| entry.uid),
            false => seq,
        }
    }

    fn uids(&self, numbers: &[u32]) -> Vec<u32> {
        numbers.iter().filter_map(|seq| self.list.by_seq(*seq)).map(|entry| entry.uid).collect()
    }

    fn modseq(&self, numbers: impl Iterator<Item = u32>) -> Option<u64> {
        numbers.filter(|_| self.asks_modseq).filter_map(|seq| self.list.by_seq(seq)).map(|entry| entry.modseq).max()
    }

    /// The first and the last, as far as MIN and MAX ask for them.
    fn ends(&self, options: ReturnOptions) -> impl Iterator<Item = u32> {
        let (min, max) = (self.numbers.first().copied(), self.numbers.last().copied());
        min.filter(|_| options.min).into_iter().chain(max.filter(|_| options.max))
    }

    fn page(&self, options: ReturnOptions) -> &[u32] {
        options.partial.map_or(&[], |range| &self.numbers[range.places(self.numbers.len())])
    }
}

/// Evaluates a key over the selected mailbox.
pub(super) async fn find(
    session: &mut Session,
    tag: &str,
    key: &SearchKey,
    charset: Option<&str>,
    uid: bool,
) -> Result<Found, Trouble> {
    let list = session.view()?.list.clone();
    // Where quoted strings are UTF-8, so are texts unless the command says otherwise (RFC 9051 §6.4.4).
    let charset = charset.or(session.enabled.utf8.then_some("utf-8"));
    let is_other = |label: &str| !["utf-8", "us-ascii"].iter().any(|one| one.eq_ignore_ascii_case(label));
    if session.enabled.utf8_only && charset.is_some_and(is_other) {
        return Err(no_charset().into());
    }
    let (count, last_uid) = (list.len() as u32, list.last_uid().unwrap_or(0));
    let scope = session.view()?.scope;
    let compiler = Compiler { charset, count, last_uid, saved: &session.saved, scope };
    compiler.check()?;
    let key = Arc::new(compiler.compile(key));
    let asks_modseq = key.asks_modseq();
    if asks_modseq {
        session.enable_condstore();
    }
    let Matching { numbers, partly } = matching(session, tag, &key).await?;
    Ok(Found { list, numbers, uid, asks_modseq, partly })
}

/// Writes the answer: `* SEARCH` or `* SORT` without return options, else `* ESEARCH` in the order of `found`.
pub(super) async fn tell(
    session: &mut Session,
    tag: &str,
    word: &str,
    found: Found,
    options: Option<ReturnOptions>,
) -> Outcome {
    let Some(options) = options else {
        write_plain(session, word, &found).await?;
        return Ok(found.done());
    };
    if options.save {
        session.saved = saved(&found, options);
    }
    // SAVE alone asks for no answer (RFC 5182 §2.1).
    if options.min || options.max || options.all || options.count || options.partial.is_some() {
        write_esearch(session, tag, &found, options);
    }
    Ok(found.done())
}

async fn write_plain(session: &mut Session, word: &str, found: &Found) -> Result<(), Trouble> {
    session.out.extend_from_slice(b"* ");
    session.out.extend_from_slice(word.as_bytes());
    for seq in &found.numbers {
        session.out.push(b' ');
        write_number(&mut session.out, u64::from(found.told(*seq)));
        session.relieve().await?;
    }
    if let Some(modseq) = found.modseq(found.numbers.iter().copied()) {
        session.out.extend_from_slice(format!(" (MODSEQ {modseq})").as_bytes());
    }
    session.out.extend_from_slice(b"\r\n");
    Ok(())
}

/// `* ESEARCH` (RFC 9051 §7.3.4). MIN and MAX are the first and the last of the order (RFC 5267 §3.1).
fn write_esearch(session: &mut Session, tag: &str, found: &Found, options: ReturnOptions) {
    let out = &mut session.out;
    out.extend_from_slice(b"* ESEARCH (TAG ");
    write_string(out, tag.as_bytes(), false);
    out.extend_from_slice(if found.uid { b") UID" } else { b")" });
    let (first, last) = (found.numbers.first(), found.numbers.last());
    for (wanted, word, seq) in [(options.min, "MIN", first), (options.max, "MAX", last)] {
        if let Some(seq) = seq.filter(|_| wanted) {
            out.extend_from_slice(format!(" {word} {}", found.told(*seq)).as_bytes());
        }
    }
    if options.all && !found.numbers.is_empty() {
        out.extend_from_slice(b" ALL ");
        write_number_set(out, found.numbers.iter().map(|seq| found.told(*seq)));
    }
    if let Some(range) = options.partial {
        out.extend_from_slice(format!(" PARTIAL ({range} ").as_bytes());
        match found.page(options) {
            [] => out.extend_from_slice(b"NIL"),
            page => write_number_set(out, page.iter().map(|seq| found.told(*seq))),
        }
        out.push(b')');
    }
    if options.count {
        out.extend_from_slice(format!(" COUNT {}", found.numbers.len()).as_bytes());
    }
    // Of what the answer shows: only the ends when nothing else was asked for (RFC 7162 §3.1.10).
    let modseq = match options.all || options.count {
        true => found.modseq(found.numbers.iter().copied()),
        false => found.modseq(found.ends(options).chain(found.page(options).iter().copied())),
    };
    if let Some(modseq) = modseq {
        out.extend_from_slice(format!(" MODSEQ {modseq}").as_bytes());
    }
    out.extend_from_slice(b"\r\n");
}

/// What `$` stands for afterwards (RFC 9394 §3.2, after RFC 5182 §2.1): everything, or only what MIN, MAX and PARTIAL told.
fn saved(found: &Found, options: ReturnOptions) -> NumberSet {
    let some = options.min || options.max || options.partial.is_some();
    if options.all || options.count || !some {
        return found.uids(&found.numbers).into_iter().collect();
    }
    let told: Vec<u32> = found.ends(options).chain(found.page(options).iter().copied()).collect();
    found.uids(&told).into_iter().collect()
}
