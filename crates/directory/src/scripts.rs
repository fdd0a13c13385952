//! Sieve scripts (RFC 5228): of an account, of a domain, of the house. What is stored compiles.
//!
//! | owner | what runs |
//! |---|---|
//! | account | the active one, if there is one |
//! | domain, house | all that are set to run before, and all that run after the account's; the house's first, each by name |
//!
//! A script that runs in no place can be included: an account's as personal, a domain's or the house's as global (RFC 6609).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use anser_base::{AccountId, BlobId, Class, DomainId, Error, Result, Timestamp};
use anser_db::{Row, Tx, params};
use tokio::sync::watch;

use crate::{Directory, rows};

/// Scripts of one owner.
pub const SCRIPTS: usize = 100;
/// Bytes of all scripts of one owner.
pub const SCRIPT_BYTES: usize = 4 << 20;
/// Bytes of one script.
pub const SCRIPT: usize = 1 << 20;
/// Characters of a script's name (RFC 5804 §1.6 asks for 128).
pub const SCRIPT_NAME: usize = 128;
/// The script that a form of rules is written to when an account has no active one.
pub const FORM_SCRIPT: &str = "rules";
/// Owners whose scripts are remembered; nearly all have none.
pub(crate) const CACHED_SCRIPTS: usize = 20_000;

/// Whose a script is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ScriptOwner {
    /// Everybody's mail passes it.
    House,
    /// The mail of a domain's accounts passes it.
    Domain(DomainId),
    /// One account's own.
    Account(AccountId),
}

impl ScriptOwner {
    fn to_sql(self) -> (i64, i64) {
        match self {
            Self::House => (0, 0),
            Self::Domain(id) => (1, id.to_sql()),
            Self::Account(id) => (2, id.to_sql()),
        }
    }
}

/// Where a script runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Place {
    /// Nowhere.
    #[default]
    Off,
    /// As the account's own; one at most (RFC 5804 §1.4).
    Active,
    /// Before the account's own. Of a domain or the house.
    Before,
    /// After the account's own. Of a domain or the house.
    After,
}

impl Place {
    /// Its name: `off`, `active`, `before`, `after`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Active => "active",
            Self::Before => "before",
            Self::After => "after",
        }
    }

    /// The inverse of [`Self::as_str`].
    pub fn from_text(text: &str) -> Option<Self> {
        [Self::Off, Self::Active, Self::Before, Self::After].into_iter().find(|place| place.as_str() == text)
    }

    fn to_sql(self) -> i64 {
        self as i64
    }

    fn from_sql(value: i64) -> Self {
        [Self::Off, Self::Active, Self::Before, Self::After]
            .into_iter()
            .find(|p| p.to_sql() == value)
            .unwrap_or_default()
    }

    fn fits(self, owner: ScriptOwner) -> bool {
        let is_account = matches!(owner, ScriptOwner::Account(_));
        self == Self::Off || is_account == (self == Self::Active)
    }
}

/// A script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// Its name, unique among its owner's.
    pub name: String,
    /// What its author wrote.
    pub text: Arc<[u8]>,
    /// BLAKE3 of the text: what compiled programs are kept by.
    pub hash: BlobId,
    /// Where it runs.
    pub place: Place,
}

/// A script in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptInfo {
    /// Its number, which it keeps whatever it is called. Unique in the whole system, never used twice.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// Where it runs.
    pub place: Place,
    /// When it was put last.
    pub changed: Timestamp,
}

/// The scripts of one owner that run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Running {
    /// By name.
    pub scripts: Vec<Arc<Script>>,
    /// Of an account with an active script: all its addresses.
    pub addresses: Vec<String>,
}

/// Who waits for changes of an account's scripts.
#[derive(Default)]
pub(crate) struct Watched(Mutex<HashMap<AccountId, watch::Sender<()>>>);

impl Watched {
    fn watch(&self, account: AccountId) -> watch::Receiver<()> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Before it grows, those go to whom nobody listens any more; the next time that it is looked through it is twice as large.
        if all.len() == all.capacity() {
            all.retain(|_, waiting| waiting.receiver_count() > 0);
            let left = all.len();
            all.reserve(left + 1);
        }
        all.entry(account).or_default().subscribe()
    }

    fn tell(&self, owner: ScriptOwner) {
        let ScriptOwner::Account(account) = owner else { return };
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.get(&account).is_some_and(|waiting| waiting.send(()).is_err()) {
            // Nobody listens any more.
            all.remove(&account);
        }
    }
}

impl Directory {
    /// Tells when this node changed the scripts of an account.
    pub fn watch_scripts(&self, account: AccountId) -> watch::Receiver<()> {
        self.inner.watched.watch(account)
    }

    /// A change of an owner's scripts, of which is told.
    async fn change_scripts<F>(&self, owner: ScriptOwner, work: F) -> Result<()>
    where
        F: FnMut(&mut Tx<'_>) -> Result<()> + Send + 'static,
    {
        self.change(work).await?;
        self.inner.watched.tell(owner);
        Ok(())
    }

    /// The scripts of an owner that run; from memory as long as nobody changed the directory.
    pub async fn running_scripts(&self, owner: ScriptOwner) -> Result<Arc<Running>> {
        let stamp = self.stamp().await?;
        if let Some(known) = self.inner.scripts.get(stamp, &owner) {
            return Ok(known);
        }
        let found = Arc::new(self.read(move |tx| running(tx, owner)).await?);
        self.inner.scripts.put(stamp, owner, found.clone());
        Ok(found)
    }

    /// A script by its name.
    pub async fn script(&self, owner: ScriptOwner, name: &str) -> Result<Option<Script>> {
        let name = name.to_owned();
        self.read(move |tx| find(tx, owner, &name)).await
    }

    /// An owner's scripts, by name.
    pub async fn scripts(&self, owner: ScriptOwner) -> Result<Vec<ScriptInfo>> {
        let found = self.read(move |tx| list(tx, owner)).await?;
        if found.iter().all(|script| script.id != 0) {
            return Ok(found);
        }
        self.note(move |tx| {
            for script in list(tx, owner)?.iter().filter(|script| script.id == 0) {
                let (kind, id) = owner.to_sql();
                let sql = "UPDATE dir_scripts SET id = ?4 WHERE kind = ?1 AND owner = ?2 AND name = ?3";
                let number = rows::count_up(tx, "script", 1)? as i64;
                tx.execute(sql, params![kind, id, &script.name, number])?;
            }
            list(tx, owner)
        })
        .await
    }

    /// Stores a script, in the place of one of that name, which runs where that one ran. `Class::Invalid` when it does not compile,
    /// with every mistake, or when the name cannot be; `Class::Limit` beyond [`SCRIPTS`], `Class::OverQuota` beyond [`SCRIPT`] or
    /// [`SCRIPT_BYTES`].
    pub async fn put_script(&self, owner: ScriptOwner, name: &str, text: &[u8]) -> Result<()> {
        let (name, text, now) = self.compiled(owner, name, text).await?;
        self.change_scripts(owner, move |tx| put(tx, owner, &name, &text, now)).await
    }

    /// Stores a new script. Errors as those of [`Self::put_script`], and `Class::Exists` when there is one of that name.
    pub async fn add_script(&self, owner: ScriptOwner, name: &str, text: &[u8]) -> Result<()> {
        let (name, text, now) = self.compiled(owner, name, text).await?;
        self.change_scripts(owner, move |tx| match find(tx, owner, &name)? {
            Some(_) => Err(taken()),
            None => put(tx, owner, &name, &text, now),
        })
        .await
    }

    /// A script that may be stored, and what time it is.
    async fn compiled(&self, owner: ScriptOwner, name: &str, text: &[u8]) -> Result<(String, Vec<u8>, Timestamp)> {
        check_name(name)?;
        self.check_script_room(owner, name, text.len() as u64).await?;
        let text = text.to_vec();
        let text = tokio::task::spawn_blocking(move || anser_sieve::compile(&text).map(|_| text).map_err(Error::from));
        Ok((name.to_owned(), text.await.map_err(Error::unavailable)??, self.inner.deps.clock.now()))
    }

    /// Whether a script of this size could be put; errors as those of [`Self::put_script`].
    pub async fn check_script_room(&self, owner: ScriptOwner, name: &str, size: u64) -> Result<()> {
        check_name(name)?;
        let name = name.to_owned();
        self.read(move |tx| check_room(&list(tx, owner)?, &name, size)).await
    }

    /// Says where a script runs. An account has one active script: the one before is switched off. `Class::NotFound` without such a
    /// script, `Class::Invalid` for a place that its owner does not have.
    pub async fn place_script(&self, owner: ScriptOwner, name: &str, place: Place) -> Result<()> {
        if !place.fits(owner) {
            let place = place.as_str();
            return Err(Error::invalid(
                format!("such a script does not run {place}"),
                format!("该脚本不能设为 {place}"),
            ));
        }
        let name = name.to_owned();
        self.change_scripts(owner, move |tx| set_place(tx, owner, &name, place)).await
    }

    /// Leaves an account without an active script.
    pub async fn deactivate_scripts(&self, account: AccountId) -> Result<()> {
        let owner = ScriptOwner::Account(account);
        let (kind, id) = owner.to_sql();
        let sql = "UPDATE dir_scripts SET place = 0 WHERE kind = ?1 AND owner = ?2 AND place <> 0";
        self.change_scripts(owner, move |tx| tx.execute(sql, params![kind, id]).map(drop)).await
    }

    /// Removes a script. `Class::NotFound` without such a script, `Class::Conflict` while it is the active one (RFC 5804 §2.10).
    pub async fn remove_script(&self, owner: ScriptOwner, name: &str) -> Result<()> {
        let name = name.to_owned();
        self.change_scripts(owner, move |tx| {
            if find(tx, owner, &name)?.ok_or_else(no_script)?.place == Place::Active {
                return Err(Error::new(Class::Conflict, "the script is active", "该脚本正在使用"));
            }
            let (kind, id) = owner.to_sql();
            let sql = "DELETE FROM dir_scripts WHERE kind = ?1 AND owner = ?2 AND name = ?3";
            tx.execute(sql, params![kind, id, &name]).map(drop)
        })
        .await
    }

    /// Gives a script another name; it runs where it ran. `Class::NotFound`, or `Class::Exists` when the new name is taken
    /// (RFC 5804 §2.11.1).
    pub async fn rename_script(&self, owner: ScriptOwner, from: &str, to: &str) -> Result<()> {
        check_name(to)?;
        let (from, to) = (from.to_owned(), to.to_owned());
        self.change_scripts(owner, move |tx| {
            find(tx, owner, &from)?.ok_or_else(no_script)?;
            if find(tx, owner, &to)?.is_some() {
                return Err(taken());
            }
            let (kind, id) = owner.to_sql();
            let sql = "UPDATE dir_scripts SET name = ?4 WHERE kind = ?1 AND owner = ?2 AND name = ?3";
            tx.execute(sql, params![kind, id, &from, &to]).map(drop)
        })
        .await
    }
}

/// Forgets the scripts of an owner that goes.
pub(crate) fn forget(tx: &mut Tx<'_>, owner: ScriptOwner) -> Result<()> {
    let (kind, id) = owner.to_sql();
    tx.execute("DELETE FROM dir_scripts WHERE kind = ?1 AND owner = ?2", params![kind, id]).map(drop)
}

pub(crate) fn running(tx: &mut Tx<'_>, owner: ScriptOwner) -> Result<Running> {
    let (kind, id) = owner.to_sql();
    let sql = "SELECT name, script, place FROM dir_scripts WHERE kind = ?1 AND owner = ?2 AND place <> 0 ORDER BY name";
    let scripts = tx.query(sql, params![kind, id], |row| read(row).map(Arc::new))?;
    let addresses = match owner {
        ScriptOwner::Account(account) if !scripts.is_empty() => rows::addresses_of(tx, account)?,
        _ => Vec::new(),
    };
    Ok(Running { scripts, addresses })
}

pub(crate) fn find(tx: &mut Tx<'_>, owner: ScriptOwner, name: &str) -> Result<Option<Script>> {
    let (kind, id) = owner.to_sql();
    let sql = "SELECT name, script, place FROM dir_scripts WHERE kind = ?1 AND owner = ?2 AND name = ?3";
    tx.query_one(sql, params![kind, id, name], read)
}

fn read(row: &Row<'_>) -> Result<Script> {
    let text = row.blob(1)?;
    Ok(Script { name: row.text(0)?, hash: BlobId::of(&text), text: text.into(), place: Place::from_sql(row.int(2)?) })
}

fn list(tx: &mut Tx<'_>, owner: ScriptOwner) -> Result<Vec<ScriptInfo>> {
    let (kind, id) = owner.to_sql();
    let sql = "SELECT name, size, place, changed_ms, id FROM dir_scripts WHERE kind = ?1 AND owner = ?2 ORDER BY name";
    tx.query(sql, params![kind, id], |row| {
        Ok(ScriptInfo {
            id: row.int(4)? as u64,
            name: row.text(0)?,
            size: row.int(1)? as u64,
            place: Place::from_sql(row.int(2)?),
            changed: Timestamp(row.int(3)?),
        })
    })
}

pub(crate) fn put(tx: &mut Tx<'_>, owner: ScriptOwner, name: &str, text: &[u8], now: Timestamp) -> Result<()> {
    check_room(&list(tx, owner)?, name, text.len() as u64)?;
    let (kind, id) = owner.to_sql();
    let number = rows::count_up(tx, "script", 1)? as i64;
    tx.execute(
        "INSERT INTO dir_scripts (kind, owner, name, script, size, place, changed_ms, id)
         VALUES (?1, ?2, ?3, ?4, ?5, 0, ?6, ?7)
         ON CONFLICT (kind, owner, name) DO UPDATE SET script = excluded.script, size = excluded.size,
         changed_ms = excluded.changed_ms",
        params![kind, id, name, text, text.len() as i64, now.0, number],
    )
    .map(drop)
}

fn check_room(others: &[ScriptInfo], name: &str, size: u64) -> Result<()> {
    let others = others.iter().filter(|script| script.name != name);
    let (count, bytes) = others.fold((0, 0), |(count, bytes), script| (count + 1, bytes + script.size));
    if count >= SCRIPTS {
        return Err(Error::new(Class::Limit, format!("at most {SCRIPTS} scripts"), format!("最多 {SCRIPTS} 个脚本")));
    }
    if size > SCRIPT as u64 || size.saturating_add(bytes) > SCRIPT_BYTES as u64 {
        let en = format!("at most {SCRIPT} bytes a script and {SCRIPT_BYTES} in all");
        let zh = format!("单个脚本最大 {SCRIPT} 字节，合计最大 {SCRIPT_BYTES} 字节");
        return Err(Error::new(Class::OverQuota, en, zh));
    }
    Ok(())
}

pub(crate) fn set_place(tx: &mut Tx<'_>, owner: ScriptOwner, name: &str, place: Place) -> Result<()> {
    find(tx, owner, name)?.ok_or_else(no_script)?;
    let (kind, id) = owner.to_sql();
    if place == Place::Active {
        let sql = "UPDATE dir_scripts SET place = 0 WHERE kind = ?1 AND owner = ?2 AND place <> 0";
        tx.execute(sql, params![kind, id])?;
    }
    let sql = "UPDATE dir_scripts SET place = ?4 WHERE kind = ?1 AND owner = ?2 AND name = ?3";
    tx.execute(sql, params![kind, id, name, place.to_sql()]).map(drop)
}

/// RFC 5804 §1.6: no control characters, no line or paragraph separators.
fn check_name(name: &str) -> Result<()> {
    let is_bad = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    if name.is_empty() || name.chars().count() > SCRIPT_NAME || name.contains(is_bad) {
        let en = format!("a script's name has 1 to {SCRIPT_NAME} characters, none of them a control character");
        return Err(Error::invalid(en, format!("脚本名称须为 1 到 {SCRIPT_NAME} 个字符，且不含控制字符")));
    }
    Ok(())
}

fn taken() -> Error {
    Error::exists("there is a script of that name", "已有同名的脚本")
}

fn no_script() -> Error {
    Error::not_found("there is no such script", "没有这个脚本")
}
