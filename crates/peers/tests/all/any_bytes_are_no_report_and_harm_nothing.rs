use anser_peers::aggregate::{Checked, Published, ROWS, Report, Row, Signature};
use anser_peers::{Meta, pack, tls};
use proptest::prelude::*;

fn feedback(inner: &str) -> Vec<u8> {
    format!("<feedback><policy_published><domain>ours.test</domain></policy_published>{inner}</feedback>").into_bytes()
}

#[test]
fn documents_with_entities_of_their_own_are_refused() {
    let laughs = "<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;\">]>";
    let document =
        [laughs.as_bytes(), &feedback("<report_metadata><org_name>&b;</org_name></report_metadata>")].concat();
    assert_eq!(Report::read(&document), None);
    let outside = "<!DOCTYPE x [<!ENTITY a SYSTEM \"file:///etc/passwd\">]>";
    assert_eq!(Report::read(&[outside.as_bytes(), &feedback("&a;")].concat()), None);
    assert_eq!(Report::read(&feedback("<report_metadata><org_name>&b;</org_name></report_metadata>")), None);
}

#[test]
fn depth_length_and_number_have_an_end() {
    let deep = "<a>".repeat(100_000);
    assert_eq!(Report::read(&feedback(&deep)), None);
    let long = format!("<report_metadata><org_name>{}</org_name></report_metadata>", "x".repeat(1_000_000));
    assert!(Report::read(&feedback(&long)).unwrap().meta.organization.len() <= 512);
    let many = "<record><row><count>1</count></row></record>".repeat(50_000);
    assert_eq!(Report::read(&feedback(&many)).unwrap().rows.len(), ROWS);
    let nested = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(tls::Report::read(nested.as_bytes()), None);
    for other in ["", "<html><p>no</p></html>", "<feedback/>", "<feedback><policy_published>"] {
        assert_eq!(Report::read(other.as_bytes()), None, "{other}");
    }
}

#[test]
fn what_strangers_write_is_one_line_of_words() {
    let row = "<record><row><source_ip>x</source_ip><count>-1</count></row><identifiers><header_from>a\u{1b}[2J\nb</header_from>\
               </identifiers></record>";
    let report = Report::read(&feedback(row)).unwrap();
    let [(row, 0)] = report.rows.as_slice() else { panic!("{report:?}") };
    assert_eq!((row.source, &*row.author), (None, "a [2j b"));
}

fn domain() -> impl Strategy<Value = String> {
    "[a-z0-9]{1,10}(\\.[a-z]{2,5}){1,2}"
}

fn row() -> impl Strategy<Value = Row> {
    let signature = (domain(), "[a-z0-9]{1,8}", "pass|fail|temperror")
        .prop_map(|(domain, selector, result)| Signature { domain, selector, result });
    let checked =
        (domain(), "mfrom|helo", "pass|softfail").prop_map(|(domain, scope, result)| Checked { domain, scope, result });
    let head = (any::<std::net::IpAddr>(), "none|pass|quarantine|reject", any::<bool>(), any::<bool>());
    (head, domain(), prop::collection::vec(signature, 0..5), prop::option::of(checked)).prop_map(
        |((source, disposition, dkim, spf), author, signatures, checked)| Row {
            source: Some(source),
            disposition,
            dkim,
            spf,
            reason: String::new(),
            sender: author.clone(),
            author,
            signatures,
            checked,
        },
    )
}

proptest! {
    #[test]
    fn what_is_written_reads_the_same(
        rows in prop::collection::vec((row(), 0u64..1_000_000), 0..5),
        organization in "[^\\s\\x00-\\x1f\\x7f-\\x9f]{1,20}",
        domain in domain(),
    ) {
        let meta = Meta { organization, contact: "a@b.test".into(), id: "<1>&".into(), begin: 1, end: 2 };
        let policy = Published { domain, policy: "reject".into(), dkim: "s".into(), testing: true, ..Published::default() };
        let report = Report { meta, policy, rows };
        prop_assert_eq!(Report::read(report.write().as_bytes()), Some(report));
    }

    #[test]
    fn any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..500)) {
        let _ = (Report::read(&bytes), tls::Report::read(&bytes), pack::unpack(&bytes));
    }

    #[test]
    fn any_elements_are_answered(parts in prop::collection::vec("</?(feedback|record|row|count|dkim|spf|x)/?>|[a-z0-9&;]{0,5}", 0..60)) {
        let _ = Report::read(format!("<feedback>{}", parts.concat()).as_bytes());
    }
}
