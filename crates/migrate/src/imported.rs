//! Accounts and lists held against what the old system's export said of them: an import with a move remembers that, passwords apart.
//!
//! | state | means |
//! |---|---|
//! | same | everything that the import said of it is so: addresses, name, room, language, whether it may be used, rules, members |
//! | other | some of it is not; since an import undoes nothing, its owner or an administrator may have changed it here |
//! | missing | nobody here has the address |
//! | refused | it cannot be, and why |

use std::collections::HashSet;

use anser_base::{AccountId, Address, Error, Result, Text};
use anser_db::{Tx, params};
use anser_directory::{Incoming, Locale, Outcome, Verdict};
use serde::{Deserialize, Serialize};

use crate::Migrate;

/// Accounts that one look at the directory compares, and rows of one transaction.
const BATCH: usize = 500;
/// Accounts and lists of one move that are remembered.
const KNOWN: usize = 200_000;

/// What an import said of an account, or of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Imported {
    /// The main address.
    pub address: String,
    /// What it said.
    #[serde(flatten)]
    pub said: Said,
}

impl Imported {
    /// What was said of a list.
    pub fn list(address: &Address, members: &[Address]) -> Self {
        Self { address: address.to_string(), said: Said::List(members.iter().map(Address::to_string).collect()) }
    }
}

/// What was said; what was not is `None`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Said {
    /// Of somebody.
    Person {
        /// The name shown beside the address.
        name: Option<String>,
        /// Where they belong.
        department: Option<String>,
        /// What stands below what they write.
        signature: Option<String>,
        /// Room in bytes; 0 is no limit.
        quota: Option<u64>,
        /// `zh` or `en`.
        language: Option<String>,
        /// Whether the account may be used.
        active: Option<bool>,
        /// Other addresses.
        aliases: Vec<String>,
        /// Forwards, away answers and rules, as a Sieve script.
        script: Option<String>,
    },
    /// Of a list: its members.
    List(Vec<String>),
}

impl From<&Incoming> for Imported {
    fn from(one: &Incoming) -> Self {
        let said = Said::Person {
            name: one.name.clone(),
            department: one.department.clone(),
            signature: one.signature.clone(),
            quota: one.quota,
            language: one.locale.map(|locale| locale.as_str().to_owned()),
            active: one.active,
            aliases: one.aliases.iter().map(Address::to_string).collect(),
            script: one.script.clone(),
        };
        Self { address: one.address.to_string(), said }
    }
}

/// How an account or a list stands beside what was said of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountProof {
    /// The address.
    pub address: String,
    /// `same`, `other`, `missing`, `refused`.
    pub state: String,
    /// What is other: `name`, `department`, `signature`, `quota`, `language`, `state`, `aliases`, `rules` (none are there, or they say
    /// something else), `members`; `password` where none opens the account.
    pub fields: Vec<String>,
    /// Why it cannot be, in English.
    pub why: String,
    /// In Chinese.
    pub zh: String,
}

impl AccountProof {
    fn new(address: &str, state: &str, fields: &[&str], why: &Text) -> Self {
        Self {
            address: address.to_owned(),
            state: state.to_owned(),
            fields: fields.iter().map(|field| (*field).to_owned()).collect(),
            why: why.en.clone().into_owned(),
            zh: why.zh.clone().into_owned(),
        }
    }

    fn of(address: &str, outcome: &Outcome) -> Self {
        let none = Text::new("", "");
        let mut other = match &outcome.verdict {
            Verdict::New => return Self::new(address, "missing", &[], &none),
            Verdict::Refused(why) => return Self::new(address, "refused", &[], why),
            Verdict::Changed(fields) => fields.clone(),
            Verdict::Same => Vec::new(),
        };
        other.extend(outcome.has_other_rules.then_some("rules"));
        other.extend(outcome.lacks_password.then_some("password"));
        Self::new(address, if other.is_empty() { "same" } else { "other" }, &other, &none)
    }
}

impl Migrate {
    /// Remembers what an import said, the newest of each address. `Class::Invalid` beyond 200,000 addresses; those before stay. Transactions
    /// are small, as logins wait for the same thread: said again, what one of them did not come to is remembered too.
    pub async fn remember_imported(&self, name: &str, all: Vec<Imported>) -> Result<()> {
        let of = self.named(name).await?.id;
        let row =
            |one: &Imported| Ok((parsed(&one.address)?.key(), serde_json::to_string(one).map_err(Error::unavailable)?));
        let rows = all.iter().map(row).collect::<Result<Vec<_>>>()?;
        for page in rows.chunks(BATCH) {
            let page = page.to_vec();
            self.write(move |tx| put(tx, of, &page)).await?;
        }
        Ok(())
    }

    /// Forgets what imports said of an account, by its addresses.
    pub(crate) async fn forget_imported(&self, account: AccountId) -> Result<()> {
        let directory = &self.inner.deps.directory;
        let mut addresses = directory.aliases_of(account).await?;
        addresses.extend(directory.account(account).await?.map(|found| found.address.clone()));
        let keys: Vec<String> = addresses.iter().map(Address::key).collect();
        self.write(move |tx| {
            keys.iter()
                .try_for_each(|key| tx.execute("DELETE FROM mov_imported WHERE address = ?1", params![key]).map(drop))
        })
        .await
    }

    /// Holds every account and list that an import brought for a move against what it said, in the order of addresses.
    pub async fn hold_accounts(&self, name: &str) -> Result<Vec<AccountProof>> {
        let (of, mut after, mut held) = (self.named(name).await?.id, String::new(), Vec::new());
        loop {
            let behind = after.clone();
            let page = self.read(move |tx| page(tx, of, &behind)).await?;
            let Some((last, _)) = page.last() else { return Ok(held) };
            after.clone_from(last);
            held.extend(self.hold_page(page.into_iter().map(|(_, one)| one).collect()).await?);
        }
    }

    async fn hold_page(&self, page: Vec<Imported>) -> Result<Vec<AccountProof>> {
        let directory = &self.inner.deps.directory;
        let people = page.iter().filter_map(|one| incoming(one).transpose()).collect::<Result<Vec<Incoming>>>()?;
        let mut outcomes = directory.bring_people(people, HashSet::new(), false).await?.into_iter();
        let mut held = Vec::with_capacity(page.len());
        for one in page {
            let Said::List(members) = &one.said else {
                let outcome = outcomes.next().ok_or_else(|| Error::damaged("fewer answers than people"))?;
                held.push(AccountProof::of(&one.address, &outcome));
                continue;
            };
            let verdict = match directory.group(&parsed(&one.address)?).await? {
                None => Verdict::New,
                Some(group) => {
                    let known: HashSet<String> = directory.members(group.id).await?.iter().map(Address::key).collect();
                    let is_known =
                        |member: &String| Address::parse(member).is_some_and(|one| known.contains(&one.key()));
                    match members.iter().all(is_known) {
                        true => Verdict::Same,
                        false => Verdict::Changed(vec!["members"]),
                    }
                }
            };
            let outcome = Outcome { verdict, lacks_password: false, has_other_rules: false };
            held.push(AccountProof::of(&one.address, &outcome));
        }
        Ok(held)
    }
}

/// What was said of somebody as the directory takes it.
fn incoming(one: &Imported) -> Result<Option<Incoming>> {
    let Said::Person { name, department, signature, quota, language, active, aliases, script } = &one.said else {
        return Ok(None);
    };
    Ok(Some(Incoming {
        address: parsed(&one.address)?,
        name: name.clone(),
        department: department.clone(),
        signature: signature.clone(),
        password: None,
        must_change: false,
        quota: *quota,
        locale: language.as_deref().map(Locale::from_text),
        active: *active,
        aliases: aliases.iter().map(|alias| parsed(alias)).collect::<Result<_>>()?,
        script: script.clone(),
    }))
}

fn parsed(address: &str) -> Result<Address> {
    Address::parse(address)
        .ok_or_else(|| Error::invalid(format!("{address} is no address"), format!("{address} 不是地址")))
}

/// Remembers some of what was said.
fn put(tx: &mut Tx<'_>, of: u64, rows: &[(String, String)]) -> Result<()> {
    for (key, said) in rows {
        let sql = "INSERT INTO mov_imported (move, address, said) VALUES (?1, ?2, ?3) \
                   ON CONFLICT (move, address) DO UPDATE SET said = excluded.said";
        tx.execute(sql, params![of as i64, key, said])?;
    }
    let sql = "SELECT COUNT(*) FROM mov_imported WHERE move = ?1";
    match tx.query_one(sql, params![of as i64], |row| row.int(0))?.unwrap_or(0) as usize > KNOWN {
        true => Err(Error::invalid("a move knows 200000 addresses at most", "一个迁移项目最多 200000 个地址")),
        false => Ok(()),
    }
}

/// Some of what is remembered, behind an address.
fn page(tx: &mut Tx<'_>, of: u64, after: &str) -> Result<Vec<(String, Imported)>> {
    let sql = "SELECT address, said FROM mov_imported WHERE move = ?1 AND address > ?2 ORDER BY address LIMIT ?3";
    tx.query(sql, params![of as i64, after, BATCH as i64], |row| {
        Ok((row.text(0)?, serde_json::from_str(&row.text(1)?).map_err(Error::damaged)?))
    })
}
