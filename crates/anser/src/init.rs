//! `anser init`: boot file, keys, certificate, data folder, domain, administrator.

use std::fs::OpenOptions;
use std::io::{IsTerminal, Write};
use std::os::unix::fs::{OpenOptionsExt, chown};
use std::path::{Path, PathBuf};

use anser_admin::answer::{Event, Item, RecordView};
use anser_admin::request::{AccountSpec, Plain, Request};
use anser_admin::{Actor, Out};
use anser_base::{Class, Entropy, Error, Result};
use nix::unistd::User;
use tokio::sync::mpsc;

use crate::cli::{Init, Place};
use crate::config::Config;
use crate::doors;
use crate::house::{House, make_folder};
use crate::text::{self, Language, refused};
use crate::{password, serve, show};

/// Where data is unless `--dir` says otherwise.
const DATA: &str = "/var/lib/anser";
/// Characters of a password that is made up, of 5 bits each.
const PASSWORD: usize = 20;

/// The files of a new server.
pub struct Files {
    /// The boot file.
    pub boot: PathBuf,
    /// The certificate.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

impl Files {
    /// Beside the boot file.
    pub fn beside(boot: PathBuf) -> Self {
        let folder = boot.parent().map(Path::to_owned).unwrap_or_default();
        Self { certificate: folder.join("cert.pem"), key: folder.join("key.pem"), boot }
    }
}

/// Makes a new server; refuses to overwrite anything.
pub fn run(init: &Init, place: &Place, language: Language) -> Result<()> {
    let data = std::path::absolute(place.dir.clone().unwrap_or_else(|| DATA.into())).map_err(Error::io)?;
    let boot = match (&place.config, &place.dir) {
        (None, None) => place.boot_file(),
        (None, Some(_)) => data.join("anser.toml"),
        (Some(file), _) => std::path::absolute(file).map_err(Error::io)?,
    };
    let files = Files::beside(boot);
    let taken = [&files.boot, &files.certificate, &files.key, &data.join("server.db")];
    if let Some(path) = taken.into_iter().find(|path| path.exists()) {
        return Err(refused(text::EXISTS, &[&path.display().to_string()]));
    }
    let user = init.user.as_deref().map(|name| match User::from_name(name) {
        Ok(Some(user)) => Ok(user),
        _ => Err(refused(text::NO_USER, &[name])),
    });
    let user = user.transpose()?;
    let (chosen, made) = administrators_password(init, language)?;

    make_folder(&data)?;
    let folder = files.boot.parent().map(Path::to_owned).unwrap_or_default();
    let is_new = !folder.exists();
    make_folder(&folder)?;
    write_certificate(&files, &[init.hostname.clone(), init.domain.clone()])?;
    write_new(&files.boot, &boot_file(init, &data, &files), 0o640)?;
    if let Some(user) = &user {
        // A folder that was there before, such as /etc, stays whose it is.
        let ours = is_new.then_some(&folder);
        for path in [&data, &files.boot, &files.certificate, &files.key].into_iter().chain(ours) {
            chown(path, Some(user.uid.as_raw()), Some(user.gid.as_raw())).map_err(Error::io)?;
        }
        serve::become_user(Some(&user.name))?;
    }
    let config = Config::read(&files.boot)?;
    let records = furnish(&config, &init.domain, chosen)?;
    tell(init, &files, &data, made.as_deref(), &records, language)
}

/// The password, and its text when it was made up here.
fn administrators_password(init: &Init, language: Language) -> Result<(Plain, Option<String>)> {
    if init.password_stdin {
        return Ok((password::of_stdin()?, None));
    }
    if std::io::stdin().is_terminal() {
        return Ok((password::ask(language)?, None));
    }
    let made = Entropy::system().token(PASSWORD);
    Ok((Plain(made.clone().into_bytes()), Some(made)))
}

/// A self-signed certificate and its key; the key is for the owner's eyes only.
pub fn write_certificate(files: &Files, names: &[String]) -> Result<()> {
    let (certificate, key) = anser_net::certificate::self_signed(names)?;
    write_new(&files.key, &key, 0o600)?;
    write_new(&files.certificate, &certificate, 0o644)
}

fn write_new(path: &Path, text: &str, mode: u32) -> Result<()> {
    let written = OpenOptions::new().write(true).create_new(true).mode(mode).open(path).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    written.map_err(|error| {
        let (en, zh) = (format!("cannot write {}", path.display()), format!("无法写入 {}", path.display()));
        Error::new(Class::Unavailable, en, zh).caused_by(error)
    })
}

fn boot_file(init: &Init, data: &Path, files: &Files) -> String {
    let quoted = |text: &str| toml::Value::from(text).to_string();
    let path = |path: &Path| quoted(&path.display().to_string());
    let listen: String = doors::standard_ports()
        .map(|(name, port)| {
            let host = if name == "lmtp" { "127.0.0.1" } else { "[::]" };
            format!("{name} = [\"{host}:{port}\"]\n")
        })
        .collect();
    let user = init.user.as_deref().map(|user| format!("user = {}\n", quoted(user))).unwrap_or_default();
    format!(
        "hostname = {}\ndata_dir = {}\n{user}\n[listen]                      # a service without a line is off\n{listen}\
         admin = [\"127.0.0.1:9090\"]   # /metrics, /healthz\n\n[tls]\ncertificate = {}\nkey = {}\n\n\
         [store]\nengine = \"embedded\"           # or \"postgres\", with url = \"postgres://…\"\n",
        quoted(&init.hostname),
        path(data),
        path(&files.certificate),
        path(&files.key)
    )
}

/// Domain and administrator. Returns the records that the domain needs in the DNS.
fn furnish(config: &Config, domain: &str, password: Plain) -> Result<Vec<RecordView>> {
    let runtime = tokio::runtime::Runtime::new().map_err(Error::io)?;
    let (config, domain) = (config.clone(), domain.to_owned());
    runtime.block_on(async move {
        let house = House::open(&config).await?;
        let admin = house.admin(None);
        let administrator = AccountSpec { address: format!("postmaster@{domain}"), name: String::new() };
        let requests = [
            Request::DomainAdd { name: domain.clone(), alias_of: None },
            Request::AccountAdd {
                accounts: vec![administrator],
                password: Some(password),
                quota: 0,
                role: Some("system".to_owned()),
                shared: false,
            },
            Request::DomainDns { name: domain, check: false },
        ];
        let mut records = Vec::new();
        for request in requests {
            let (out, mut events) = Out::new();
            let act = async {
                let out = out;
                admin.run(&Actor::here("init"), request, mpsc::channel(1).1, &out).await
            };
            let listen = async {
                while let Some(event) = events.recv().await {
                    if let Event::Item(item) = event
                        && let Item::Record(record) = *item
                    {
                        records.push(record);
                    }
                }
            };
            tokio::join!(act, listen).0?;
        }
        drop(admin);
        house.close().await?;
        Ok(records)
    })
}

fn tell(
    init: &Init,
    files: &Files,
    data: &Path,
    made: Option<&str>,
    records: &[RecordView],
    language: Language,
) -> Result<()> {
    let say = |line, words: &[&str]| language.say(line, words) + "\n";
    let mut shown = String::new();
    for path in [&files.boot, &files.certificate, &files.key, &data.to_owned()] {
        shown += &say(text::INIT_WROTE, &[&path.display().to_string()]);
    }
    shown += &say(text::INIT_ADMINISTRATOR, &[&format!("postmaster@{}", init.domain)]);
    if let Some(made) = made {
        shown += &say(text::INIT_PASSWORD, &[made]);
    }
    shown += "\n";
    shown += &say(text::INIT_DNS, &[]);
    shown.extend(records.iter().map(|record| show::record_in_words(language, record)));
    shown += "\n";
    shown += &say(text::INIT_CHECK_DNS, &[&init.domain]);
    shown += "\n";
    shown += &say(text::INIT_CERTIFICATE, &[]);
    shown += &say(text::INIT_NEXT, &[&files.boot.display().to_string()]);
    show::out(&shown)
}
