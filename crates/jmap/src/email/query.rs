//! Email/query and Email/queryChanges (RFC 8621 §4.4, §4.5).

use std::collections::BTreeSet;

use anser_base::{MessageId, ThreadId};
use anser_store::{Action, Logged, MailTx, Object};

use super::find::{self, Wish};
use crate::ids;
use crate::law::changes::cannot;
use crate::law::guest;
use crate::law::query::{Query, QueryChanges};
use crate::law::state;
use crate::method::{Call, Outcome};

/// Lines of the log that a result is brought forward by; beyond it the client asks anew.
const LINES: usize = 10_000;

/// RFC 8621 §4.4.
pub(crate) async fn query(call: &mut Call) -> Outcome {
    let mut query = Query::read(call)?;
    let collapse = call.args.bool("collapseThreads")?;
    call.args.done()?;
    let wish = Wish::read(query.access.scope(), query.filter.take(), query.sort.clone(), collapse)?;
    let found = find::find(&call.door, &query.access, &wish, query.reach()).await?;
    let scope = query.access.scope();
    let window = query.window(found.list.len(), |anchor| {
        let anchor = ids::parse_email(scope, anchor)?;
        found.list.iter().position(|(_, id)| *id == anchor)
    })?;
    let shown = found.list[window.clone()].iter().map(|(_, id)| ids::email_id(scope, *id)).collect();
    let mut answer = query.answer(&found.state, window, shown, found.list.len())?;
    answer["collapseThreads"] = collapse.into();
    Ok(answer)
}

/// RFC 8621 §4.5. Whatever changed may have moved; where conversations are collapsed or asked for, so may the others of its
/// conversation.
pub(crate) async fn query_changes(call: &mut Call) -> Outcome {
    let mut asked = QueryChanges::read(call)?;
    let collapse = call.args.bool("collapseThreads")?;
    call.args.done()?;
    let wish = Wish::read(asked.access.scope(), asked.filter.take(), asked.sort.clone(), collapse)?;
    let by_thread = wish.is_by_thread();
    let threads = if by_thread { call.door.threads_of(asked.access.owner.id).await? } else { Default::default() };
    let (since, access) = (asked.since.clone(), asked.access.clone());
    let read = call.door.deps.store.read(asked.access.owner.id, move |tx| {
        let lines = state::since(tx, &since, Logged::MessagesAndThreads, LINES + 1)?;
        let Some(lines) = lines.filter(|lines| lines.len() <= LINES) else { return Ok(None) };
        let (mut touched, mut created, mut near) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for line in lines {
            match line.object {
                Object::Message(id) => {
                    if line.action == Action::Created {
                        created.insert(id);
                    }
                    touched.insert(id);
                    near.extend(threads.of(id));
                }
                Object::Thread(id) => {
                    near.insert(id);
                }
                Object::Mailbox(_) | Object::Counts(_) | Object::Record(..) => {}
            }
        }
        if by_thread {
            touched.extend(members(tx, &near)?);
        }
        let mut gone: Vec<MessageId> = touched.difference(&created).copied().collect();
        if !access.is_own() {
            let allowed = access.allowed(tx)?;
            if guest::may_have_lost(tx, &allowed, &since)? {
                return Ok(None);
            }
            let all: Vec<u64> = gone.iter().map(|id| id.0).collect();
            gone = guest::placed(tx, &allowed, &all)?.into_iter().map(MessageId).collect();
        }
        Ok(Some((gone, created.into_iter().collect::<Vec<_>>())))
    });
    let (gone, fresh) = read.await?.ok_or_else(cannot)?;
    let found = find::find(&call.door, &asked.access, &wish, usize::MAX).await?;
    let scope = asked.access.scope();
    let now = found.list.iter().map(|(_, id)| *id);
    asked.answer(&found.state, now, &gone, &fresh, |id| ids::email_id(scope, id))
}

fn members(tx: &mut MailTx<'_, '_>, threads: &BTreeSet<ThreadId>) -> anser_base::Result<Vec<MessageId>> {
    let mut all = Vec::new();
    for thread in threads {
        all.extend(tx.thread(*thread)?);
    }
    Ok(all)
}
