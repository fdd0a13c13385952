//! AddressBook (RFC 9610 §2). An account has one at least, which is the default.

use anser_base::{Durability, Result};
use anser_directory::model::Locale;
use anser_store::{MailTx, RecordKind};
use serde_json::{Map, Value, json};

use super::CARD;
use crate::access::Access;
use crate::error::SetError;
use crate::identity::own;
use crate::law::record::Kept;
use crate::law::set::{Refused, Set};
use crate::method::{Call, Outcome};

/// Books of one account.
const BOOKS: usize = 100;
/// Bytes of a name (RFC 9610 §2), and of a description.
const NAME: usize = 255;
const DESCRIPTION: usize = 10_000;

/// The type.
pub(crate) static BOOK: Kept = Kept {
    kind: RecordKind::AddressBook,
    letter: 'K',
    is_property: |name| {
        ["id", "name", "description", "sortOrder", "isDefault", "isSubscribed", "shareWith", "myRights"].contains(&name)
    },
    refers_by: None,
    unique: None,
    check,
};

fn check(tx: &mut MailTx<'_, '_>, number: Option<u64>, object: &mut Map<String, Value>) -> Result<Refused<()>> {
    let wrong = |name: &str| Ok(Err(SetError::property(name, "this value cannot be taken")));
    let before = match number {
        Some(number) => BOOK.one(tx, number)?,
        None => None,
    };
    let is_text =
        |value: Option<&Value>, most: usize| value.and_then(Value::as_str).is_some_and(|text| text.len() <= most);
    if !is_text(object.get("name"), NAME) || object.get("name").is_some_and(|name| name == "") {
        return wrong("name");
    }
    if !object.entry("description").or_insert(Value::Null).is_null() && !is_text(object.get("description"), DESCRIPTION)
    {
        return wrong("description");
    }
    if object.entry("sortOrder").or_insert(0.into()).as_u64().is_none_or(|order| order >= 1 << 31) {
        return wrong("sortOrder");
    }
    if !object.entry("isSubscribed").or_insert(true.into()).is_boolean() {
        return wrong("isSubscribed");
    }
    // What the server says stays as it is; it may be said again.
    let default = before.as_ref().and_then(|book| book.get("isDefault").cloned()).unwrap_or(false.into());
    for (name, fixed) in [("isDefault", default), ("shareWith", Value::Null), ("myRights", rights())] {
        if *object.entry(name).or_insert(fixed.clone()) != fixed {
            return wrong(name);
        }
    }
    if number.is_none() && tx.count_records(RecordKind::AddressBook)? >= BOOKS {
        return Ok(Err(SetError::new("overQuota", "there are too many address books")));
    }
    Ok(Ok(()))
}

fn rights() -> Value {
    json!({ "mayRead": true, "mayWrite": true, "mayShare": false, "mayDelete": true })
}

/// Makes the first book of an account that has none yet; as there.
pub(super) async fn furnish(call: &Call, access: &Access) -> Result<()> {
    let store = &call.door.deps.store;
    if !store.read(access.owner.id, |tx| BOOK.all(tx)).await?.is_empty() {
        return Ok(());
    }
    let name = if access.owner.locale == Locale::Zh { "联系人" } else { "Contacts" };
    let write = store.write(access.owner.id, Durability::Sync, move |tx| {
        if BOOK.all(tx)?.is_empty() {
            let book = json!({ "name": name, "description": null, "sortOrder": 0, "isDefault": true, "isSubscribed": true,
                "shareWith": null, "myRights": rights() });
            tx.add_record(RecordKind::AddressBook, book.to_string().as_bytes())?;
        }
        Ok(())
    });
    write.await
}

/// RFC 9610 §2.1.
pub(crate) async fn get(call: &mut Call) -> Outcome {
    let access = call.peek()?;
    own(&access)?;
    furnish(call, &access).await?;
    BOOK.get(call).await
}

/// RFC 9610 §2.3.
pub(crate) async fn set(call: &mut Call) -> Outcome {
    let mut set = Set::read(call)?;
    let removes = call.args.bool("onDestroyRemoveContents")?;
    let default = call.args.string("onSuccessSetIsDefault")?;
    call.args.done()?;
    own(&set.access)?;
    furnish(call, &set.access).await?;
    let (access, destroy) = (set.access.clone(), std::mem::take(&mut set.destroy));
    let mut answer = BOOK.run(call, set).await?;
    let refused = remove(call, &access, destroy.clone(), removes).await?;
    let (gone, left): (Vec<_>, Vec<_>) = destroy.into_iter().zip(refused).partition(|(_, refused)| refused.is_none());
    if !gone.is_empty() {
        answer["destroyed"] = gone.into_iter().map(|(id, _)| Value::String(id)).collect();
    }
    if !left.is_empty() {
        let told = left.into_iter().filter_map(|(id, error)| Some((id, error?.into_value())));
        answer["notDestroyed"] = Value::Object(told.collect());
    }
    if let Some(id) = default.and_then(|id| call.resolve(&id)) {
        choose(call, &access, id, &mut answer).await?;
    }
    let now = call.door.deps.store.read(access.owner.id, |tx| Ok(crate::law::state::now(tx))).await?;
    answer["newState"] = now.into();
    Ok(answer)
}

/// Removes books; why each was not, where it was not.
async fn remove(call: &Call, access: &Access, ids: Vec<String>, removes: bool) -> Result<Vec<Option<SetError>>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let write =
        call.door.deps.store.write(access.owner.id, Durability::Sync, move |tx| {
            ids.iter().map(|id| remove_one(tx, id, removes)).collect()
        });
    write.await
}

fn remove_one(tx: &mut MailTx<'_, '_>, id: &str, removes: bool) -> Result<Option<SetError>> {
    let Some(number) = BOOK.parse(id) else { return Ok(Some(SetError::not_found())) };
    let Some(book) = BOOK.one(tx, number)? else { return Ok(Some(SetError::not_found())) };
    if book.get("isDefault").is_some_and(|is| *is == true) {
        return Ok(Some(SetError::forbidden("the default stays")));
    }
    let within = |card: &Map<String, Value>| card.get("addressBookIds").and_then(|ids| ids.get(id)).is_some();
    let cards: Vec<_> = CARD.all(tx)?.into_iter().filter(|(_, card)| within(card)).collect();
    if !cards.is_empty() && !removes {
        return Ok(Some(SetError::new("addressBookHasContents", "")));
    }
    for (number, mut card) in cards {
        let books = card.get_mut("addressBookIds").and_then(Value::as_object_mut);
        let is_last = books.is_none_or(|books| {
            books.remove(id);
            books.is_empty()
        });
        match is_last {
            true => drop(tx.remove_record(RecordKind::ContactCard, number)?),
            false => tx.put_record(RecordKind::ContactCard, number, Value::Object(card).to_string().as_bytes())?,
        }
    }
    tx.remove_record(RecordKind::AddressBook, number)?;
    Ok(None)
}

/// `onSuccessSetIsDefault`: tells what changed in the answer.
async fn choose(call: &Call, access: &Access, id: String, answer: &mut Value) -> Result<()> {
    let write = call.door.deps.store.write(access.owner.id, Durability::Sync, move |tx| {
        let Some(chosen) = BOOK.parse(&id) else { return Ok(Vec::new()) };
        if BOOK.one(tx, chosen)?.is_none() {
            return Ok(Vec::new());
        }
        let mut changed = Vec::new();
        for (number, mut book) in BOOK.all(tx)? {
            let is = number == chosen;
            if book.insert("isDefault".into(), is.into()) != Some(is.into()) {
                tx.put_record(RecordKind::AddressBook, number, Value::Object(book).to_string().as_bytes())?;
                changed.push((BOOK.id(number), is));
            }
        }
        Ok(changed)
    });
    for (id, is) in write.await? {
        if !answer["updated"].is_object() {
            answer["updated"] = json!({});
        }
        if !answer["updated"][&id].is_object() {
            answer["updated"][&id] = json!({});
        }
        answer["updated"][&id]["isDefault"] = is.into();
    }
    Ok(())
}
