//! Push: how long after its commit a change is on an open connection, and what an open connection costs.

use std::io;
use std::time::Instant;

use super::client::Client;
use crate::access::seed::SMALL;
use crate::cases::percentile;
use crate::process::resident;
use crate::servers::Server;

/// Connections of one account: as many as it may have open.
const EACH: usize = 32;

/// From the answer to Email/set until the event, in ms: 0 where the event was first.
pub fn notice(server: &Server, times: usize) -> io::Result<()> {
    let mut client = Client::connect(server, SMALL)?;
    let (answer, _) = client.calls(r#"[["Mailbox/query",{"accountId":"ACCOUNT","filter":{"role":"drafts"}},"q"]]"#)?;
    let drafts = super::client::text_after(&answer, "\"ids\":[\"")?;
    let mut events = Client::connect(server, SMALL)?.follow()?;
    let (answered, told) = std::sync::mpsc::channel();
    let listener = std::thread::spawn(move || {
        while events.until("StateChange").is_ok() {
            if answered.send(Instant::now()).is_err() {
                return;
            }
        }
    });
    let mut all = Vec::with_capacity(times);
    for turn in 0..times {
        super::cases::create(&mut client, &drafts, turn)?;
        let done = Instant::now();
        let at = told.recv().map_err(io::Error::other)?;
        all.push(at.saturating_duration_since(done).as_secs_f64() * 1000.0);
    }
    drop((told, client));
    println!(
        "{:<40} {:>10.2} {:>10.2} ms",
        "push after a commit",
        percentile(&mut all, 0.5),
        percentile(&mut all, 0.99)
    );
    // The listener ends with its connection, when the server does.
    drop(listener);
    Ok(())
}

/// Opens so many event sources and prints what they cost the server.
pub fn memory(server: &Server, connections: usize) -> io::Result<()> {
    anser_net::listen::raise_open_files().map_err(io::Error::other)?;
    let names: Vec<String> = (0..connections.div_ceil(EACH)).map(|at| format!("push{at}")).collect();
    let addresses: Vec<String> = names.iter().map(|name| server.address(name)).collect();
    // Those of an earlier run are there already.
    let _ = server.add_accounts(&addresses);
    for name in &names {
        Client::connect(server, name)?;
    }
    let before = resident(&server.roots());
    let mut open = Vec::with_capacity(connections);
    for at in 0..connections {
        open.push(Client::connect(server, &names[at / EACH])?.follow()?);
    }
    let more = resident(&server.roots()) - before;
    println!("{connections} open push connections: {more:.1} MB, {:.1} KB each", more * 1000.0 / connections as f64);
    Ok(())
}
