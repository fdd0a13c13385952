//! What claims to be written by us is removed, in whatever form (RFC 8601 §5); what others wrote stays.

use anser_senderauth::results::{each, field, says_pass, without_forged};

const OWN: &str = "mx.example.net";

#[test]
fn forged_results_go_and_others_stay() {
    let forged = [
        "Authentication-Results: mx.example.net; dmarc=pass\r\n",
        "authentication-RESULTS: MX.Example.NET; dmarc=pass\r\n",
        "Authentication-Results : mx.example.net 1; dmarc=pass\r\n",
        "Authentication-Results:\r\n\tmx.example.net\r\n\t; dmarc=pass\r\n",
        "Authentication-Results: (a (nested) \\) comment) mx.example.net; dmarc=pass\r\n",
        "Authentication-Results: \"mx.example.net\"; dmarc=pass\r\n",
        "Authentication-Results: \"mx.exam\\ple.net\"; dmarc=pass\r\n",
        "Authentication-Results: mx.example.net(x); dmarc=pass\r\n",
        "Authentication-Results: mx.example.net.; dmarc=pass\r\n",
        "Authentication-Results: in.mx.example.net; dmarc=pass\r\n",
        "Authentication-Results: ; dmarc=pass\r\n",
        "Authentication-Results: (never closed mx.example.net; dmarc=pass\r\n",
        "Authentication-Results: \u{0}mx.example.net; dmarc=pass\r\n",
        "Authentication-Results\r\n : mx.example.net; dmarc=pass\r\n",
    ];
    let kept = "Authentication-Results: other.example; dmarc=pass\r\nX-Authentication-Results: mx.example.net\r\nSubject: s\r\n";
    for one in forged {
        let header = format!("Received: x\r\n{one}{kept}");
        let clean = without_forged(header.as_bytes(), OWN).unwrap_or_else(|| panic!("{one:?} stayed"));
        assert_eq!(String::from_utf8(clean).unwrap(), format!("Received: x\r\n{kept}"), "{one:?}");
    }
    assert_eq!(without_forged(kept.as_bytes(), OWN), None);
    assert_eq!(without_forged(b" Authentication-Results: mx.example.net\r\nA: b\r\n", OWN).unwrap(), b"A: b\r\n");
    assert!(without_forged(field(OWN, "spf=pass").as_bytes(), OWN).unwrap().is_empty());
}

#[test]
fn a_pass_in_a_comment_or_for_another_author_is_none() {
    assert!(says_pass("spf=fail; dmarc=pass (p=none) header.from=example.org", "example.org"));
    for text in [
        "dmarc=fail header.from=example.org",
        "(dmarc=pass header.from=example.org)",
        "spf=pass (; dmarc=pass header.from=example.org)",
        "dmarc=pass header.from=example.org.evil.example",
        "spf=pass reason=\"; dmarc=pass header.from=example.org\"",
        "xdmarc=pass header.from=example.org",
        "\"dmarc=pass\" header.from=example.org",
        "dmarc=pass (never closed header.from=example.org",
    ] {
        assert!(!says_pass(text, "example.org"), "{text}");
    }
}

#[test]
fn results_are_read_with_their_properties_and_comments() {
    let text = "iprev=pass policy.iprev=\"2001:db8::1\" (a.example);\r\n\tdkim=FAIL reason=\"no; (key)\" (a (b) \\) c)\r\n\t Header.D=b.example";
    let all = each(text);
    assert_eq!(all.len(), 2);
    assert_eq!((all[0].method.as_str(), all[0].word.as_str()), ("iprev", "pass"));
    assert_eq!(all[0].property("policy.iprev"), Some("2001:db8::1"));
    assert_eq!(all[0].comments, ["a.example"]);
    assert_eq!((all[1].word.as_str(), all[1].property("reason")), ("fail", Some("no; (key)")));
    assert_eq!((all[1].property("header.d"), all[1].comments[0].as_str()), (Some("b.example"), "a (b) ) c"));
}
