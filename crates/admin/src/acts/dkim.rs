//! Keys that the mail of a domain is signed with.

use anser_base::{Error, Result};
use anser_directory::{DkimKey, DkimState};
use anser_senderauth::dkim::SecretKey;

use crate::answer::{DkimView, Item, Out, Report};
use crate::{Actor, Admin};

impl Admin {
    /// Makes a pair of keys, Ed25519 and RSA of 2048 bits. They wait until [`Self::rotate_dkim_keys`], but for the first pair of a
    /// domain, which signs at once: before its records are published nobody is worse off than without signatures.
    pub async fn add_dkim_keys(&self, actor: &Actor, domain: &str) -> Result<Report> {
        let directory = &self.deps.directory;
        let known = directory.dkim_keys(domain).await?;
        let state = if known.is_empty() { DkimState::Active } else { DkimState::Waiting };
        let keys = tokio::task::spawn_blocking(|| {
            Ok::<_, Error>([("r", SecretKey::new_rsa()?), ("e", SecretKey::new_ed25519()?)])
        });
        let keys = keys.await.map_err(Error::unavailable)??;
        let day = self.deps.clock.now().utc();
        let stem = format!("{:04}{:02}{:02}", day.year, day.month, day.day);
        for (letter, key) in &keys {
            let selector = free_selector(&known, &format!("{stem}{letter}"));
            directory.add_dkim_key(domain, &selector, key, state).await?;
            self.note(actor, "dkim.create", domain, None, Some(format!("{selector} {}", state.word()))).await?;
        }
        Ok(Report::Done)
    }

    /// The keys of a domain, the oldest first.
    pub async fn list_dkim_keys(&self, domain: &str, out: &Out) -> Result<Report> {
        for key in self.deps.directory.dkim_keys(domain).await? {
            out.item(Item::Dkim(view(domain, key))).await?;
        }
        Ok(Report::Done)
    }

    /// The first step makes new keys, which wait; the second, once their records are published, signs with them and retires the old
    /// ones. Which step is due is seen from whether keys wait.
    pub async fn rotate_dkim_keys(&self, actor: &Actor, domain: &str) -> Result<Report> {
        let waits = |key: &DkimKey| key.state == DkimState::Waiting;
        if !self.deps.directory.dkim_keys(domain).await?.iter().any(waits) {
            return self.add_dkim_keys(actor, domain).await;
        }
        let count = self.deps.directory.turn_dkim_keys(domain).await?;
        self.note(actor, "dkim.rotate", domain, None, None).await?;
        Ok(Report::Counted { count })
    }

    /// Removes a key. Errors as for [`anser_directory::Directory::remove_dkim_key`].
    pub async fn remove_dkim_key(&self, actor: &Actor, domain: &str, selector: &str) -> Result<Report> {
        self.deps.directory.remove_dkim_key(domain, selector).await?;
        self.note(actor, "dkim.remove", domain, Some(selector.to_owned()), None).await?;
        Ok(Report::Done)
    }
}

fn free_selector(known: &[DkimKey], wanted: &str) -> String {
    let taken = |selector: &str| known.iter().any(|key| key.selector == selector);
    let numbered = (2..).map(|number| format!("{wanted}{number}"));
    std::iter::once(wanted.to_owned()).chain(numbered).find(|selector| !taken(selector)).unwrap_or_default()
}

fn view(domain: &str, key: DkimKey) -> DkimView {
    DkimView {
        name: format!("{}._domainkey.{domain}", key.selector),
        algorithm: key.algorithm.word().to_owned(),
        state: key.state.word().to_owned(),
        created: key.created.to_string(),
        record: key.record,
    }
}
