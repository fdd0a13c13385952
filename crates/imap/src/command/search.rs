//! SEARCH and UID SEARCH (RFC 9051 §6.4.4), with ESEARCH (RFC 4731), SEARCHRES (RFC 5182) and PARTIAL (RFC 9394).

use std::sync::Arc;

use anser_store::Snapshot;
use anser_wire::imap::write::{write_number, write_number_set, write_string};
use anser_wire::imap::{NumberSet, ReturnOptions, Search, SearchKey};

use crate::reply::{Outcome, Reply, Trouble};
use crate::search::{Compiler, matching};
use crate::session::Session;

pub(super) async fn run(session: &mut Session, tag: &str, search: Search) -> Outcome {
    let save = search.return_options.is_some_and(|options| options.save);
    let outcome = find(session, tag, search).await;
    if save && !matches!(outcome, Ok(Reply { status: anser_wire::imap::write::Status::Ok, .. })) {
        session.saved = NumberSet::default();
    }
    outcome
}

async fn find(session: &mut Session, tag: &str, search: Search) -> Outcome {
    let view = session.view()?;
    let charset = if session.enabled.utf8 { Some("utf-8") } else { search.charset.as_deref() };
    let (count, last_uid) = (view.list.len() as u32, view.list.last_uid().unwrap_or(0));
    let compiler = Compiler { charset, count, last_uid, saved: &session.saved };
    compiler.check()?;
    let key = Arc::new(compiler.compile(&search.key));
    let asks_modseq = key.asks_modseq();
    session.enabled.condstore |= asks_modseq;
    let found = matching(session, &key).await?;
    let list = session.view()?.list.clone();
    let highest = found.iter().filter_map(|seq| list.by_seq(*seq)).map(|entry| entry.modseq).max();
    let modseq = highest.filter(|_| asks_modseq);
    let options = search.return_options.or(session.enabled.rev2.then(all_of_them));
    match options {
        None => write_search(session, &list, &found, search.uid, modseq).await?,
        Some(options) => {
            if options.save {
                session.saved = saved(&list, &found, options);
            }
            // SAVE alone asks for no answer (RFC 5182 §2.1).
            if options.min || options.max || options.all || options.count {
                write_esearch(session, tag, &list, &found, search.uid, modseq, options);
            }
        }
    }
    Ok(Reply::ok("Done"))
}

fn all_of_them() -> ReturnOptions {
    ReturnOptions { all: true, ..ReturnOptions::default() }
}

async fn write_search(
    session: &mut Session,
    list: &Snapshot,
    found: &[u32],
    uid: bool,
    modseq: Option<u64>,
) -> Result<(), Trouble> {
    session.out.extend_from_slice(b"* SEARCH");
    for number in numbers(list, found, uid) {
        session.out.push(b' ');
        write_number(&mut session.out, u64::from(number));
        session.relieve().await?;
    }
    if let Some(modseq) = modseq {
        session.out.extend_from_slice(format!(" (MODSEQ {modseq})").as_bytes());
    }
    session.out.extend_from_slice(b"\r\n");
    Ok(())
}

fn write_esearch(
    session: &mut Session,
    tag: &str,
    list: &Snapshot,
    found: &[u32],
    uid: bool,
    modseq: Option<u64>,
    options: ReturnOptions,
) {
    let out = &mut session.out;
    let set: NumberSet = numbers(list, found, uid).collect();
    out.extend_from_slice(b"* ESEARCH (TAG ");
    write_string(out, tag.as_bytes(), false);
    out.extend_from_slice(if uid { b") UID" } else { b")" });
    let (first, last) = (set.ranges().first(), set.ranges().last());
    for (wanted, word, number) in [(options.min, "MIN", first.map(|r| r.0)), (options.max, "MAX", last.map(|r| r.1))] {
        if let Some(number) = number.filter(|_| wanted) {
            out.extend_from_slice(format!(" {word} {number}").as_bytes());
        }
    }
    if options.all && !set.is_empty() {
        out.extend_from_slice(format!(" ALL {set}").as_bytes());
    }
    if options.count {
        out.extend_from_slice(format!(" COUNT {}", set.len()).as_bytes());
    }
    if let Some(modseq) = modseq {
        out.extend_from_slice(format!(" MODSEQ {modseq}").as_bytes());
    }
    out.extend_from_slice(b"\r\n");
}

fn numbers<'a>(list: &'a Snapshot, found: &'a [u32], uid: bool) -> impl Iterator<Item = u32> + 'a {
    found.iter().filter_map(move |seq| if uid { list.by_seq(*seq).map(|entry| entry.uid) } else { Some(*seq) })
}

/// What `$` stands for afterwards (RFC 5182 §2.1): everything, or only what MIN and MAX told.
fn saved(list: &Snapshot, found: &[u32], options: ReturnOptions) -> NumberSet {
    let uids: Vec<u32> = numbers(list, found, true).collect();
    if options.all || options.count || !(options.min || options.max) {
        return uids.into_iter().collect();
    }
    let ends = [uids.first().filter(|_| options.min), uids.last().filter(|_| options.max)];
    ends.into_iter().flatten().copied().collect()
}
