//! A domain that changes with a move: what came to the old address comes here, and is answered as it.

use anser_base::{Address, Class, Result, Text};
use anser_directory::{Account, AliasTarget};
use anser_jmap::Taken;
use anser_migrate::{Leaving, Made, MailboxView, OldAddress, Which};

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
            let fate = match self.keep_one(actor, (name, &view), &written, dry_run).await {
                // What is wrong with one is told, and stops nobody else.
                Err(error) if !error.class.is_temporary() || error.class == Class::Limit => {
                    Some(Fate::Refused(error.text))
                }
                fate => fate?,
            };
            let Some(fate) = fate else { continue };
            line += 1;
            let (state, fields, why) = match fate {
                Fate::Refused(why) => ("refused", Vec::new(), Some(why)),
                Fate::Missing { alias: false, identity: false } => ("same", Vec::new(), None),
                Fate::Missing { alias, identity } => {
                    count += 1;
                    let fields = [(alias, "alias"), (identity, "identity")].into_iter().filter(|(is_so, _)| *is_so);
                    ("new", fields.map(|(_, word)| word.to_owned()).collect(), None)
                }
            };
            let shown = format!("{written} > {}", view.address);
            out.item(Item::Line(LineView::new(line, &shown, state, fields, why.as_ref()))).await?;
        }
        Ok(Report::Counted { count })
    }

    /// What becomes of an old address; `None` where it is the account's own.
    async fn keep_one(
        &self,
        actor: &Actor,
        (name, view): (&str, &MailboxView),
        written: &str,
        dry_run: bool,
    ) -> Result<Option<Fate>> {
        let account = self.account(&view.address).await?;
        let Some(old) = Address::parse(written) else {
            let (en, zh) = ("the login is no address: say --old-domain", "登录名不是邮箱地址：请使用 --old-domain");
            return Ok(Some(Fate::Refused(Text::new(en, zh))));
        };
        if old.key() == account.address.key() {
            return Ok(None);
        }
        let fate = self.fate_of(&account, &old).await?;
        if let Fate::Missing { alias, identity } = fate
            && !dry_run
            && (alias || identity)
        {
            self.keep_old_address(actor, (name, view), &account, &old, alias).await?;
        }
        Ok(Some(fate))
    }

    async fn fate_of(&self, account: &Account, old: &Address) -> Result<Fate> {
        let directory = &self.deps.directory;
        let Some(domain) = directory.domain(old.domain()).await? else {
            let (en, zh) = ("its domain is not here: anser domain add", "该域名不在本系统：请先 anser domain add");
            return Ok(Fate::Refused(Text::new(en, zh)));
        };
        if domain.tenant != account.tenant {
            return Ok(Fate::Refused(Text::new("its domain is another tenant's", "该域名属于其他租户")));
        }
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

    async fn keep_old_address(
        &self,
        actor: &Actor,
        (name, view): (&str, &MailboxView),
        account: &Account,
        old: &Address,
        alias: bool,
    ) -> Result<()> {
        if alias {
            self.deps.directory.add_alias(old, AliasTarget::Account(account.id)).await?;
        }
        let added = anser_jmap::add_identity(&self.deps.store, account, old).await;
        let made = Made { alias, identity: matches!(added, Ok(true)) };
        if made != Made::default() {
            // Behind what is made: killed between the two, the address stays, and nothing that somebody else made is taken for it.
            self.deps.moves.note_old_address(name, (&view.source, &view.login), old, made).await?;
            self.note(actor, "move.old-address", &account.address.to_string(), None, Some(old.to_string())).await?;
        }
        added.map(drop)
    }

    /// Takes back the old addresses that a move made for mailboxes that leave it, and that nobody uses; with `dry_run` only tells which.
    pub(super) async fn drop_old_addresses(
        &self,
        actor: &Actor,
        leaving: &Leaving,
        dry_run: bool,
        out: &Out,
    ) -> Result<()> {
        for (line, one) in (1..).zip(&leaving.old) {
            let why = self.drop_one(actor, one, leaving, dry_run).await?;
            let state = if why.is_some() { "same" } else { "removed" };
            let fields = [(one.made.alias, "alias"), (one.made.identity, "identity")].into_iter();
            let fields = fields.filter(|(is_so, _)| *is_so).map(|(_, word)| word.to_owned()).collect();
            let shown = format!("{} > {}", one.old, one.address);
            out.item(Item::Line(LineView::new(line, &shown, state, fields, why.as_ref()))).await?;
        }
        Ok(())
    }

    /// Why an old address stays; `None` where it goes.
    async fn drop_one(
        &self,
        actor: &Actor,
        one: &OldAddress,
        leaving: &Leaving,
        dry_run: bool,
    ) -> Result<Option<Text>> {
        let (directory, store) = (&self.deps.directory, &self.deps.store);
        let (Some(account), Some(old)) = (directory.account(one.account).await?, Address::parse(&one.old)) else {
            if !dry_run {
                self.deps.moves.forget_old_address(one).await?;
            }
            return Ok(None);
        };
        // An undo takes its time: somebody may have cut it over meanwhile.
        if self.deps.moves.is_here(one).await? {
            return Ok(Some(Text::new("its mail comes here: the mailbox is cut over", "邮箱已切换，邮件只送到这里")));
        }
        let given = anser_jmap::take_identity(store, &account, &old, true).await?;
        if given == Taken::Changed || (given == Taken::AsGiven && !one.made.identity) {
            return Ok(Some(Text::new("its owner writes as it", "用户以此地址发信")));
        }
        if self.deps.moves.hand_on(one, leaving, dry_run).await? {
            return Ok(Some(Text::new("it is that of another login in a move", "迁移中的另一登录名使用此地址")));
        }
        if dry_run {
            return Ok(None);
        }
        if one.made.identity {
            anser_jmap::take_identity(store, &account, &old, false).await?;
        }
        // Somebody may have let it lead elsewhere since.
        if one.made.alias && directory.alias(&old).await? == Some(AliasTarget::Account(account.id)) {
            directory.remove_alias(&old).await?;
        }
        self.deps.moves.forget_old_address(one).await?;
        let (address, old) = (account.address.to_string(), Some(old.to_string()));
        self.note(actor, "move.old-address.remove", &address, old, None).await?;
        Ok(None)
    }
}
