//! What a login is held against: the account behind a name with everything that may open it, and what each opens.

use std::sync::Arc;
use std::time::Duration;

use anser_base::{AccountId, Result, Timestamp};
use anser_db::{Tx, params};

use crate::guard::Network;
use crate::login::Via;
use crate::model::{Account, AccountState, AppPasswordId, AppPasswordKind, Service, Services};
use crate::names::{self, LoginName};
use crate::random::{self, Random};
use crate::rules::{self, InForce};
use crate::scram::ScramKeys;
use crate::second::{self, Second};
use crate::used::{self, Used};
use crate::{Directory, providers, rows};

/// Networks remembered per account; of more, the one not seen longest goes.
const PLACES: i64 = 16;
/// How long a place stays known without a login from it.
const PLACE_FOR: Duration = Duration::from_secs(90 * 24 * 3600);

/// Everything that a login looks at.
#[derive(Debug)]
pub(crate) struct Credentials {
    pub account: Arc<Account>,
    domain_disabled: bool,
    pub hash: String,
    pub scram: Option<ScramKeys>,
    pub version: i64,
    pub second: Second,
    pub rules: InForce,
    /// Who has to say at the login page who somebody is, in place of the password.
    pub provider: Option<String>,
    pub random: Vec<Random>,
    pub places: Vec<(Network, Timestamp)>,
    pub used: Vec<Used>,
}

impl Directory {
    pub(crate) async fn credentials(&self, name: &[u8]) -> Result<Option<Arc<Credentials>>> {
        let Some(name) = LoginName::parse(name) else { return Ok(None) };
        let stamp = self.stamp().await?;
        if let Some(known) = self.inner.logins.get(stamp, &name) {
            return Ok(known);
        }
        let sought = name.clone();
        let found = self.read(move |tx| credentials(tx, &sought)).await?.map(Arc::new);
        self.inner.logins.put(stamp, name, found.clone());
        Ok(found)
    }
}

impl Credentials {
    pub fn allows(&self, service: Service, via: Via) -> bool {
        let services = self.services(via);
        let is_open = match service {
            Service::Web => true,
            Service::SignIn => !matches!(via, Via::AppPassword(_) | Via::Token(_) | Via::Grant(..)),
            _ => !services.contains(Services::READ_ONLY),
        };
        is_open
            && self.account.state == AccountState::Active
            && !self.domain_disabled
            && services.contains(service.into())
    }

    /// Whether its owner may use it at present.
    pub fn is_open(&self) -> bool {
        let account = &self.account;
        account.state == AccountState::Active && !self.domain_disabled && !account.must_change_password
    }

    /// Whether its owner may come to the login page at present.
    pub fn may_sign_in(&self) -> bool {
        self.allows(Service::SignIn, Via::Password)
    }

    /// What may be done with what was shown.
    pub fn services(&self, via: Via) -> Services {
        let only = Services::READ_ONLY;
        let own = Services(self.account.services.0 & self.rules.services.with(only).0);
        let shown = match via {
            Via::AppPassword(id) | Via::Token(id) => self.named(id).map_or(Services::NONE, |app| app.services),
            Via::Grant(_, services) => services,
            Via::Password | Via::Scram | Via::Session(_) => Services::ALL,
        };
        Services(own.0 & shown.0).with(Services((own.0 | shown.0) & only.0))
    }

    /// Whether this app password or token opens anything at a moment.
    pub fn is_alive(&self, id: AppPasswordId, now: Timestamp) -> bool {
        self.named(id).is_some_and(|one| one.is_alive(now))
    }

    pub fn named(&self, id: AppPasswordId) -> Option<&Random> {
        self.random.iter().find(|one| one.id == id)
    }

    /// Hashes are compared in constant time.
    pub fn random(&self, kind: AppPasswordKind, hash: blake3::Hash, now: Timestamp) -> Option<&Random> {
        self.random.iter().find(|one| one.kind == kind && one.hash == hash && one.is_alive(now))
    }

    pub fn knows(&self, network: Network, now: Timestamp) -> bool {
        self.places.iter().any(|(known, seen)| *known == network && now.since(*seen) < PLACE_FOR)
    }
}

fn credentials(tx: &mut Tx<'_>, name: &LoginName) -> Result<Option<Credentials>> {
    let (local, domain) = match name {
        LoginName::Bare(local) => (local.as_str(), rows::default_domain(tx)?),
        LoginName::Full(address) => {
            let Some((local, domain)) = address.rsplit_once('@') else { return Ok(None) };
            (local, rows::domain_followed(tx, domain)?)
        }
    };
    let Some(domain) = domain else { return Ok(None) };
    let address = format!("{local}@{}", domain.name);
    let sql = concat!(
        "SELECT ",
        rows::account_columns!(),
        ", a.hash, a.scram, a.credential FROM dir_accounts a WHERE a.address = ?1"
    );
    let found = tx.query_one(sql, params![&address], |row| {
        let at = rows::ACCOUNT_COLUMNS;
        Ok((rows::account(row)?, row.text(at)?, row.opt_blob(at + 1)?, row.int(at + 2)?))
    })?;
    let Some((account, hash, scram, version)) = found else { return Ok(None) };
    let own = names::key(&account.address);
    Ok(Some(Credentials {
        second: second::of_account(tx, account.id, &own, &domain.name)?,
        rules: rules::in_force(tx, &domain.name)?,
        provider: providers::in_place_of_password(tx, &domain.name)?,
        random: random::of_account(tx, account.id)?,
        places: places(tx, account.id)?,
        used: used::of_account(tx, account.id)?,
        account: Arc::new(account),
        domain_disabled: domain.disabled,
        hash,
        scram: scram.as_deref().and_then(ScramKeys::from_bytes),
        version,
    }))
}

fn places(tx: &mut Tx<'_>, account: AccountId) -> Result<Vec<(Network, Timestamp)>> {
    let sql = "SELECT network, seen_ms FROM dir_places WHERE account = ?1";
    let all = tx.query(sql, params![account.to_sql()], |row| {
        Ok(Network::from_slice(&row.blob(0)?).map(|network| (network, Timestamp(row.int(1).unwrap_or(0)))))
    })?;
    Ok(all.into_iter().flatten().collect())
}

/// Notes that an account was used from somewhere.
pub(crate) fn remember_place(tx: &mut Tx<'_>, account: AccountId, network: Network, now: Timestamp) -> Result<()> {
    tx.execute(
        "INSERT INTO dir_places (account, network, seen_ms) VALUES (?1, ?2, ?3)
         ON CONFLICT (account, network) DO UPDATE SET seen_ms = excluded.seen_ms",
        params![account.to_sql(), network.as_bytes(), now.0],
    )?;
    tx.execute(
        "DELETE FROM dir_places WHERE account = ?1 AND network NOT IN
         (SELECT network FROM dir_places WHERE account = ?1 ORDER BY seen_ms DESC, network LIMIT ?2)",
        params![account.to_sql(), PLACES],
    )?;
    Ok(())
}
