//! Identity (RFC 8621 §6): as whom mail is written. Whose address one may write as is the directory's business; here are the names and
//! signatures that belong to it.

use anser_base::{Address, Durability, Result};
use anser_directory::Account;
use anser_store::{Logged, MailTx, RecordKind, Store};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::access::Access;
use crate::error::{MethodError, SetError};
use crate::ids;
use crate::law::changes::Changes;
use crate::law::get::Get;
use crate::law::set::Set;
use crate::law::state;
use crate::method::{Call, Outcome};

pub(crate) const PROPERTIES: [&str; 8] =
    ["id", "name", "email", "replyTo", "bcc", "textSignature", "htmlSignature", "mayDelete"];
/// Longest signature, in bytes.
const SIGNATURE: usize = 64 * 1024;
/// Longest name, in bytes.
const NAME: usize = 1_000;
/// Addresses of `replyTo` and `bcc` at most.
const ADDRESSES: usize = 100;

/// An identity as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Identity {
    pub name: String,
    pub email: String,
    reply_to: Value,
    bcc: Value,
    text_signature: String,
    html_signature: String,
    /// The account's own, which stays.
    #[serde(default)]
    own: bool,
}

impl Identity {
    fn of_account(owner: &Account) -> Self {
        Self { name: owner.name.clone(), own: true, ..Self::new(owner.address.to_string()) }
    }

    fn new(email: String) -> Self {
        let (name, text_signature, html_signature) = Default::default();
        Self { name, email, reply_to: Value::Null, bcc: Value::Null, text_signature, html_signature, own: false }
    }

    fn object(&self, id: u64) -> Map<String, Value> {
        let Value::Object(mut object) = json!(self) else { return Map::new() };
        object.remove("own");
        object.insert("id".into(), ids::identity_id(id).into());
        object.insert("mayDelete".into(), (!self.own).into());
        object
    }

    /// Takes over what a client says; `email` is set once.
    fn change(&mut self, object: &Map<String, Value>, is_new: bool) -> std::result::Result<(), SetError> {
        for (name, value) in object {
            let wrong = || SetError::property(name, "this value cannot be taken");
            let text =
                |most: usize| value.as_str().filter(|text| text.len() <= most).map(str::to_owned).ok_or_else(wrong);
            match name.as_str() {
                "email" if is_new => {}
                "name" => self.name = text(NAME)?,
                "textSignature" => self.text_signature = text(SIGNATURE)?,
                "htmlSignature" => self.html_signature = text(SIGNATURE)?,
                "replyTo" if is_addresses(value) => self.reply_to = value.clone(),
                "bcc" if is_addresses(value) => self.bcc = value.clone(),
                _ => return Err(wrong()),
            }
        }
        Ok(())
    }
}

fn is_addresses(value: &Value) -> bool {
    let is_address = |one: &Value| {
        let email = one.get("email").and_then(Value::as_str).and_then(Address::parse);
        email.is_some() && one.get("name").is_none_or(|name| name.is_null() || name.is_string())
    };
    value.is_null() || value.as_array().is_some_and(|all| all.len() <= ADDRESSES && all.iter().all(is_address))
}

/// The account of a method that has to be the user's own.
pub(crate) fn own(access: &Access) -> std::result::Result<(), MethodError> {
    match access.is_own() {
        true => Ok(()),
        false => Err(MethodError::new("accountNotSupportedByMethod", "")),
    }
}

/// All identities of the account; who has none yet is given his own.
async fn all(call: &Call, access: &Access) -> Result<(String, Vec<(u64, Identity)>)> {
    let (state, known) = call.door.deps.store.read(access.owner.id, read).await?;
    if !known.is_empty() {
        return Ok((state, known));
    }
    let first = serde_json::to_vec(&Identity::of_account(&access.owner)).unwrap_or_default();
    let add = move |tx: &mut MailTx<'_, '_>| {
        give_own(tx, &first)?;
        read(tx)
    };
    call.door.deps.store.write(access.owner.id, Durability::Sync, add).await
}

fn give_own(tx: &mut MailTx<'_, '_>, first: &[u8]) -> Result<()> {
    match tx.records(RecordKind::Identity)?.is_empty() {
        true => tx.add_record(RecordKind::Identity, first).map(drop),
        false => Ok(()),
    }
}

/// Whether an account has an identity with this address.
pub async fn has_identity(store: &Store, owner: &Account, email: &Address) -> Result<bool> {
    let (_, known) = store.read(owner.id, read).await?;
    let is_own = known.is_empty() && owner.address.key() == email.key();
    Ok(is_own || is_among(&known, email))
}

/// Gives an account an identity with one more address that it may write as, named as the account is; `false` when it has one.
/// `Class::Limit` when it has as many as may be.
pub async fn add_identity(store: &Store, owner: &Account, email: &Address) -> Result<bool> {
    let first = serde_json::to_vec(&Identity::of_account(owner)).unwrap_or_default();
    let (another, email) = (another(owner, email), email.clone());
    let add = move |tx: &mut MailTx<'_, '_>| {
        give_own(tx, &first)?;
        if is_among(&read(tx)?.1, &email) {
            return Ok(false);
        }
        tx.add_record(RecordKind::Identity, &another).map(|_| true)
    };
    store.write(owner.id, Durability::Sync, add).await
}

/// Takes an identity back that [`add_identity`] gave, where it is still as it was given: what its owner changed stays. With `dry_run` it is
/// only looked at. How it stands.
pub async fn take_identity(store: &Store, owner: &Account, email: &Address, dry_run: bool) -> Result<Taken> {
    let (given, email) = (another(owner, email), email.clone());
    let take = move |tx: &mut MailTx<'_, '_>| {
        let (mut taken, mut others) = (Taken::None, false);
        for (id, bytes) in tx.records(RecordKind::Identity)? {
            let Ok(identity) = serde_json::from_slice::<Identity>(&bytes) else { continue };
            if !is_among(&[(id, identity)], &email) {
                continue;
            }
            if bytes != given {
                others = true;
                continue;
            }
            taken = Taken::AsGiven;
            if !dry_run {
                tx.remove_record(RecordKind::Identity, id)?;
            }
        }
        Ok(if others { Taken::Changed } else { taken })
    };
    match dry_run {
        true => store.read(owner.id, take).await,
        false => store.write(owner.id, Durability::Sync, take).await,
    }
}

/// How an identity stands that was given to an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It is not there.
    None,
    /// It was as it was given.
    AsGiven,
    /// One with this address is its owner's own: they changed it, or made it.
    Changed,
}

/// An identity with one more address, as it is kept.
fn another(owner: &Account, email: &Address) -> Vec<u8> {
    let another = Identity { name: owner.name.clone(), ..Identity::new(email.to_string()) };
    serde_json::to_vec(&another).unwrap_or_default()
}

fn is_among(known: &[(u64, Identity)], email: &Address) -> bool {
    let is_it = |one: &Identity| Address::parse(&one.email).is_some_and(|address| address.key() == email.key());
    known.iter().any(|(_, identity)| is_it(identity))
}

fn read(tx: &mut MailTx<'_, '_>) -> Result<(String, Vec<(u64, Identity)>)> {
    let all = tx.records(RecordKind::Identity)?;
    let known = all.into_iter().filter_map(|(id, bytes)| Some((id, serde_json::from_slice(&bytes).ok()?)));
    Ok((state::now(tx), known.collect()))
}

/// One identity, by its id on the wire.
pub(crate) fn find(tx: &mut MailTx<'_, '_>, id: &str) -> Result<Option<Identity>> {
    let Some(number) = ids::parse_identity(id) else { return Ok(None) };
    let bytes = tx.record_of(RecordKind::Identity, number)?;
    Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
}

/// RFC 8621 §6.1.
pub(crate) async fn get(call: &mut Call) -> Outcome {
    let get = Get::read(call, |name| PROPERTIES.contains(&name))?;
    call.args.done()?;
    own(&get.access)?;
    let (state, all) = all(call, &get.access).await?;
    get.answer(get.among(state, all.iter().map(|(id, identity)| (ids::identity_id(*id), identity.object(*id)))))
}

/// RFC 8621 §6.2.
pub(crate) async fn changes(call: &mut Call) -> Outcome {
    let asked = Changes::read(call)?;
    own(&asked.access)?;
    asked.of_records(call, RecordKind::Identity, ids::identity_id).await
}

/// RFC 8621 §6.3.
pub(crate) async fn set(call: &mut Call) -> Outcome {
    let set = Set::read(call)?;
    call.args.done()?;
    own(&set.access)?;
    all(call, &set.access).await?;
    let mut new = Vec::with_capacity(set.create.len());
    for (creation, object) in &set.create {
        new.push((creation.clone(), fresh(call, &set.access, object).await?));
    }
    set.run(call, Logged::Records(RecordKind::Identity), move |tx, set, _, done| {
        for (creation, identity) in &new {
            let made = match identity {
                Ok(identity) => {
                    match tx.add_record(RecordKind::Identity, &serde_json::to_vec(identity).unwrap_or_default()) {
                        Ok(id) => Ok(identity.object(id)),
                        Err(error) => Err(SetError::of(error)?),
                    }
                }
                Err(error) => Err(error.clone()),
            };
            done.create(creation, made);
        }
        for (id, patch) in &set.update {
            let result = update(tx, id, patch)?;
            done.update(id, result.map(|()| Value::Null));
        }
        for id in &set.destroy {
            let result = match (ids::parse_identity(id), find(tx, id)?) {
                (Some(_), Some(identity)) if identity.own => Err(SetError::forbidden("")),
                (Some(number), Some(_)) => {
                    tx.remove_record(RecordKind::Identity, number)?;
                    Ok(())
                }
                _ => Err(SetError::not_found()),
            };
            done.destroy(id, result);
        }
        Ok(())
    })
    .await
}

async fn fresh(
    call: &Call,
    access: &Access,
    object: &Map<String, Value>,
) -> Result<std::result::Result<Identity, SetError>> {
    let email = object.get("email").and_then(Value::as_str).and_then(|email| Some((email, Address::parse(email)?)));
    let Some((email, address)) = email else { return Ok(Err(SetError::property("email", "an address is expected"))) };
    if !call.door.deps.directory.may_send_as(access.owner.id, &address).await? {
        return Ok(Err(SetError::new("forbiddenFrom", "")));
    }
    let mut identity = Identity::new(email.to_owned());
    Ok(identity.change(object, true).map(|()| identity))
}

fn update(tx: &mut MailTx<'_, '_>, id: &str, patch: &Map<String, Value>) -> Result<std::result::Result<(), SetError>> {
    let (Some(number), Some(mut identity)) = (ids::parse_identity(id), find(tx, id)?) else {
        return Ok(Err(SetError::not_found()));
    };
    if let Err(error) = identity.change(patch, false) {
        return Ok(Err(error));
    }
    tx.put_record(RecordKind::Identity, number, &serde_json::to_vec(&identity).unwrap_or_default())?;
    Ok(Ok(()))
}
