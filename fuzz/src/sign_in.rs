//! What browsers and providers of sign-in send: passkeys, id tokens, answers of CAS.

use anser_auth::outside::{cas, jwt};
use anser_base::Timestamp;
use anser_directory::cbor;
use anser_directory::webauthn::{Assertion, Registration, RelyingParty};
use serde_json::json;

/// A data item of CBOR; an attestation; authenticator data, signature and key, cut at the first byte.
pub fn passkey(data: &[u8]) {
    let _ = cbor::first(data);
    let site = RelyingParty::of("https://mail.example.org");
    let client = |kind: &str| json!({ "type": kind, "challenge": "AA", "origin": site.origin }).to_string();
    let created = client("webauthn.create");
    let _ = Registration { client_data: created.as_bytes(), attestation: data }.verify(&site);
    let _ = Registration { client_data: data, attestation: data }.verify(&site);
    let Some((&cut, rest)) = data.split_first() else { return };
    let (one, other) = rest.split_at(usize::from(cut).min(rest.len()));
    let got = client("webauthn.get");
    let assertion =
        Assertion { id: b"", client_data: got.as_bytes(), authenticator_data: one, signature: other, user: None };
    let _ = assertion.verify(&site, other);
}

/// A token, by keys that no fuzzer has.
pub fn id_token(data: &[u8]) {
    let Ok(token) = str::from_utf8(data) else { return };
    let keys = json!({ "keys": [
        { "kty": "RSA", "n": "AQAB", "e": "AQAB" },
        { "kty": "EC", "crv": "P-256", "x": "AQAB", "y": "AQAB" },
        { "kty": "OKP", "crv": "Ed25519", "x": "AQAB" },
    ] });
    let expected = jwt::Expected {
        issuer: "https://id.example.org",
        client: "anser",
        nonce: "n",
        now: Timestamp(1_800_000_000_000),
    };
    assert!(jwt::verify(token, &keys, expected).is_err());
}

/// An answer of CAS.
pub fn cas(data: &[u8]) {
    if let Some(said) = cas::read(data) {
        assert_ne!(said.named(""), Some(""));
    }
}
