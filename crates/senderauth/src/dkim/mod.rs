//! DomainKeys Identified Mail (RFC 6376, RFC 8301, RFC 8463).

pub mod canon;
pub mod key;
mod sign;
pub mod signature;
mod verify;

pub use sign::{SecretKey, Signer, sign};
pub(crate) use sign::{arc as sign_arc, finish};
pub use signature::{Algorithm, Signature};
pub use verify::{Outcome, Result, verify};
pub(crate) use verify::{check_body, key_at, key_of, signed_octets, without_signature};
