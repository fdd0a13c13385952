//! ORG-6: a domain changes with the move; mail to the old address comes here, and answers to it go out as it.

use serde_json::Value;

use crate::world::{Dev, Place, done, python, run};

const IDENTITIES: &str = r#"
import base64, json, sys, urllib.request
request = urllib.request.Request(
    f"http://127.0.0.1:{80 + int(sys.argv[1])}/jmap/session",
    headers={"Authorization": "Basic " + base64.b64encode(f"{sys.argv[2]}@anser.test:wild-goose".encode()).decode()})
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
session = json.load(opener.open(request))
account = session["primaryAccounts"]["urn:ietf:params:jmap:mail"]
def call(method, arguments):
    body = {"using": ["urn:ietf:params:jmap:core", "urn:ietf:params:jmap:submission"],
            "methodCalls": [[method, {"accountId": account, **arguments}, "0"]]}
    again = urllib.request.Request(url, json.dumps(body).encode(), {**request.headers, "Content-Type": "application/json"})
    return json.load(opener.open(again))["methodResponses"][0][1]
url = f"http://127.0.0.1:{80 + int(sys.argv[1])}" + urllib.request.urlparse(session["apiUrl"]).path
found = call("Identity/get", {})["list"]
for email in sys.argv[3:]:
    changed = {one["id"]: {"name": "changed"} for one in found if one["email"] == email}
    call("Identity/set", {"update": changed})
print(json.dumps(found))
"#;

/// The addresses that somebody writes as; those that are named besides get another name.
fn identities(dev: &Dev, who: &[&str]) -> Vec<String> {
    let found: Value = serde_json::from_str(&python(dev, IDENTITIES, who)).unwrap();
    found.as_array().unwrap().iter().map(|one| one["email"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn whoever_leaves_the_move_takes_along_what_it_made_and_nobody_uses() {
    let place = Place::new();
    let dev = place.start();
    dev.ask(&["move", "plan", "m", "--host", "127.0.0.1", "--port", "1", "--tls", "none"]);
    let logins = "ann@old.test\tann@anser.test\nbob@old.test\tbob@anser.test\nchen@old.test\tchen@anser.test\n";
    done(run(&dev.folder, &["move", "accounts", "m", "--stdin"], logins.as_bytes()));
    dev.ask(&["domain", "add", "old.test"]);
    dev.ask(&["alias", "add", "chen@old.test", "chen@anser.test"]);
    dev.ask(&["move", "accounts", "m", "--old-addresses"]);
    let aliases = || dev.ask(&["alias", "list"]);
    let told = dev.ask(&["move", "undo", "m", "ann@anser.test"]);
    assert!(told.contains("removed  ann@old.test > ann@anser.test  alias,identity"), "{told}");
    assert!(aliases().contains("ann@old.test"), "nothing was done");
    assert_eq!(dev.ask(&["move", "undo", "m", "ann@anser.test", "--yes"]).lines().last(), told.lines().last());
    assert!(!aliases().contains("ann@old.test") && aliases().contains("bob@old.test"));
    assert_eq!(identities(&dev, &["ann"]), ["ann@anser.test"]);
    assert!(dev.ask(&["trace", "ann@anser.test"]).contains("move.old-address.remove"));

    identities(&dev, &["bob", "bob@old.test"]);
    let left = dev.ask(&["move", "abandon", "m", "--all"]);
    assert!(left.contains("same  bob@old.test") && left.contains("its owner writes as it"), "{left}");
    assert!(left.contains("removed  chen@old.test > chen@anser.test  identity"), "{left}");
    let stay = aliases();
    assert!(stay.contains("bob@old.test") && stay.contains("chen@old.test"), "the one was made by hand: {stay}");
    assert_eq!(identities(&dev, &["chen"]), ["chen@anser.test"]);
    assert_eq!(identities(&dev, &["bob"]), ["bob@anser.test", "bob@old.test"]);
}

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
    assert_eq!(identities(&dev, &["ann"]), ["ann@anser.test", "ann@old.test"]);
    assert!(dev.ask(&["trace", "ann@anser.test"]).contains("move.old-address"));
}
