//! Passkeys, as `navigator.credentials` gives and takes them in JSON (Web Authentication Level 3 §5.1.8 to §5.1.10).

use std::sync::Arc;

use anser_directory::webauthn::{ALGORITHMS, Assertion, PART, Registration};
use anser_directory::{Added, Brought, Ceremony, Passkey, passkeys};
use anser_net::http::{Request, Response, either};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::answer::{failed, foreign, fresh, refused, unkept};
use crate::asked::{Asked, unreadable};
use crate::login::session;
use crate::own::time;
use crate::second::confirmed;
use crate::{Door, device, visitor};

/// `POST /auth/passkey`: what the login page asks a browser for: `{ "get": … }`, or `{ "create": … }` where a second factor is to be set up;
/// with the `ticket` of a login under way, or without.
pub async fn ask(door: Arc<Door>, mut request: Request) -> Response {
    either(asked(&door, &mut request).await)
}

async fn asked(door: &Door, request: &mut Request) -> Result<Response, Response> {
    if request.is_cross_site() {
        return Err(foreign(request));
    }
    let asked = Asked::read(request).await?;
    let device = device::in_words(request.header("user-agent"));
    let ticket = asked.text("ticket");
    let ceremony = door.deps.directory.ask_passkey(ticket.as_deref(), visitor(request, &device)).await;
    let ceremony = ceremony.map_err(|failure| refused(request, &failure))?;
    Ok(fresh(200, &options(door, ceremony)))
}

/// `POST /auth/passkeys/begin`: with the password once more, what a new passkey is made by: `{ "create": … }`.
pub async fn begin(door: Arc<Door>, mut request: Request) -> Response {
    either(begun(&door, &mut request).await)
}

async fn begun(door: &Door, request: &mut Request) -> Result<Response, Response> {
    let (own, _) = confirmed(door, request).await?;
    let ceremony = door.deps.directory.begin_passkey(own.account.id, &bound(own.id.0)).await;
    let ceremony = ceremony.map_err(|error| failed(request, &error))?;
    Ok(fresh(200, &options(door, ceremony)))
}

/// `POST /auth/passkeys`: the `credential` that was made, and its `name`. With the first second factor all other sessions end.
pub async fn add(door: Arc<Door>, mut request: Request) -> Response {
    either(added(&door, &mut request).await)
}

async fn added(door: &Door, request: &mut Request) -> Result<Response, Response> {
    let own = session(door, request).await?;
    let asked = Asked::read(request).await?;
    let parts = Parts::of(&asked).ok_or_else(|| unreadable(request))?;
    let Brought::Registration(new) = parts.brought() else { return Err(unreadable(request)) };
    let name = asked.text("name").filter(|name| !name.trim().is_empty());
    let name = name.unwrap_or_else(|| device::in_words(request.header("user-agent")));
    let directory = &door.deps.directory;
    let added = directory.add_passkey(own.account.id, &bound(own.id.0), &door.relying_party, &name, new).await;
    let Added { id, recovery } = added.map_err(|error| failed(request, &error))?;
    if !recovery.is_empty() {
        directory.end_sessions(own.account.id, Some(own.id)).await.map_err(|error| failed(request, &error))?;
    }
    let actor = own.account.address.to_string();
    door.note_act(request.peer().ip(), &actor, "passkey.add", Some(id.to_string())).await;
    let mut said = json!({ "id": id.to_string() });
    if !recovery.is_empty() {
        said["recovery"] = recovery.into();
    }
    Ok(fresh(201, &said))
}

/// `POST /auth/passkeys/{id}`: another `name`.
pub async fn rename(door: Arc<Door>, mut request: Request) -> Response {
    either(renamed(&door, &mut request).await)
}

async fn renamed(door: &Door, request: &mut Request) -> Result<Response, Response> {
    let own = session(door, request).await?;
    let name = Asked::read(request).await?.text("name").ok_or_else(|| unreadable(request))?;
    let renamed = door.deps.directory.rename_passkey(own.account.id, number(request), &name).await;
    renamed.map_err(|error| failed(request, &error))?;
    Ok(unkept(Response::empty(204)))
}

/// `POST /auth/passkeys/{id}/remove`: with the password once more.
pub async fn remove(door: Arc<Door>, mut request: Request) -> Response {
    either(removed(&door, &mut request).await)
}

async fn removed(door: &Door, request: &mut Request) -> Result<Response, Response> {
    let (own, _) = confirmed(door, request).await?;
    let id = number(request);
    door.deps.directory.remove_passkey(own.account.id, id).await.map_err(|error| failed(request, &error))?;
    let actor = own.account.address.to_string();
    door.note_act(request.peer().ip(), &actor, "passkey.remove", Some(id.to_string())).await;
    Ok(unkept(Response::empty(204)))
}

/// Passkeys as their owner sees them.
pub fn listed(all: Vec<Passkey>) -> Vec<Value> {
    let shown = |one: Passkey| {
        let (id, used) = (one.id.to_string(), one.used.map(time));
        json!({ "id": id, "name": one.name, "created": time(one.created), "used": used })
    };
    all.into_iter().map(shown).collect()
}

/// What a challenge of somebody who is signed in is bound to.
fn bound(session: u64) -> String {
    format!("session {session}")
}

/// A name that is no number is nobody's.
fn number(request: &Request) -> u64 {
    request.parameter("id").parse().unwrap_or(0)
}

fn options(door: &Door, ceremony: Ceremony) -> Value {
    let site = &door.relying_party;
    let timeout = passkeys::CHALLENGE.as_millis() as u64;
    let ids = |known: Vec<Vec<u8>>| -> Vec<Value> {
        known.iter().map(|id| json!({ "type": "public-key", "id": URL_SAFE_NO_PAD.encode(id) })).collect()
    };
    match ceremony {
        Ceremony::Create { challenge, user, address, known } => json!({ "create": {
            "challenge": URL_SAFE_NO_PAD.encode(challenge),
            "rp": { "id": site.id, "name": site.id },
            "user": { "id": URL_SAFE_NO_PAD.encode(user), "name": address, "displayName": address },
            "pubKeyCredParams": ALGORITHMS.map(|alg| json!({ "type": "public-key", "alg": alg })),
            "excludeCredentials": ids(known),
            "authenticatorSelection": { "residentKey": "preferred", "userVerification": "preferred" },
            "attestation": "none",
            "timeout": timeout,
        } }),
        Ceremony::Get { challenge, known } => json!({ "get": {
            "challenge": URL_SAFE_NO_PAD.encode(challenge),
            "rpId": site.id,
            // Beside a password the key is enough; alone it has to know its owner.
            "userVerification": if known.is_empty() { "required" } else { "preferred" },
            "allowCredentials": ids(known),
            "timeout": timeout,
        } }),
    }
}

/// The parts of a `credential`, decoded.
pub struct Parts {
    id: Vec<u8>,
    client_data: Vec<u8>,
    of: Of,
}

enum Of {
    Registration { attestation: Vec<u8> },
    Assertion { authenticator_data: Vec<u8>, signature: Vec<u8>, user: Option<Vec<u8>> },
}

impl Parts {
    /// Of a request's `credential`; `None` where that is not what `PublicKeyCredential.toJSON()` gives.
    pub fn of(asked: &Asked) -> Option<Self> {
        let credential = asked.object("credential")?;
        let response = &credential["response"];
        let bytes = |value: &Value| {
            let text = value.as_str().filter(|text| text.len() <= PART * 4 / 3)?;
            URL_SAFE_NO_PAD.decode(text).ok()
        };
        let of = match &response["attestationObject"] {
            Value::Null => Of::Assertion {
                authenticator_data: bytes(&response["authenticatorData"])?,
                signature: bytes(&response["signature"])?,
                user: bytes(&response["userHandle"]).filter(|user| !user.is_empty()),
            },
            object => Of::Registration { attestation: bytes(object)? },
        };
        Some(Self { id: bytes(&credential["rawId"])?, client_data: bytes(&response["clientDataJSON"])?, of })
    }

    /// Which key it is.
    pub fn id(&self) -> &[u8] {
        &self.id
    }

    /// For the directory to judge.
    pub fn brought(&self) -> Brought<'_> {
        let (id, client_data) = (self.id.as_slice(), self.client_data.as_slice());
        match &self.of {
            Of::Registration { attestation } => Brought::Registration(Registration { client_data, attestation }),
            Of::Assertion { authenticator_data, signature, user } => {
                Brought::Assertion(Assertion { id, client_data, authenticator_data, signature, user: user.as_deref() })
            }
        }
    }
}
