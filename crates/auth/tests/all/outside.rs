//! A provider outside that behaves, and misbehaves as it is told: OpenID Connect and CAS over TLS on loopback.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anser_auth::outside::Web;
use anser_net::certificate::self_signed;
use anser_net::dns::Zone;
use anser_net::http::client::Options;
use anser_net::http::{Request, Response, Route, Routes, Site, form_value, session, with};
use anser_net::{CertificateSource, Resolver, ServeOptions, Shutdown, TlsAcceptor, bind, serve};
use anser_testkit::door::NOW;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

pub const CLIENT: &str = "anser";
pub const SECRET: &str = "s3cret/+";

/// What was asked of it, and what it does wrong.
pub struct Outside {
    pub url: Mutex<String>,
    /// Signs; the second is told of only when the first look was made.
    keys: [KeyPair; 2],
    /// What it does wrong.
    pub wrong: Mutex<&'static str>,
    /// Who is signed in there: claims, or attributes of CAS.
    pub person: Mutex<Value>,
    /// The nonce and challenge of the login under way.
    pub begun: Mutex<(String, String)>,
    used: Mutex<Vec<String>>,
    pub looks: AtomicUsize,
}

/// How the door reaches it, in a folder of the test's.
pub fn web(folder: &Path) -> Web {
    Web {
        resolver: Resolver::zone(Zone::new()),
        options: Options { private: true, ..Options::new(authorities(folder), Duration::from_secs(60)) },
    }
}

fn authorities(folder: &Path) -> PathBuf {
    folder.join("outside.pem")
}

/// Starts one on a runtime; it ends with it.
pub fn start(runtime: &tokio::runtime::Runtime, folder: &Path) -> Arc<Outside> {
    let (certificate, key) = self_signed(&["127.0.0.1".to_owned()]).unwrap();
    std::fs::write(authorities(folder), &certificate).unwrap();
    let outside = Arc::new(Outside {
        url: Mutex::default(),
        keys: std::array::from_fn(|_| KeyPair::generate(KeySize::Rsa2048).unwrap()),
        wrong: Mutex::new(""),
        person: Mutex::new(json!({ "email": "ann@anser.test", "sub": "u1" })),
        begun: Mutex::default(),
        used: Mutex::default(),
        looks: AtomicUsize::new(0),
    });
    let routes = Routes::of([
        Route::get("/.well-known/openid-configuration", with(&outside, metadata)),
        Route::get("/keys", with(&outside, keys)),
        Route::post("/token", with(&outside, token)),
        Route::get("/userinfo", with(&outside, userinfo)),
        Route::get("/cas/p3/serviceValidate", with(&outside, validate)),
    ]);
    let _inside = runtime.enter();
    let listeners = bind(&[([127, 0, 0, 1], 0).into()]).unwrap();
    *outside.url.lock().unwrap() = format!("https://127.0.0.1:{}", listeners[0].address().port());
    let tls = TlsAcceptor::new(vec![CertificateSource::Pem(certificate, key)]).unwrap();
    let options = ServeOptions { tls: Some(tls), ..ServeOptions::new("outside") };
    let site = Arc::new(Site::new(routes));
    let handler = move |stream, shutdown| session(stream, site.clone(), shutdown);
    runtime.spawn(serve(listeners, options, Shutdown::new(), handler));
    outside
}

impl Outside {
    pub fn url(&self) -> String {
        self.url.lock().unwrap().clone()
    }

    fn is(&self, wrong: &str) -> bool {
        *self.wrong.lock().unwrap() == wrong
    }

    fn jwk(&self, at: usize) -> Value {
        let public = self.keys[at].public_key();
        let [n, e] = [public.modulus(), public.exponent()].map(|n| b64(n.big_endian_without_leading_zero()));
        json!({ "kty": "RSA", "kid": format!("k{at}"), "use": "sig", "alg": "RS256", "n": n, "e": e })
    }

    fn id_token(&self) -> String {
        let now = NOW.secs();
        let mut claims = self.person.lock().unwrap().clone();
        let nonce = self.begun.lock().unwrap().0.clone();
        for (name, value) in [
            ("iss", json!(self.url())),
            ("aud", json!(CLIENT)),
            ("exp", json!(now + 300)),
            ("iat", json!(now)),
            ("nonce", json!(nonce)),
        ] {
            claims[name] = value;
        }
        let (name, value) = match *self.wrong.lock().unwrap() {
            "nonce" => ("nonce", json!("another")),
            "audience" => ("aud", json!("somebody-else")),
            "many audiences" => ("aud", json!([CLIENT, "somebody-else"])),
            "asked by another" => ("azp", json!("somebody-else")),
            "expired" => ("exp", json!(now - 121)),
            "old" => ("iat", json!(now - 3600)),
            "from the future" => ("iat", json!(now + 121)),
            "issuer" => ("iss", json!("https://evil.example")),
            "nobody" => ("sub", json!("")),
            "unverified" => ("email_verified", json!(false)),
            _ => ("x", Value::Null),
        };
        claims[name] = value;
        self.sign(&claims)
    }

    fn sign(&self, claims: &Value) -> String {
        let (alg, key, kid) = match *self.wrong.lock().unwrap() {
            "none" => ("none", 0, "k0"),
            "shared secret" => ("HS256", 0, "k0"),
            "unknown key" => ("RS256", 1, "k7"),
            "another's key" => ("RS256", 1, "k0"),
            "new key" => ("RS256", 1, "k1"),
            _ => ("RS256", 0, "k0"),
        };
        let mut header = json!({ "alg": alg, "kid": kid, "typ": "JWT" });
        if self.is("critical") {
            header["crit"] = json!(["b64"]);
        }
        let signed = format!("{}.{}", b64(header.to_string().as_bytes()), b64(claims.to_string().as_bytes()));
        let signature = match alg {
            "none" => Vec::new(),
            // Signed with what everybody knows: the public key.
            "HS256" => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, self.keys[0].public_key().as_ref());
                hmac::sign(&key, signed.as_bytes()).as_ref().to_vec()
            }
            _ => {
                let mut signature = vec![0; self.keys[key].public_modulus_len()];
                let random = SystemRandom::new();
                self.keys[key].sign(&RSA_PKCS1_SHA256, &random, signed.as_bytes(), &mut signature).unwrap();
                signature
            }
        };
        format!("{signed}.{}", b64(&signature))
    }
}

async fn metadata(outside: Arc<Outside>, _: Request) -> Response {
    outside.looks.fetch_add(1, Ordering::SeqCst);
    let url = outside.url();
    if outside.is("elsewhere") {
        return Response::redirect(302, "https://evil.example/");
    }
    let mut said = json!({
        "issuer": url,
        "authorization_endpoint": format!("{url}/authorize"),
        "token_endpoint": format!("{url}/token"),
        "userinfo_endpoint": format!("{url}/userinfo"),
        "jwks_uri": format!("{url}/keys"),
        "authorization_response_iss_parameter_supported": true,
    });
    if outside.is("huge") {
        said["more"] = "x".repeat(300 * 1024).into();
    }
    if outside.is("another issuer") {
        said["issuer"] = "https://evil.example".into();
    }
    if outside.is("plain") {
        said["token_endpoint"] = "http://127.0.0.1/token".into();
    }
    Response::json(200, said.to_string())
}

async fn keys(outside: Arc<Outside>, _: Request) -> Response {
    let mut keys = vec![outside.jwk(0)];
    if outside.looks.load(Ordering::SeqCst) > 1 {
        keys.push(outside.jwk(1));
    }
    Response::json(200, json!({ "keys": keys }).to_string())
}

async fn token(outside: Arc<Outside>, mut request: Request) -> Response {
    let form = String::from_utf8(request.body().await.unwrap().to_vec()).unwrap();
    let value = |name: &str| form_value(&form, name).unwrap_or_default();
    let known =
        URL_SAFE_NO_PAD.encode(digest(&SHA256, value("code_verifier").as_bytes())) == outside.begun.lock().unwrap().1;
    let basic = base64::engine::general_purpose::STANDARD.encode(format!("{CLIENT}:s3cret%2F%2B"));
    let mut used = outside.used.lock().unwrap();
    let is_good = known
        && request.header("authorization") == format!("Basic {basic}")
        && value("grant_type") == "authorization_code"
        && value("redirect_uri") == "https://mail.anser.test/auth/outside/uni/back"
        && !used.contains(&value("code"));
    used.push(value("code"));
    match is_good {
        true => Response::json(
            200,
            json!({ "id_token": outside.id_token(), "access_token": "at", "token_type": "Bearer" }).to_string(),
        ),
        false => Response::json(400, json!({ "error": "invalid_grant" }).to_string()),
    }
}

async fn userinfo(outside: Arc<Outside>, request: Request) -> Response {
    assert_eq!(request.header("authorization"), "Bearer at");
    let sub = if outside.is("somebody else") { "u2" } else { "u1" };
    Response::json(200, json!({ "sub": sub, "number": 10023 }).to_string())
}

async fn validate(outside: Arc<Outside>, request: Request) -> Response {
    let (service, ticket) = (request.query("service").unwrap(), request.query("ticket").unwrap());
    let mut used = outside.used.lock().unwrap();
    let is_good = service.starts_with("https://mail.anser.test/auth/outside/cas/back?state=")
        && ticket.starts_with("ST-")
        && !used.contains(&ticket);
    used.push(ticket);
    let said = match is_good {
        true => {
            "<cas:authenticationSuccess><cas:user>ann</cas:user><cas:attributes><cas:mail>ann@anser.test</cas:mail></cas:attributes></cas:authenticationSuccess>"
        }
        false => "<cas:authenticationFailure code=\"INVALID_TICKET\">no</cas:authenticationFailure>",
    };
    let body = format!("<cas:serviceResponse xmlns:cas='http://www.yale.edu/tp/cas'>{said}</cas:serviceResponse>");
    Response::new(200, "text/xml", body)
}

/// The parameters of an address.
pub fn parameters(address: &str) -> HashMap<String, String> {
    let query = address.split_once('?').map_or("", |(_, query)| query);
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, _)| (name.to_owned(), form_value(query, name).unwrap())).collect()
}

fn b64(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
