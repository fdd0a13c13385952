//! What JMAP sends goes through the submission service.

use std::sync::Arc;

use anser_jmap::{Letter, NotSent, Submit};
use anser_smtp::{Deps, Refused, Submission, submit};

/// The way from the one door to the other.
pub fn through(smtp: &Arc<Deps>) -> Submit {
    let smtp = smtp.clone();
    Arc::new(move |letter| {
        let smtp = smtp.clone();
        Box::pin(async move { submit(&smtp, submission(letter)).await.map_err(not_sent) })
    })
}

fn submission(letter: Letter) -> Submission {
    let Letter { account, client, sender, recipients, envid, ret, not_before, message } = letter;
    Submission { account, client, door: "jmap", sender, recipients, envid, ret, not_before, message }
}

fn not_sent(refused: Refused) -> NotSent {
    match refused {
        Refused::Sender(reply) => NotSent::Sender(reply.to_string()),
        Refused::Author(reply) => NotSent::Author(reply.to_string()),
        Refused::NoRecipients => NotSent::NoRecipients,
        Refused::TooManyRecipients(most) => NotSent::TooManyRecipients(most),
        Refused::Recipients(all) => {
            let why = all.first().map(|(_, reply)| reply.to_string()).unwrap_or_default();
            NotSent::Recipients(all.into_iter().map(|(address, _)| address).collect(), why)
        }
        Refused::TooLarge(most) => NotSent::TooLarge(most),
        Refused::Message(reply) => NotSent::Message(reply.to_string()),
        Refused::Failed(error) => NotSent::Failed(error),
    }
}
