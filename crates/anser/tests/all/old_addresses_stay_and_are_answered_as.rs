//! ORG-6: a domain changes with the move; mail to the old address comes here, and answers to it go out as it.

use serde_json::{Value, json};

use crate::world::{Place, done, run};

const IDENTITIES: &str = r#"
import base64, json, sys, urllib.request
request = urllib.request.Request(
    f"http://127.0.0.1:{80 + int(sys.argv[1])}/jmap/session",
    headers={"Authorization": "Basic " + base64.b64encode(b"ann@anser.test:wild-goose").decode()})
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
session = json.load(opener.open(request))
account = session["primaryAccounts"]["urn:ietf:params:jmap:mail"]
call = {"using": ["urn:ietf:params:jmap:core", "urn:ietf:params:jmap:submission"],
        "methodCalls": [["Identity/get", {"accountId": account}, "0"]]}
url = f"http://127.0.0.1:{80 + int(sys.argv[1])}" + urllib.request.urlparse(session["apiUrl"]).path
request = urllib.request.Request(url, json.dumps(call).encode(),
    {**request.headers, "Content-Type": "application/json"})
print(json.dumps(json.load(opener.open(request))["methodResponses"][0][1]["list"]))
"#;

#[test]
fn a_dry_run_tells_and_each_becomes_an_alias_with_an_identity_once() {
    let place = Place::new();
    let dev = place.start();
    dev.ask(&["move", "plan", "m", "--host", "127.0.0.1", "--port", "1", "--tls", "none"]);
    let logins = "ann@old.test\tann@anser.test\nbob\tbob@anser.test\nchen@gone.test\tchen@anser.test\n";
    done(run(&dev.folder, &["move", "accounts", "m", "--stdin"], logins.as_bytes()));
    dev.ask(&["domain", "add", "old.test"]);
    dev.ask(&["alias", "add", "bob@old.test", "postmaster@anser.test"]);
    let old = |more: &[&str]| {
        let command = ["move", "accounts", "m", "--old-addresses", "--old-domain", "old.test"];
        dev.ask(&[&command[..], more].concat())
    };
    let told = old(&["--dry-run"]);
    let lines: Vec<&str> = told.lines().collect();
    assert!(lines[0].contains("new  ann@old.test > ann@anser.test  alias,identity"), "{told}");
    assert!(
        lines[1].contains("refused  bob@old.test > bob@anser.test") && lines[1].contains("somebody else"),
        "{told}"
    );
    assert!(lines[2].contains("refused  chen@gone.test") && lines[2].contains("domain is not here"), "{told}");
    assert!(!dev.ask(&["alias", "list"]).contains("ann@old.test"), "nothing was done");
    assert_eq!(old(&[]), told);
    assert!(dev.ask(&["alias", "list"]).contains("ann@old.test"));
    assert!(old(&[]).lines().next().unwrap().contains("same  ann@old.test"), "once");
    let identities: Value = serde_json::from_str(&crate::world::python(&dev, IDENTITIES, &[])).unwrap();
    let emails: Vec<&Value> = identities.as_array().unwrap().iter().map(|one| &one["email"]).collect();
    assert_eq!(emails, [&json!("ann@anser.test"), &json!("ann@old.test")], "{identities}");
    assert!(dev.ask(&["trace", "ann@anser.test"]).contains("move.old-address"));
}
