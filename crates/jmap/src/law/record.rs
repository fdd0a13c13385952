//! Types whose objects are records of their owner's: JSON that is kept as it was given, changed by patches, told of by the change log.

use anser_base::Result;
use anser_store::{Logged, MailTx, RecordKind};
use serde_json::{Map, Value};

use crate::access::Access;
use crate::error::{MethodError, SetError};
use crate::identity::own;
use crate::ids::number;
use crate::law::changes::Changes;
use crate::law::get::{Get, Got};
use crate::law::patch;
use crate::law::set::{Refused, Set};
use crate::law::state;
use crate::method::{Call, Outcome};

/// A type of that kind.
pub(crate) struct Kept {
    pub kind: RecordKind,
    /// What its ids begin with.
    pub letter: char,
    pub is_property: fn(&str) -> bool,
    /// The property that is a set of ids of other objects, which may be named by their creation ids.
    pub refers_by: Option<&'static str>,
    /// The property, a text, that no two objects have alike.
    pub unique: Option<&'static str>,
    /// Makes an object whole that a client gave, new or changed, in the transaction that writes it; or says why it cannot be.
    pub check: Check,
}

/// See [`Kept::check`]: the number is that of an object that was there.
pub(crate) type Check = fn(&mut MailTx<'_, '_>, Option<u64>, &mut Map<String, Value>) -> Result<Refused<()>>;

/// An object, and its number.
pub(crate) type Numbered = (u64, Map<String, Value>);

impl Kept {
    pub fn id(&self, number: u64) -> String {
        format!("{}{number}", self.letter)
    }

    /// The inverse of [`Self::id`].
    pub fn parse(&self, id: &str) -> Option<u64> {
        number(id.strip_prefix(self.letter)?)
    }

    /// An object as it is told.
    pub fn told(&self, (number, mut object): Numbered) -> (String, Map<String, Value>) {
        let id = self.id(number);
        object.insert("id".into(), id.clone().into());
        (id, object)
    }

    /// All objects, in the order in which they were made.
    pub fn all(&self, tx: &mut MailTx<'_, '_>) -> Result<Vec<Numbered>> {
        let all = tx.records(self.kind)?;
        Ok(all.into_iter().filter_map(|(number, bytes)| Some((number, read(&bytes)?))).collect())
    }

    /// One object.
    pub fn one(&self, tx: &mut MailTx<'_, '_>, number: u64) -> Result<Option<Map<String, Value>>> {
        Ok(tx.record_of(self.kind, number)?.and_then(|bytes| read(&bytes)))
    }

    /// All objects of an account and the state that they are in.
    pub async fn listed(&'static self, call: &Call, access: &Access) -> Result<(String, Vec<Numbered>)> {
        call.door.deps.store.read(access.owner.id, move |tx| Ok((state::now(tx), self.all(tx)?))).await
    }

    /// `/get`.
    pub async fn get(&'static self, call: &mut Call) -> Outcome {
        let get = Get::read(call, self.is_property)?;
        call.args.done()?;
        own(&get.access)?;
        let (wanted, most) = (get.ids.clone(), call.door.deps.limits.objects_in_get);
        let read = call.door.deps.store.read(get.access.owner.id, move |tx| {
            let mut got = Got { state: state::now(tx), ..Got::default() };
            let mut found = Vec::new();
            match &wanted {
                None => found = self.all(tx)?,
                Some(ids) => {
                    for id in ids {
                        let number = self.parse(id);
                        let object = number.map_or(Ok(None), |number| self.one(tx, number))?;
                        match number.zip(object) {
                            Some(one) => found.push(one),
                            None => got.not_found.push(id.clone()),
                        }
                    }
                }
            }
            Ok((got, found))
        });
        let (mut got, found) = read.await?;
        if found.len() > most {
            return Err(MethodError::new("requestTooLarge", "there are too many; ask for some of them"));
        }
        for one in found {
            let shown = get.shown(self.told(one).1);
            call.spend(&shown)?;
            got.list.push(shown);
        }
        get.answer(got)
    }

    /// `/changes`.
    pub async fn changes(&'static self, call: &mut Call) -> Outcome {
        let asked = Changes::read(call)?;
        own(&asked.access)?;
        asked.of_records(call, self.kind, |number| self.id(number)).await
    }

    /// `/set`.
    pub async fn set(&'static self, call: &mut Call) -> Outcome {
        let set = Set::read(call)?;
        call.args.done()?;
        self.run(call, set).await
    }

    /// Does what `/set` was asked.
    pub async fn run(&'static self, call: &mut Call, mut set: Set) -> Outcome {
        own(&set.access)?;
        if let Some(property) = self.refers_by {
            let all = set.create.iter_mut().chain(&mut set.update);
            all.for_each(|(_, object)| refer(call, property, object));
        }
        set.run(call, Logged::Records(self.kind), move |tx, set, _, done| {
            for (creation, object) in &set.create {
                let made = self.create(tx, object)?;
                done.create(creation, made);
            }
            for (id, patch) in &set.update {
                let changed = self.update(tx, id, patch)?;
                done.update(id, changed);
            }
            for id in &set.destroy {
                let gone = self.parse(id).map_or(Ok(false), |number| tx.remove_record(self.kind, number))?;
                done.destroy(id, if gone { Ok(()) } else { Err(SetError::not_found()) });
            }
            Ok(())
        })
        .await
    }

    /// Adds an object; what the server made of it beyond what was given.
    pub fn create(&self, tx: &mut MailTx<'_, '_>, given: &Map<String, Value>) -> Result<Refused<Map<String, Value>>> {
        if let Some(name) = given.keys().find(|name| !(self.is_property)(name) || *name == "id") {
            return Ok(Err(SetError::property(name, "this cannot be set")));
        }
        let mut object = given.clone();
        if let Err(error) = (self.check)(tx, None, &mut object)? {
            return Ok(Err(error));
        }
        if let Some(error) = self.twin(tx, None, &object)? {
            return Ok(Err(error));
        }
        Ok(match tx.add_record(self.kind, &bytes(&object)) {
            Ok(number) => {
                self.name(tx, number, &object)?;
                let (id, mut told) = (self.id(number), others(object, given));
                told.insert("id".into(), id.into());
                Ok(told)
            }
            Err(error) => Err(SetError::of(error)?),
        })
    }

    /// `alreadyExists`, where another object has what has to be unique.
    fn twin(&self, tx: &mut MailTx<'_, '_>, own: Option<u64>, object: &Map<String, Value>) -> Result<Option<SetError>> {
        let Some(name) = self.name_of(object) else { return Ok(None) };
        if !tx.begin_names(self.kind)? {
            for (number, other) in self.all(tx)? {
                self.name(tx, number, &other)?;
            }
        }
        let other = tx.record_named(self.kind, name.as_bytes())?.filter(|other| Some(*other) != own);
        Ok(other.map(|other| SetError::new("alreadyExists", "").with("existingId", self.id(other))))
    }

    fn name(&self, tx: &mut MailTx<'_, '_>, number: u64, object: &Map<String, Value>) -> Result<()> {
        self.name_of(object).map_or(Ok(()), |name| tx.name_record(self.kind, number, name.as_bytes()))
    }

    fn name_of<'a>(&self, object: &'a Map<String, Value>) -> Option<&'a str> {
        object.get(self.unique?)?.as_str()
    }

    fn update(&self, tx: &mut MailTx<'_, '_>, id: &str, patch: &Map<String, Value>) -> Result<Refused<Value>> {
        let Some(number) = self.parse(id) else { return Ok(Err(SetError::not_found())) };
        let Some(mut object) = self.one(tx, number)? else { return Ok(Err(SetError::not_found())) };
        // Clients may say again what is so (RFC 8620 §5.3).
        let patch: Map<String, Value> = patch
            .iter()
            .filter(|(name, value)| *name != "id" || *value != id)
            .map(|(n, v)| (n.clone(), v.clone()))
            .collect();
        let of = |path: &str| path.split('/').next().unwrap_or_default().replace("~1", "/").replace("~0", "~");
        if let Some(path) = patch.keys().find(|path| !(self.is_property)(&of(path)) || of(path) == "id") {
            return Ok(Err(SetError::property(path, "this cannot be set")));
        }
        if let Err(error) = patch::apply(&mut object, &patch) {
            return Ok(Err(error));
        }
        let given = object.clone();
        if let Err(error) = (self.check)(tx, Some(number), &mut object)? {
            return Ok(Err(error));
        }
        if let Some(error) = self.twin(tx, Some(number), &object)? {
            return Ok(Err(error));
        }
        Ok(match tx.put_record(self.kind, number, &bytes(&object)) {
            Ok(()) => {
                self.name(tx, number, &object)?;
                let more = others(object, &given);
                Ok(if more.is_empty() { Value::Null } else { Value::Object(more) })
            }
            Err(error) => Err(SetError::of(error)?),
        })
    }
}

/// What of an object is other than it was given.
fn others(object: Map<String, Value>, given: &Map<String, Value>) -> Map<String, Value> {
    object.into_iter().filter(|(name, value)| given.get(name) != Some(value)).collect()
}

fn read(bytes: &[u8]) -> Option<Map<String, Value>> {
    serde_json::from_slice(bytes).ok()
}

fn bytes(object: &Map<String, Value>) -> Vec<u8> {
    serde_json::to_vec(object).unwrap_or_default()
}

/// Puts ids in the place of creation ids: of the members of a property, or of the paths to them.
fn refer(call: &Call, property: &str, object: &mut Map<String, Value>) {
    let resolved = |name: String| call.resolve(&name).unwrap_or(name);
    if let Some(Value::Object(members)) = object.get_mut(property) {
        *members = std::mem::take(members).into_iter().map(|(name, value)| (resolved(name), value)).collect();
    }
    let paths: Vec<String> = object
        .keys()
        .filter(|path| path.strip_prefix(property).is_some_and(|rest| rest.starts_with("/#")))
        .cloned()
        .collect();
    for path in paths {
        if let Some(value) = object.remove(&path) {
            object.insert(format!("{property}/{}", resolved(path[property.len() + 1..].to_owned())), value);
        }
    }
}
