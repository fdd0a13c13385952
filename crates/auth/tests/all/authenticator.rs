//! An authenticator in software, and the browser around it: `navigator.credentials` in JSON (Web Authentication Level 3).

use anser_testkit::door::HOST;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// Where the browser of the tests believes to be: what the door is told of itself.
pub const ORIGIN: &str = "https://mail.anser.test";

pub enum Key {
    Es256(EcdsaKeyPair),
    EdDsa(Ed25519KeyPair),
    Rs256(aws_lc_rs::rsa::KeyPair),
}

/// One key, and what it says of itself.
pub struct Authenticator {
    pub key: Key,
    pub id: Vec<u8>,
    pub user: Option<Vec<u8>>,
    /// Present, verified, and what else is told.
    pub flags: u8,
    pub count: u32,
    pub origin: String,
    pub host: String,
}

pub const PRESENT: u8 = 1;
pub const VERIFIED: u8 = 4;

impl Authenticator {
    pub fn new(key: Key) -> Self {
        let id = (0..32).map(|at| at * 7).collect();
        let (origin, host) = (ORIGIN.to_owned(), HOST.to_owned());
        Self { key, id, user: None, flags: PRESENT | VERIFIED, count: 0, origin, host }
    }

    pub fn es256() -> Self {
        Self::new(Key::Es256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap()))
    }

    pub fn eddsa() -> Self {
        Self { id: vec![1; 16], ..Self::new(Key::EdDsa(Ed25519KeyPair::generate().unwrap())) }
    }

    pub fn rs256() -> Self {
        Self { id: vec![2; 64], ..Self::new(Key::Rs256(aws_lc_rs::rsa::KeyPair::generate(KeySize::Rsa2048).unwrap())) }
    }

    /// `navigator.credentials.create()`
    pub fn create(&mut self, options: &Value) -> Value {
        self.user = Some(bytes(&options["user"]["id"]));
        let mut data = self.data(0x40);
        data.extend([0; 16]);
        data.extend((self.id.len() as u16).to_be_bytes());
        data.extend(&self.id);
        data.extend(self.cose());
        let mut object = vec![0xa3];
        for (name, value) in
            [("fmt", [&[0x64], &b"none"[..]].concat()), ("attStmt", vec![0xa0]), ("authData", cbor_bytes(&data))]
        {
            object.push(0x60 | name.len() as u8);
            object.extend(name.as_bytes());
            object.extend(value);
        }
        let client = self.client("webauthn.create", options);
        self.credential(json!({ "clientDataJSON": text(client.as_bytes()), "attestationObject": text(&object) }))
    }

    /// `navigator.credentials.get()`
    pub fn get(&mut self, options: &Value) -> Value {
        let (data, client) = (self.data(0), self.client("webauthn.get", options));
        let signed = [&data, digest(&SHA256, client.as_bytes()).as_ref()].concat();
        let mut response = json!({
            "clientDataJSON": text(client.as_bytes()),
            "authenticatorData": text(&data),
            "signature": text(&self.sign(&signed)),
        });
        if let Some(user) = &self.user {
            response["userHandle"] = text(user).into();
        }
        self.credential(response)
    }

    fn credential(&self, response: Value) -> Value {
        json!({ "id": text(&self.id), "rawId": text(&self.id), "type": "public-key", "response": response })
    }

    fn client(&self, kind: &str, options: &Value) -> String {
        json!({ "type": kind, "challenge": options["challenge"], "origin": self.origin, "crossOrigin": false })
            .to_string()
    }

    fn data(&self, flags: u8) -> Vec<u8> {
        let of = digest(&SHA256, self.host.as_bytes());
        [of.as_ref(), &[self.flags | flags], &self.count.to_be_bytes()].concat()
    }

    fn sign(&self, signed: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.key {
            Key::Es256(pair) => pair.sign(&random, signed).unwrap().as_ref().to_vec(),
            Key::EdDsa(pair) => pair.sign(signed).as_ref().to_vec(),
            Key::Rs256(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, signed, &mut signature).unwrap();
                signature
            }
        }
    }

    /// The key as COSE writes it (RFC 9052 §7).
    fn cose(&self) -> Vec<u8> {
        match &self.key {
            Key::Es256(pair) => {
                let point = pair.public_key().as_ref();
                let head = [0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21];
                [&head[..], &cbor_bytes(&point[1..33]), &[0x22], &cbor_bytes(&point[33..])].concat()
            }
            Key::EdDsa(pair) => {
                let head = [0xa4, 0x01, 0x01, 0x03, 0x27, 0x20, 0x06, 0x21];
                [&head[..], &cbor_bytes(pair.public_key().as_ref())].concat()
            }
            Key::Rs256(pair) => {
                let public = pair.public_key();
                let (n, e) = (public.modulus(), public.exponent());
                let (n, e) = (n.big_endian_without_leading_zero(), e.big_endian_without_leading_zero());
                let head = [0xa4, 0x01, 0x03, 0x03, 0x39, 0x01, 0x00, 0x20];
                [&head[..], &cbor_bytes(n), &[0x21], &cbor_bytes(e)].concat()
            }
        }
    }
}

fn cbor_bytes(bytes: &[u8]) -> Vec<u8> {
    let length = (bytes.len() as u16).to_be_bytes();
    [&[0x59], &length[..], bytes].concat()
}

fn text(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn bytes(text: &Value) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text.as_str().unwrap()).unwrap()
}
