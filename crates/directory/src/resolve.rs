//! Where mail to an address goes, and who may write as it.

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::Arc;

use anser_base::{AccountId, Address, Result, Timestamp};
use anser_db::{Row, Tx, params};

use crate::model::{Account, AccountState, Domain, GroupId, Role};
use crate::routes::{self, Route};
use crate::rows::{self, Kind};
use crate::{Directory, Inner, names};

/// Most recipients that a group expands to, over all nested groups.
pub const GROUP_RECIPIENTS: usize = 10_000;
/// How deep groups may be nested.
pub const GROUP_DEPTH: usize = 8;
/// Domains that stand for another, as far as [`Directory::names_of`] goes.
const STANDING_FOR: i64 = 20;
/// The local part that every domain answers to (RFC 5321 §4.5.1).
const POSTMASTER: &str = "postmaster";

/// Where mail to an address goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// Into an active account.
    Account(Arc<Account>),
    /// To everybody in a group.
    Group(Arc<Expansion>),
    /// On to an address elsewhere.
    Forward(Address),
    /// To an account that is suspended for now.
    Suspended(Arc<Account>),
    /// The domain is ours, the address nobody's.
    NoSuchUser,
    /// The domain is ours, but switched off.
    Disabled,
    /// The mail is ours to take, but its mailbox is on another server, where this route leads.
    Elsewhere(Arc<Route>),
    /// The domain is not ours: relay, or refuse.
    NotLocal,
}

/// A group with everybody in it, each once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expansion {
    /// The group.
    pub id: GroupId,
    /// Its address.
    pub address: Address,
    /// The active accounts in it and in the groups within.
    pub accounts: Vec<Arc<Account>>,
    /// The addresses elsewhere.
    pub outside: Vec<Address>,
    /// Whether [`GROUP_RECIPIENTS`] or [`GROUP_DEPTH`] cut it short.
    pub truncated: bool,
}

impl Directory {
    /// Where mail to an address goes. Looks for the whole address first, then without its subaddress (RFC 5233), then for
    /// `postmaster`, then for the domain's catch-all. The subaddress is for the caller to use: `Address::detail`.
    pub async fn resolve(&self, address: &Address) -> Result<Resolution> {
        let stamp = self.stamp().await?;
        let key = names::key(address);
        let known = self.inner.resolutions.get(stamp, &key).or_else(|| self.inner.groups.get(stamp, &key));
        let now = self.inner.deps.clock.now();
        if let Some(known) = known.filter(|known| !known.is_over(now)) {
            return Ok(known);
        }
        let (inner, sought) = (self.inner.clone(), key.clone());
        let found = self.read(move |tx| Seeker { inner: &inner, stamp, now }.resolve(tx, &sought)).await?;
        // Its sender is known only for some days: this answer is not kept.
        if !matches!(found, Resolution::NotLocal | Resolution::Disabled)
            && let Some(sender) = self.rewritten_sender(address).await?
        {
            return Ok(Resolution::Forward(sender));
        }
        let cache = if matches!(found, Resolution::Group(_)) { &self.inner.groups } else { &self.inner.resolutions };
        cache.put(stamp, key, found.clone());
        Ok(found)
    }

    /// Where mail to `<postmaster>` without a domain goes (RFC 5321 §4.1.1.3).
    pub async fn resolve_postmaster(&self) -> Result<Resolution> {
        let (inner, stamp, now) = (self.inner.clone(), self.stamp().await?, self.inner.deps.clock.now());
        self.read(move |tx| match rows::default_domain(tx)? {
            Some(domain) => Seeker { inner: &inner, stamp, now }.resolve(tx, &format!("{POSTMASTER}@{}", domain.name)),
            None => administrator(tx, None),
        })
        .await
    }

    /// Whether mail to a domain is ours to deliver, though it may be switched off.
    pub async fn is_local_domain(&self, domain: &str) -> Result<bool> {
        match Address::new(POSTMASTER, domain) {
            Some(address) => Ok(self.resolve(&address).await? != Resolution::NotLocal),
            None => Ok(false),
        }
    }

    /// The names under which doors note who tries to come in as this account, and its mail: its addresses, the same local part in the
    /// domains that stand for its own, and the bare local part where that is enough to log in.
    pub async fn names_of(&self, account: &Account) -> Result<Vec<String>> {
        let (id, local) = (account.id, account.address.local().to_lowercase());
        let domain = account.address.domain().to_owned();
        self.read(move |tx| {
            let mut names = rows::addresses_of(tx, id)?;
            let sql = "SELECT a.name FROM dir_domains a JOIN dir_domains d ON a.alias_of = d.id WHERE d.name = ?1
                       ORDER BY a.id LIMIT ?2";
            let others = tx.query(sql, params![&domain, STANDING_FOR], |row| row.text(0))?;
            names.extend(others.iter().map(|other| format!("{local}@{other}")));
            if rows::default_domain(tx)?.is_some_and(|chosen| chosen.name == domain) {
                names.push(local.clone());
            }
            Ok(names)
        })
        .await
    }

    /// Whether an account may write mail as an address (RFC 6409 §6.1): its own, one of its aliases, either with a subaddress,
    /// `postmaster@` when that leads to it, or one granted to it.
    pub async fn may_send_as(&self, account: AccountId, address: &Address) -> Result<bool> {
        let stamp = self.stamp().await?;
        let key = (account, names::key(address));
        if let Some(known) = self.inner.senders.get(stamp, &key) {
            return Ok(known);
        }
        let (inner, sought, now) = (self.inner.clone(), key.1.clone(), self.inner.deps.clock.now());
        let may = self.read(move |tx| Seeker { inner: &inner, stamp, now }.may_send_as(tx, account, &sought)).await?;
        self.inner.senders.put(stamp, key, may);
        Ok(may)
    }
}

impl Resolution {
    /// Whether it follows from a route that counts no more.
    fn is_over(&self, now: Timestamp) -> bool {
        matches!(self, Self::Elsewhere(route) if route.is_over(now))
    }
}

/// Looks addresses up in one transaction that began when the directory stood at `stamp`.
#[derive(Clone, Copy)]
struct Seeker<'a> {
    inner: &'a Inner,
    stamp: u64,
    now: Timestamp,
}

impl Seeker<'_> {
    fn resolve(self, tx: &mut Tx<'_>, key: &str) -> Result<Resolution> {
        let Some((local, domain)) = key.rsplit_once('@') else { return Ok(Resolution::NotLocal) };
        let Some(domain) = own_domain(tx, self.inner, domain)? else {
            if local == POSTMASTER && is_self(self.inner, domain) {
                return administrator(tx, None);
            }
            let gated = routes::gated(tx, key, self.now)?;
            return Ok(gated.map_or(Resolution::NotLocal, |route| Resolution::Elsewhere(Arc::new(route))));
        };
        if domain.disabled {
            return Ok(Resolution::Disabled);
        }
        let key = format!("{local}@{}", domain.name);
        if let Some(route) = routes::of_address(tx, &key, self.now)? {
            return Ok(Resolution::Elsewhere(Arc::new(route)));
        }
        match find(tx, local, &domain.name)? {
            Some(row) => self.follow(tx, row),
            None if is_postmaster(local) => self.postmaster(tx, &domain),
            None => self.nobodys(tx, &key, &domain),
        }
    }

    /// An address of a domain of ours that nobody here has.
    fn nobodys(self, tx: &mut Tx<'_>, key: &str, domain: &Domain) -> Result<Resolution> {
        match (routes::gated(tx, key, self.now)?, &domain.catch_all) {
            (Some(route), _) => Ok(Resolution::Elsewhere(Arc::new(route))),
            (None, Some(address)) => self.follow_address(tx, address),
            (None, None) => Ok(Resolution::NoSuchUser),
        }
    }

    fn follow(self, tx: &mut Tx<'_>, row: rows::AddressRow) -> Result<Resolution> {
        match row.kind {
            Kind::Primary | Kind::Alias => match self.account(tx, AccountId::from_sql(row.target))? {
                Some(account) => self.of_account(tx, account),
                None => Ok(Resolution::NoSuchUser),
            },
            Kind::Forward => {
                let address = row.forward.as_deref().map(rows::stored_address).transpose()?;
                Ok(address.map_or(Resolution::NoSuchUser, Resolution::Forward))
            }
            Kind::Group => Expander::new(self).run(tx, GroupId(row.target as u64)),
        }
    }

    /// Where an account's mail goes, whichever of its addresses it came to.
    fn of_account(self, tx: &mut Tx<'_>, account: Arc<Account>) -> Result<Resolution> {
        match routes::of_address(tx, &names::key(&account.address), self.now)? {
            Some(route) => Ok(Resolution::Elsewhere(Arc::new(route))),
            None => Ok(of_account(account)),
        }
    }

    /// Shared with the other look-ups, so that an account in many groups is in memory once.
    fn account(self, tx: &mut Tx<'_>, id: AccountId) -> Result<Option<Arc<Account>>> {
        if let Some(known) = self.inner.accounts.get(self.stamp, &id) {
            return Ok(known);
        }
        let found = rows::account_by_id(tx, id)?.map(Arc::new);
        self.inner.accounts.put(self.stamp, id, found.clone());
        Ok(found)
    }

    /// An account that was read along with something else.
    fn share(self, account: Account) -> Arc<Account> {
        if let Some(Some(known)) = self.inner.accounts.get(self.stamp, &account.id) {
            return known;
        }
        let account = Arc::new(account);
        self.inner.accounts.put(self.stamp, account.id, Some(account.clone()));
        account
    }

    /// Like [`Self::resolve`] for an address that the directory itself refers to: no subaddress, no catch-all.
    fn follow_address(self, tx: &mut Tx<'_>, address: &Address) -> Result<Resolution> {
        match rows::address(tx, &names::key(address))? {
            Some(row) => self.follow(tx, row),
            None => Ok(Resolution::NoSuchUser),
        }
    }

    fn postmaster(self, tx: &mut Tx<'_>, domain: &Domain) -> Result<Resolution> {
        if let Some(address) = &domain.postmaster {
            let found = self.follow_address(tx, address)?;
            if !matches!(found, Resolution::NoSuchUser | Resolution::Suspended(_)) {
                return Ok(found);
            }
        }
        administrator(tx, Some(domain))
    }

    fn may_send_as(self, tx: &mut Tx<'_>, account: AccountId, key: &str) -> Result<bool> {
        let Some((local, domain)) = key.rsplit_once('@') else { return Ok(false) };
        let Some(domain) = own_domain(tx, self.inner, domain)? else { return granted(tx, account, key) };
        let owns = match find(tx, local, &domain.name)? {
            Some(row) => matches!(row.kind, Kind::Primary | Kind::Alias) && AccountId::from_sql(row.target) == account,
            None if is_postmaster(local) => {
                matches!(self.postmaster(tx, &domain)?, Resolution::Account(reader) if reader.id == account)
            }
            None => false,
        };
        Ok(owns || granted(tx, account, &format!("{local}@{}", domain.name))?)
    }
}

/// The domain of ours that a name or a domain literal means.
fn own_domain(tx: &mut Tx<'_>, inner: &Inner, domain: &str) -> Result<Option<Domain>> {
    if domain.starts_with('[') && is_self(inner, domain) {
        return rows::default_domain(tx);
    }
    rows::domain_followed(tx, domain)
}

/// Whether a name is this host's, or a domain literal (RFC 5321 §4.1.3) one of its addresses.
fn is_self(inner: &Inner, domain: &str) -> bool {
    let literal = domain.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    match literal {
        Some(text) => {
            let text = text.strip_prefix("ipv6:").unwrap_or(text);
            text.parse::<IpAddr>().is_ok_and(|address| inner.deps.literals.contains(&address))
        }
        None => domain == inner.hostname,
    }
}

fn is_postmaster(local: &str) -> bool {
    local.split('+').next() == Some(POSTMASTER)
}

/// The row of an address, or of the address without its subaddress.
fn find(tx: &mut Tx<'_>, local: &str, domain: &str) -> Result<Option<rows::AddressRow>> {
    if let Some(row) = rows::address(tx, &format!("{local}@{domain}"))? {
        return Ok(Some(row));
    }
    match local.split_once('+') {
        Some((user, _)) if !user.is_empty() => rows::address(tx, &format!("{user}@{domain}")),
        _ => Ok(None),
    }
}

fn of_account(account: Arc<Account>) -> Resolution {
    match account.state {
        AccountState::Active => Resolution::Account(account),
        AccountState::Suspended => Resolution::Suspended(account),
        AccountState::Removed => Resolution::NoSuchUser,
    }
}

/// The oldest active administrator, those of the domain's tenant first.
fn administrator(tx: &mut Tx<'_>, domain: Option<&Domain>) -> Result<Resolution> {
    let tenant = domain.map_or(0, |domain| domain.tenant.to_sql());
    let sql = concat!(
        "SELECT ",
        rows::account_columns!(),
        " FROM dir_accounts a WHERE a.role = ?1 AND a.state = ?2 ORDER BY CASE WHEN a.tenant = ?3 THEN 0 ELSE 1 END, a.id LIMIT 1"
    );
    let found =
        tx.query_one(sql, params![Role::System.as_str(), AccountState::Active.to_sql(), tenant], rows::account)?;
    Ok(found.map_or(Resolution::NoSuchUser, |account| of_account(Arc::new(account))))
}

/// Walks a group breadth first; what it met once it does not enter again, so that loops end.
struct Expander<'a> {
    seeker: Seeker<'a>,
    met: HashSet<String>,
    accounts: Vec<Arc<Account>>,
    known: HashSet<AccountId>,
    outside: Vec<Address>,
    seen: HashSet<String>,
    /// Members whose mail goes elsewhere: an entry of their own finds the way.
    routed: HashSet<String>,
    truncated: bool,
}

impl<'a> Expander<'a> {
    fn new(seeker: Seeker<'a>) -> Self {
        Self {
            seeker,
            met: HashSet::new(),
            accounts: Vec::new(),
            known: HashSet::new(),
            outside: Vec::new(),
            seen: HashSet::new(),
            routed: HashSet::new(),
            truncated: false,
        }
    }

    fn run(mut self, tx: &mut Tx<'_>, id: GroupId) -> Result<Resolution> {
        let sql = "SELECT address FROM dir_groups WHERE id = ?1";
        let Some(address) = tx.query_one(sql, params![id.0 as i64], |row| row.text(0))? else {
            return Ok(Resolution::NoSuchUser);
        };
        self.met.insert(address.clone());
        let mut level = vec![id];
        for _ in 0..GROUP_DEPTH {
            let mut next = Vec::new();
            for group in level {
                self.members(tx, group, &mut next)?;
            }
            level = next;
        }
        self.truncated |= !level.is_empty();
        let Self { accounts, outside, truncated, .. } = self;
        let address = rows::stored_address(&address)?;
        Ok(Resolution::Group(Arc::new(Expansion { id, address, accounts, outside, truncated })))
    }

    fn members(&mut self, tx: &mut Tx<'_>, group: GroupId, next: &mut Vec<GroupId>) -> Result<()> {
        let kinds = (Kind::Primary.to_sql(), Kind::Alias.to_sql());
        self.routed.extend(tx.query(ROUTED, params![group.0 as i64, kinds.0, kinds.1], |row| row.text(0))?);
        let params = params![group.0 as i64, kinds.0, kinds.1, GROUP_RECIPIENTS as i64];
        for (member, found) in tx.query(MEMBERS, params, member)? {
            if self.accounts.len() + self.outside.len() >= GROUP_RECIPIENTS {
                self.truncated = true;
                return Ok(());
            }
            if self.met.insert(member.clone()) {
                self.member(tx, &member, found, next)?;
            }
        }
        Ok(())
    }

    fn member(&mut self, tx: &mut Tx<'_>, member: &str, found: Member, next: &mut Vec<GroupId>) -> Result<()> {
        match found {
            Member::Account(account) => {
                let shared = self.seeker.share(account);
                let found = match self.routed.contains(&names::key(&shared.address)) {
                    true => Resolution::Forward(shared.address.clone()),
                    false => of_account(shared),
                };
                self.take(found);
            }
            Member::Other(row) if row.kind == Kind::Group => next.push(GroupId(row.target as u64)),
            Member::Other(row) => {
                let found = self.seeker.follow(tx, row)?;
                self.take(found);
            }
            Member::Unlisted => {
                let address = rows::stored_address(member)?;
                let ours = rows::domain_by_name(tx, &names::domain_key(address.domain()))?.is_some();
                // A domain may have become ours after the member was added.
                self.take(if ours { self.own(tx, address)? } else { Resolution::Forward(address) });
            }
        }
        Ok(())
    }

    fn own(&self, tx: &mut Tx<'_>, address: Address) -> Result<Resolution> {
        let key = names::key(&address);
        let routed = routes::of_address(tx, &key, self.seeker.now)?;
        match self.seeker.follow_address(tx, &address)? {
            found if routed.is_none() && found != Resolution::NoSuchUser => Ok(found),
            _ if routed.is_some() || routes::gated(tx, &key, self.seeker.now)?.is_some() => {
                Ok(Resolution::Forward(address))
            }
            found => Ok(found),
        }
    }

    fn take(&mut self, found: Resolution) {
        match found {
            Resolution::Account(account) if self.known.insert(account.id) => self.accounts.push(account),
            Resolution::Forward(address) if self.seen.insert(address.to_string()) => self.outside.push(address),
            _ => {}
        }
    }
}

/// Accounts in a group that have a route of their own, over however many levels it is asked.
const ROUTED: &str =
    "SELECT a.address FROM dir_members m JOIN dir_addresses d ON d.address = m.member AND d.kind IN (?2, ?3)
     JOIN dir_accounts a ON a.id = d.target JOIN dir_routes r ON r.pattern = a.address WHERE m.group_id = ?1";

/// What a member of a group is.
enum Member {
    Account(Account),
    Other(rows::AddressRow),
    /// In no row of ours: elsewhere, or gone.
    Unlisted,
}

/// All members of a group with what they are, in one question.
const MEMBERS: &str = concat!(
    "SELECT ",
    rows::account_columns!(),
    ", m.member, d.kind, d.target, d.forward FROM dir_members m LEFT JOIN dir_addresses d ON d.address = m.member
     LEFT JOIN dir_accounts a ON a.id = d.target AND d.kind IN (?2, ?3)
     WHERE m.group_id = ?1 ORDER BY m.member LIMIT ?4 + 1"
);

fn member(row: &Row<'_>) -> Result<(String, Member)> {
    let at = rows::ACCOUNT_COLUMNS;
    let member = match row.opt_int(at + 1)? {
        Some(_) if row.opt_int(0)?.is_some() => Member::Account(rows::account(row)?),
        Some(kind) => Member::Other(rows::AddressRow {
            kind: Kind::from_sql(kind)?,
            target: row.int(at + 2)?,
            forward: row.opt_text(at + 3)?,
        }),
        None => Member::Unlisted,
    };
    Ok((row.text(at)?, member))
}

fn granted(tx: &mut Tx<'_>, account: AccountId, key: &str) -> Result<bool> {
    let sql = "SELECT 1 FROM dir_grants WHERE account = ?1 AND address = ?2";
    Ok(tx.query_one(sql, params![account.to_sql(), key], |_| Ok(()))?.is_some())
}
