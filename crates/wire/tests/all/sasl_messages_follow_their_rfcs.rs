//! SASL messages: the examples of the RFCs and what must be refused.

use anser_wire::sasl::*;
use proptest::prelude::*;

#[test]
fn base64_is_strict() {
    assert_eq!(decode_base64(b"AGEAYg=="), Ok(b"\0a\0b".to_vec()));
    assert_eq!(decode_base64(b""), Ok(vec![]));
    for bad in ["AGEAYg", "AGEAYg=", "AGE AYg==", "AGEAYh==", "AGEAYg==\r\n", "-_==", "===="] {
        assert!(decode_base64(bad.as_bytes()).is_err(), "{bad}");
    }
}

#[test]
fn plain_has_three_parts() {
    let plain = Plain::parse(b"Ursel\0Kurt\0xipj3plmq").unwrap();
    assert_eq!((plain.authzid.as_str(), plain.authcid.as_str()), ("Ursel", "Kurt"));
    assert_eq!(plain.password.as_bytes(), b"xipj3plmq");
    assert_eq!(format!("{:?}", plain.password), "Secret(9 octets)");
    for bad in [&b""[..], b"a", b"a\0b", b"\0\0b", b"\0a\0", b"\0a\0b\0", b"\0a\nb\0c", b"\0\xff\0b"] {
        assert!(Plain::parse(bad).is_err(), "{}", bad.escape_ascii());
    }
}

#[test]
fn scram_example_of_rfc_7677() {
    let first = ClientFirst::parse(b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO").unwrap();
    assert_eq!((first.user.as_str(), first.nonce.as_str()), ("user", "rOprNGfwEbeRWgbNEkqO"));
    assert_eq!((first.gs2_header.as_str(), first.bare.as_str()), ("n,,", "n=user,r=rOprNGfwEbeRWgbNEkqO"));
    assert_eq!(first.binding, ChannelBinding::Unsupported);
    let nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
    let salt = decode_base64(b"W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
    let server_first = ServerFirst { nonce: nonce.into(), salt, iterations: 4096 }.to_message();
    assert_eq!(server_first, format!("r={nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"));
    let message = format!("c=biws,r={nonce},p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
    let last = ClientFinal::parse(message.as_bytes()).unwrap();
    assert_eq!((last.nonce.as_str(), last.proof.len()), (nonce, 32));
    assert_eq!(last.without_proof, format!("c=biws,r={nonce}"));
    assert!(last.binds(&first, b""));
    assert!(last.binds(&first, b"ignored without p="));
    assert_eq!(server_final(b"\x01\x02"), "v=AQI=");
    assert_eq!(server_error("invalid-proof"), "e=invalid-proof");
}

#[test]
fn scram_binds_its_channel() {
    let first = ClientFirst::parse(b"p=tls-exporter,a=as=2Cme,n=a=3Db,r=x").unwrap();
    assert_eq!(first.binding, ChannelBinding::Required("tls-exporter".into()));
    assert_eq!((first.authzid.as_str(), first.user.as_str()), ("as,me", "a=b"));
    let bound = encode_base64(b"p=tls-exporter,a=as=2Cme,DATA");
    let last = ClientFinal::parse(format!("c={bound},r=xy,p=AA==").as_bytes()).unwrap();
    assert!(last.binds(&first, b"DATA") && !last.binds(&first, b"OTHER") && !last.binds(&first, b""));
    assert_eq!(ClientFirst::parse(b"y,,n=a,r=x").unwrap().binding, ChannelBinding::NotOffered);
}

#[test]
fn scram_refuses_what_is_malformed() {
    for bad in [
        "",
        "n,",
        "n,,",
        "n,,n=a",
        "n,,r=x,n=a",
        "n,,n=,r=x",
        "n,,n=a,r=",
        "n,,m=ext,n=a,r=x",
        "n,,n=a=b,r=x",
        "n,,n=a=2c,r=x",
        "q,,n=a,r=x",
        "p=,,n=a,r=x",
        "n,b=x,n=a,r=x",
        "n,,n=a,r=x y",
        "n,,n=a,r=\u{e9}",
    ] {
        assert!(ClientFirst::parse(bad.as_bytes()).is_err(), "{bad}");
    }
    for bad in
        ["", "c=biws,r=x", "r=x,c=biws,p=AA==", "c=biws,p=AA==", "c=!,r=x,p=AA==", "c=biws,r=x,p=A", "c=biws,r=,p=AA=="]
    {
        assert!(ClientFinal::parse(bad.as_bytes()).is_err(), "{bad}");
    }
}

#[test]
fn oauth_messages() {
    let message = b"n,a=user@example.com,\x01host=server.example.com\x01port=143\x01auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\x01\x01";
    let bearer = OAuthBearer::parse(message).unwrap();
    assert_eq!(
        (bearer.authzid.as_str(), bearer.host.as_deref(), bearer.port),
        ("user@example.com", Some("server.example.com"), Some(143))
    );
    assert_eq!(bearer.token.as_bytes(), b"vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==");
    let old = XOAuth2::parse(b"user=someuser@example.com\x01auth=Bearer ya29.vF9dft4q\x01\x01").unwrap();
    assert_eq!((old.user.as_str(), old.token.as_bytes()), ("someuser@example.com", &b"ya29.vF9dft4q"[..]));
    for bad in [
        "",
        "n,,",
        "n,,\x01\x01",
        "n,,\x01auth=Basic x\x01\x01",
        "n,,\x01auth=Bearer \x01\x01",
        "p=x,,\x01auth=Bearer x\x01\x01",
        "n,,\x01auth=Bearer a b\x01\x01",
        "n,,\x01port=x\x01auth=Bearer x\x01\x01",
        "n,,\x01auth=Bearer x\x01",
    ] {
        assert!(OAuthBearer::parse(bad.as_bytes()).is_err(), "{bad:?}");
    }
    assert!(XOAuth2::parse(b"auth=Bearer x\x01\x01").is_err());
    assert_eq!(oauth_error("invalid_token", Some("mail")), r#"{"status":"invalid_token","scope":"mail"}"#);
}

proptest! {
    #[test]
    fn no_message_panics(message: Vec<u8>, text in "[npy,=acr\u{1}A2CDé]{0,30}") {
        for message in [message.as_slice(), text.as_bytes()] {
            let _ = Plain::parse(message);
            let _ = ClientFirst::parse(message);
            let _ = ClientFinal::parse(message);
            let _ = OAuthBearer::parse(message);
            let _ = XOAuth2::parse(message);
        }
    }
}
