//! `anser dev`: a whole mail system on loopback with throw-away data.

use std::fs;
use std::net::ToSocketAddrs;
use std::path::{Path, PathBuf};

use anser_admin::request::{AccountSpec, Plain, Request};
use anser_admin::{Actor, Admin, Out};
use anser_base::{Class, Error, Result};
use tokio::sync::mpsc;

use crate::cli::{Dev, Place};
use crate::config::{Config, Engine};
use crate::doors::{self, Allowed};
use crate::house::make_folder;
use crate::init::{Files, write_certificate};
use crate::text::{self, Language, refused};
use crate::{serve, show};

/// Where the data is unless `--dir` says otherwise.
const DIR: &str = "var/dev";
const HOSTNAME: &str = "mail.anser.test";
const DOMAIN: &str = "anser.test";
const PASSWORD: &str = "wild-goose";
/// Accounts: local part, name, role.
const ACCOUNTS: [(&str, &str, Option<&str>); 4] =
    [("ann", "", None), ("bob", "", None), ("chen", "陈雁", None), ("postmaster", "", Some("system"))];

/// Serves until a signal ends it. May be started again over the same folder after any kind of end.
pub fn run(dev: &Dev, place: &Place, language: Language) -> Result<()> {
    let dir = std::path::absolute(place.dir.clone().unwrap_or_else(|| DIR.into())).map_err(Error::io)?;
    make_folder(&dir)?;
    let files = Files::beside(dir.join("anser.toml"));
    make_certificate(&files)?;
    let text = boot_file(dev, &dir, &engine(dev, &files.boot)?)?;
    write_boot_file(&files.boot, &text)?;
    let config = Config::read(&files.boot)?;
    let allowed = Allowed { plaintext_auth: true, local_only: false };
    let shown = table(dev, &config, language);
    serve::run(serve::prepare(config)?, allowed, furnish, || {
        // The server goes on whether or not somebody reads this.
        let _ = show::out(&format!("{shown}\nready\n"));
    })
}

/// On first use, and after an end in the middle of it.
fn make_certificate(files: &Files) -> Result<()> {
    if files.certificate.exists() && files.key.exists() {
        return Ok(());
    }
    let _ = (fs::remove_file(&files.certificate), fs::remove_file(&files.key));
    write_certificate(files, &["localhost", HOSTNAME, DOMAIN, "127.0.0.1"].map(str::to_owned))
}

/// The engine that was asked for; else that of the folder's last run.
fn engine(dev: &Dev, boot: &Path) -> Result<Engine> {
    match dev.engine.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => Ok(Config::read(boot).map_or(Engine::Embedded, |last| last.engine)),
        ["embedded"] => Ok(Engine::Embedded),
        ["postgres", url] => Ok(Engine::Postgres(url.to_owned())),
        [url] if url.starts_with("postgres") && url.contains("://") => Ok(Engine::Postgres(url.to_owned())),
        _ => Err(refused(text::ENGINE_URL, &[])),
    }
}

fn boot_file(dev: &Dev, dir: &Path, engine: &Engine) -> Result<String> {
    let quoted = |text: &str| toml::Value::from(text).to_string();
    let mut text = format!(
        "# Written by anser dev at each start.\nhostname = {}\ndata_dir = {}\n\n[listen]\n",
        quoted(HOSTNAME),
        quoted(&dir.display().to_string())
    );
    for (name, port) in doors::standard_ports() {
        let port =
            port.checked_add(dev.port_offset).ok_or_else(|| refused(text::OFFSET, &[&dev.port_offset.to_string()]))?;
        text.push_str(&format!("{name} = [\"127.0.0.1:{port}\"]\n"));
    }
    text.push_str("\n[tls]\ncertificate = \"cert.pem\"\nkey = \"key.pem\"\n\n[store]\n");
    match engine {
        Engine::Embedded => text.push_str("engine = \"embedded\"\n"),
        Engine::Postgres(url) => text.push_str(&format!("engine = \"postgres\"\nurl = {}\n", quoted(url))),
    }
    if let Some(smarthost) = &dev.smarthost {
        text.push_str(&format!("\n[relay]\nsmarthost = {}\n", quoted(smarthost)));
    }
    text.push_str("\n[own_moves]\nnetworks = [\"127.0.0.0/8\", \"::1\"]\n");
    if let Some(url) = &dev.tokens {
        let [device, token] = ["device", "token"].map(|place| quoted(&format!("{url}/{place}")));
        let client = "provider = \"office365\"\nhost = \"localhost\"\nclient = \"dev\"";
        text.push_str(&format!("\n[[own_moves.clients]]\n{client}\ndevice = {device}\ntoken = {token}\n"));
    }
    // Without a name server to ask, mail for other domains goes nowhere.
    text.push_str(&match &dev.dns {
        Some(server) => {
            let found = server.to_socket_addrs().ok().and_then(|mut found| found.next());
            let address = found.ok_or_else(|| refused(text::HOST_PORT, &[server]))?;
            let port = dev.outward_port.map(|port| format!("port = {port}\n")).unwrap_or_default();
            let own = address.port();
            format!("\n[dns]\nservers = [\"{address}\"]\nname_server_port = {own}\n\n[outward]\nprivate = true\n{port}")
        }
        None => "\n[outward]\noff = true\n".to_owned(),
    });
    Ok(text)
}

/// In place of the last run's, whole or not at all.
fn write_boot_file(path: &Path, text: &str) -> Result<()> {
    let early = PathBuf::from(format!("{}.new", path.display()));
    let written = fs::write(&early, text).and_then(|()| fs::rename(&early, path));
    written.map_err(|error| {
        let (en, zh) = (format!("cannot write {}", path.display()), format!("无法写入 {}", path.display()));
        Error::new(Class::Unavailable, en, zh).caused_by(error)
    })
}

/// Domain and accounts, as far as they are missing.
async fn furnish(admin: &Admin) -> Result<()> {
    act(admin, Request::DomainAdd { name: DOMAIN.to_owned(), alias_of: None }).await?;
    for (local, name, role) in ACCOUNTS {
        let address = format!("{local}@{DOMAIN}");
        let shown = act(admin, Request::AccountShow { address: address.clone() }).await;
        if shown.is_ok() {
            continue;
        }
        let accounts = vec![AccountSpec { address, name: name.to_owned() }];
        let password = Some(Plain(PASSWORD.into()));
        let role = role.map(str::to_owned);
        act(admin, Request::AccountAdd { accounts, password, quota: 0, role, shared: false }).await?;
    }
    Ok(())
}

/// Done, or done before.
async fn act(admin: &Admin, request: Request) -> Result<()> {
    let (out, _events) = Out::new();
    match admin.run(&Actor::here("dev"), request, mpsc::channel(1).1, &out).await {
        Err(error) if error.class == Class::Exists => Ok(()),
        other => other.map(|_| ()),
    }
}

/// What a person is told before `ready`.
fn table(dev: &Dev, config: &Config, language: Language) -> String {
    let mut lines = vec![language.say(text::DEV_TITLE, &[&config.data_dir.display().to_string()]), String::new()];
    for (name, _) in doors::standard_ports() {
        for address in config.listen.get(name).into_iter().flatten() {
            lines.push(format!("  {name:<12} {address}"));
        }
    }
    lines.push(format!("  {}", language.say(text::DEV_NOT_YET, &[])));
    lines.push(String::new());
    if let Some(address) = config.listen.get("http").and_then(|addresses| addresses.first()) {
        lines.push(language.say(text::DEV_WEBMAIL, &[&format!("http://{address}/")]));
        lines.push(String::new());
    }
    lines.push(language.say(text::DEV_ACCOUNTS, &[PASSWORD]));
    for (local, name, role) in ACCOUNTS {
        let note = if role.is_some() { language.say(text::ADMINISTRATOR, &[]) } else { name.to_owned() };
        lines.push(format!("  {local}@{DOMAIN}  {note}").trim_end().to_owned());
    }
    lines.push(String::new());
    lines.push(match (&dev.smarthost, &dev.dns) {
        (Some(smarthost), _) => language.say(text::DEV_SMARTHOST, &[smarthost]),
        (None, Some(server)) => language.say(text::DEV_DNS, &[server]),
        (None, None) => language.say(text::DEV_NOWHERE, &[]),
    });
    lines.join("\n")
}
