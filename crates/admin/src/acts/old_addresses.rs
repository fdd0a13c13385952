//! A domain that changes with a move: what came to the old address comes here, and is answered as it.

use anser_base::{Address, Result, Text};
use anser_directory::{Account, AliasTarget};
use anser_migrate::Which;

use crate::answer::{Item, LineView, Out, Report};
use crate::{Actor, Admin};

/// What becomes of an old address.
enum Fate {
    /// What is missing yet: the alias, the identity.
    Missing { alias: bool, identity: bool },
    /// It cannot be the account's.
    Refused(Text),
}

impl Admin {
    /// Makes the old address of each mailbox of a move an alias of its account here, with an identity, so that answers to
    /// what came to it go out as it. The old address is the login there; a login without a domain is in `domain`. How many
    /// were made, or with `dry_run` would be.
    pub(super) async fn keep_old_addresses(
        &self,
        actor: &Actor,
        name: &str,
        which: Which,
        (domain, dry_run): (Option<String>, bool),
        out: &Out,
    ) -> Result<Report> {
        let (mut count, mut line) = (0, 0);
        for view in self.deps.moves.mailbox_views(name, which).await? {
            let written = match &domain {
                Some(domain) if !view.login.contains('@') => format!("{}@{domain}", view.login),
                _ => view.login.clone(),
            };
            let (account, old) = (self.account(&view.address).await?, Address::parse(&written));
            if old.as_ref().is_some_and(|old| old.key() == account.address.key()) {
                continue;
            }
            line += 1;
            let fate = match &old {
                Some(old) => self.fate_of(&account, old).await?,
                None => Fate::Refused(Text::new(
                    "the login is no address: say --old-domain",
                    "登录名不是邮箱地址：请使用 --old-domain",
                )),
            };
            let (state, fields, why) = match (fate, old) {
                (Fate::Refused(why), _) => ("refused", Vec::new(), Some(why)),
                (Fate::Missing { alias: false, identity: false }, _) | (_, None) => ("same", Vec::new(), None),
                (Fate::Missing { alias, identity }, Some(old)) => {
                    if !dry_run {
                        self.keep_old_address(actor, &account, &old, alias).await?;
                    }
                    count += 1;
                    let fields = [(alias, "alias"), (identity, "identity")].into_iter().filter(|(is_so, _)| *is_so);
                    ("new", fields.map(|(_, word)| word.to_owned()).collect(), None)
                }
            };
            let shown = format!("{written} > {}", account.address);
            out.item(Item::Line(LineView::new(line, &shown, state, fields, why.as_ref()))).await?;
        }
        Ok(Report::Counted { count })
    }

    async fn fate_of(&self, account: &Account, old: &Address) -> Result<Fate> {
        let directory = &self.deps.directory;
        let Some(domain) = directory.domain(old.domain()).await? else {
            let (en, zh) = ("its domain is not here: anser domain add", "该域名不在本系统：请先 anser domain add");
            return Ok(Fate::Refused(Text::new(en, zh)));
        };
        let identity = !anser_jmap::has_identity(&self.deps.store, account, old).await?;
        if directory.may_send_as(account.id, old).await? {
            return Ok(Fate::Missing { alias: false, identity });
        }
        if domain.alias_of.is_some() {
            let (en, zh) = (
                "its domain stands for another one, where the name is another",
                "该域名是另一域名的别名，用户名在那里不同",
            );
            return Ok(Fate::Refused(Text::new(en, zh)));
        }
        Ok(match directory.is_taken(old).await? {
            true => Fate::Refused(Text::new("it is somebody else's", "已属于他人")),
            false => Fate::Missing { alias: true, identity },
        })
    }

    async fn keep_old_address(&self, actor: &Actor, account: &Account, old: &Address, alias: bool) -> Result<()> {
        if alias {
            self.deps.directory.add_alias(old, AliasTarget::Account(account.id)).await?;
        }
        anser_jmap::add_identity(&self.deps.store, account, old).await?;
        self.note(actor, "move.old-address", &account.address.to_string(), None, Some(old.to_string())).await
    }
}
