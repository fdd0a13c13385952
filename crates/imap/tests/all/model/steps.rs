//! One step: a session, or somebody outside, does something by chance.

use anser_base::{Durability, Error, MailboxId, Timestamp};
use anser_store::{FlagAct, Flags, Keywords, Level, NewMessage};

use super::dice::Dice;
use super::flags;
use super::truth::{Act, CONTENTS, content};
use super::wire::{Checked, check};
use super::world::{SESSIONS, World};

/// What a session does by chance: with a mailbox selected, and without.
const DEEDS: [(Deed, u64, u64); 20] = [
    (Deed::Fetch, 24, 0),
    (Deed::Store, 24, 0),
    (Deed::Search, 9, 0),
    (Deed::Copy, 5, 0),
    (Deed::Move, 6, 0),
    (Deed::Append, 8, 8),
    (Deed::Replace, 4, 0),
    (Deed::Expunge, 8, 0),
    (Deed::Close, 2, 0),
    (Deed::Unselect, 2, 0),
    (Deed::Noop, 12, 4),
    (Deed::Idle, 6, 1),
    (Deed::Select, 8, 80),
    (Deed::Status, 3, 4),
    (Deed::List, 1, 1),
    (Deed::Create, 1, 2),
    (Deed::Delete, 1, 1),
    (Deed::Rename, 1, 1),
    (Deed::Logout, 1, 1),
    (Deed::HangUp, 1, 1),
];

#[derive(Clone, Copy)]
enum Deed {
    Fetch,
    Store,
    Search,
    Copy,
    Move,
    Append,
    Replace,
    Expunge,
    Close,
    Unselect,
    Noop,
    Idle,
    Select,
    Status,
    List,
    Create,
    Delete,
    Rename,
    Logout,
    HangUp,
}

impl World<'_> {
    /// Does what the seed says.
    pub async fn step(&mut self, seed: u64) -> Checked {
        let dice = &mut Dice(seed);
        if dice.one_in(12) {
            return self.outside(dice).await;
        }
        let who = dice.below(SESSIONS as u64) as usize;
        if self.sessions[who].client.is_none() {
            self.connect(who, dice).await?;
        }
        if self.is_dead(who) {
            return self.awaken(who, dice).await;
        }
        if let Some(tag) = self.sessions[who].idle.clone() {
            return self.idling(who, tag, dice).await;
        }
        let selected = self.sessions[who].view.is_some();
        let weights: Vec<u64> =
            DEEDS.iter().map(|(_, with, without)| if selected { *with } else { *without }).collect();
        let deed = DEEDS[dice.weighed(&weights)].0;
        self.perform(who, deed, dice).await
    }

    async fn perform(&mut self, who: usize, deed: Deed, dice: &mut Dice) -> Checked {
        match deed {
            // The guest sees a tree of its own, and changes nobody else's.
            Deed::List | Deed::Create | Deed::Delete | Deed::Rename if self.sessions[who].is_guest => {
                self.noop(who, dice).await
            }
            Deed::Fetch => self.fetch(who, dice).await,
            Deed::Store => self.store(who, dice).await,
            Deed::Search => self.search(who, dice).await,
            Deed::Copy => self.transfer(who, false, dice).await,
            Deed::Move => self.transfer(who, true, dice).await,
            Deed::Append => self.append(who, dice).await,
            Deed::Replace => self.replace(who, dice).await,
            Deed::Expunge => self.expunge(who, dice).await,
            Deed::Close => self.leave(who, true, dice).await,
            Deed::Unselect => self.leave(who, false, dice).await,
            Deed::Noop => self.noop(who, dice).await,
            Deed::Idle => self.idle(who).await,
            Deed::Select => self.select(who, dice).await,
            Deed::Status => self.status(who, dice).await,
            Deed::List => self.list(who).await,
            // The tree changes rarely, for each change ends sessions and histories.
            Deed::Create => self.create(who, dice).await,
            Deed::Delete if dice.one_in(3) => self.delete(who, dice).await,
            Deed::Rename if dice.one_in(2) => self.rename(who, dice).await,
            Deed::Logout if dice.one_in(4) => self.hang_up(who, true, dice).await,
            Deed::HangUp if dice.one_in(4) => self.hang_up(who, false, dice).await,
            Deed::Delete | Deed::Rename | Deed::Logout | Deed::HangUp => self.noop(who, dice).await,
        }
    }

    async fn idling(&mut self, who: usize, tag: String, dice: &mut Dice) -> Checked {
        match dice.below(10) {
            0..4 => Ok(()),
            4..6 => self.watch(who).await,
            6 if dice.one_in(10) => self.hang_up(who, false, dice).await,
            _ => {
                self.sessions[who].idle = None;
                self.done(who, tag).await
            }
        }
    }

    async fn hang_up(&mut self, who: usize, politely: bool, dice: &mut Dice) -> Checked {
        self.remember(who, dice);
        if politely && let Some(client) = &mut self.sessions[who].client {
            let tag = client.send(b"LOGOUT").await?;
            client.finish(&tag).await?;
        }
        self.sessions[who] = super::world::Session::default();
        Ok(())
    }

    /// A delivery, or another door, changes mailboxes.
    async fn outside(&mut self, dice: &mut Dice) -> Checked {
        let all: Vec<MailboxId> = self.truth.mailboxes.keys().copied().collect();
        let inbox = self.truth.named("INBOX").ok_or("there is an inbox")?;
        let id = if dice.one_in(2) { inbox } else { *dice.of(&all) };
        let some = |dice: &mut Dice| {
            let keep = dice.next() & dice.next();
            move |uid: &u32| keep & (1 << (uid % 64)) != 0
        };
        let uids: Vec<u32> = self.truth.mailboxes[&id].list.keys().copied().filter(some(dice)).collect();
        let crowded = self.truth.mailboxes[&id].list.len() > 60;
        match dice.below(5) {
            0 | 1 if !crowded => self.deliver(id, *dice.of(&all), dice).await,
            0..3 => self.expunge_outside(id, uids).await,
            _ => self.flag_outside(id, uids, dice).await,
        }
    }

    /// A message comes into one or two mailboxes.
    async fn deliver(&mut self, first: MailboxId, second: MailboxId, dice: &mut Dice) -> Checked {
        let mut into = vec![first];
        if second != first && dice.one_in(3) {
            into.push(second);
        }
        let number = dice.below(CONTENTS as u64) as usize;
        let stored = self.node.store.put_body(self.tenant, &content(number), Durability::Sync);
        let mut new = NewMessage::new(stored.map_err(words)?, first, Timestamp::from_secs(1_800_000_000));
        new.mailboxes.clone_from(&into);
        let write = self.node.store.write(self.account, Durability::Sync, move |tx| tx.append(&new));
        let placed = write.await.map_err(words)?.ok_or("the delivery is new")?.places;
        let uids = self.truth.append(&into, 0, number);
        check!(placed.iter().map(|place| place.2).eq(uids), "a delivery came to {placed:?}");
        self.learn(&[]).await
    }

    async fn expunge_outside(&mut self, id: MailboxId, uids: Vec<u32>) -> Checked {
        let chosen = uids.clone();
        let write = self.node.store.write(self.account, Durability::Sync, move |tx| tx.expunge(id, &chosen, false));
        write.await.map_err(words)?;
        self.truth.expunge(id, &uids);
        self.learn(&[]).await
    }

    async fn flag_outside(&mut self, id: MailboxId, uids: Vec<u32>, dice: &mut Dice) -> Checked {
        let mask = flags::some(dice);
        let names: Vec<&str> = flags::names(mask).collect();
        let system = names.iter().filter_map(|name| Flags::named(name)).fold(Flags::default(), Flags::with);
        let keywords = Keywords::new(names.iter().copied().filter(|name| Flags::named(name).is_none()));
        let chosen = uids.clone();
        let write = self.node.store.write(self.account, Durability::Sync, move |tx| {
            tx.store_flags(id, &chosen, FlagAct::Add, system, &keywords, None)
        });
        write.await.map_err(words)?;
        self.truth.store(id, &uids, Act::Add, mask, None);
        self.learn(&[]).await
    }

    /// At the end everybody looks once more, and every table is compared.
    pub async fn close(&mut self) -> Checked {
        let dice = &mut Dice(1);
        for who in 0..SESSIONS {
            if self.is_dead(who) {
                self.awaken(who, dice).await?;
            } else if let Some(tag) = self.sessions[who].idle.take() {
                self.watch(who).await?;
                self.done(who, tag).await?;
            }
            if self.sessions[who].client.is_some() && !self.is_dead(who) {
                self.noop(who, dice).await?;
            }
        }
        let all: Vec<MailboxId> = self.truth.mailboxes.keys().copied().collect();
        self.learn(&all).await?;
        let (store, account, tenant) = (self.node.store.clone(), self.account, self.tenant);
        let look = move || store.check(account, tenant, Level::Quick, false, &mut |_| {});
        let report = tokio::task::spawn_blocking(look).await.map_err(|error| error.to_string())?.map_err(words)?;
        check!(report.is_clean(), "the store's own check finds {:?}", report.findings);
        Ok(())
    }
}

fn words(error: Error) -> String {
    error.chain()
}
