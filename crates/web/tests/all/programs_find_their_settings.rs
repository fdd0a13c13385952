use std::process::Command;

use crate::site::each_site;

/// What a real XML reader finds: the texts of all elements of this name.
fn texts(xml: &str, name: &str) -> Vec<String> {
    let script = "import sys,xml.etree.ElementTree as E\nfor e in E.fromstring(sys.argv[1].encode()).iter():\n  \
                  if e.tag.split('}')[-1]==sys.argv[2]: print((e.text or '').strip())";
    let output = Command::new("python3").args(["-c", script, xml, name]).output().expect("python3");
    assert!(output.status.success(), "{xml}\n{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn thunderbird_is_told_what_is_open() {
    each_site(|site| {
        for (host, path) in [
            ("autoconfig.anser.test", "/mail/config-v1.1.xml?emailaddress=ann%40anser.test"),
            ("autoconfig.anser.test", "/mail/config-v1.1.xml"),
            ("anser.test", "/.well-known/autoconfig/mail/config-v1.1.xml"),
        ] {
            let (status, xml) = site.get(host, path);
            assert_eq!(status, 200, "{host}{path}: {xml}");
            assert_eq!(texts(&xml, "domain"), ["anser.test"]);
            assert_eq!(texts(&xml, "port"), ["993", "143", "465", "587"]);
            assert_eq!(texts(&xml, "socketType"), ["SSL", "STARTTLS", "SSL", "STARTTLS"]);
            assert_eq!(texts(&xml, "username"), ["%EMAILADDRESS%"; 4]);
        }
        assert_eq!(site.get("autoconfig.other.test", "/mail/config-v1.1.xml").0, 404);
        let (status, _) = site.get("mail.anser.test", "/mail/config-v1.1.xml?emailaddress=ann@other.test");
        assert_eq!(status, 404);
    });
}

#[test]
fn nobody_is_told_whether_an_address_exists() {
    each_site(|site| {
        let ask = |address: &str| {
            let mobile = site.get("mail.anser.test", &format!("/mail.mobileconfig?email={address}"));
            let thunderbird = site.get("mail.anser.test", &format!("/mail/config-v1.1.xml?emailaddress={address}"));
            let outlook = site.post("mail.anser.test", "/autodiscover/autodiscover.xml", &request(address));
            let json = site.get(
                "mail.anser.test",
                &format!("/autodiscover/autodiscover.json?Email={address}&Protocol=AutodiscoverV1"),
            );
            let identifiers = |text: String| {
                let lines = text.lines().filter(|line| !line.contains("UUID") && !line.contains("Identifier"));
                lines.collect::<Vec<_>>().join("\n").replace(address, "ADDRESS")
            };
            [mobile, thunderbird, outlook, json].map(|(status, text)| (status, identifiers(text)))
        };
        assert_eq!(ask("ann@anser.test"), ask("nobody@anser.test"));
    });
}

fn request(address: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><Autodiscover \
         xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006\"><Request>\
         <EMailAddress>{address}</EMailAddress><AcceptableResponseSchema>\
         http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a\
         </AcceptableResponseSchema></Request></Autodiscover>"
    )
}

#[test]
fn outlook_is_told_one_service_of_each_kind() {
    each_site(|site| {
        let post = |body: &str| site.post("autodiscover.anser.test", "/autodiscover/autodiscover.xml", body);
        let (status, xml) = post(&request("ann@anser.test"));
        assert_eq!(status, 200);
        assert_eq!(texts(&xml, "Type"), ["IMAP", "SMTP"]);
        assert_eq!(texts(&xml, "Port"), ["993", "465"]);
        assert_eq!(texts(&xml, "LoginName"), ["ann@anser.test"; 2]);
        // What is said back is no more than text.
        let (_, xml) = post(&request("&lt;x&gt;&amp;&quot;@anser.test"));
        assert_eq!(texts(&xml, "LoginName"), ["<x>&\"@anser.test"; 2]);
        for (body, code) in [
            ("no xml".to_owned(), "600"),
            (request("ann@other.test"), "500"),
            (request("ann@anser.test").replace("2006a", "2007"), "601"),
        ] {
            assert_eq!(texts(&post(&body).1, "ErrorCode"), [code], "{body}");
        }
        assert_eq!(post(&"x".repeat(70_000)).0, 413);
        let json = |query: &str| site.get("mail.anser.test", &format!("/autodiscover/autodiscover.json{query}"));
        let (status, said) = json("/v1.0/ann@anser.test?Protocol=AutodiscoverV1");
        assert_eq!(status, 200);
        assert!(said.contains("\"Url\":\"https://mail.anser.test/autodiscover/autodiscover.xml\""), "{said}");
        assert_eq!(json("?Email=ann@anser.test&Protocol=Ews").0, 400);
        assert_eq!(json("?Email=ann@other.test&Protocol=AutodiscoverV1").0, 404);
    });
}

#[test]
fn apples_devices_are_given_a_profile() {
    each_site(|site| {
        let get = |address: &str| site.get("mail.anser.test", &format!("/mail.mobileconfig?email={address}"));
        let (status, profile) = get("a%26b%3Cc@anser.test");
        assert_eq!(status, 200);
        let script = "import sys,plistlib\np=plistlib.loads(sys.argv[1].encode())\nm=p['PayloadContent'][0]\n\
                      print(m['EmailAddress'],m['IncomingMailServerPortNumber'],m['OutgoingMailServerPortNumber'],m['EmailAccountType'])";
        let output = Command::new("python3").args(["-c", script, &profile]).output().expect("python3");
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "a&b<c@anser.test 993 465 EmailTypeIMAP");
        assert_eq!(get("a%26b%3Cc@anser.test").1, profile, "the identifiers stay");
        assert_eq!(get("ann@other.test").0, 404);
        assert_eq!(get("").0, 404);
    });
}
