//! Adding a set to a chain (RFC 8617 §5.1).

use anser_base::Result;

use super::SETS;
use super::validate::{Chain, Status, sealed_before, was_given_up};
use crate::dkim::canon::Canon;
use crate::dkim::{Signer, finish, sign_arc};
use crate::message::Passed;

/// What a seal says.
#[derive(Clone, Copy, Debug)]
pub struct Sealing<'a> {
    /// With what, as whom and when.
    pub signer: Signer<'a>,
    /// The name under which this house writes results.
    pub authserv_id: &'a str,
    /// What it saw, as [`crate::Verdict::results`] writes it.
    pub results: &'a str,
}

/// The fields of a new set, with their line breaks, to go before the message. `None` when the chain is full or was given up by
/// somebody (RFC 8617 §5.1, §5.1.2). The message is as it goes on, taken by [`crate::Message::to_sign`]; `chain` is what
/// [`super::validate`] said when it came.
pub fn seal(message: &Passed, chain: &Chain, sealing: Sealing<'_>) -> Result<Option<String>> {
    let instance = chain.highest + 1;
    if instance as usize > SETS || was_given_up(message, chain.highest) || chain.status == Status::TempError {
        return Ok(None);
    }
    let Sealing { signer, authserv_id, results } = sealing;
    let results = format!("ARC-Authentication-Results: i={instance}; {authserv_id};\r\n\t{results}\r\n");
    let signature = sign_arc(message, signer, instance)?;
    // A broken chain is sealed alone: what came before cannot be vouched for (RFC 8617 §5.1.2).
    let mut octets = if chain.status == Status::Fail { Vec::new() } else { sealed_before(message) };
    Canon::Relaxed.field(results.as_bytes(), &mut octets);
    Canon::Relaxed.field(signature.as_bytes(), &mut octets);
    let field = format!(
        "ARC-Seal: i={instance}; a={}; t={}; cv={};\r\n\td={}; s={};\r\n\tb=",
        signer.key.algorithm().word(),
        signer.now,
        chain.status.word(),
        signer.domain,
        signer.selector,
    );
    let seal = finish(field, octets, signer.key)?;
    Ok(Some(format!("{seal}{signature}{results}")))
}
