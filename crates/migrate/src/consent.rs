//! The verbs by which mailboxes are opened without passwords: grants of OAuth 2.0 that an administrator brings, or that owners give.

use std::sync::{Arc, Weak};
use std::time::Duration;

use anser_base::{Class, Error, Result};
use anser_db::Tx;
use tokio::task::JoinSet;

use crate::acts;
use crate::model::{Mailbox, Source, State, Task};
use crate::oauth::{self, Code, Grant};
use crate::profile;
use crate::rows::{self, Standing};
use crate::run::unknown;
use crate::trouble::Trouble;
use crate::which::{Which, is_meant};
use crate::{Inner, Migrate};

/// Owners that one call asks.
const ASKED: usize = 1_000;
/// Codes that a provider is asked for at once.
const AT_ONCE: usize = 8;
/// The longest that a provider who asks for patience is waited for, once, before the rest are told to be asked again.
const PATIENCE: Duration = Duration::from_secs(60);

impl Migrate {
    /// Lets a grant stand where the passwords of mailboxes do. Those that were refused may be tried again. How many there are.
    /// `Class::Invalid` for a refresh token, which one owner gave, where no mailbox is named and there are several.
    pub async fn allow(&self, name: &str, which: Which, grant: Grant) -> Result<u64> {
        let of = self.named(name).await?.id;
        let secret = grant.to_secret()?;
        let meant = self.meant(of, &which).await?;
        if grant.refresh.is_some() && which.is_empty() && meant.len() > 1 {
            let (en, zh) =
                ("a refresh token opens its owner's mailbox: name it", "刷新令牌只打开其所有者的邮箱，请指定邮箱");
            return Err(Error::invalid(en, zh));
        }
        let mut sealed = Vec::new();
        for (mailbox, source) in &meant {
            sealed.push((mailbox.id, self.inner.seal.seal(source.id, &mailbox.login, &secret)?));
        }
        self.write(move |tx| {
            sealed.iter().try_for_each(|(id, sealed)| rows::set_secret(tx, *id, sealed))?;
            acts::each(tx, of, &which, |mailbox| (mailbox.state == State::Refused).then_some(NEW)).map(drop)
        })
        .await?;
        meant.iter().for_each(|(mailbox, _)| self.inner.keeper.forget(mailbox.id));
        Ok(meant.len() as u64)
    }

    /// Asks the provider for a code for each owner: whose, and the code. What becomes of it is seen in the mailbox's note. Mailboxes that are
    /// at work, done or taken out of the move are left as they are, and so are those that the provider has no time for: their notes say so.
    pub async fn ask_owners(&self, name: &str, which: Which, grant: Grant) -> Result<Vec<(String, Code)>> {
        let of = self.named(name).await?.id;
        let mut meant = self.meant(of, &which).await?;
        meant.retain(|(mailbox, _)| matches!(mailbox.state, State::New | State::Ready | State::Refused));
        if meant.len() > ASKED {
            let (en, zh) = ("ask fewer owners at a time", "一次请求授权的账号过多");
            return Err(Error::new(Class::Limit, en, zh));
        }
        let (mut codes, mut patience) = (Vec::new(), Some(PATIENCE));
        while !meant.is_empty() {
            let some: Vec<_> = meant.drain(..meant.len().min(AT_ONCE)).collect();
            let (mut left, mut later) = (Vec::new(), None);
            for ((mailbox, source), began) in begin_all(some, &grant).await {
                match began {
                    Ok(code) => {
                        let note = format!("consent: waits for its owner at {} with {}", code.page, code.code);
                        self.note(mailbox.id, note.clone()).await?;
                        codes.push((mailbox.address.clone(), code.clone()));
                        tokio::spawn(wait(Arc::downgrade(&self.inner), mailbox, source, grant.clone(), (code, note)));
                    }
                    Err(Trouble::Later { why, pause }) => {
                        later = Some((why, pause.unwrap_or_default()));
                        left.push((mailbox, source));
                    }
                    Err(other) => return Err(other.into()),
                }
            }
            let Some((why, pause)) = later else { continue };
            meant.splice(..0, left);
            if patience.take().is_some_and(|longest| pause <= longest) {
                tokio::time::sleep(pause).await;
                continue;
            }
            if codes.is_empty() {
                return Err(Trouble::Later { why, pause: Some(pause) }.into());
            }
            for (mailbox, _) in meant.drain(..) {
                self.note(mailbox.id, format!("consent: not asked yet, ask again later: {why}")).await?;
            }
        }
        Ok(codes)
    }

    async fn note(&self, id: u64, note: String) -> Result<()> {
        self.write(move |tx| rows::set_state(tx, id, &Standing { note: Some(&note), ..NEW })).await
    }

    async fn meant(&self, of: u64, which: &Which) -> Result<Vec<(Mailbox, Source)>> {
        let sources = self.read(move |tx| rows::sources(tx, of)).await?;
        let meant = self.all(of).await?.into_iter().filter(|mailbox| is_meant(mailbox, which));
        let source_of = |mailbox: &Mailbox| sources.iter().find(|source| source.id == mailbox.source).cloned();
        meant
            .map(|mailbox| {
                let source = source_of(&mailbox).ok_or_else(|| unknown("source"))?;
                Ok((mailbox, source))
            })
            .collect()
    }
}

/// Asks for a code for each of these, all at once.
async fn begin_all(
    some: Vec<(Mailbox, Source)>,
    grant: &Grant,
) -> Vec<((Mailbox, Source), std::result::Result<Code, Trouble>)> {
    let mut asking = JoinSet::new();
    for (at, one) in some.into_iter().enumerate() {
        let grant = grant.clone();
        asking.spawn(async move {
            let began = oauth::begin(&grant, &profile::of(&one.1.profile).oauth).await;
            (at, one, began)
        });
    }
    let mut all = asking.join_all().await;
    all.sort_by_key(|(at, ..)| *at);
    all.into_iter().map(|(_, one, began)| (one, began)).collect()
}

/// A mailbox with a new way in: nothing was tried.
const NEW: Standing<'static> =
    Standing { state: State::New, task: Task::Copy, note: None, due: anser_base::Timestamp(0), tries: 0 };

/// Waits for an owner, and seals what they give. It keeps no engine alive. `note` is what the mailbox says meanwhile.
async fn wait(inner: Weak<Inner>, mailbox: Mailbox, source: Source, grant: Grant, (code, note): (Code, String)) {
    let answered = oauth::answered(&grant, &profile::of(&source.profile).oauth, &code).await;
    let Some(inner) = inner.upgrade() else { return };
    let moves = Migrate { inner };
    let kept = match answered {
        Ok(grant) => moves.keep(&mailbox, &source, grant).await,
        Err(trouble) => moves.refuse(mailbox.id, note, trouble).await,
    };
    if let Err(error) = kept {
        tracing::error!(login = mailbox.login, error = error.chain(), "what an owner said could not be kept");
    }
    moves.inner.changed.send_modify(|count| *count += 1);
}

impl Migrate {
    async fn keep(&self, mailbox: &Mailbox, source: &Source, grant: Grant) -> Result<()> {
        let (id, sealed) = (mailbox.id, self.inner.seal.seal(source.id, &mailbox.login, &grant.to_secret()?)?);
        let of = mailbox.of;
        let keep = move |tx: &mut Tx<'_>| {
            if rows::gates(tx, of)?.closed.is_some() {
                // The move was ended meanwhile: what opens its mailboxes is forgotten.
                return Ok(());
            }
            rows::set_secret(tx, id, &sealed)?;
            match rows::state(tx, id)? {
                Some(State::New | State::Refused) => rows::set_state(tx, id, &NEW),
                // It came in by another way meanwhile.
                _ => Ok(()),
            }
        };
        self.write(keep).await?;
        self.inner.keeper.forget(id);
        Ok(())
    }

    /// A mailbox that no longer waits with this note goes by something else: another code, or a password.
    async fn refuse(&self, id: u64, waits: String, trouble: Trouble) -> Result<()> {
        let note = format!("consent: {}", trouble.words());
        let refused = move |tx: &mut Tx<'_>| match rows::note(tx, id)?.as_deref() == Some(&*waits) {
            true => rows::set_state(tx, id, &Standing { state: State::Refused, note: Some(&note), ..NEW }),
            false => Ok(()),
        };
        self.write(refused).await
    }
}
