use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::Duration;

use anser_directory::scripts::{Place, ScriptOwner};
use anser_jmap::Limits;
use anser_testkit::door::PASSWORD;
use serde_json::{Value, json};

use super::node::{Node, basic};

/// An open event source.
pub struct Events(BufReader<TcpStream>);

impl Events {
    pub fn open(node: &Node, who: &str, query: &str, last: Option<&str>) -> Self {
        let mut stream = TcpStream::connect(node.door.plain).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(120))).unwrap();
        let authorization = basic(&format!("{who}@anser.test"), PASSWORD);
        let last = last.map(|id| format!("Last-Event-ID: {id}\r\n")).unwrap_or_default();
        let request = format!(
            "GET /jmap/events?{query} HTTP/1.1\r\nHost: mail.anser.test\r\nAuthorization: {authorization}\r\n{last}\r\n"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut events = Self(BufReader::new(stream));
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert!(events.0.read_line(&mut head).unwrap() > 0, "{head}");
        }
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        assert!(head.to_lowercase().contains("content-type: text/event-stream"), "{head}");
        events
    }

    /// The next event: its id, its name, its data. Lines that mean nothing are passed over.
    pub fn next(&mut self) -> Option<(String, String, Value)> {
        let (mut id, mut name, mut data) = (String::new(), String::new(), None);
        loop {
            let line = self.line()?;
            match line.split_once(": ") {
                Some(("id", text)) => id = text.to_owned(),
                Some(("event", text)) => name = text.to_owned(),
                Some(("data", text)) => data = serde_json::from_str(text).ok(),
                _ => {}
            }
            if line.is_empty()
                && let Some(data) = data.take()
            {
                return Some((id, name, data));
            }
        }
    }

    /// A line of the body, out of its chunks, each of which ends with a line.
    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        self.0.read_line(&mut line).ok().filter(|count| *count > 0)?;
        let is_size = line.ends_with("\r\n");
        match is_size {
            true if line.trim() == "0" => None,
            true => self.line(),
            false => Some(line.trim_end().to_owned()),
        }
    }
}

/// RFC 8620 §7.3.
#[test]
fn an_event_source_tells_what_changed() {
    Node::on_each_engine(|node| {
        let ann = node.id("ann");
        let mut events = Events::open(node, "ann", "types=*&closeafter=no&ping=0", None);
        node.deliver("ann", "Subject: x\n\nx\n", 0);
        let (id, name, change) = events.next().unwrap();
        let state = node.call("ann", "Email/get", json!({"ids": []}))["state"].clone();
        assert_eq!((name.as_str(), &change["@type"]), ("state", &json!("StateChange")));
        let all = json!({"Mailbox": state, "Thread": state, "Email": state, "EmailDelivery": state});
        assert_eq!(change["changed"], json!({ ann.clone(): all }));
        let made = node.call("ann", "Mailbox/set", json!({"create": {"a": {"name": "New"}}}));
        let (_, _, change) = events.next().unwrap();
        assert_eq!(change["changed"], json!({ ann.clone(): {"Mailbox": made["newState"]} }));
        // Who comes again is told that something happened meanwhile.
        let (_, _, missed) = Events::open(node, "ann", "types=Email", Some(&id)).next().unwrap();
        assert_eq!(missed["changed"], json!({ ann: {"Email": made["newState"]} }));
    });
}

/// Mail that moves in is no new mail to anybody, but for what has just come to the old server.
#[test]
fn mail_that_moves_in_is_told_of_and_delivers_nothing() {
    Node::on_each_engine(|node| {
        let mut events = Events::open(node, "ann", "types=*&closeafter=no&ping=0", None);
        node.move_in("ann", "Subject: old\n\nx\n", 1, 2);
        let (_, _, change) = events.next().unwrap();
        let kinds: Vec<&String> = change["changed"][node.id("ann")].as_object().unwrap().keys().collect();
        assert_eq!(kinds, ["Email", "Mailbox", "Thread"]);
        for deliver in [
            |node: &Node| node.deliver("ann", "Subject: new\n\nx\n", 0),
            |node: &Node| node.move_in("ann", "Subject: late\n\nx\n", 2, 0),
        ] {
            deliver(node);
            let (_, _, change) = events.next().unwrap();
            assert!(change["changed"][node.id("ann")].get("EmailDelivery").is_some());
        }
    });
}

/// What runs over mail is told of however it is changed: by JMAP, by ManageSieve, by an administrator.
#[test]
fn scripts_are_told_of_by_the_states_that_they_are_in() {
    Node::on_each_engine(|node| {
        let kinds = ["SieveScript", "VacationResponse", "Rules"];
        let mut events = Events::open(node, "ann", "types=SieveScript,VacationResponse,Rules", None);
        let mut told = || {
            let (id, _, mut change) = events.next().unwrap();
            (id, change["changed"][node.id("ann")].take())
        };
        let state = |kind: &str| node.call("ann", &format!("{kind}/get"), json!({}))["state"].take();
        let all = || kinds.into_iter().map(|kind| (kind.to_owned(), state(kind))).collect::<Value>();
        let (directory, runtime) = (&node.door.directory, &node.door.runtime);
        let owner = ScriptOwner::Account(node.account("ann"));
        runtime.block_on(directory.put_script(owner, "mine", b"keep;")).unwrap();
        let (id, change) = told();
        assert_eq!(change, json!({"SieveScript": state("SieveScript")}), "it does not run yet");
        runtime.block_on(directory.place_script(owner, "mine", Place::Active)).unwrap();
        assert_eq!(told().1, all());
        let away = json!({"update": {"singleton": {"isEnabled": true, "textBody": "Away"}}});
        node.call("ann", "VacationResponse/set", away);
        assert_eq!(told().1, all());
        let (_, _, missed) = Events::open(node, "ann", "types=SieveScript", Some(&id)).next().unwrap();
        assert_eq!(missed["changed"], json!({node.id("ann"): {"SieveScript": state("SieveScript")}}));
    });
}

#[test]
fn an_event_source_tells_the_types_that_are_wanted_and_ends_when_it_is_to() {
    let node = Node::start();
    let mut events = Events::open(&node, "ann", "types=EmailDelivery,Lunch&closeafter=state&ping=1", None);
    let (_, name, data) = events.next().unwrap();
    assert_eq!((name.as_str(), data), ("ping", json!({"interval": 5})));
    node.call("ann", "Mailbox/set", json!({"create": {"a": {"name": "New"}}}));
    node.deliver("ann", "Subject: x\n\nx\n", 0);
    let mut told = events.next().unwrap();
    while told.1 == "ping" {
        told = events.next().unwrap();
    }
    assert_eq!(told.2["changed"][node.id("ann")].as_object().unwrap().keys().collect::<Vec<_>>(), ["EmailDelivery"]);
    assert!(events.next().is_none());
    for query in ["closeafter=x", "ping=x"] {
        assert_eq!(node.as_user("ann", "GET", &format!("/jmap/events?{query}"), "", b"").status, 400);
    }
}

/// What is shared is followed, what is not is not.
#[test]
fn accounts_of_others_are_followed_as_far_as_they_are_shared() {
    let node = Node::start();
    node.share("bob", "ann", "lr");
    let mut events = Events::open(&node, "ann", "types=Email", None);
    node.deliver("chen", "Subject: x\n\nx\n", 0);
    node.deliver("bob", "Subject: x\n\nx\n", 0);
    let (_, _, change) = events.next().unwrap();
    assert_eq!(change["changed"].as_object().unwrap().keys().collect::<Vec<_>>(), [&node.id("bob")]);
}

#[test]
fn an_account_has_so_many_event_sources_and_no_more() {
    let node = Node::with(Limits { concurrent_push: 1, ..Limits::default() });
    let open = Events::open(&node, "ann", "", None);
    let refused = node.as_user("ann", "GET", "/jmap/events", "", b"");
    assert_eq!((refused.status, &refused.json()["limit"]), (429, &json!("maxConcurrentEvents")));
    drop((Events::open(&node, "bob", "", None), open));
}
