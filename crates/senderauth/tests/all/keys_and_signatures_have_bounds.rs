//! Keys and signatures that are weak, old, withdrawn, for other uses or broken (RFC 6376 §6.1, RFC 8301, RFC 8463).

use anser_senderauth::dkim::key::{Key, Unfit};
use anser_senderauth::dkim::{Algorithm, Result, Signature};

use crate::lab::{self, PLAIN, ed25519, mail, rsa, signed};
use crate::zone::Zone;

#[test]
fn records_of_keys_are_read_as_they_are_written() {
    let record = rsa().record().unwrap();
    let p = record.split("p=").nth(1).unwrap();
    let parse = |text: &str| Key::parse(text.as_bytes());
    for text in [
        format!("v=DKIM1; k=rsa; h=sha256; s=email; t=y:s; n=a note; p={p}"),
        format!("p={p};"),
        format!(
            "k=rsa; t=s; p={}",
            p.chars().collect::<Vec<_>>().chunks(40).map(String::from_iter).collect::<Vec<_>>().join(" ")
        ),
    ] {
        assert!(parse(&text).unwrap().fits(Algorithm::RsaSha256), "{text}");
    }
    assert_eq!(parse("v=DKIM1; p=").unwrap_err(), Unfit::Revoked);
    assert_eq!(parse(&format!("h=sha1; p={p}")).unwrap_err(), Unfit::OtherUse);
    assert_eq!(parse(&format!("s=tlsrpt; p={p}")).unwrap_err(), Unfit::OtherUse);
    assert_eq!(parse(&format!("k=dsa; p={p}")).unwrap_err(), Unfit::OtherUse);
    for text in [
        "",
        "v=DKIM1",
        "p=AAAA",
        "v=DKIM2; p=AAAA",
        "k=ed25519; p=AAAA",
        &format!("p={p}; p={p}"),
        &format!("k=rsa; v=DKIM1; p={p}"),
    ] {
        assert_eq!(parse(text).unwrap_err(), Unfit::NoKey, "{text}");
    }
    // 512 bits: a SubjectPublicKeyInfo with a short modulus.
    let weak = "p=MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAL6rjcVmnXhHvF6dWTdbYEbp6o3CtXsOhpW7hHpqzB1O4R0YF8cWbYhKzH8XK1pB6o3CtXsOhpW7hHpqzB1O4R0CAwEAAQ==";
    assert_eq!(parse(weak).unwrap_err(), Unfit::Weak);
}

#[test]
fn a_signature_that_cannot_pass_asks_nobody() {
    let good = "v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.org; s=r; h=from:to; bh=AAAA; b=AAAA";
    assert!(Signature::dkim(good.as_bytes()).is_ok());
    for (from, to) in [
        ("v=1", "v=2"),
        ("a=rsa-sha256", "a=rsa-md5"),
        ("d=example.org", "d=exa mple.org"),
        ("d=example.org", "d=-x.org"),
        ("s=r", "s=a..b"),
        ("h=from:to", "h=to"),
        ("h=from:to", "h=from::to"),
        ("bh=AAAA", "bh=A$"),
        ("b=AAAA", "b="),
        ("b=AAAA", "b=AAAA; b=AAAA"),
        ("b=AAAA", "b=AAAA; i=@example.com"),
        ("b=AAAA", "b=AAAA; i=x"),
        ("b=AAAA", "b=AAAA; t=20; x=10"),
        ("b=AAAA", "b=AAAA; l=-1"),
        ("b=AAAA", "b=AAAA; q=http/x"),
        ("c=relaxed/relaxed", "c=nofws"),
        ("v=1;", "v=1; =x;"),
    ] {
        assert!(good.contains(from));
        assert!(Signature::dkim(good.replace(from, to).as_bytes()).is_err(), "{from} → {to}");
    }
    let zone = Zone::new();
    let raw = mail(&format!("DKIM-Signature: {}\n{PLAIN}", good.replace("rsa-sha256", "rsa-sha1")));
    assert_eq!(lab::results(&zone, &raw), [Result::Policy]);
    let raw = mail(&format!("DKIM-Signature: {good}; x=5\n{PLAIN}"));
    assert_eq!(lab::results(&zone, &raw), [Result::Fail]);
    assert!(zone.asked.lock().unwrap().is_empty());
}

#[test]
fn what_the_dns_says_of_the_key_decides() {
    let raw = signed(&mail(PLAIN), "example.org");
    let (r, e) = ("r._domainkey.example.org", "e._domainkey.example.org");
    let zone = Zone::new().text(r, "v=DKIM1; p=").silence(e, None);
    assert_eq!(lab::results(&zone, &raw), [Result::PermError, Result::TempError]);
    // A key of the other kind, and two records of which one fits.
    let zone = Zone::new()
        .text(r, ed25519().record().unwrap())
        .text(e, "v=spf1 -all")
        .text(e, ed25519().record().unwrap().replace("v=DKIM1;", "v=DKIM1; t=y;"));
    let outcomes = lab::verify(&zone, &raw);
    assert_eq!(outcomes[0].result, Result::PermError);
    assert_eq!((outcomes[1].result, outcomes[1].testing), (Result::Pass, true));
}

#[test]
fn secret_keys_come_back_from_their_stored_form() {
    for key in [rsa(), ed25519()] {
        let stored = key.to_pkcs8().unwrap();
        let back = anser_senderauth::dkim::SecretKey::from_pkcs8(key.algorithm(), &stored).unwrap();
        assert_eq!(back.record().unwrap(), key.record().unwrap());
        assert!(anser_senderauth::dkim::SecretKey::from_pkcs8(key.algorithm(), &stored[..20]).is_err());
        assert!(!format!("{key:?}").contains(&key.record().unwrap()[20..40]));
    }
}
