//! OAuth 2.0 as a program sees it, with curl for a browser.

use std::time::Duration;

use anser_base::Address;
use anser_directory::{AppPasswordKind, Attempt, Client, Password, Refusal, Service, Services};
use anser_journal::What;
use anser_testkit::door::PASSWORD;
use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::site::{Answer, Site, each_site};

/// RFC 7636 appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const CALLBACK: &str = "http://127.0.0.1:40123/cb";

/// Registers a program on a desk, and one with a secret, which is returned.
fn register(site: &Site) -> String {
    let client = |id: &str, redirect: &str, services, confidential| Client {
        id: id.into(),
        name: "<Desk> & co".into(),
        redirects: vec![redirect.into()],
        services,
        confidential,
    };
    let directory = &site.door.directory;
    site.door.runtime.block_on(async {
        directory.add_client(client("desk", "http://127.0.0.1/cb", Services::ALL, false)).await.unwrap();
        let portal = client("oa", "https://oa.example/cb", Services::NONE, true);
        directory.add_client(portal).await.unwrap().unwrap()
    })
}

fn query(scope: &str) -> String {
    format!(
        "client_id=desk&redirect_uri={CALLBACK}&response_type=code&scope={scope}&state=a%26b&nonce=n1\
         &code_challenge={CHALLENGE}&code_challenge_method=S256"
    )
}

/// Ann allows what a query asks for; where she is sent.
fn allow(site: &Site, query: &str, decision: &str) -> Answer {
    let decision = format!("decision={decision}");
    let args = ["-H", "Sec-Fetch-Site: same-origin", "-d", query, "-d", &decision];
    site.curl("ann", "/auth/authorize", &args)
}

fn code(site: &Site, scope: &str) -> String {
    let sent = allow(site, &query(scope), "allow");
    assert_eq!(sent.status, 303, "{}{}", sent.head, sent.body);
    let place = sent.field("location").unwrap().to_owned();
    assert!(place.starts_with(&format!("{CALLBACK}?code=anser_oc_")), "{place}");
    assert!(place.contains("&state=a%26b&iss=https%3A%2F%2Fmail.anser.test"), "{place}");
    place.split("code=").nth(1).unwrap().split('&').next().unwrap().to_owned()
}

fn token(site: &Site, fields: &[&str]) -> Answer {
    let mut args = Vec::new();
    for field in fields {
        args.extend(["-d", field]);
    }
    site.curl("program", "/auth/token", &args)
}

fn redeem(site: &Site, code: &str) -> Answer {
    let (code, redirect) = (format!("code={code}"), format!("redirect_uri={CALLBACK}"));
    let verifier = format!("code_verifier={VERIFIER}");
    token(site, &["grant_type=authorization_code", "client_id=desk", &code, &redirect, &verifier])
}

fn refresh(site: &Site, refresh: &Value) -> Answer {
    let refresh = format!("refresh_token={}", refresh.as_str().unwrap());
    token(site, &["grant_type=refresh_token", "client_id=desk", &refresh])
}

/// What an access token opens.
fn opens(site: &Site, service: Service, token: &Value) -> Result<String, Refusal> {
    let source = "127.0.0.1".parse().unwrap();
    let attempt = Attempt { name: b"", password: token.as_str().unwrap().as_bytes(), service, source, tls: true };
    let login = site.door.runtime.block_on(site.door.directory.authenticate_token(attempt));
    login.map(|login| login.account.address.to_string()).map_err(|failure| failure.reason)
}

#[test]
fn a_code_becomes_tokens_that_open_the_doors() {
    each_site(|site| {
        register(site);
        site.sign_in("ann", PASSWORD);
        let page = site.curl("ann", &format!("/auth/authorize?{}", query("imap+send+openid")), &[]);
        assert_eq!(page.status, 200);
        assert!(page.body.contains("&lt;Desk&gt; &amp; co") && page.body.contains("ann@anser.test"), "{}", page.body);
        assert!(page.body.contains("send mail in your name"));
        let given = redeem(site, &code(site, "imap+send+openid"));
        assert_eq!(given.status, 200, "{}", given.body);
        let said = given.json();
        assert_eq!((said["token_type"].as_str(), said["scope"].as_str()), (Some("Bearer"), Some("openid send imap")));
        let access = &said["access_token"];
        for service in [Service::Imap, Service::Submission] {
            assert_eq!(opens(site, service, access).unwrap(), "ann@anser.test");
        }
        for service in [Service::Pop3, Service::Web, Service::ManageSieve, Service::SignIn] {
            assert_eq!(opens(site, service, access).unwrap_err(), Refusal::NotAllowed, "{service:?}");
        }
        let second = refresh(site, &said["refresh_token"]).json();
        assert_eq!(opens(site, Service::Imap, &second["access_token"]).unwrap(), "ann@anser.test");
        let told = site.door.journal("ann@anser.test");
        assert!(told.iter().any(|what| matches!(what, What::Administered { act, .. } if act == "grant.create")));
        assert!(told.iter().any(|what| matches!(what, What::Login { mechanism, .. } if mechanism == "OAUTH desk")));
    });
}

#[test]
fn an_id_token_says_who_it_is_and_is_signed() {
    each_site(|site| {
        let secret = register(site);
        site.sign_in("ann", PASSWORD);
        let ask = "client_id=oa&redirect_uri=https://oa.example/cb&response_type=code&scope=openid+mail&nonce=n1";
        let ask = format!("{ask}&code_challenge={CHALLENGE}&code_challenge_method=S256");
        let place = allow(site, &ask, "allow").field("location").unwrap().to_owned();
        let code = format!("code={}", place.split("code=").nth(1).unwrap().split('&').next().unwrap());
        let verifier = format!("code_verifier={VERIFIER}");
        let redirect = "redirect_uri=https://oa.example/cb";
        let with = |user: &str| {
            let args =
                ["-u", user, "-d", "grant_type=authorization_code", "-d", &code, "-d", redirect, "-d", &verifier];
            site.curl("program", "/auth/token", &args)
        };
        assert_eq!(with("oa:guess").json()["error"], "invalid_client");
        let said = with(&format!("oa:{secret}")).json();
        assert_eq!(said["scope"], "openid", "more than the client may have is not given");
        let parts: Vec<&str> = said["id_token"].as_str().unwrap().split('.').collect();
        let decoded = |part: &str| URL_SAFE_NO_PAD.decode(part).unwrap();
        let claims: Value = serde_json::from_slice(&decoded(parts[1])).unwrap();
        let expected = ("https://mail.anser.test", "oa", "n1", "ann@anser.test");
        let text = |name: &str| claims[name].as_str().unwrap();
        assert_eq!((text("iss"), text("aud"), text("nonce"), text("email")), expected);
        let keys = site.curl("program", "/auth/jwks", &[]).json();
        let key = &keys["keys"][0];
        let [n, e] = ["n", "e"].map(|name| decoded(key[name].as_str().unwrap()));
        let signed = format!("{}.{}", parts[0], parts[1]);
        let public = RsaPublicKeyComponents { n, e };
        public.verify(&RSA_PKCS1_2048_8192_SHA256, signed.as_bytes(), &decoded(parts[2])).unwrap();
        let bearer = format!("Authorization: Bearer {}", said["access_token"].as_str().unwrap());
        let who = site.curl("program", "/auth/userinfo", &["-H", &bearer]).json();
        assert_eq!((who["email"].as_str(), &who["sub"]), (Some("ann@anser.test"), &claims["sub"]));
        assert_eq!(site.curl("program", "/auth/userinfo", &["-H", "Authorization: Bearer x"]).status, 401);
        let found = site.curl("program", "/.well-known/openid-configuration", &[]).json();
        assert_eq!(found["issuer"], claims["iss"]);
    });
}

#[test]
fn what_comes_twice_ends_its_grant() {
    each_site(|site| {
        register(site);
        site.sign_in("ann", PASSWORD);
        let once = code(site, "imap");
        let said = redeem(site, &once).json();
        assert_eq!(opens(site, Service::Imap, &said["access_token"]).unwrap(), "ann@anser.test");
        assert_eq!(redeem(site, &once).json()["error"], "invalid_grant");
        assert_eq!(opens(site, Service::Imap, &said["access_token"]).unwrap_err(), Refusal::Wrong, "a stolen code");
        let said = redeem(site, &code(site, "imap")).json();
        let next = refresh(site, &said["refresh_token"]).json();
        assert_eq!(refresh(site, &said["refresh_token"]).json()["error"], "invalid_grant");
        assert_eq!(refresh(site, &next["refresh_token"]).json()["error"], "invalid_grant", "all of it is gone");
        assert_eq!(opens(site, Service::Imap, &next["access_token"]).unwrap_err(), Refusal::Wrong);
    });
}

#[test]
fn forged_and_foreign_requests_are_given_nothing() {
    each_site(|site| {
        register(site);
        let page =
            |query: &str| site.curl("ann", &format!("/auth/authorize?{query}"), &["-H", "Sec-Fetch-Site: same-origin"]);
        let asked = page(&query("imap"));
        let place = asked.field("location").unwrap_or_default();
        assert!(place.starts_with("/?next=%2Fauth%2Fauthorize%3Fclient_id%3Ddesk"), "signs in first: {place}");
        let foreign =
            site.curl("ann", &format!("/auth/authorize?{}", query("imap")), &["-H", "Sec-Fetch-Site: cross-site"]);
        assert!(foreign.status == 200 && foreign.body.contains("&amp;again=1"), "{}", foreign.body);
        site.sign_in("ann", PASSWORD);
        for (from, to) in
            [("client_id=desk", "client_id=nobody"), ("/cb", "/cb2"), (CALLBACK, "https://evil.example/cb")]
        {
            let refused = page(&query("imap").replace(from, to));
            assert_eq!((refused.status, refused.field("location")), (400, None), "{to}");
        }
        for (from, to, error) in [
            ("response_type=code", "response_type=token", "unsupported_response_type"),
            ("S256", "plain", "invalid_request"),
            (CHALLENGE, "short", "invalid_request"),
            ("scope=imap", "scope=everything", "invalid_scope"),
            ("scope=imap", "scope=imap&prompt=none", "interaction_required"),
        ] {
            let sent = page(&query("imap").replace(from, to));
            assert!(sent.field("location").unwrap().contains(&format!("error={error}")), "{to}: {}", sent.head);
        }
        assert!(allow(site, &query("imap"), "deny").field("location").unwrap().contains("error=access_denied"));
        let args = ["-H", "Sec-Fetch-Site: cross-site", "-d", &query("imap"), "-d", "decision=allow"];
        assert_eq!(site.curl("ann", "/auth/authorize", &args).status, 403, "nobody clicks for her");
        let good = code(site, "imap");
        let wrong_verifier = format!("code_verifier={}", "x".repeat(43));
        let (of, redirect) = (format!("code={good}"), format!("redirect_uri={CALLBACK}"));
        let fields = ["grant_type=authorization_code", "client_id=desk", &of, &redirect, &wrong_verifier];
        assert_eq!(token(site, &fields).json()["error"], "invalid_grant");
        assert_eq!(redeem(site, &good).status, 200, "the right one is still good");
        assert_eq!(redeem(site, "anser_oc_forged").json()["error"], "invalid_grant");
        assert_eq!(token(site, &["grant_type=password", "client_id=desk"]).json()["error"], "unsupported_grant_type");
        assert_eq!(token(site, &["grant_type=refresh_token", "client_id=oa"]).json()["error"], "invalid_client");
        assert_eq!(token(site, &["grant_type=refresh_token"]).json()["error"], "invalid_client");
    });
}

#[test]
fn owners_programs_and_new_passwords_take_grants_back() {
    each_site(|site| {
        register(site);
        site.sign_in("ann", PASSWORD);
        let given = || redeem(site, &code(site, "imap")).json();
        let by_owner = given();
        let listed = site.page("ann", "GET", "/auth/grants", None).json();
        assert_eq!(
            (listed["list"][0]["client"].as_str(), listed["list"][0]["scope"].as_str()),
            (Some("<Desk> & co"), Some("imap"))
        );
        let one = format!("/auth/grants/{}", listed["list"][0]["id"].as_str().unwrap());
        assert_eq!(site.page("ann", "DELETE", &one, None).status, 204);
        assert_eq!(opens(site, Service::Imap, &by_owner["access_token"]).unwrap_err(), Refusal::Wrong);
        let by_program = given();
        let gone = format!("token={}", by_program["refresh_token"].as_str().unwrap());
        let revoked = site.curl("program", "/auth/revoke", &["-d", "client_id=desk", "-d", &gone]);
        assert_eq!(revoked.status, 200);
        assert_eq!(opens(site, Service::Imap, &by_program["access_token"]).unwrap_err(), Refusal::Wrong);
        let by_password = given();
        let ann = site.door.account("ann");
        let set = anser_directory::Password::Plain(PASSWORD.into());
        site.door.runtime.block_on(site.door.directory.set_password(ann, &set, false)).unwrap();
        assert_eq!(opens(site, Service::Imap, &by_password["access_token"]).unwrap_err(), Refusal::Wrong);
        assert_eq!(refresh(site, &by_password["refresh_token"]).json()["error"], "invalid_grant");
        assert!(
            site.door
                .runtime
                .block_on(site.door.directory.app_passwords(ann, AppPasswordKind::Bearer))
                .unwrap()
                .is_empty()
        );
    });
}

#[test]
fn a_device_without_a_browser_waits_for_its_owner() {
    each_site(|site| {
        register(site);
        site.sign_in("ann", PASSWORD);
        let begin = || site.curl("tv", "/auth/device/code", &["-d", "client_id=desk", "-d", "scope=imap"]).json();
        let poll = |device: &Value| {
            let code = format!("device_code={}", device["device_code"].as_str().unwrap());
            token(site, &["grant_type=urn:ietf:params:oauth:grant-type:device_code", "client_id=desk", &code])
        };
        let answer = |code: &str, decision: &str| {
            let (code, decision) = (format!("user_code={code}"), format!("decision={decision}"));
            let args = ["-H", "Sec-Fetch-Site: same-origin", "-d", &code, "-d", &decision];
            site.curl("ann", "/auth/device", &args)
        };
        let device = begin();
        let typed = device["user_code"].as_str().unwrap().to_lowercase().replace('-', " ");
        assert_eq!(poll(&device).json()["error"], "authorization_pending");
        assert_eq!(poll(&device).json()["error"], "slow_down", "asked again at once");
        assert!(answer("WRNG-CDXX", "").body.contains("class=\"wrong\""));
        assert!(answer(&typed, "").body.contains("&lt;Desk&gt;"));
        assert_eq!(answer(&typed, "allow").status, 200);
        let said = poll(&device).json();
        assert_eq!(opens(site, Service::Imap, &said["access_token"]).unwrap(), "ann@anser.test");
        assert_eq!(refresh(site, &said["refresh_token"]).status, 200);
        assert_eq!(poll(&device).json()["error"], "invalid_grant", "once");
        let denied = begin();
        answer(denied["user_code"].as_str().unwrap(), "deny");
        assert_eq!(poll(&denied).json()["error"], "access_denied");
        let late = begin();
        assert_eq!(answer(late["user_code"].as_str().unwrap(), "allow").status, 200);
        let other = Password::Plain(b"tin-rabbit-9 kettle".to_vec());
        let ann = Address::parse("ann@anser.test").unwrap();
        let changed = async {
            let ann = site.door.directory.account_by_address(&ann).await.unwrap().unwrap();
            site.door.directory.set_password(ann.id, &other, false).await.unwrap();
        };
        site.door.runtime.block_on(changed);
        assert_eq!(poll(&late).json()["error"], "invalid_grant", "allowed before the password was changed");
    });
}

/// RFC 8628 §3.1 to §3.5, by the clock.
#[test]
fn a_device_asks_in_time_until_its_time_is_over() {
    each_site(|site| {
        register(site);
        site.sign_in("ann", PASSWORD);
        let begin = |fields: &[&str]| {
            let args: Vec<&str> = fields.iter().flat_map(|field| ["-d", field]).collect();
            site.curl("tv", "/auth/device/code", &args).json()
        };
        let poll = |device: &Value| {
            let code = format!("device_code={}", device["device_code"].as_str().unwrap());
            let answer =
                token(site, &["grant_type=urn:ietf:params:oauth:grant-type:device_code", "client_id=desk", &code]);
            assert_eq!(answer.status, 400, "{}", answer.body);
            answer.json()["error"].as_str().unwrap().to_owned()
        };
        let wait = |seconds| site.clock.advance(Duration::from_secs(seconds));
        let device = begin(&["client_id=desk", "scope=imap"]);
        assert_eq!((device["expires_in"].as_u64(), device["interval"].as_u64()), (Some(900), Some(5)), "{device}");
        let at = device["verification_uri"].as_str().unwrap();
        let whole = device["verification_uri_complete"].as_str().unwrap();
        assert!(at.starts_with("https://mail.anser.test/") && whole.starts_with(at), "{device}");
        assert!(whole.contains(device["user_code"].as_str().unwrap()), "{device}");
        assert_eq!(poll(&device), "authorization_pending");
        wait(4);
        assert_eq!(poll(&device), "slow_down");
        // It waits five seconds more from then on (§3.5).
        wait(10);
        assert_eq!(poll(&device), "authorization_pending");
        let page = site.curl(
            "ann",
            whole.strip_prefix("https://mail.anser.test").unwrap(),
            &["-H", "Sec-Fetch-Site: same-origin"],
        );
        let typed = format!("value=\"{}\"", device["user_code"].as_str().unwrap());
        assert!(page.body.contains(&typed), "the code need not be typed: {}", page.body);
        wait(900);
        assert_eq!(poll(&device), "expired_token");
        let late = format!("user_code={}", device["user_code"].as_str().unwrap());
        let args = ["-H", "Sec-Fetch-Site: same-origin", "-d", &late, "-d", "decision=allow"];
        assert!(
            site.curl("ann", "/auth/device", &args).body.contains("class=\"wrong\""),
            "nobody waits with it any more"
        );
        begin(&["client_id=desk", "scope=imap"]);
        assert_eq!(poll(&device), "expired_token", "whoever began meanwhile");
        assert_eq!(poll(&json!({ "device_code": "anser_od_guess" })), "invalid_grant");
        assert_eq!(begin(&["client_id=nobody", "scope=imap"])["error"], "invalid_client");
        assert_eq!(begin(&["client_id=desk", "scope=everything"])["error"], "invalid_scope");
        assert_eq!(begin(&["scope=imap"])["error"], "invalid_client");
    });
}
