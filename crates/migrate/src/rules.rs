//! What an administrator leaves out of what a source brings: messages that are marked as deleted there, and folders that are not its owners' own.

use anser_base::{Error, Result};
use anser_db::{Place, Tx, params};
use serde::{Deserialize, Serialize};

use crate::model::{Mailbox, Source};
use crate::pass::Rule;
use crate::rows;
use crate::run::unknown;
use crate::views::MoveView;
use crate::{Inner, Migrate};

/// Longest name of the mailbox that takes shared folders, in characters.
const NAME: usize = 320;

/// What is left out of a source, and what is brought once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rules {
    /// Whether messages that are marked as deleted there stay there.
    #[serde(default)]
    pub skip_deleted: bool,
    /// Which mailbox takes the folders that many share, by its address here or its login there; none does without.
    #[serde(default)]
    pub shared: Option<String>,
}

/// What changes of the rules of a source; what is not named stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RulesChange {
    /// Whether messages that are marked as deleted there stay there.
    #[serde(default)]
    pub skip_deleted: Option<bool>,
    /// Which mailbox takes the folders that many share; empty for none.
    #[serde(default)]
    pub shared: Option<String>,
}

impl Migrate {
    /// Says what is left out of a source, of the first when none is named; it holds from the next pass on. [`anser_base::Class::Invalid`] for
    /// what is no name of a mailbox.
    pub async fn rule_source(&self, name: &str, source: Option<String>, change: &RulesChange) -> Result<MoveView> {
        let (of, change) = (self.named(name).await?.id, change.clone());
        let shared = change.shared.as_deref().map(str::trim);
        if shared.is_some_and(|text| text.chars().count() > NAME || text.contains(char::is_control)) {
            return Err(Error::invalid("this is no name of a mailbox", "不是邮箱的地址或登录名"));
        }
        let shared = shared.map(str::to_owned);
        self.write(move |tx| {
            let all = rows::sources(tx, of)?;
            let found = all.iter().find(|one| source.as_ref().is_none_or(|wanted| one.name == *wanted));
            let id = found.ok_or_else(|| unknown("source"))?.id as i64;
            if let Some(skips) = change.skip_deleted {
                tx.execute("UPDATE mov_sources SET skip_deleted = ?2 WHERE id = ?1", params![id, skips])?;
            }
            if let Some(shared) = &shared {
                let shared = Some(shared.as_str()).filter(|shared| !shared.is_empty());
                tx.execute("UPDATE mov_sources SET shared = ?2 WHERE id = ?1", params![id, shared])?;
            }
            Ok(())
        })
        .await?;
        self.move_view(name).await
    }
}

impl Inner {
    /// What the rules of a source say to a mailbox.
    pub(crate) async fn rule_for(&self, mailbox: &Mailbox, source: &Source) -> Result<Rule> {
        let (whose, rules) = (mailbox.clone(), source.rules.clone());
        let find = move |tx: &mut Tx<'_>| takes_shared(tx, &whose, &rules);
        let takes_shared = self.deps.db.read(Place::Moves, find).await?;
        Ok(Rule { skips_deleted: source.rules.skip_deleted, takes_shared })
    }
}

/// Whether a mailbox takes the folders of its source that many share: of several that are called so the first.
fn takes_shared(tx: &mut Tx<'_>, mailbox: &Mailbox, rules: &Rules) -> Result<bool> {
    let Some(name) = &rules.shared else { return Ok(false) };
    let sql = "SELECT MIN(id) FROM mov_accounts WHERE source = ?1 AND (lower(address) = lower(?2) OR login = ?2)";
    let first = tx.query_one(sql, params![mailbox.source as i64, name], |row| row.opt_int(0))?;
    Ok(first.flatten() == Some(mailbox.id as i64))
}
