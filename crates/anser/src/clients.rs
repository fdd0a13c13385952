//! `[[own_moves.clients]]` of the boot file: whom providers know this server as, so that persons sign in there when they move their mail.

use std::path::{Path, PathBuf};

use anser_base::{Error, Result};
use anser_migrate::own::{Client, Registered};
use anser_migrate::profile::OAuth;
use serde::Deserialize;

use crate::password;

/// Registrations that are read.
const CLIENTS: usize = 100;

/// One, as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Written {
    provider: String,
    client: String,
    secret_file: Option<PathBuf>,
    tenant: Option<String>,
    host: Option<String>,
    token: Option<String>,
    device: Option<String>,
    scope: Option<String>,
}

/// All of a boot file. The files of secrets lie beside it.
pub fn read(written: Vec<Written>, folder: &Path) -> Result<Vec<Client>> {
    let one = |written: Written| {
        let Written { provider, client, secret_file, tenant, host, token, device, scope } = written;
        let secret = secret_file.map(|file| password::of_file(&folder.join(file))).transpose()?;
        let secret = secret.map(String::from_utf8).transpose().map_err(|_| {
            Error::invalid(format!("{provider}: the secret is no text"), format!("{provider}：密钥不是文本"))
        })?;
        let oauth = OAuth { token, device, scope, application: None };
        Client::new(Registered { provider, host, client, tenant, oauth }, secret)
    };
    written.into_iter().take(CLIENTS).map(one).collect()
}
