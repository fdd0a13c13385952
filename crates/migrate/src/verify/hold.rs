//! Messages of two folders held against each other: which are the same, and why the others are not.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};

use anser_base::{AccountId, BlobId, MailboxId, Result, Text};
use anser_mime::date;
use anser_store::{Action, Flags, LedgerFolder, LedgerRow, LedgerState, MailTx, Object, Store};

use super::list::Line;
use super::{FolderProof, Proof};
use crate::commit::DELIVERED;
use crate::merge::{Removals, where_is};
use crate::pass::DELETED;
use crate::words::in_chinese;

/// Messages whose reasons one look at the ledger tells.
const ROWS: usize = 1_000;
/// Rows of the same bytes that are looked through.
const TWINS: usize = 64;
/// What the ledger notes of a date that the source does not have, or that cannot be.
const DERIVED: &str = "date=derived";

/// What two folders come to, but for what is the same.
#[derive(Default)]
pub(super) struct Paired {
    /// The same bytes, and something else about them: there and here.
    pub differ: Vec<(Line, Line)>,
    /// Only there.
    pub there: Vec<Line>,
    /// Only here.
    pub here: Vec<Line>,
    /// Where the last message that is on both sides stands there.
    pub last: u32,
}

/// Pairs messages of the same bytes: those of the same UID first, then those that are the same in everything.
pub(super) fn pair(one: &mut FolderProof, there: Vec<Line>, mut here: Vec<Line>) -> Paired {
    // The first stands last: it is taken first.
    here.sort_unstable_by_key(|line| Reverse((line.uid, line.at)));
    let mut by_bytes: HashMap<[u8; 32], Vec<Line>> = HashMap::with_capacity(here.len());
    for line in here {
        // Most have no twin.
        by_bytes.entry(line.bytes).or_insert_with(|| Vec::with_capacity(1)).push(line);
    }
    let has_same_uids = one.there.uidvalidity != 0 && one.there.uidvalidity == one.shown.uidvalidity;
    let mut paired = Paired::default();
    let rounds: [&dyn Fn(&Line, &[Line]) -> Option<usize>; 3] = [
        &|line, twins| twins.binary_search_by(|twin| line.uid.cmp(&twin.uid)).ok().filter(|_| has_same_uids),
        &|line, twins| twins.iter().rposition(|twin| is_same(line, twin)),
        &|_, twins| twins.len().checked_sub(1),
    ];
    paired.there = there;
    for find in rounds {
        for line in std::mem::take(&mut paired.there) {
            let twins = by_bytes.get_mut(&line.bytes);
            let Some(twin) = twins.and_then(|twins| find(&line, twins).map(|at| twins.remove(at))) else {
                paired.there.push(line);
                continue;
            };
            one.uids_kept &= twin.uid == line.uid;
            paired.last = paired.last.max(line.at);
            if is_same(&line, &twin) {
                let class = if line.is_bare { "equal-eol" } else { "equal" };
                *one.classes.entry(class.to_owned()).or_default() += 1;
            } else {
                paired.differ.push((line, twin));
            }
        }
    }
    paired.here = by_bytes.into_values().flatten().collect();
    paired
}

fn is_same(there: &Line, here: &Line) -> bool {
    (there.date.is_none() || here.date == there.date) && (here.flags, &here.keywords) == (there.flags, &there.keywords)
}

/// What two folders are held against.
#[derive(Clone)]
pub(super) struct Base {
    /// What the ledger knows of the folder.
    pub ledger: LedgerFolder,
    /// The modification sequence up to which the list here is whole.
    pub listed: u64,
    /// Whether messages that are marked as deleted stay there.
    pub skips_deleted: bool,
}

/// What differs, and what is left, needs a reason.
pub(super) async fn explain(
    proof: &mut Proof,
    one: &mut FolderProof,
    paired: Paired,
    store: &Store,
    account: AccountId,
    base: Base,
) -> Result<()> {
    let mut last = paired.last;
    // Without UIDs what is new stands behind all that is known.
    for some in paired.there.chunks(ROWS).filter(|some| some.iter().any(|line| line.uid == 0)) {
        let (work, of) = (some.to_vec(), base.ledger.clone());
        let find = move |tx: &mut MailTx<'_, '_>| {
            let mut known = 0;
            for line in &work {
                known = known.max(if own_row(tx, &of, line)?.is_some() { line.at } else { 0 });
            }
            Ok(known)
        };
        last = last.max(store.read(account, find).await?);
    }
    for some in paired.differ.chunks(ROWS) {
        let (work, of) = (some.to_vec(), base.clone());
        let find = move |tx: &mut MailTx<'_, '_>| {
            work.iter().map(|(there, here)| difference(tx, (&of, last), there, here)).collect::<Result<Vec<_>>>()
        };
        for ((line, _), (class, why)) in some.iter().zip(store.read(account, find).await?) {
            proof.note(one, line, class, &why);
        }
    }
    for some in paired.there.chunks(ROWS) {
        let (work, of) = (some.to_vec(), base.clone());
        let find = move |tx: &mut MailTx<'_, '_>| {
            let mut removals = Removals::default();
            work.iter().map(|line| absence(tx, &mut removals, (&of, last), line)).collect::<Result<Vec<_>>>()
        };
        for (line, (class, why)) in some.iter().zip(store.read(account, find).await?) {
            proof.note(one, line, class, &why);
        }
    }
    one.extra = paired.here.len() as u64;
    Ok(())
}

/// Why a message that is on both sides is not the same on both: by three, with the ledger as the base.
fn difference(
    tx: &mut MailTx<'_, '_>,
    (base, last): (&Base, u32),
    there: &Line,
    here: &Line,
) -> Result<(&'static str, Text)> {
    let ledger = &base.ledger;
    let row = match row_of(tx, ledger, last, there)? {
        None => return Ok(unknown(ledger, last, there)),
        Some(row) => match kept_back(row, there, base.skips_deleted) {
            Ok(row) => row,
            Err(reason) => return Ok(reason),
        },
    };
    let mut said = Vec::new();
    let (changed_there, changed_here) = marks(&row, there, here);
    if !changed_there.is_empty() {
        let names = changed_there.join(" ");
        said.push(Text::new(format!("changed at the source since: {names}"), format!("旧服务器上已变更：{names}")));
    }
    let is_adopted = row.state == LedgerState::Adopted;
    // What was here before has what it had.
    let changed_here: Vec<String> =
        changed_here.into_iter().filter(|(_, is_more)| !(is_adopted && *is_more)).map(|(name, _)| name).collect();
    if !changed_here.is_empty() {
        let names = changed_here.join(" ");
        if !was_touched(tx, ledger.mailbox, here.uid)? {
            let words = Text::new(
                format!("is other here, though nobody changed it: {names}"),
                format!("无人改动，本机却不同：{names}"),
            );
            return Ok(("unexplained", words));
        }
        said.push(Text::new(format!("changed here: {names}"), format!("本机已变更：{names}")));
    }
    if there.date.is_some() && there.date != here.date {
        let base = date::parse_internal_date(row.received.trim().as_bytes()).map(|date| date.unix);
        let is_derived = row.note.as_deref().is_some_and(|note| note.split(' ').any(|word| word == DERIVED));
        said.push(match () {
            () if is_adopted => Text::new("the date that it had here before", "保留本机原有日期"),
            () if is_derived => {
                Text::new("the date there cannot be: it is taken from the message", "旧日期不合理，取自邮件本身")
            }
            () if base != there.date => Text::new("its date changed at the source since", "旧服务器上的日期已变更"),
            () => return Ok(("unexplained", Text::new("its date is other here", "本机日期不同"))),
        });
    }
    if said.is_empty() {
        said.push(Text::new("it was here before, with flags of its own", "本机原有邮件，保留其原有标记"));
    }
    let join = |word: fn(&Text) -> &str, between: &str| said.iter().map(word).collect::<Vec<_>>().join(between);
    Ok(("changed", Text::new(join(|text| &text.en, "; "), join(|text| &text.zh, "；"))))
}

/// Flags and keywords that differ, by their names: those that changed at the source since the ledger saw them, and those that are other
/// here, each with whether it is here and not there. A flag is there or not: what is as in the ledger there is not so here.
fn marks(row: &LedgerRow, there: &Line, here: &Line) -> (Vec<String>, Vec<(String, bool)>) {
    let base: BTreeSet<String> = row.keywords.iter().map(str::to_lowercase).collect();
    let keywords: BTreeSet<&String> = there.keywords.iter().chain(&here.keywords).collect();
    let flags = Flags::NAMES.iter().map(|(name, flag)| {
        let has = |flags: Flags| flags.has(*flag);
        ((*name).to_owned(), has(row.flags), has(there.flags), has(here.flags))
    });
    let words = keywords
        .into_iter()
        .map(|word| (word.clone(), base.contains(word), there.keywords.contains(word), here.keywords.contains(word)));
    let (mut changed_there, mut changed_here) = (Vec::new(), Vec::new());
    for (name, before, there, here) in flags.chain(words).filter(|(_, _, there, here)| there != here) {
        match there == before {
            true => changed_here.push((name, here)),
            false => changed_there.push(name),
        }
    }
    (changed_there, changed_here)
}

/// Whether the log of the account says that a message changed after it came. What is gone meanwhile was touched.
fn was_touched(tx: &mut MailTx<'_, '_>, mailbox: MailboxId, uid: u32) -> Result<bool> {
    let Some(entry) = tx.entry(mailbox, uid)? else { return Ok(true) };
    Ok(tx.logged_at(entry.modseq, Object::Message(entry.message))? == Some(Action::Updated))
}

/// Why a message of the source is not in its folder here.
fn absence(
    tx: &mut MailTx<'_, '_>,
    removals: &mut Removals,
    (base, last): (&Base, u32),
    line: &Line,
) -> Result<(&'static str, Text)> {
    let ledger = &base.ledger;
    let row = match row_of(tx, ledger, last, line)? {
        None => return Ok(unknown(ledger, last, line)),
        Some(row) => match kept_back(row, line, base.skips_deleted) {
            Ok(row) => row,
            Err(reason) => return Ok(reason),
        },
    };
    if !line.is_read {
        let words = Text::new("the old server does not hand it out now", "旧服务器目前不提供该邮件");
        return Ok(("failed", words));
    }
    let place = where_is(tx, &row)?;
    let was_removed = place.is_none() && removals.include(tx, row.mailbox, row.uid)?;
    let came_here = match place {
        Some((mailbox, uid)) => tx.entry(mailbox, uid)?.is_some_and(|entry| entry.modseq > base.listed),
        None => false,
    };
    let unexplained = |en: &'static str, zh: &'static str| ("unexplained", Text::new(en, zh));
    Ok(match place {
        _ if row.content != Some(BlobId(line.bytes)) => unexplained("other bytes were brought", "迁入的内容不同"),
        Some((mailbox, _)) if mailbox != ledger.mailbox => {
            ("elsewhere", Text::new("its owner moved it here", "用户已在本机移动"))
        }
        Some(_) if came_here => ("new", Text::new("it came here while this was compared", "核对期间迁入")),
        None if was_removed => ("removed", Text::new("its owner removed it here", "用户已在本机删除")),
        None => unexplained("it was brought, and is gone though nobody removed it", "已迁入，但无人删除却不存在"),
        Some(_) if row.state == LedgerState::Adopted && row.note.as_deref() == Some(DELIVERED) => {
            let words =
                Text::new("it came to both servers, and is here as it was delivered", "两边都收到，本机保留收到的那封");
            ("changed", words)
        }
        Some(_) if row.state == LedgerState::Adopted => {
            ("changed", Text::new("it was here before, with other bytes", "本机原有该邮件，字节内容不同"))
        }
        Some(_) => unexplained("it was brought, and is not shown", "已迁入，但未列出"),
    })
}

/// A row of a message that was brought; else why it was not, by the rule as it is now.
fn kept_back(row: LedgerRow, line: &Line, skips_deleted: bool) -> Result<LedgerRow, (&'static str, Text)> {
    let is_marked = row.note.as_deref() == Some(DELETED);
    let (class, zh) = match row.state {
        LedgerState::Excluded if is_marked && !line.flags.has(Flags::DELETED) => {
            let words =
                Text::new("it is no longer marked as deleted since the last pass", "上次迁移之后已取消删除标记");
            return Err(("new", words));
        }
        LedgerState::Excluded if is_marked && !skips_deleted => {
            return Err((
                "new",
                Text::new("it is no longer left out: the next pass brings it", "规则已取消，下次迁移会带来"),
            ));
        }
        LedgerState::Failed => ("failed", "旧服务器未提供"),
        LedgerState::Excluded => ("excluded", "按规则不迁移"),
        _ => return Ok(row),
    };
    let why = row.note.unwrap_or_default();
    Err((class, Text::new(why.clone(), format!("{zh}：{}", in_chinese(&why)))))
}

/// The row of a message. Of one behind the `last` that is known a row of its key may tell of another message.
fn row_of(tx: &mut MailTx<'_, '_>, ledger: &LedgerFolder, last: u32, line: &Line) -> Result<Option<LedgerRow>> {
    match own_row(tx, ledger, line)? {
        None if line.uid == 0 && line.at <= last => tx.ledger_row(ledger.key, &line.key),
        found => Ok(found),
    }
}

/// The row of a message of this UID; without UIDs, that of its key which has its bytes or none, else any of its mailbox here that has its
/// bytes: keys that tell the place of a message are those of others once one before it has left.
fn own_row(tx: &mut MailTx<'_, '_>, ledger: &LedgerFolder, line: &Line) -> Result<Option<LedgerRow>> {
    let of_key = tx.ledger_row(ledger.key, &line.key)?;
    let content = BlobId(line.bytes);
    let is_other = |row: &LedgerRow| row.content.is_some_and(|known| known != content);
    if line.uid != 0 || !line.is_read || of_key.as_ref().is_some_and(|row| !is_other(row)) {
        return Ok(of_key);
    }
    let twins = tx.ledger_rows_of(ledger.key.source, content, TWINS)?;
    Ok(twins.into_iter().map(|(_, row)| row).find(|row| row.mailbox == ledger.mailbox))
}

/// What the ledger has no row of came after the last pass, or was missed by it.
fn unknown(ledger: &LedgerFolder, last: u32, line: &Line) -> (&'static str, Text) {
    let came_later = match line.uid {
        0 => line.at > last,
        uid => uid >= ledger.uidnext,
    };
    match came_later {
        true => ("new", Text::new("it came after the last pass", "上次迁移之后新到")),
        false => ("unexplained", Text::new("the ledger does not know it", "迁移记录中没有")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_marked_as_deleted_is_left_out_by_the_rule_of_now() {
        let mut row = LedgerRow::new(vec![1], LedgerState::Excluded);
        row.note = Some(DELETED.to_owned());
        let (key, bytes, keywords) = (vec![1], [0; 32], Vec::new());
        let line = Line {
            key,
            at: 1,
            uid: 1,
            bytes,
            is_read: true,
            is_bare: false,
            size: 1,
            date: None,
            flags: Flags::DELETED,
            keywords,
        };
        for (flags, skips, class) in
            [(Flags::DELETED, true, "excluded"), (Flags::DELETED, false, "new"), (Flags(0), true, "new")]
        {
            let line = Line { flags, ..line.clone() };
            assert_eq!(kept_back(row.clone(), &line, skips).unwrap_err().0, class);
        }
    }
}
