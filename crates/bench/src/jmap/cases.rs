//! What is measured over one mailbox, in ms.

use std::io;

use super::client::{Client, text_after};
use crate::access::seed::RARE;
use crate::servers::Server;

/// A piece of work.
pub struct Case {
    /// For the table.
    pub name: &'static str,
    /// The time of each of so many turns, for one account.
    pub measure: fn(&Server, &str, usize) -> io::Result<Vec<f64>>,
}

/// Every case.
pub const CASES: [Case; 7] = [
    Case { name: "page of 50", measure: |server, name, times| pages(server, name, times, false) },
    Case { name: "page of 50, conversations", measure: |server, name, times| pages(server, name, times, true) },
    Case { name: "page of 50 after a change", measure: changed },
    Case { name: "text search page, ASCII", measure: |server, name, times| search(server, name, times, RARE[0]) },
    Case { name: "text search page, Chinese", measure: |server, name, times| search(server, name, times, RARE[1]) },
    Case { name: "queryChanges after a new message", measure: changes },
    Case { name: "Mailbox/get", measure: mailboxes },
];

/// What a list shows of each message.
const SHOWN: &str = r#""properties":["threadId","mailboxIds","keywords","from","to","subject","receivedAt","size","preview","hasAttachment"]"#;

/// A page of what a filter finds.
fn page(filter: &str, position: usize, collapse: bool) -> String {
    format!(
        r##"[["Email/query",{{"accountId":"ACCOUNT","filter":{filter},"sort":[{{"property":"receivedAt","isAscending":false}}],
        "collapseThreads":{collapse},"position":{position},"limit":50}},"q"],
        ["Email/get",{{"accountId":"ACCOUNT","#ids":{{"resultOf":"q","name":"Email/query","path":"/ids"}},{SHOWN}}},"g"]]"##
    )
}

fn inbox(client: &mut Client) -> io::Result<String> {
    let (answer, _) = client.calls(r#"[["Mailbox/query",{"accountId":"ACCOUNT","filter":{"role":"inbox"}},"q"]]"#)?;
    text_after(&answer, "\"ids\":[\"")
}

fn pages(server: &Server, name: &str, times: usize, collapse: bool) -> io::Result<Vec<f64>> {
    let mut client = Client::connect(server, name)?;
    let filter = format!(r#"{{"inMailbox":"{}"}}"#, inbox(&mut client)?);
    client.calls(&page(&filter, 0, collapse))?;
    (0..times).map(|turn| Ok(client.calls(&page(&filter, turn % 20 * 50, collapse))?.1)).collect()
}

/// The mailbox is another one each time.
fn changed(server: &Server, name: &str, times: usize) -> io::Result<Vec<f64>> {
    let mut client = Client::connect(server, name)?;
    let inbox = inbox(&mut client)?;
    let filter = format!(r#"{{"inMailbox":"{inbox}"}}"#);
    let mut all = Vec::with_capacity(times);
    for turn in 0..times {
        create(&mut client, &inbox, turn)?;
        all.push(client.calls(&page(&filter, 0, true))?.1);
    }
    Ok(all)
}

fn search(server: &Server, name: &str, times: usize, word: &str) -> io::Result<Vec<f64>> {
    let mut client = Client::connect(server, name)?;
    let filter = format!(r#"{{"inMailbox":"{}","text":"{word}"}}"#, inbox(&mut client)?);
    let (found, _) = client.calls(&page(&filter, 0, false))?;
    text_after(&found, "\"ids\":[\"")?;
    (0..times).map(|_| Ok(client.calls(&page(&filter, 0, false))?.1)).collect()
}

fn changes(server: &Server, name: &str, times: usize) -> io::Result<Vec<f64>> {
    let mut client = Client::connect(server, name)?;
    let inbox = inbox(&mut client)?;
    let filter = format!(r#"{{"inMailbox":"{inbox}"}}"#);
    let mut state = text_after(&client.calls(&page(&filter, 0, true))?.0, "\"queryState\":\"")?;
    let mut all = Vec::with_capacity(times);
    for turn in 0..times {
        create(&mut client, &inbox, turn)?;
        let (answer, time) = client.calls(&format!(
            r#"[["Email/queryChanges",{{"accountId":"ACCOUNT","filter":{filter},"sort":[{{"property":"receivedAt","isAscending":false}}],
            "collapseThreads":true,"sinceQueryState":"{state}"}},"c"]]"#
        ))?;
        state = text_after(&answer, "\"newQueryState\":\"")?;
        all.push(time);
    }
    Ok(all)
}

fn mailboxes(server: &Server, name: &str, times: usize) -> io::Result<Vec<f64>> {
    let mut client = Client::connect(server, name)?;
    let get = r#"[["Mailbox/get",{"accountId":"ACCOUNT","ids":null},"g"]]"#;
    (0..times).map(|_| Ok(client.calls(get)?.1)).collect()
}

/// Makes a message.
pub fn create(client: &mut Client, mailbox: &str, turn: usize) -> io::Result<()> {
    let email = format!(
        r#"{{"mailboxIds":{{"{mailbox}":true}},"subject":"turn {turn}","bodyValues":{{"t":{{"value":"good day"}}}},"textBody":[{{"partId":"t"}}]}}"#
    );
    let (answer, _) =
        client.calls(&format!(r#"[["Email/set",{{"accountId":"ACCOUNT","create":{{"k":{email}}}}},"s"]]"#))?;
    text_after(&answer, "\"blobId\":\"").map(drop)
}
