use std::net::TcpStream;

use serde_json::{Value, json};
use tungstenite::client::{IntoClientRequest, client};
use tungstenite::{Message, WebSocket};

use super::node::{Node, basic};

/// Opens a WebSocket of somebody's; the status of the refusal where there is one.
fn open(node: &Node, who: &str, protocol: &str) -> Result<WebSocket<TcpStream>, u16> {
    let address = node.door.plain;
    let mut request = format!("ws://{address}/jmap/ws").into_client_request().unwrap();
    let authorization = basic(&format!("{who}@anser.test"), anser_testkit::door::PASSWORD);
    request.headers_mut().insert("authorization", authorization.parse().unwrap());
    request.headers_mut().insert("sec-websocket-protocol", protocol.parse().unwrap());
    match client(request, TcpStream::connect(address).unwrap()) {
        Ok((socket, answer)) => {
            assert_eq!(answer.headers()["sec-websocket-protocol"], "jmap");
            Ok(socket)
        }
        Err(tungstenite::HandshakeError::Failure(tungstenite::Error::Http(answer))) => Err(answer.status().as_u16()),
        Err(other) => panic!("{other}"),
    }
}

fn ask(socket: &mut WebSocket<TcpStream>, object: &Value) -> Value {
    socket.send(Message::text(object.to_string())).unwrap();
    next(socket)
}

fn next(socket: &mut WebSocket<TcpStream>) -> Value {
    loop {
        if let Message::Text(text) = socket.read().unwrap() {
            return serde_json::from_str(&text).unwrap();
        }
    }
}

/// RFC 8887 §4.3: each request has its response, each mistake its error.
#[test]
fn requests_are_answered_by_their_ids() {
    let node = Node::start();
    let mut socket = open(&node, "ann", "jmap").unwrap();
    let echo = json!({"@type": "Request", "id": "R1", "using": ["urn:ietf:params:jmap:core"],
        "methodCalls": [["Core/echo", {"hello": true}, "b3ff"]]});
    let answer = ask(&mut socket, &echo);
    assert_eq!((&answer["@type"], &answer["requestId"]), (&json!("Response"), &json!("R1")));
    assert_eq!(answer["methodResponses"], json!([["Core/echo", {"hello": true}, "b3ff"]]));
    assert_eq!(
        answer["sessionState"],
        node.request("ann", &json!({"using": [], "methodCalls": []})).json()["sessionState"]
    );
    for (wrong, kind) in [
        (json!({"@type": "Request", "id": "R2", "using": ["urn:none"], "methodCalls": []}), "unknownCapability"),
        (json!({"@type": "Request", "id": "R2"}), "notRequest"),
        (json!({"@type": "Lunch", "id": "R2"}), "notRequest"),
    ] {
        let error = ask(&mut socket, &wrong);
        assert_eq!((&error["@type"], &error["requestId"]), (&json!("RequestError"), &json!("R2")), "{wrong}");
        assert_eq!(error["type"], format!("urn:ietf:params:jmap:error:{kind}"));
    }
    socket.send(Message::text("{")).unwrap();
    let error = next(&mut socket);
    assert_eq!((&error["type"], &error["requestId"]), (&json!("urn:ietf:params:jmap:error:notJSON"), &json!(null)));
    node.door.runtime.block_on(node.door.directory.suspend(node.account("ann"))).unwrap();
    assert!(matches!(socket.read(), Ok(Message::Close(_)) | Err(_)), "it goes on");
}

/// RFC 8887 §4.3.5: changes of the types that were asked for, from the state on that was known.
#[test]
fn changes_come_on_the_same_connection() {
    let node = Node::start();
    let mut socket = open(&node, "ann", "jmap").unwrap();
    let enable = |state: Value| json!({"@type": "WebSocketPushEnable", "dataTypes": ["Email"], "pushState": state});
    let echo = json!({"@type": "Request", "id": "R1", "using": ["urn:ietf:params:jmap:core"], "methodCalls": []});
    socket.send(Message::text(enable(json!(null)).to_string())).unwrap();
    // What is answered says that what stood before it was done.
    ask(&mut socket, &echo);
    node.deliver("ann", "Subject: one\n\nx\n", 0);
    let change = next(&mut socket);
    assert_eq!(change["@type"], "StateChange");
    let types = change["changed"][node.id("ann")].as_object().unwrap();
    assert_eq!(types.keys().collect::<Vec<_>>(), ["Email"]);
    let known = change["pushState"].clone();
    socket.send(Message::text(json!({"@type": "WebSocketPushDisable"}).to_string())).unwrap();
    ask(&mut socket, &echo);
    node.deliver("ann", "Subject: two\n\nx\n", 1);
    assert_eq!(ask(&mut socket, &echo)["@type"], "Response");
    let missed = ask(&mut socket, &enable(known));
    assert_eq!(missed["@type"], "StateChange");
    assert_ne!(missed["pushState"], change["pushState"]);
}

#[test]
fn what_is_no_handshake_of_jmap_is_refused() {
    let node = Node::start();
    assert_eq!(open(&node, "ann", "chat").unwrap_err(), 400);
    assert_eq!(open(&node, "nobody", "jmap").unwrap_err(), 401);
    assert_eq!(node.as_user("ann", "GET", "/jmap/ws", "", b"").status, 426);
    let session = node.as_user("ann", "GET", "/jmap/session", "", b"").json();
    let told = &session["capabilities"]["urn:ietf:params:jmap:websocket"];
    assert!(told["url"].as_str().unwrap().ends_with("/jmap/ws") && told["supportsPush"] == true, "{told}");
}
