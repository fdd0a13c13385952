//! Passwords sealed by what browsers have: the Web Crypto API, as Node.js has it too.

use std::io::Write;
use std::process::{Command, Stdio};

use anser_testkit::door::PASSWORD;
use serde_json::json;

use crate::site::{Site, each_site};

/// The page's side. Reads the answer of `/auth/key` and the password, one a line; writes what is sealed.
const PAGE: &str = r#"
const [offer, password] = require('fs').readFileSync(0, 'utf8').split('\n');
const { key, nonce } = JSON.parse(offer);
const bytes = text => Buffer.from(text, 'base64url'), text = bytes => Buffer.from(bytes).toString('base64url');
const curve = { name: 'ECDH', namedCurve: 'P-256' };
(async () => {
  const server = await crypto.subtle.importKey('raw', bytes(key), curve, false, []);
  const own = await crypto.subtle.generateKey(curve, false, ['deriveBits']);
  const point = new Uint8Array(await crypto.subtle.exportKey('raw', own.publicKey));
  const shared = await crypto.subtle.deriveBits({ name: 'ECDH', public: server }, own.privateKey, 256);
  const info = Buffer.concat([Buffer.from('anser sign-in 1'), bytes(key), point]);
  const material = await crypto.subtle.importKey('raw', shared, 'HKDF', false, ['deriveKey']);
  const sealing = await crypto.subtle.deriveKey({ name: 'HKDF', hash: 'SHA-256', salt: bytes(nonce), info },
    material, { name: 'AES-GCM', length: 256 }, false, ['encrypt']);
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const sealed = await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, sealing, Buffer.from(password));
  console.log([nonce, text(point), text(iv), text(sealed)].join('.'));
})();
"#;

fn seal(site: &Site, password: &str) -> String {
    let offer = site.curl("ann", "/auth/key", &[]);
    assert_eq!((offer.status, offer.field("cache-control")), (200, Some("no-store")));
    let mut node =
        Command::new("node").args(["-e", PAGE]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    write!(node.stdin.take().unwrap(), "{}\n{password}", offer.body.trim()).unwrap();
    let sealed = node.wait_with_output().unwrap();
    assert!(sealed.status.success());
    String::from_utf8(sealed.stdout).unwrap().trim().to_owned()
}

#[test]
fn a_sealed_password_opens_once() {
    if std::env::var_os("ANSER_TEST_CLIENTS").is_none() {
        return;
    }
    each_site(|site| {
        let login = |sealed: &str| {
            let body = json!({ "username": "ann@anser.test", "sealed": sealed });
            site.page("ann", "POST", "/auth/login", Some(body))
        };
        let sealed = seal(site, PASSWORD);
        assert_eq!(login(&sealed).status, 200);
        let replayed = login(&sealed);
        assert_eq!((replayed.status, replayed.json()["type"].as_str()), (409, Some("urn:anser:auth:stale-key")));
        assert_eq!(login(&seal(site, "wrong")).status, 401);
        let (old, new) = (seal(site, PASSWORD), seal(site, "tin-rabbit-9 kettle"));
        let body = json!({ "old_sealed": old, "new_sealed": new });
        assert_eq!(site.page("ann", "POST", "/auth/password", Some(body)).status, 204);
        assert_eq!(login("a.b.c.d").status, 400);
    });
}
