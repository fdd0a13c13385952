use std::net::IpAddr;
use std::time::Duration;

use super::*;

#[tokio::test]
async fn a_name_and_an_address_both_lead_there() {
    let server = Server::start(ServeOptions::new("echo"), |stream, _| async move { drop(echo(stream, None).await) });
    for ipv6_first in [None, Some(true), Some(false)] {
        let options = ConnectOptions { ipv6_first, timeout: Duration::from_secs(60), ..ConnectOptions::default() };
        let mut client = connect("localhost", server.address.port(), &options).await.unwrap();
        assert_eq!(hear(&mut client).await, "hello");
    }
    let from: IpAddr = "127.0.0.5".parse().unwrap();
    let options = ConnectOptions { from: Some(from), ..Default::default() };
    let client = connect("127.0.0.1", server.address.port(), &options).await.unwrap();
    assert_eq!(client.local_addr().ip(), from);
}

#[tokio::test]
async fn a_failure_names_what_was_tried() {
    let closed = {
        let listeners = bind(&["127.0.0.1:0".parse().unwrap()]).unwrap();
        listeners[0].address().port()
    };
    let error = connect("127.0.0.1", closed, &ConnectOptions::default()).await.unwrap_err();
    assert_eq!(error.class, anser_base::Class::Unavailable);
    assert!(error.chain().contains(&format!("127.0.0.1:{closed}")), "{}", error.chain());
    let error = connect("no-such-host.invalid", 25, &ConnectOptions::default()).await.unwrap_err();
    assert_eq!(error.class, anser_base::Class::Unavailable);
}

#[test]
fn a_taken_port_is_named() {
    let taken = bind(&["127.0.0.1:0".parse().unwrap()]).unwrap();
    let error = bind(&[taken[0].address()]).unwrap_err();
    assert!(error.text.en.contains(&taken[0].address().to_string()), "{error}");
}
