//! Email/get (RFC 8621 §4.2).

use std::sync::Arc;

use anser_base::{Error, MessageId, Result, TenantId};
use anser_mime::structure::Structure;
use anser_store::{Columns, Listing, MailTx, Store, are_kept};
use serde_json::{Map, Value};

use super::body::{PartProperties, Parts, Shape, headers};
use super::header::{CONVENIENT, HeaderProperty, written_utc};
use super::load::{self, Loaded};
use super::octets::Octets;
use super::value::value;
use crate::access::Access;
use crate::blob::message_blob;
use crate::error::MethodError;
use crate::ids;
use crate::law::get::{Get, Got};
use crate::law::state;
use crate::method::{Call, Outcome};

pub(crate) const PLAIN: [&str; 15] = [
    "id",
    "blobId",
    "threadId",
    "mailboxIds",
    "keywords",
    "size",
    "receivedAt",
    "hasAttachment",
    "preview",
    "headers",
    "bodyStructure",
    "bodyValues",
    "textBody",
    "htmlBody",
    "attachments",
];
/// Those for which the body is opened.
const OF_BODY: [&str; 5] = ["bodyStructure", "bodyValues", "textBody", "htmlBody", "attachments"];
/// Bytes of a message's header that are looked at.
const HEADER: usize = 256 * 1024;

/// What is shown of each message.
pub(crate) struct Wish {
    properties: Vec<String>,
    fields: Vec<(String, HeaderProperty)>,
    parts: PartProperties,
    text: bool,
    html: bool,
    all: bool,
    most: usize,
}

/// Whether this is a property of an Email.
pub(crate) fn is_property(name: &str) -> bool {
    PLAIN.contains(&name) || HeaderProperty::of(name).is_some()
}

impl Wish {
    /// Reads the arguments that Email/get and Email/parse have.
    pub fn read(call: &mut Call, properties: Option<&Vec<String>>) -> std::result::Result<Self, MethodError> {
        let unasked = || {
            let plain = PLAIN.iter().filter(|name| !["bodyStructure", "headers"].contains(*name));
            plain.chain(CONVENIENT.iter().map(|(name, ..)| name)).map(|name| (*name).to_owned()).collect()
        };
        let mut properties: Vec<String> = properties.cloned().unwrap_or_else(unasked);
        if !properties.iter().any(|name| name == "id") {
            properties.push("id".into());
        }
        let field = |name: &String| HeaderProperty::of(name).map(|field| (name.clone(), field));
        let args = &mut call.args;
        Ok(Self {
            fields: properties.iter().filter_map(field).collect(),
            parts: PartProperties::read(args.strings("bodyProperties")?)?,
            text: args.bool("fetchTextBodyValues")?,
            html: args.bool("fetchHTMLBodyValues")?,
            all: args.bool("fetchAllBodyValues")?,
            most: args.uint("maxBodyValueBytes")?.map_or(0, |most| usize::try_from(most).unwrap_or(usize::MAX)),
            properties,
        })
    }

    fn wants(&self, name: &str) -> bool {
        self.properties.iter().any(|wanted| wanted == name)
    }

    /// Whether the rows are not enough.
    fn opens(&self) -> bool {
        OF_BODY.iter().any(|name| self.wants(name))
    }

    /// What the header says; of the whole of it, where all fields are wanted.
    pub fn put_fields(&self, block: &[u8], shown: &mut Map<String, Value>) {
        shown.extend(self.fields.iter().map(|(name, field)| (name.clone(), field.value(block))));
        // RFC 8621 §4.1.3
        if self.wants("headers") {
            shown.insert("headers".into(), headers(block));
        }
    }

    /// What the parts are.
    pub fn put_parts(
        &self,
        structure: &Structure,
        octets: &mut Octets,
        blob: &str,
        shown: &mut Map<String, Value>,
    ) -> Result<()> {
        let shape = Shape::of(structure);
        let mut parts = Parts { structure, octets, blob, properties: &self.parts };
        for (name, list) in [("textBody", &shape.text), ("htmlBody", &shape.html), ("attachments", &shape.attachments)]
        {
            if self.wants(name) {
                shown.insert(name.into(), parts.list(list)?);
            }
        }
        if self.wants("bodyStructure") {
            shown.insert("bodyStructure".into(), parts.tree()?);
        }
        if self.wants("bodyValues") {
            let mut values = Map::new();
            for (at, part) in structure.parts.iter().enumerate().filter(|(_, part)| part.is_text()) {
                let asked = self.all || self.text && shape.text.contains(&at) || self.html && shape.html.contains(&at);
                if asked {
                    values.insert(at.to_string(), value(octets, part, self.most)?);
                }
            }
            shown.insert("bodyValues".into(), Value::Object(values));
        }
        Ok(())
    }
}

/// A message of the account, and its header fields where the rows have those that are wanted.
struct Row {
    loaded: Loaded,
    block: Option<Vec<u8>>,
}

fn rows(tx: &mut MailTx<'_, '_>, access: &Access, ids: &[MessageId], kept: bool) -> Result<Vec<Option<Row>>> {
    let allowed = access.allowed(tx)?;
    let all = load::messages(tx, &allowed, ids)?;
    let fields = match kept {
        true => tx.message_rows(ids, Columns { fields: true, ..Columns::default() })?,
        false => Default::default(),
    };
    let row = |loaded: Loaded| {
        let block = fields.get(loaded.message.id).and_then(|row| row.fields());
        Row { block: block.map(|(own, kept)| [own, kept].concat()), loaded }
    };
    Ok(all.into_iter().map(|loaded| loaded.map(row)).collect())
}

/// RFC 8621 §4.2.
pub(crate) async fn get(call: &mut Call) -> Outcome {
    let get = Get::read(call, is_property)?;
    let wish = Arc::new(Wish::read(call, get.properties.as_ref())?);
    call.args.done()?;
    let Some(ids) = get.ids.clone() else {
        return Err(MethodError::new("requestTooLarge", "ids are needed"));
    };
    let scope = get.access.scope();
    let (mut numbers, mut got) = (Vec::with_capacity(ids.len()), Got::default());
    for id in &ids {
        match ids::parse_email(scope, id) {
            Some(number) => numbers.push(number),
            None => got.not_found.push(id.clone()),
        }
    }
    let names: Vec<String> = wish.fields.iter().map(|(_, field)| field.name.clone()).collect();
    let kept = !names.is_empty() && are_kept(&names) && !wish.wants("headers");
    let (access, asked) = (get.access.clone(), numbers.clone());
    let read = move |tx: &mut MailTx<'_, '_>| Ok((state::now(tx), rows(tx, &access, &asked, kept)?));
    let (state, rows) = call.door.deps.store.read(get.access.owner.id, read).await?;
    got.state = state;
    for (number, row) in numbers.iter().zip(rows) {
        let Some(row) = row else {
            got.not_found.push(ids::email_id(scope, *number));
            continue;
        };
        let email = shown(&call.door.deps.store, &get.access, &wish, row).await?;
        call.spend(&email)?;
        got.list.push(email);
    }
    get.answer(got)
}

async fn shown(store: &Store, access: &Access, wish: &Arc<Wish>, row: Row) -> Result<Value> {
    let needs_header = (!wish.fields.is_empty() || wish.wants("headers")) && row.block.is_none();
    let mut object = plain(access, wish, &row.loaded);
    if let Some(block) = &row.block {
        wish.put_fields(block, &mut object);
    }
    if !wish.opens() && !needs_header {
        return Ok(Value::Object(object));
    }
    let (store, wish, tenant) = (store.clone(), wish.clone(), access.owner.tenant);
    let work =
        move || open(&store, tenant, &wish, &row.loaded, needs_header, &mut object).map(|()| Value::Object(object));
    tokio::task::spawn_blocking(work).await.map_err(Error::unavailable)?
}

/// What the rows do not tell. Blocks on the disk.
fn open(
    store: &Store,
    tenant: TenantId,
    wish: &Wish,
    loaded: &Loaded,
    needs_header: bool,
    object: &mut Map<String, Value>,
) -> Result<()> {
    let message = &loaded.message;
    let structure = message.parsed_structure().ok_or_else(|| Error::damaged(format!("message {}", message.id)))?;
    let mut octets = Octets::open(store, tenant, message)?;
    if needs_header {
        let block = octets.range(structure.root().header_range(), HEADER)?;
        wish.put_fields(&[&message.prefix, &block[..]].concat(), object);
    }
    if wish.opens() {
        wish.put_parts(&structure, &mut octets, &message_blob(message.id), object)?;
    }
    Ok(())
}

fn plain(access: &Access, wish: &Wish, loaded: &Loaded) -> Map<String, Value> {
    let (scope, message) = (access.scope(), &loaded.message);
    let listing = Listing::of(message);
    let mut object = Map::new();
    for name in &wish.properties {
        let value = match name.as_str() {
            "id" => ids::email_id(scope, message.id).into(),
            "blobId" => message_blob(message.id).into(),
            "threadId" => ids::thread_id(scope, message.thread).into(),
            "mailboxIds" => {
                let all = loaded.places.iter().map(|(mailbox, _)| (ids::mailbox_id(scope, *mailbox), true.into()));
                Value::Object(all.collect())
            }
            "keywords" => Value::Object(load::keywords(&loaded.entry)),
            "size" => message.size().into(),
            "receivedAt" => written_utc(message.received).into(),
            "hasAttachment" => listing.has_attachment.into(),
            "preview" => listing.preview.clone().into(),
            _ => continue,
        };
        object.insert(name.clone(), value);
    }
    object
}
