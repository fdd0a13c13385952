//! In a password's place: the owner of the other mailbox signs in at a page of its provider's and types a code there (RFC 8628). What comes of
//! it is sealed where the password would be.
//!
//! Whom the providers know this server as, and every address that is asked, stands in the boot file or among the profiles: a person names
//! none of it. A token goes to the provider's own servers and to no other.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, Weak};
use std::time::Duration;

use anser_base::{AccountId, Class, Error, Result, Text, Timestamp};
use anser_db::Tx;
use anser_directory::Account;
use tokio::task::AbortHandle;

use super::{mine, parts, task_of, words};
use crate::model::{Kind, Mailbox, Source, State, Task, Tls};
use crate::oauth::{self, Code, Grant};
use crate::profile::{self, OAuth};
use crate::rows::{self as all_rows, Standing};
use crate::trouble::Trouble;
use crate::web::Web;
use crate::{Inner, Migrate, reach, refused};

/// Codes that one account asks for in an hour.
pub const CODES: u32 = 12;
/// Accounts whose codes of this hour are remembered.
const ASKING: usize = 10_000;
/// The organisation at the provider where none is said: anybody's.
const TENANT: &str = "common";

words! {
    /// How a mailbox whose provider lets its owner sign in at a page is opened.
    pub enum SignInState {
        /// By a password; signing in may take its place.
        Possible = "possible",
        /// Not at all: nobody has signed in yet.
        Needed = "needed",
        /// A code waits to be typed.
        Asked = "asked",
        /// By what its owner gave.
        Given = "given",
    }
}

/// A code that waits to be typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The page of the provider's where it is typed.
    pub page: String,
    /// The code.
    pub code: String,
    /// Until when it is good.
    pub until: Timestamp,
}

/// Signing in at a provider's page, of one move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignIn {
    /// How the mailbox is opened.
    pub state: SignInState,
    /// The code, while one waits.
    pub asked: Option<Asked>,
}

/// What the administrator registered at a provider.
#[derive(Clone, Debug, Default)]
pub struct Registered {
    /// The provider's name among the profiles.
    pub provider: String,
    /// The server whose mailboxes are opened; `None` for the profile's.
    pub host: Option<String>,
    /// `client_id`.
    pub client: String,
    /// The organisation there; `None` for anybody's.
    pub tenant: Option<String>,
    /// Where the provider gives tokens and codes, and for what: what differs from the profile.
    pub oauth: OAuth,
}

/// This server as a provider knows it.
#[derive(Clone, Debug)]
pub struct Client {
    host: String,
    grant: Grant,
    known: OAuth,
}

impl Client {
    /// [`Class::Invalid`] for a provider that has no profile, or that gives no codes which open mailboxes. `secret` is `client_secret`, where
    /// there is one.
    pub fn new(registered: Registered, secret: Option<String>) -> Result<Self> {
        let Registered { provider, host, client, tenant, oauth } = registered;
        let wrong = |en: &str, zh: &str| Error::invalid(format!("{provider}: {en}"), format!("{provider}：{zh}"));
        let profile = profile::named(&provider).ok_or_else(|| wrong("there is no such profile", "没有该配置"))?;
        let host = host.or_else(|| profile.imap.clone()).ok_or_else(|| wrong("a host is needed", "需要 host"))?;
        let known = oauth.over(&profile.oauth);
        let endpoint = oauth.token;
        let grant = Grant { client, secret, tenant: tenant.or(Some(TENANT.to_owned())), refresh: None, endpoint };
        for place in [&known.device, &known.token] {
            let Some(place) = place else {
                return Err(wrong("it gives no codes that open mailboxes", "该服务商不提供可打开邮箱的授权代码"));
            };
            Web::at(&grant.place(place))?;
        }
        Ok(Self { host: host.to_ascii_lowercase(), grant, known })
    }

    fn opens(&self, source: &Source) -> bool {
        let is_private = source.tls != Tls::None || matches!(&*source.host, "127.0.0.1" | "::1" | "localhost");
        let speaks = matches!(source.kind, Kind::Imap | Kind::Pop3);
        is_private && speaks && self.host.eq_ignore_ascii_case(source.host.trim_end_matches('.'))
    }
}

/// Codes that wait, and how many were asked for, by account.
pub(crate) type SignIns = HashMap<AccountId, Asking>;

/// The codes of an account.
pub(crate) struct Asking {
    hour: i64,
    codes: u32,
    waits: Option<Waiting>,
}

struct Waiting {
    of: u64,
    code: Code,
    until: Timestamp,
    task: AbortHandle,
}

impl Migrate {
    /// The servers whose mailboxes are opened by signing in at a page of their providers.
    pub fn sign_in_hosts(&self) -> Vec<String> {
        self.inner.deps.clients.iter().map(|client| client.host.clone()).collect()
    }

    /// Asks the provider of an account's own move for a code; the one that waits already, where one does. It takes the place of one that
    /// waits for another move of the account. What the provider refuses is told in words, and so is that too many were asked for in this
    /// hour, and that this server is not registered there. [`Class::NotFound`].
    pub async fn own_sign_in(&self, account: &Account, id: u64) -> Result<Result<Asked, Text>> {
        let owner = account.id;
        let (_, _, source) = self.read(move |tx| mine(tx, owner, id).and_then(|own| parts(tx, &own))).await?;
        let Some(client) = self.inner.client_of(&source) else { return Ok(Err(words::no_sign_in())) };
        let now = self.inner.deps.clock.now();
        if let Some(asked) = self.inner.asked(owner, id) {
            return Ok(Ok(asked));
        }
        if !self.inner.count_code(owner, now) {
            return Ok(Err(words::too_many_codes()));
        }
        let began = self.in_time(Box::pin(oauth::begin(&client.grant, &client.known))).await;
        let code = match began {
            Ok(code) => code,
            Err(trouble) => return Ok(Err(words::trouble(&trouble))),
        };
        let until = now.after(Duration::from_secs(code.seconds));
        let asked = Asked { page: code.page.clone(), code: code.code.clone(), until };
        self.inner.sign_ins(|all| {
            let asking = all.entry(owner).or_insert(Asking { hour: 0, codes: 0, waits: None });
            let waits = wait(Arc::downgrade(&self.inner), client, owner, id, code.clone());
            let waits = Waiting { of: id, code, until, task: tokio::spawn(waits).abort_handle() };
            if let Some(before) = asking.waits.replace(waits) {
                before.task.abort();
            }
        });
        self.inner.changed.send_modify(|count| *count += 1);
        Ok(Ok(asked))
    }

    /// Seals what an owner gave, and lets the move go on that waited for it.
    async fn let_in(&self, owner: AccountId, id: u64, grant: Grant) -> Result<()> {
        let (secret, now, inner) = (grant.to_secret()?, self.inner.deps.clock.now(), self.inner.clone());
        let keep = move |tx: &mut Tx<'_>| {
            let own = mine(tx, owner, id)?;
            let (_, mailbox, source) = parts(tx, &own)?;
            let sealed = inner.seal.seal(source.id, &mailbox.login, &secret)?;
            all_rows::set_secret(tx, mailbox.id, &sealed)?;
            refused::forget(tx, source.id, &mailbox.login)?;
            if mailbox.state == State::Refused {
                let (state, task) = (State::Waiting, task_of(&own));
                all_rows::set_state(tx, mailbox.id, &Standing { state, task, note: None, due: now, tries: 0 })?;
            }
            Ok(mailbox.id)
        };
        let mailbox = self.write(keep).await?;
        self.inner.keeper.forget(mailbox);
        Ok(())
    }

    /// Notes that nobody signed in, where the move waits for that.
    async fn not_let_in(&self, owner: AccountId, id: u64, trouble: Trouble) -> Result<()> {
        let said = trouble.words();
        let note = match trouble {
            Trouble::Login { kind, .. } => format!("{kind}: {said}"),
            _ => said,
        };
        let keep = move |tx: &mut Tx<'_>| {
            let own = mine(tx, owner, id)?;
            let (_, mailbox, _) = parts(tx, &own)?;
            match mailbox.state == State::Refused {
                true => all_rows::set_state(tx, mailbox.id, &refused_with(&note)),
                false => Ok(()),
            }
        };
        self.write(keep).await
    }
}

/// How a mailbox stands that is not opened by anything yet.
pub(super) fn refused_with(note: &str) -> Standing<'_> {
    Standing { state: State::Refused, task: Task::Copy, note: Some(note), due: Timestamp(0), tries: 0 }
}

/// Waits for an owner's answer. It keeps no engine alive, and writes nothing when something else came between.
async fn wait(inner: Weak<Inner>, client: Client, owner: AccountId, id: u64, code: Code) {
    let Some(allowed) = inner.upgrade().map(|inner| inner.deps.allowed.clone()) else { return };
    let answered = reach::within(allowed, Box::pin(oauth::answered(&client.grant, &client.known, &code))).await;
    let Some(inner) = inner.upgrade().filter(|inner| inner.ends(owner, &code)) else { return };
    let moves = Migrate { inner };
    let kept = match answered {
        Ok(grant) => moves.let_in(owner, id, grant).await,
        Err(trouble) => moves.not_let_in(owner, id, trouble).await,
    };
    match kept {
        Err(error) if error.class != Class::NotFound => {
            tracing::error!(id, error = error.chain(), "what an owner said could not be kept");
        }
        _ => {}
    }
    moves.inner.changed.send_modify(|count| *count += 1);
    moves.inner.stirred.notify_one();
}

impl Inner {
    fn sign_ins<T>(&self, work: impl FnOnce(&mut SignIns) -> T) -> T {
        work(&mut self.sign_ins.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whom the provider of a source knows this server as.
    pub(super) fn client_of(&self, source: &Source) -> Option<Client> {
        self.deps.clients.iter().find(|client| client.opens(source)).cloned()
    }

    /// The code that waits for a move.
    fn asked(&self, owner: AccountId, id: u64) -> Option<Asked> {
        let now = self.deps.clock.now();
        self.sign_ins(|all| {
            let waits = all.get(&owner)?.waits.as_ref().filter(|waits| waits.of == id && now < waits.until)?;
            Some(Asked { page: waits.code.page.clone(), code: waits.code.code.clone(), until: waits.until })
        })
    }

    /// Counts a code; whether one more may be asked for.
    fn count_code(&self, owner: AccountId, now: Timestamp) -> bool {
        let hour = now.secs() / 3600;
        self.sign_ins(|all| {
            if all.len() >= ASKING {
                all.retain(|_, one| one.hour == hour || one.waits.is_some());
            }
            let is_known = all.contains_key(&owner);
            if !is_known && all.len() >= ASKING {
                return false;
            }
            let one = all.entry(owner).or_insert(Asking { hour, codes: 0, waits: None });
            one.codes = if one.hour == hour { one.codes } else { 0 };
            one.hour = hour;
            one.codes += 1;
            one.codes <= CODES
        })
    }

    /// Whether this code was what an account waited for; it waits for nothing any more.
    fn ends(&self, owner: AccountId, code: &Code) -> bool {
        self.sign_ins(|all| {
            let waits = all.get_mut(&owner).map(|asking| &mut asking.waits);
            waits.is_some_and(|waits| waits.take_if(|waits| waits.code == *code).is_some())
        })
    }

    /// A password takes the place of what a code would bring, or the move is gone.
    pub(super) fn forget_code(&self, owner: AccountId, id: u64) {
        let waited = self.sign_ins(|all| all.get_mut(&owner)?.waits.take_if(|waits| waits.of == id));
        if let Some(waited) = waited {
            waited.task.abort();
        }
    }

    /// How a mailbox is opened; `None` where its provider knows passwords alone.
    pub(super) fn sign_in_of(&self, owner: AccountId, mailbox: &Mailbox, source: &Source) -> Result<Option<SignIn>> {
        if self.client_of(source).is_none() {
            return Ok(None);
        }
        let asked = self.asked(owner, mailbox.of);
        let open = |sealed: &Vec<u8>| self.seal.open(source.id, &mailbox.login, sealed);
        let secret = mailbox.secret.as_ref().map(open).transpose()?;
        let state = match &secret {
            _ if asked.is_some() => SignInState::Asked,
            None => SignInState::Needed,
            Some(secret) if Grant::of_secret(secret).is_some() => SignInState::Given,
            Some(_) => SignInState::Possible,
        };
        Ok(Some(SignIn { state, asked }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(provider: &str, oauth: OAuth) -> Result<Client> {
        let (provider, client) = (provider.to_owned(), "id".to_owned());
        Client::new(Registered { provider, client, oauth, ..Registered::default() }, None)
    }

    #[test]
    fn a_client_opens_the_mailboxes_of_its_provider_alone() {
        let office = client("office365", OAuth::default()).unwrap();
        let wish = |host: &str, tls| Source {
            id: 1,
            name: "other".into(),
            kind: Kind::Imap,
            host: host.into(),
            port: 993,
            tls,
            profile: "office365".into(),
            connections: 1,
            admin: None,
            rules: Default::default(),
        };
        assert!(office.opens(&wish("Outlook.Office365.com", Tls::Implicit)));
        assert!(!office.opens(&wish("outlook.office365.com", Tls::None)), "a token goes by no open way");
        assert!(!office.opens(&wish("evil.example", Tls::Implicit)), "whatever profile the address has");
        assert_eq!(office.grant.tenant.as_deref(), Some("common"));
        // Google's codes open no mailboxes.
        assert!(client("gmail", OAuth::default()).is_err() && client("nobody", OAuth::default()).is_err());
        let open = OAuth { device: Some("http://login.example/code".into()), ..OAuth::default() };
        assert!(client("office365", open).is_err());
    }
}
