//! Signing in at the provider's page, in a password's place (RFC 8628).

use anser_migrate::own::{Asked, SignIn};
use serde_json::{Value, json};

use super::{found, moves, named, text};
use crate::email::written_utc;
use crate::ids;
use crate::method::{Call, Outcome};

/// `MailMove/signIn`: a code that the user types at a page of the provider's.
pub(crate) async fn ask(call: &mut Call) -> Outcome {
    let (access, id, number) = named(call)?;
    let asked = found(moves(call)?.own_sign_in(&call.user.account, number).await)?;
    call.note("mail-move.sign-in", &id).await;
    Ok(json!({
        "accountId": ids::account_id(access.owner.id),
        "id": id,
        "asked": asked.as_ref().ok().map(code),
        "problem": asked.as_ref().err().map(text),
    }))
}

/// How a mailbox is opened whose provider lets its owner sign in.
pub(super) fn shown(one: &SignIn) -> Value {
    json!({ "state": one.state.word(), "asked": one.asked.as_ref().map(code) })
}

fn code(asked: &Asked) -> Value {
    json!({ "page": asked.page, "code": asked.code, "expiresAt": written_utc(asked.until) })
}
