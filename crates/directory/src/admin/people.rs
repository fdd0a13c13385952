//! People as an old system has them: brought in by the thousand, and brought in again as changes.
//!
//! What an owner or an administrator of ours did since is never undone: a password that is ours by now stays, aliases are only added,
//! and rules are put once.

use std::collections::HashSet;

use anser_base::{AccountId, Address, BlobId, Error, Result, Text, Timestamp};
use anser_db::{Tx, params};

use crate::admin::accounts::{self, NewAccount, Password};
use crate::admin::{self, PAGE};
use crate::model::{AccountState, Locale};
use crate::password::{self, stored};
use crate::rows::{self, Kind};
use crate::scripts::{self, Place, ScriptOwner};
use crate::{Directory, names};

/// The name of the script that is put for somebody's old rules.
pub const IMPORTED: &str = "imported";
/// Characters of a first password, of 5 bits each.
const FIRST_PASSWORD: usize = 16;

/// Somebody as an old system has them. `None` and empty: it does not say.
#[derive(Clone, Debug)]
pub struct Incoming {
    /// The main address.
    pub address: Address,
    /// The name shown beside it.
    pub name: Option<String>,
    /// Where they belong.
    pub department: Option<String>,
    /// What stands below what they write.
    pub signature: Option<String>,
    /// A hash of a scheme of [`stored`]; `{PLAIN}` and the password itself, which is not kept so.
    pub password: Option<Stored>,
    /// Whether a new password must be chosen first; only where `password` is set.
    pub must_change: bool,
    /// Room in bytes; 0 is no limit.
    pub quota: Option<u64>,
    /// Their language.
    pub locale: Option<Locale>,
    /// Whether the account may be used.
    pub active: Option<bool>,
    /// Other addresses, in domains of ours.
    pub aliases: Vec<Address>,
    /// Rules as a Sieve script that compiles.
    pub script: Option<String>,
}

/// A stored password; never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Stored(pub String);

impl std::fmt::Debug for Stored {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Stored")
    }
}

/// What becomes, or became, of somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The account is new.
    New,
    /// It is there, and these of its fields are other: `name`, `department`, `signature`, `password`, `quota`, `language`, `state`,
    /// `aliases`, `rules`.
    Changed(Vec<&'static str>),
    /// It is there as it should be.
    Same,
    /// It cannot be.
    Refused(Text),
}

/// What is known beside the verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// What becomes of it.
    pub verdict: Verdict,
    /// Nothing opens the account, and the old system gives no password for it.
    pub lacks_password: bool,
    /// The rules that were put for the old system's say something else by now, or said so then.
    pub has_other_rules: bool,
}

/// What is known of an account's owner beside what makes the account work.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    /// Where they belong: levels from the top down, joined by `/`.
    pub department: String,
    /// What stands below what they write.
    pub signature: String,
}

impl Directory {
    /// Brings people in, at most [`PAGE`], in one transaction; without `apply` it only says what would become of them. `domains` are
    /// those that are not ours yet and will be, for a trial.
    pub async fn bring_people(
        &self,
        people: Vec<Incoming>,
        domains: HashSet<String>,
        apply: bool,
    ) -> Result<Vec<Outcome>> {
        if people.len() > PAGE {
            let (en, zh) = (format!("at most {PAGE} people at a time"), format!("一次最多 {PAGE} 人"));
            return Err(Error::new(anser_base::Class::Limit, en, zh));
        }
        let (now, salts) = (self.inner.deps.clock.now(), self.inner.deps.entropy.clone());
        if !apply {
            return self.read(move |tx| people.iter().map(|one| Ok(plan(tx, one, &domains)?.outcome)).collect()).await;
        }
        self.change(move |tx| {
            let bring = |one: &Incoming| {
                let plan = plan(tx, one, &domains)?;
                let stored = one.password.as_ref().map(|stored| stored::for_keeping(&stored.0, salts.bytes()));
                carry_out(tx, one, &plan, stored.as_deref(), now)?;
                Ok(plan.outcome)
            };
            people.iter().map(bring).collect()
        })
        .await
    }

    /// A password for somebody who has none yet: four groups of four characters, 80 bits, in which no letter looks like a digit.
    pub fn first_password(&self) -> String {
        let token = self.inner.deps.entropy.token(FIRST_PASSWORD);
        let groups: Vec<&str> = (0..FIRST_PASSWORD).step_by(4).map(|at| &token[at..at + 4]).collect();
        groups.join("-")
    }

    /// What is known of an account's owner.
    pub async fn profile(&self, account: AccountId) -> Result<Profile> {
        Ok(self.read(move |tx| profile(tx, account)).await?.unwrap_or_default())
    }
}

/// What is to be done for one.
struct Plan {
    outcome: Outcome,
    /// The account that is there.
    account: Option<AccountId>,
    /// In normal form.
    address: Option<Address>,
    /// Those that are to be added, in normal form.
    aliases: Vec<Address>,
}

fn plan(tx: &mut Tx<'_>, one: &Incoming, domains: &HashSet<String>) -> Result<Plan> {
    match look(tx, one, domains) {
        Ok(plan) => Ok(plan),
        // What is wrong with one is told, and stops nobody else.
        Err(error) if !error.class.is_temporary() && error.class != anser_base::Class::Damaged => {
            let outcome =
                Outcome { verdict: Verdict::Refused(error.text), lacks_password: false, has_other_rules: false };
            Ok(Plan { outcome, account: None, address: None, aliases: Vec::new() })
        }
        Err(error) => Err(error),
    }
}

fn look(tx: &mut Tx<'_>, one: &Incoming, domains: &HashSet<String>) -> Result<Plan> {
    let address = names::new_address(&one.address)?;
    names::display_name(one.name.as_deref().unwrap_or_default())?;
    if let Some(Stored(hash)) = &one.password
        && !stored::is_known(hash)
    {
        return Err(Error::invalid("this kind of password hash is not known", "不支持这种密码哈希格式"));
    }
    if !domains.contains(address.domain()) {
        admin::domain_for(tx, &address)?;
    }
    let key = names::key(&address);
    let found = rows::account_by_address(tx, &key)?;
    let account = found.as_ref().map(|found| found.id);
    if found.is_none() && rows::address(tx, &key)?.is_some() {
        return Err(Error::exists(format!("{key} is an alias or a group already"), format!("{key} 已是别名或群组")));
    }
    let mut aliases = Vec::new();
    for alias in &one.aliases {
        let alias = names::new_address(alias)?;
        if !domains.contains(alias.domain()) {
            admin::domain_for(tx, &alias)?;
        }
        match rows::address(tx, &names::key(&alias))? {
            None => aliases.push(alias),
            Some(row)
                if matches!(row.kind, Kind::Alias | Kind::Primary)
                    && account == Some(AccountId::from_sql(row.target)) => {}
            Some(_) => {
                let en = format!("the alias {alias} is somebody else's address");
                return Err(Error::exists(en, format!("别名 {alias} 已被他人使用")));
            }
        }
    }
    let Some(found) = found else {
        let lacks_password = one.password.is_none();
        let outcome = Outcome { verdict: Verdict::New, lacks_password, has_other_rules: false };
        return Ok(Plan { outcome, account, address: Some(address), aliases });
    };
    if found.state == AccountState::Removed {
        return Err(Error::exists(
            format!("{key} is a removed account; restore or purge it first"),
            format!("{key} 是已删除的账号，请先恢复或彻底清除"),
        ));
    }
    let known = profile(tx, found.id)?.unwrap_or_default();
    let hash = hash(tx, found.id)?;
    let name = one.name.as_deref().map(names::display_name).transpose()?;
    let mut rules = (false, false);
    if let Some(said) = &one.script {
        let kept = scripts::find(tx, ScriptOwner::Account(found.id), IMPORTED)?;
        rules = (kept.is_none(), kept.is_some_and(|kept| kept.hash != BlobId::of(said.as_bytes())));
    }
    let (lacks_rules, has_other_rules) = rules;
    let differences = [
        ("name", name.is_some_and(|name| name != found.name)),
        ("department", one.department.as_ref().is_some_and(|text| *text != known.department)),
        ("signature", one.signature.as_ref().is_some_and(|text| *text != known.signature)),
        ("password", one.password.as_ref().is_some_and(|Stored(new)| is_newer(new, &hash))),
        ("quota", one.quota.is_some_and(|quota| quota != found.quota_bytes)),
        ("language", one.locale.is_some_and(|locale| locale != found.locale)),
        ("state", one.active.is_some_and(|active| active != (found.state == AccountState::Active))),
        ("aliases", !aliases.is_empty()),
        ("rules", lacks_rules),
    ];
    let changed: Vec<&str> = differences.iter().filter(|(_, differs)| *differs).map(|(name, _)| *name).collect();
    let verdict = if changed.is_empty() { Verdict::Same } else { Verdict::Changed(changed) };
    let lacks_password = one.password.is_none() && hash.is_empty();
    let outcome = Outcome { verdict, lacks_password, has_other_rules };
    Ok(Plan { outcome, account, address: Some(address), aliases })
}

/// Whether an old system's password takes the place of the one that is stored: never of one that is ours by now.
fn is_newer(new: &str, stored: &str) -> bool {
    if password::is_current(stored) {
        return false;
    }
    match stored::clear(new) {
        Some(plain) => !stored::verify(plain.as_bytes(), stored),
        None => new != stored,
    }
}

fn carry_out(tx: &mut Tx<'_>, one: &Incoming, plan: &Plan, hash: Option<&str>, now: Timestamp) -> Result<()> {
    let Some(address) = &plan.address else { return Ok(()) };
    let (id, changed) = match (&plan.outcome.verdict, plan.account) {
        (Verdict::New, _) => (add(tx, one, address, hash, now)?, None),
        (Verdict::Changed(changed), Some(id)) => (id, Some(changed)),
        _ => return Ok(()),
    };
    let is = |name| changed.is_none_or(|changed| changed.contains(&name));
    if changed.is_some() {
        update(tx, id, one, hash, &is, now)?;
    }
    if is("department") || is("signature") {
        let (department, signature) = (one.department.as_deref(), one.signature.as_deref());
        if department.is_some() || signature.is_some() {
            let known = profile(tx, id)?.unwrap_or_default();
            let (department, signature) =
                (department.unwrap_or(&known.department), signature.unwrap_or(&known.signature));
            let sql = "INSERT INTO dir_profiles (account, department, signature) VALUES (?1, ?2, ?3)
                       ON CONFLICT (account) DO UPDATE SET department = excluded.department, signature = excluded.signature";
            tx.execute(sql, params![id.to_sql(), department, signature])?;
        }
    }
    for alias in &plan.aliases {
        let domain = admin::domain_for(tx, alias)?;
        admin::claim(tx, alias, domain.id, Kind::Alias, id.0, None)?;
    }
    if let Some(script) = one.script.as_ref().filter(|_| is("rules")) {
        let owner = ScriptOwner::Account(id);
        scripts::put(tx, owner, IMPORTED, script.as_bytes(), now)?;
        if scripts::running(tx, owner)?.scripts.is_empty() {
            scripts::set_place(tx, owner, IMPORTED, Place::Active)?;
        }
    }
    Ok(())
}

fn add(tx: &mut Tx<'_>, one: &Incoming, address: &Address, hash: Option<&str>, now: Timestamp) -> Result<AccountId> {
    let domain = admin::domain_for(tx, address)?;
    let id = AccountId(rows::count_up(tx, "account", 1)?);
    let state = if one.active == Some(false) { AccountState::Suspended } else { AccountState::Active };
    let new = NewAccount {
        name: names::display_name(one.name.as_deref().unwrap_or_default())?,
        quota_bytes: accounts::quota(one.quota.unwrap_or(0))? as u64,
        locale: one.locale.unwrap_or_default(),
        must_change_password: one.must_change && hash.is_some(),
        ..NewAccount::new(address.clone(), Password::None)
    };
    accounts::insert(tx, &new, state, (hash.unwrap_or_default(), None), &domain, id, now)?;
    Ok(id)
}

fn update(
    tx: &mut Tx<'_>,
    id: AccountId,
    one: &Incoming,
    hash: Option<&str>,
    is: &impl Fn(&'static str) -> bool,
    now: Timestamp,
) -> Result<()> {
    let id_sql = id.to_sql();
    if let Some(name) = one.name.as_deref().filter(|_| is("name")) {
        tx.execute("UPDATE dir_accounts SET name = ?2 WHERE id = ?1", params![id_sql, &names::display_name(name)?])?;
    }
    if let Some(hash) = hash.filter(|_| is("password")) {
        let sql = "UPDATE dir_accounts SET hash = ?2, scram = NULL, must_change = ?3, credential = credential + 1
                   WHERE id = ?1";
        tx.execute(sql, params![id_sql, hash, one.must_change])?;
    }
    if let Some(quota) = one.quota.filter(|_| is("quota")) {
        let quota = accounts::quota(quota)?;
        tx.execute("UPDATE dir_accounts SET quota_bytes = ?2 WHERE id = ?1", params![id_sql, quota])?;
    }
    if let Some(locale) = one.locale.filter(|_| is("language")) {
        tx.execute("UPDATE dir_accounts SET locale = ?2 WHERE id = ?1", params![id_sql, locale.as_str()])?;
    }
    if let Some(active) = one.active.filter(|_| is("state")) {
        let state = if active { AccountState::Active } else { AccountState::Suspended };
        super::accounts::set_state(tx, id, state, now)?;
    }
    Ok(())
}

fn hash(tx: &mut Tx<'_>, id: AccountId) -> Result<String> {
    let sql = "SELECT hash FROM dir_accounts WHERE id = ?1";
    Ok(tx.query_one(sql, params![id.to_sql()], |row| row.text(0))?.unwrap_or_default())
}

fn profile(tx: &mut Tx<'_>, id: AccountId) -> Result<Option<Profile>> {
    let sql = "SELECT department, signature FROM dir_profiles WHERE account = ?1";
    tx.query_one(sql, params![id.to_sql()], |row| Ok(Profile { department: row.text(0)?, signature: row.text(1)? }))
}
