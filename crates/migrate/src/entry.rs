//! The one place from which old servers are logged in at: as whom, by what, and what is not tried again.
//!
//! | what is known | logs in |
//! |---|---|
//! | an administrator's login of the source ([`Admin`]) | for every mailbox of it |
//! | a password, or a grant of [`crate::oauth`] | for its own mailbox |
//!
//! A password that was refused is not tried again within a day (`refused`), by whichever door or pass: it would be a wrong try
//! each time. An administrator's is in doubt when [`DOUBT`] mailboxes in a row were refused: these may be mailboxes that are not there. Then
//! the others wait, and one of them at a time finds out. Of those who come at once with one password one tries it: see `logins`.

use std::time::Duration;

use anser_base::{AccountId, Error, Result};
use anser_db::{Durability, Place, Tx};
use anser_wire::Secret;
use encoding_rs::GBK;
use serde::{Deserialize, Serialize};

use crate::acts::Password;
use crate::logins::Turn;
use crate::meaning;
use crate::model::{Home, Mailbox, Source};
use crate::oauth::{Grant, bearer};
use crate::profile;
use crate::refused;
use crate::rows;
use crate::run::unknown;
use crate::trouble::Trouble;
use crate::views::MoveView;
use crate::{Inner, Migrate};

/// Mailboxes in a row that an administrator's login is refused for before others wait.
pub const DOUBT: u32 = 3;
/// How long they wait until one is tried; twice as long after each that is refused as well, `DOUBLED` times at most.
pub const DOUBTS: Duration = Duration::from_secs(900);
const DOUBLED: u32 = 4;
/// The least that a mailbox waits which is not the one that is tried.
const LOOK: Duration = Duration::from_secs(60);

/// Who logs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// By whose password: the authentication identity (RFC 4616 §2).
    pub name: String,
    /// For whom, when that is somebody else: the authorization identity.
    pub whose: Option<String>,
}

impl From<&str> for Login {
    fn from(name: &str) -> Self {
        Self { name: name.to_owned(), whose: None }
    }
}

impl From<&String> for Login {
    fn from(name: &String) -> Self {
        Self::from(name.as_str())
    }
}

/// An administrator of an old server who may log in for everybody there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Admin {
    /// The name.
    pub name: String,
    /// How the mailbox is named: `authzid` for the authorization identity of SASL PLAIN, else a form of the name in which `login` and
    /// `admin` stand for both, such as `login*admin` (Dovecot) or `admin\login` (Exchange, with `DOMAIN\NAME` for the administrator).
    pub form: String,
}

impl Admin {
    /// [`anser_base::Class::Invalid`] for a form that names nobody.
    pub fn check(&self) -> Result<()> {
        let is_form = self.form == AUTHZID
            || (self.form.matches("login").count() == 1
                && self.form.matches("admin").count() == 1
                && !self.form.contains(char::is_control));
        let is_name = !self.name.trim().is_empty() && !self.name.contains(char::is_control);
        if is_form && is_name {
            return Ok(());
        }
        Err(Error::invalid(
            "an administrator has a name, and a form: authzid, or one with login and admin in it, such as login*admin",
            "管理员需要名称和登录形式：authzid，或同时含 login 和 admin 的形式，例如 login*admin",
        ))
    }

    /// Who logs in for a mailbox.
    pub fn login_for(&self, login: &str) -> Login {
        match self.form.split_once("login") {
            Some((before, behind)) => {
                let [before, behind] = [before, behind].map(|part| part.replace("admin", &self.name));
                Login { name: format!("{before}{login}{behind}"), whose: None }
            }
            None => Login { name: self.name.clone(), whose: Some(login.to_owned()) },
        }
    }
}

/// The form of SASL PLAIN with an authorization identity.
pub const AUTHZID: &str = "authzid";

/// As whom a mailbox is opened, and by what.
pub(crate) struct Entry {
    pub login: Login,
    /// `None` when nothing is known.
    pub secret: Option<Secret>,
    by: By,
    mark: Vec<u8>,
    /// Whether a refusal is remembered.
    was_refused: bool,
    /// What may be tried beside it was.
    was_otherwise: bool,
    /// Others who come with the same secret wait while this is here.
    turn: Option<Turn>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    Admin,
    Password,
    Grant,
    /// What needs none.
    Nothing,
}

impl Inner {
    /// How a mailbox is opened. [`Trouble::Login`] when its secret was refused a short while ago, [`Trouble::Later`] while the
    /// administrator's is in doubt, [`Trouble::NotYet`] while too many logins are under way.
    pub(crate) async fn entry(&self, mailbox: &Mailbox, source: &Source) -> Result<Entry, Trouble> {
        let admin = match &source.admin {
            Some(admin) => self.admin_secret(source).await?.map(|secret| (admin.login_for(&mailbox.login), secret)),
            None => None,
        };
        let (login, secret, by) = match admin {
            _ if source.kind.is_files() => (Login::from(&mailbox.login), None, By::Nothing),
            Some((login, secret)) => (login, Some(secret), By::Admin),
            None => {
                let secret = self.key_of(mailbox, source, false).await?;
                let by = match &secret {
                    None => By::Nothing,
                    Some(secret) if bearer(secret).is_some() => By::Grant,
                    Some(_) => By::Password,
                };
                (Login::from(&mailbox.login), secret, by)
            }
        };
        let mut entry =
            Entry { login, secret, by, mark: Vec::new(), was_refused: false, was_otherwise: false, turn: None };
        if entry.secret.is_some() {
            self.use_secret(mailbox.of).await?;
        }
        if let (By::Admin | By::Password, Some(secret)) = (by, &entry.secret) {
            entry.mark = self.seal.mark(source.id, secret);
            entry.turn = self.logins.turn(source.id, &mailbox.login, &entry.mark).await?;
            self.hold_back(mailbox, source, &mut entry).await?;
        }
        Ok(entry)
    }

    async fn admin_secret(&self, source: &Source) -> Result<Option<Secret>> {
        let id = source.id;
        let sealed = self.deps.db.read(Place::Moves, move |tx| rows::admin_secret(tx, id)).await?;
        let name = source.admin.as_ref().map_or("", |admin| &*admin.name);
        sealed.map(|sealed| self.seal.open(id, name, &sealed)).transpose()
    }

    async fn hold_back(&self, mailbox: &Mailbox, source: &Source, entry: &mut Entry) -> Result<(), Trouble> {
        let (id, login, now) = (source.id, mailbox.login.clone(), self.deps.clock.now());
        let find = move |tx: &mut Tx<'_>| Ok([refused::of(tx, id, &login)?, refused::of(tx, id, refused::ADMIN)?]);
        let [own, admin] = self.deps.db.read(Place::Moves, find).await?;
        let admin = admin.filter(|_| entry.by == By::Admin);
        entry.was_refused = own.is_some() || admin.is_some();
        let holds = |known: &refused::Refused| known.holds(&entry.mark, now);
        if let Some(known) = own.filter(holds) {
            let span = if known.kind == "wrong" { "within a day" } else { "at once" };
            let why = format!("{} (it is not tried again {span}, unless somebody says retry)", known.why);
            return Err(Trouble::Login { kind: known.kind, why });
        }
        match admin.filter(|known| known.times >= DOUBT && known.mark == entry.mark) {
            Some(known) => self.in_doubt(source, known).await,
            None => Ok(()),
        }
    }

    /// Whether one mailbox may find out now what is with an administrator's login.
    async fn in_doubt(&self, source: &Source, known: refused::Refused) -> Result<(), Trouble> {
        let (id, now) = (source.id, self.deps.clock.now());
        let until = known.at.after(DOUBTS * (1 << (known.times - DOUBT).min(DOUBLED)));
        let take = move |tx: &mut Tx<'_>| refused::take_try(tx, id, refused::ADMIN, known.at, now);
        if now >= until && self.deps.db.write(Place::Moves, Durability::Sync, take).await? {
            return Ok(());
        }
        let why = format!("the administrator's login is in doubt, and is tried again in a while: {}", known.why);
        Err(Trouble::Later { why, pause: Some(until.since(now).clamp(LOOK, DOUBTS)) })
    }

    /// What became of an entry: what it opened; `None` when it is to be tried once more, as it is by now.
    pub(crate) async fn entered<T>(
        &self,
        mailbox: &Mailbox,
        source: &Source,
        entry: &mut Entry,
        opened: Result<T, Trouble>,
    ) -> Result<Option<T>, Trouble> {
        match opened {
            Ok(opened) => {
                self.note_entered(mailbox, source, entry).await?;
                if let Some(turn) = entry.turn.take() {
                    turn.taken(&entry.mark);
                }
                Ok(Some(opened))
            }
            // Tokens end before their time when passwords change.
            Err(Trouble::Login { kind: "wrong", .. })
                if entry.by == By::Grant && !std::mem::replace(&mut entry.was_otherwise, true) =>
            {
                entry.secret = self.key_of(mailbox, source, true).await?;
                Ok(None)
            }
            Err(Trouble::Login { kind: "wrong", why }) => match entry.otherwise(source) {
                true => Ok(None),
                false => self.refuse(mailbox, source, entry, "wrong", why).await,
            },
            Err(Trouble::Login { kind: kind @ ("locked" | "app-password"), why }) => {
                self.refuse(mailbox, source, entry, kind, why).await
            }
            Err(other) => Err(other),
        }
    }

    async fn note_entered(&self, mailbox: &Mailbox, source: &Source, entry: &Entry) -> Result<()> {
        let (id, source, login) = (mailbox.id, source.id, mailbox.login.clone());
        // What was right in other octets is kept in these.
        let kept = match (&entry.secret, entry.by) {
            (Some(secret), By::Password) if entry.was_otherwise => Some(self.seal.seal(source, &login, secret)?),
            _ => None,
        };
        if !entry.was_refused && kept.is_none() {
            return Ok(());
        }
        let is_admin = entry.by == By::Admin;
        let before = mailbox.secret.clone();
        let work = move |tx: &mut Tx<'_>| {
            refused::forget(tx, source, &login)?;
            if is_admin {
                refused::forget(tx, source, refused::ADMIN)?;
            }
            match &kept {
                Some(kept) if rows::secret(tx, id)? == before => rows::set_secret(tx, id, kept),
                _ => Ok(()),
            }
        };
        self.deps.db.write(Place::Moves, Durability::Sync, work).await
    }

    async fn refuse<T>(
        &self,
        mailbox: &Mailbox,
        source: &Source,
        entry: &Entry,
        kind: &'static str,
        why: String,
    ) -> Result<T, Trouble> {
        if !entry.mark.is_empty() {
            let (id, login, is_admin) = (source.id, mailbox.login.clone(), entry.by == By::Admin);
            let (mark, at) = (entry.mark.clone(), self.deps.clock.now());
            let new = refused::Refused { mark, at, times: 1, kind, why: why.clone() };
            let note = move |tx: &mut Tx<'_>| {
                refused::note(tx, id, &login, &new)?;
                match is_admin {
                    true => refused::note(tx, id, refused::ADMIN, &new),
                    false => Ok(()),
                }
            };
            self.deps.db.write(Place::Moves, Durability::Sync, note).await?;
        }
        Err(Trouble::Login { kind, why })
    }

    /// How the password that is known of a mailbox was refused when it was last tried, however long ago.
    pub(crate) async fn refusal(&self, mailbox: &Mailbox, source: &Source) -> Result<Option<refused::Refused>> {
        let Some(mark) = self.mark_of(mailbox, source)? else { return Ok(None) };
        let (id, login) = (source.id, mailbox.login.clone());
        let known = self.deps.db.read(Place::Moves, move |tx| refused::of(tx, id, &login)).await?;
        Ok(known.filter(|known| known.mark == mark))
    }

    /// Remembers a refusal of the password that is known of a mailbox, where no entry did.
    pub(crate) async fn note_refusal(
        &self,
        mailbox: &Mailbox,
        source: &Source,
        kind: &'static str,
        why: &str,
    ) -> Result<()> {
        // The others say nothing of the password.
        let Some(mark) = self.mark_of(mailbox, source)?.filter(|_| meaning::kind(kind) == kind) else { return Ok(()) };
        let (id, login, at) = (source.id, mailbox.login.clone(), self.deps.clock.now());
        let new = refused::Refused { mark, at, times: 1, kind, why: why.to_owned() };
        let note = move |tx: &mut Tx<'_>| match refused::of(tx, id, &login)?.is_some_and(|old| old.mark == new.mark) {
            true => Ok(()),
            false => refused::note(tx, id, &login, &new),
        };
        self.deps.db.write(Place::Moves, Durability::Sync, note).await
    }

    /// What the password that is known of a mailbox is remembered by; `None` for a grant, and where none is known.
    fn mark_of(&self, mailbox: &Mailbox, source: &Source) -> Result<Option<Vec<u8>>> {
        let Some(sealed) = &mailbox.secret else { return Ok(None) };
        let secret = self.seal.open(source.id, &mailbox.login, sealed)?;
        Ok(Grant::of_secret(&secret).is_none().then(|| self.seal.mark(source.id, &secret)))
    }

    /// A secret that was refused may be tried again: a person says so.
    pub(crate) fn forget_refusal(tx: &mut Tx<'_>, mailbox: &Mailbox) -> Result<()> {
        refused::forget(tx, mailbox.source, &mailbox.login)?;
        refused::forget(tx, mailbox.source, refused::ADMIN)
    }

    /// Whether the password that is known of a mailbox was wrong when it was last tried, however long ago.
    pub(crate) async fn is_stale(&self, mailbox: &Mailbox, source: &Source) -> Result<bool> {
        let known = self.refusal(mailbox, source).await?;
        Ok(source.admin.is_none() && known.is_some_and(|known| known.kind == "wrong"))
    }

    /// Whether a mailbox of an account that is not here yet comes from an old server that takes passwords, and none is known of it: it was
    /// forgotten, or never given.
    pub(crate) async fn lacks_secret(&self, account: AccountId) -> Result<bool> {
        let find = move |tx: &mut Tx<'_>| {
            for mailbox in rows::unfinished(tx, account)? {
                let is_here = mailbox.cut.0 > 0 && mailbox.home == Home::Here;
                if mailbox.secret.is_none()
                    && !is_here
                    && rows::source(tx, mailbox.source)?.is_some_and(|source| source.takes_passwords())
                {
                    return Ok(true);
                }
            }
            Ok(false)
        };
        self.deps.db.read(Place::Moves, find).await
    }
}

impl Migrate {
    /// Lets an administrator of an old server log in for every mailbox there, or nobody any more; how the move stands. The password is
    /// sealed; `None` keeps the one that is known. [`anser_base::Class::Invalid`] for a form that names nobody, or where no password is
    /// known.
    pub async fn set_administrator(
        &self,
        name: &str,
        source: &str,
        admin: Option<Admin>,
        password: Option<Password>,
    ) -> Result<MoveView> {
        admin.as_ref().map_or(Ok(()), Admin::check)?;
        let of = self.named(name).await?.id;
        let sources = self.read(move |tx| rows::sources(tx, of)).await?;
        let source = sources.into_iter().find(|one| one.name == source).ok_or_else(|| unknown("source"))?;
        let seal = |admin: &Admin, password: &Password| {
            self.inner.seal.seal(source.id, &admin.name, &Secret::new(&*password.0))
        };
        let sealed =
            admin.as_ref().zip(password.as_ref()).map(|(admin, password)| seal(admin, password)).transpose()?;
        // A secret opens under its own name alone.
        let same_name = |other: &Admin| admin.as_ref().is_some_and(|admin| admin.name == other.name);
        if admin.is_some() && sealed.is_none() && !source.admin.as_ref().is_some_and(same_name) {
            return Err(Error::invalid("the administrator's password is needed", "需要管理员的密码"));
        }
        let to = admin.clone();
        let set = move |tx: &mut Tx<'_>| {
            rows::set_admin(tx, source.id, to.as_ref(), sealed.as_deref())?;
            refused::forget(tx, source.id, refused::ADMIN)
        };
        self.write(set).await?;
        self.move_view(name).await
    }
}

impl Entry {
    /// Puts the octets of another charset in a password's place, where its server may mean them.
    fn otherwise(&mut self, source: &Source) -> bool {
        let other = self.secret.as_ref().filter(|_| self.by == By::Password && profile::of_source(source).gbk);
        let other = other.and_then(in_gbk).filter(|_| !std::mem::replace(&mut self.was_otherwise, true));
        let is_other = other.is_some();
        self.secret = other.or(self.secret.take());
        is_other
    }
}

/// A password in GBK; `None` when that is no other.
fn in_gbk(password: &Secret) -> Option<Secret> {
    let text = str::from_utf8(password.as_bytes()).ok().filter(|text| !text.is_ascii())?;
    let (octets, _, has_lost) = GBK.encode(text);
    (!has_lost).then(|| Secret::new(&*octets))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_administrator_names_the_mailbox_in_the_servers_form() {
        let admin = |name: &str, form: &str| Admin { name: name.to_owned(), form: form.to_owned() };
        for (one, name, whose) in [
            (admin("root", "authzid"), "root", Some("ann")),
            (admin("root", "login*admin"), "ann*root", None),
            (admin("root", "admin*login"), "root*ann", None),
            (admin("HOUSE\\mover", "admin\\login"), "HOUSE\\mover\\ann", None),
        ] {
            one.check().unwrap();
            let whose = whose.map(str::to_owned);
            assert_eq!(one.login_for("ann"), Login { name: name.to_owned(), whose }, "{}", one.form);
        }
        // Names that hold the words themselves.
        assert_eq!(admin("admin", "login*admin").login_for("admin login").name, "admin login*admin");
        for (name, form) in
            [("root", ""), ("root", "login"), ("root", "admin"), ("", "authzid"), ("root", "login*login*admin")]
        {
            assert!(admin(name, form).check().is_err(), "{name} {form}");
        }
    }

    #[test]
    fn a_password_has_another_form_only_where_it_differs() {
        assert_eq!(in_gbk(&Secret::new("密码".as_bytes())).unwrap().as_bytes(), b"\xc3\xdc\xc2\xeb");
        assert!(in_gbk(&Secret::new("plain")).is_none());
        assert!(in_gbk(&Secret::new(&b"\xc3\xdc\xc2\xeb"[..])).is_none());
    }
}
