//! Completion: whom somebody means by a few letters of a name, of how it sounds, of an address or of a department.
//!
//! All of a tenant's people are in memory, as they were at most [`AGE`] ago: each stroke of a key asks.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anser_base::{AccountId, Address, Result, TenantId, Timestamp};
use anser_db::{Tx, params};
use anser_text::fold;
use anser_text::pinyin::Readings;

use crate::Directory;
use crate::model::{AccountState, GroupId};

/// How late a change of the directory is seen here at most.
pub const AGE: Duration = Duration::from_secs(10);
/// People found by one search at most.
pub const FOUND: usize = 200;
/// People of one tenant that are held; those with the first addresses count.
const PEOPLE: usize = 500_000;
/// Tenants whose people are held.
const TENANTS: usize = 64;

/// Who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PersonId {
    /// The owner of an account, or the account that several share.
    Account(AccountId),
    /// A group.
    Group(GroupId),
}

/// Somebody who can be written to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Who it is.
    pub id: PersonId,
    /// The main address.
    pub address: Address,
    /// The name shown beside it; may be empty.
    pub name: String,
    /// Where they belong: levels from the top down, joined by `/`; may be empty.
    pub department: String,
    /// Whether an account is nobody's own.
    pub shared: bool,
}

/// The people of a tenant.
pub struct People {
    all: Vec<Known>,
    by_id: HashMap<PersonId, usize>,
}

struct Known {
    person: Person,
    local: String,
    name: String,
    department: String,
    readings: Readings,
}

/// How well a text is met; what is better comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Begins,
    SoundsLike,
    Contains,
    Belongs,
}

/// What is held of each tenant: when it was read, at which state of the directory.
#[derive(Default)]
pub(crate) struct Held(Mutex<HashMap<TenantId, (Timestamp, u64, Arc<People>)>>);

impl Directory {
    /// The people of a tenant: owners of active accounts, and groups.
    pub async fn people(&self, tenant: TenantId) -> Result<Arc<People>> {
        let (stamp, now) = (self.stamp().await?, self.inner.deps.clock.now());
        let held = &self.inner.people.0;
        let known = held.lock().unwrap_or_else(PoisonError::into_inner).get(&tenant).cloned();
        if let Some((at, of, people)) = known
            && (of == stamp || now.since(at) < AGE)
        {
            return Ok(people);
        }
        let people = self.read(move |tx| read(tx, tenant)).await?;
        // It takes a while for many: no session waits for it.
        let people = tokio::task::spawn_blocking(move || People::of(people)).await;
        let people = Arc::new(people.map_err(anser_base::Error::unavailable)?);
        let mut held = held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.len() >= TENANTS {
            held.clear();
        }
        held.insert(tenant, (now, stamp, people.clone()));
        Ok(people)
    }
}

impl People {
    fn of(people: Vec<Person>) -> Self {
        let by_id = people.iter().enumerate().map(|(at, person)| (person.id, at)).collect();
        let known = |person: Person| Known {
            local: fold(person.address.local()),
            name: fold(&person.name),
            department: fold(&person.department),
            readings: Readings::of(&person.name),
            person,
        };
        Self { all: people.into_iter().map(known).collect(), by_id }
    }

    /// Somebody by number.
    pub fn get(&self, id: PersonId) -> Option<&Person> {
        Some(&self.all[*self.by_id.get(&id)?].person)
    }

    /// All of them, in no order.
    pub fn all(&self) -> impl ExactSizeIterator<Item = &Person> {
        self.all.iter().map(|known| &known.person)
    }

    /// Those of whom `may` is true and whom a text means, best first, at most [`FOUND`]: by the beginning of the name or of the address, by how the name sounds,
    /// by a piece of either, by the department. An empty text means everybody.
    pub fn find(&self, text: &str, may: impl Fn(&Person) -> bool) -> Vec<&Person> {
        let text = fold(text.trim());
        let letters: String = text.chars().filter(|c| *c != ' ' && *c != '\'').collect();
        let mut found: Vec<(Rank, &Known)> = self
            .all
            .iter()
            .filter(|known| may(&known.person))
            .filter_map(|known| Some((known.rank(&text, &letters)?, known)))
            .collect();
        let order = |(rank, known): &(Rank, &Known)| (*rank, Reverse(known.person.shared), known.name.is_empty());
        let by = |a: &(Rank, &Known), b: &(Rank, &Known)| {
            order(a).cmp(&order(b)).then_with(|| a.1.name.cmp(&b.1.name)).then_with(|| a.1.local.cmp(&b.1.local))
        };
        if found.len() > FOUND {
            found.select_nth_unstable_by(FOUND, by);
            found.truncate(FOUND);
        }
        found.sort_by(by);
        found.into_iter().map(|(_, known)| &known.person).collect()
    }
}

impl Known {
    fn rank(&self, text: &str, letters: &str) -> Option<Rank> {
        let begins = |field: &str| field.starts_with(text) || field.split(' ').any(|word| word.starts_with(text));
        let whole = || text.contains('@') && fold(&self.person.address.to_string()).starts_with(text);
        if begins(&self.name) || self.local.starts_with(text) || whole() {
            return Some(Rank::Begins);
        }
        if self.readings.find(letters).is_some() {
            return Some(Rank::SoundsLike);
        }
        if self.name.contains(text) || self.local.contains(text) {
            return Some(Rank::Contains);
        }
        self.department.contains(text).then_some(Rank::Belongs)
    }
}

fn read(tx: &mut Tx<'_>, tenant: TenantId) -> Result<Vec<Person>> {
    let address =
        |text: String| Address::parse(&text).ok_or_else(|| anser_base::Error::damaged(format!("address {text}")));
    let mut all = tx.query(
        "SELECT a.id, a.address, a.name, a.shared, p.department FROM dir_accounts a \
         LEFT JOIN dir_profiles p ON p.account = a.id WHERE a.tenant = ?1 AND a.state = ?2 ORDER BY a.address LIMIT ?3",
        params![tenant.to_sql(), AccountState::Active.to_sql(), PEOPLE as i64],
        |row| {
            let id = PersonId::Account(AccountId::from_sql(row.int(0)?));
            let department = row.opt_text(4)?.unwrap_or_default();
            Ok(Person { id, address: address(row.text(1)?)?, name: row.text(2)?, shared: row.int(3)? != 0, department })
        },
    )?;
    all.extend(tx.query(
        "SELECT id, address, name FROM dir_groups WHERE tenant = ?1 ORDER BY address LIMIT ?2",
        params![tenant.to_sql(), PEOPLE as i64],
        |row| {
            let id = PersonId::Group(GroupId(row.int(0)? as u64));
            let (address, name) = (address(row.text(1)?)?, row.text(2)?);
            Ok(Person { id, address, name, shared: false, department: String::new() })
        },
    )?);
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn people(all: &[(&str, &str, &str)]) -> People {
        let person = |(at, (address, name, department)): (usize, &(&str, &str, &str))| Person {
            id: PersonId::Account(AccountId(at as u64)),
            address: Address::parse(address).unwrap(),
            name: (*name).to_owned(),
            department: (*department).to_owned(),
            shared: false,
        };
        People::of(all.iter().enumerate().map(person).collect())
    }

    #[test]
    fn people_are_found_by_what_somebody_remembers_of_them() {
        let people = people(&[
            ("chen@x.example", "陈雁", "研究所/天文室"),
            ("cy@x.example", "Carl Young", ""),
            ("ann.smith@x.example", "Ann Smith", "研究所"),
            ("info@x.example", "", ""),
        ]);
        let found = |text: &str| -> Vec<String> {
            people.find(text, |_| true).into_iter().map(|person| person.address.local().to_owned()).collect()
        };
        assert_eq!(found("陈"), ["chen"]);
        assert_eq!(found("chenyan"), ["chen"]);
        assert_eq!(found("Chen Yan"), ["chen"]);
        assert_eq!(found("cy"), ["cy", "chen"]);
        assert_eq!(found("SMI"), ["ann.smith"]);
        assert_eq!(found("young"), ["cy"]);
        assert_eq!(found("天文"), ["chen"]);
        assert_eq!(found("研究"), ["ann.smith", "chen"]);
        assert_eq!(found("info@x"), ["info"]);
        assert_eq!(found("nobody"), [""; 0]);
        assert_eq!(found("").len(), 4);
    }
}
