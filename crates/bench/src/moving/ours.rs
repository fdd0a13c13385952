//! Anser takes the mail in, each time into an account of its own.

use std::io;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::{Old, Took, rest, timed};
use crate::process::{forget_most_resident, most_resident, resident};
use crate::servers::{PASSWORD, Server};

/// Nothing takes longer to be seen.
const PATIENCE: Duration = Duration::from_secs(120);

/// A kind of source.
pub struct Way {
    /// For the table.
    pub name: &'static str,
    /// More of `anser move plan`.
    source: fn(&Old<'_>) -> Vec<String>,
    /// The name at the source.
    login: fn(&Old<'_>) -> String,
}

/// Every kind; the first is what the tools are held against.
pub const WAYS: [Way; 4] = [
    Way {
        name: "imap",
        source: |old| network(old, "imap", old.server.imap),
        login: |old| old.server.address(old.login),
    },
    Way {
        name: "pop3",
        source: |old| network(old, "pop3", old.server.pop3),
        login: |old| old.server.address(old.login),
    },
    Way { name: "maildir", source: |old| files(old, "maildir"), login: |old| old.login.to_owned() },
    Way { name: "mbox", source: |old| files(old, "mbox"), login: |old| old.login.to_owned() },
];

fn network(_: &Old<'_>, kind: &str, port: u16) -> Vec<String> {
    let port = port.to_string();
    ["--kind", kind, "--host", "127.0.0.1", "--port", &port, "--tls", "none"].map(str::to_owned).to_vec()
}

fn files(old: &Old<'_>, kind: &str) -> Vec<String> {
    let path = old.files.join(kind).join("%u").display().to_string();
    ["--kind", kind, "--path", &path].map(str::to_owned).to_vec()
}

fn anser(server: &Server, arguments: &[&str], input: &str) -> io::Result<String> {
    let mut command = Command::new("target/release/anser");
    command.args(arguments).arg("--dir").arg(server.data()).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        io::Write::write_all(&mut stdin, input.as_bytes())?;
    }
    let output = child.wait_with_output()?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => Err(io::Error::other(format!("anser {} failed", arguments.join(" ")))),
    }
}

/// Makes an account and a move into it; its address.
fn plan(server: &mut Server, old: &Old<'_>, way: &Way, name: &str) -> io::Result<String> {
    let address = server.address(name);
    server.add_accounts(std::slice::from_ref(&address))?;
    let source = (way.source)(old);
    let mut arguments = vec!["move", "plan", name, "--connections", "1"];
    arguments.extend(source.iter().map(String::as_str));
    anser(server, &arguments, "")?;
    let login = format!("{}\t{address}\t{PASSWORD}\n", (way.login)(old));
    anser(server, &["move", "accounts", name, "--stdin"], &login)?;
    Ok(address)
}

/// One round.
pub fn copy(server: &mut Server, old: &Old<'_>, way: &Way) -> io::Result<Took> {
    let name = old.login;
    plan(server, old, way, name)?;
    rest(&[server]);
    let copy = timed(|| anser(server, &["move", "start", name, "--wait"], "").map(drop))?;
    let status = anser(server, &["move", "status", name], "")?;
    if !status.contains(&format!("copied {}", old.messages)) {
        return Err(io::Error::other(format!("not everything came: {status}")));
    }
    rest(&[server]);
    let again = timed(|| anser(server, &["move", "delta", name, "--wait"], "").map(drop))?;
    let mut verified = [f64::NAN; 2];
    for (level, took) in ["1", "2"].iter().zip(&mut verified) {
        *took = timed(|| anser(server, &["move", "verify", name, "--level", level], "").map(drop))?;
    }
    Ok(Took { copy, again, verified })
}

/// Memory in MB of a server that has just started: before a mailbox moves in, after it, and the most meanwhile.
pub fn memory(server: &mut Server, old: &Old<'_>) -> io::Result<[f64; 3]> {
    plan(server, old, &WAYS[0], "memory")?;
    memory_of(server, "memory")
}

fn memory_of(server: &mut Server, name: &str) -> io::Result<[f64; 3]> {
    rest(&[server]);
    server.launch()?;
    rest(&[server]);
    forget_most_resident(&server.roots())?;
    let before = resident(&server.roots());
    anser(server, &["move", "start", name, "--wait"], "")?;
    Ok([before, resident(&server.roots()), most_resident(&server.roots())])
}

/// Logins at the old server that are one host of many: as many as are tried at once where nothing is known yet.
const A_HOST: usize = 2;

/// The same of mailboxes that move in at once. The old server goes by many addresses, since an engine that meets a host for the first time
/// works on two mailboxes of it.
pub fn memory_of_many(server: &mut Server, old: &Server, logins: &[String]) -> io::Result<[f64; 3]> {
    let addresses: Vec<String> = logins.iter().map(|login| server.address(login)).collect();
    server.add_accounts(&addresses)?;
    let port = old.imap.to_string();
    for (n, some) in logins.chunks(A_HOST).enumerate() {
        let (host, source) = (format!("127.0.1.{}", n + 1), format!("host{n}"));
        let of_source = ["--source", &source];
        let plan = ["move", "plan", "crowd", "--host", &host, "--port", &port, "--tls", "none"];
        anser(server, &[&plan[..], &of_source].concat(), "")?;
        let line = |login: &String| format!("{}\t{}\t{PASSWORD}\n", old.address(login), server.address(login));
        let accounts = ["move", "accounts", "crowd", "--stdin"];
        anser(server, &[&accounts[..], &of_source].concat(), &some.iter().map(line).collect::<String>())?;
    }
    memory_of(server, "crowd")
}

/// Seconds until 50 messages are seen.
pub fn newest(server: &mut Server, old: &Old<'_>) -> io::Result<f64> {
    let address = plan(server, old, &WAYS[0], "newest")?;
    let base = format!("http://127.0.0.1:{}", server.http());
    let session = curl(&address, &format!("{base}/.well-known/jmap"), None)?;
    let id = session.split_once("\"urn:ietf:params:jmap:mail\":\"").and_then(|(_, rest)| rest.split('"').next());
    let id = id.ok_or_else(|| io::Error::other("JMAP tells of no account"))?.to_owned();
    let ask = format!(
        "{{\"using\":[\"urn:ietf:params:jmap:core\",\"urn:ietf:params:jmap:mail\"],\"methodCalls\":[[\"Email/query\",\
         {{\"accountId\":\"{id}\",\"limit\":50}},\"0\"]]}}"
    );
    rest(&[server]);
    let started = Instant::now();
    anser(server, &["move", "start", "newest"], "")?;
    let mut seen = None;
    while seen.is_none() && started.elapsed() < PATIENCE {
        let answer = curl(&address, &format!("{base}/jmap/api"), Some(&ask))?;
        let ids = answer.split_once("\"ids\":[").and_then(|(_, rest)| rest.split(']').next());
        let count = ids.map_or(0, |ids| ids.split(',').filter(|id| !id.is_empty()).count());
        seen = (count >= 50.min(old.messages as usize)).then(|| started.elapsed().as_secs_f64());
    }
    anser(server, &["move", "status", "newest", "--wait"], "")?;
    seen.ok_or_else(|| io::Error::other("nothing was to be seen"))
}

fn curl(address: &str, url: &str, data: Option<&str>) -> io::Result<String> {
    let mut command = Command::new("curl");
    command.args(["-sf", "-u", &format!("{address}:{PASSWORD}"), url]);
    if let Some(data) = data {
        command.args(["-H", "Content-Type: application/json", "-d", data]);
    }
    let output = command.output()?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => Err(io::Error::other(format!("{url} does not answer"))),
    }
}
