//! The server, its sessions and the model, and the exchange of one command.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use anser_base::{AccountId, Address, Durability, MailboxId, TenantId};
use anser_directory::{NewAccount, Password};
use anser_imap::session;
use anser_net::Stream;
use anser_store::{Grant, Rights, RightsAct, Who};
use anser_wire::imap::encode_mutf7;

use super::dice::Dice;
use super::told::{Enabled, View};
use super::truth::Truth;
use super::wire::{Checked, Client, End, Response, check};
use crate::node::Node;

/// Sessions of one account.
pub const SESSIONS: usize = 20;
/// States that clients remember; the next one takes the place of any of them.
const MEMORIES: usize = 60;
/// Names that the sessions play with.
pub const NAMES: [&str; 8] = ["INBOX", "INBOX", "A", "B", "A/x", "B/项目", "归档 & co", "Trash"];

/// What the guest may do: everything but to change who else may do something.
const RIGHTS: &str = "lrswipkxte";

/// What a client remembers of a mailbox that it left.
#[derive(Clone)]
pub struct Memory {
    pub uidvalidity: u32,
    pub modseq: u64,
    pub list: BTreeMap<u32, Option<u32>>,
    /// UIDs that it had by number at that time, for the match of message numbers.
    pub numbers: Vec<u32>,
}

#[derive(Default)]
pub struct Session {
    pub client: Option<Client>,
    pub enabled: Enabled,
    pub view: Option<View>,
    /// Whether it is one of the guest, who sees the mailboxes among those of other users.
    pub is_guest: bool,
    /// The tag of an IDLE under way.
    pub idle: Option<String>,
    pub saved: BTreeSet<u32>,
    /// The response code of the last tagged reply.
    pub code: String,
}

pub struct World<'n> {
    pub node: &'n Node,
    pub account: AccountId,
    pub tenant: TenantId,
    /// The local part of the account's address, by which others name it.
    local: String,
    /// Another account to which all mailboxes are shared.
    guest: AccountId,
    pub truth: Truth,
    pub sessions: Vec<Session>,
    pub memories: Vec<Memory>,
    pub log: Option<Rc<RefCell<Vec<String>>>>,
}

impl<'n> World<'n> {
    /// A fresh account of a running node.
    pub async fn new(node: &'n Node, number: usize, logging: bool) -> Checked<Self> {
        let (local, visitor) = (format!("model{number}"), format!("guest{number}"));
        let account = add_account(node, &local).await?;
        let guest = add_account(node, &visitor).await?;
        let found = node.directory.account(account).await.map_err(|error| error.chain())?;
        let tenant = found.ok_or("the account is there")?.tenant;
        let mut truth = Truth::default();
        truth.read_tree(&node.store, account).await?;
        let sessions = (0..SESSIONS).map(|_| Session::default()).collect();
        let log = logging.then(Rc::default);
        let world = Self { node, account, tenant, local, guest, truth, sessions, memories: Vec::new(), log };
        world.share().await?;
        let noted = node.directory.note_share(account, Who::Account(guest).to_sql()).await;
        noted.map_err(|error| error.chain())?;
        Ok(world)
    }

    /// Gives the guest all rights on every mailbox.
    pub async fn share(&self) -> Checked {
        let ids: Vec<MailboxId> = self.truth.names.values().copied().collect();
        let (who, rights) = (Who::Account(self.guest), Rights::parse(RIGHTS).map_err(|letter| letter.to_string())?);
        let write = self.node.store.write(self.account, Durability::Deferred, move |tx| {
            ids.iter().try_for_each(|id| tx.set_acl(*id, Grant { who, negative: false, rights }, RightsAct::Set))
        });
        write.await.map_err(|error| error.chain())
    }

    /// Connects a session and enables some extensions.
    pub async fn connect(&mut self, who: usize, dice: &mut Dice) -> Checked {
        let (server, client) = Stream::pair();
        tokio::spawn(session(server, Arc::clone(&self.node.deps), self.node.shutdown.clone()));
        let mut client = Client::new(client, who, self.log.clone());
        check!(matches!(client.read("-").await?, Ok(Response::Told(_))), "no greeting");
        let mut enabled = Enabled::default();
        let enable = match dice.below(6) {
            0 => "",
            1 => "CONDSTORE",
            2 => "IMAP4rev2",
            3 => "IMAP4rev2 CONDSTORE",
            4 => "IMAP4rev2 QRESYNC",
            _ => "QRESYNC",
        };
        enabled.rev2 = enable.contains("IMAP4rev2");
        enabled.qresync = enable.contains("QRESYNC");
        enabled.condstore = enabled.qresync || enable.contains("CONDSTORE");
        let enable = if enable.is_empty() { "NOOP".to_owned() } else { format!("ENABLE {enable}") };
        let is_guest = dice.one_in(4);
        let login = if is_guest { self.local.replace("model", "guest") } else { self.local.clone() };
        for command in [format!("LOGIN {login}@example.org secret"), enable] {
            let tag = client.send(command.as_bytes()).await?;
            let (_, end) = client.finish(&tag).await?;
            check!(matches!(end, End::Ok(_)), "{command}: {end:?}");
        }
        self.sessions[who] = Session { client: Some(client), enabled, is_guest, ..Session::default() };
        Ok(())
    }

    /// A mailbox name as this session writes it.
    pub fn quoted(&self, who: usize, name: &str) -> String {
        let session = &self.sessions[who];
        let prefix = if session.is_guest { format!("Other Users/{}/", self.local) } else { String::new() };
        match session.enabled.rev2 {
            true => format!("\"{prefix}{name}\""),
            false => format!("\"{prefix}{}\"", encode_mutf7(name)),
        }
    }

    pub fn view(&self, who: usize) -> Checked<&View> {
        self.sessions[who].view.as_ref().ok_or_else(|| "no mailbox is selected".to_owned())
    }

    /// Whether the session's mailbox was deleted.
    pub fn is_dead(&self, who: usize) -> bool {
        let view = self.sessions[who].view.as_ref();
        view.is_some_and(|view| !self.truth.mailboxes.contains_key(&view.mailbox))
    }

    /// Sends a command and collects what is said up to its end. A closed connection resets the session.
    pub async fn exchange(&mut self, who: usize, command: impl AsRef<[u8]>) -> Checked<(Vec<Response>, End)> {
        let dead = self.is_dead(who);
        let session = &mut self.sessions[who];
        if let Some(view) = &mut session.view {
            view.begin();
        }
        let client = session.client.as_mut().ok_or("not connected")?;
        let tag = client.send(command.as_ref()).await?;
        let (responses, end) = client.finish(&tag).await?;
        if end == End::Closed {
            check!(dead, "the server closed: {responses:?}");
            self.sessions[who] = Session::default();
        }
        if let End::Ok(code) | End::No(code) = &end {
            self.sessions[who].code.clone_from(code);
        } else {
            self.sessions[who].code.clear();
        }
        Ok((responses, end))
    }

    /// Lets the client hear the responses and compares what it knows with the model. `numbers`: the command was one by message
    /// number; `held`: expunges are not told yet.
    pub fn hear(&mut self, who: usize, responses: &[Response], numbers: bool, held: bool) -> Checked {
        self.listen(who, responses, numbers)?;
        let session = &mut self.sessions[who];
        let Some(view) = &mut session.view else { return Ok(()) };
        let mailbox = self.truth.mailboxes.get(&view.mailbox).ok_or("a session lives on in a deleted mailbox")?;
        view.settle(mailbox, held)?;
        view.tagged(&std::mem::take(&mut session.code), mailbox, session.enabled, held)
    }

    pub fn listen(&mut self, who: usize, responses: &[Response], numbers: bool) -> Checked {
        let session = &mut self.sessions[who];
        let Some(view) = &mut session.view else { return Ok(()) };
        let mailbox = self.truth.mailboxes.get(&view.mailbox);
        responses.iter().try_for_each(|response| view.hear(response, mailbox, session.enabled, numbers))
    }

    /// Compares the mailboxes that changed with the tables.
    pub async fn learn(&mut self, ids: &[MailboxId]) -> Checked {
        let mut ids: Vec<MailboxId> = ids.iter().copied().chain(self.truth.changed()).collect();
        ids.sort_unstable();
        ids.dedup();
        ids.retain(|id| self.truth.mailboxes.contains_key(id));
        self.truth.learn(&self.node.store, self.account, &ids).await
    }

    /// Keeps what the client of this session knows, for a later QRESYNC of any session.
    pub fn remember(&mut self, who: usize, dice: &mut Dice) {
        let Some(view) = &self.sessions[who].view else { return };
        let list = view.slots.iter().filter_map(|slot| Some((slot.uid?, slot.flags))).collect();
        let numbers = view.slots.iter().filter_map(|slot| slot.uid).collect();
        let memory = Memory { uidvalidity: view.uidvalidity, modseq: view.highest, list, numbers };
        match self.memories.len() < MEMORIES {
            true => self.memories.push(memory),
            false => *dice.of_mut(&mut self.memories) = memory,
        }
    }
}

async fn add_account(node: &Node, local: &str) -> Checked<AccountId> {
    let address = Address::parse(&format!("{local}@example.org")).ok_or("an address")?;
    let new = NewAccount::new(address, Password::Made(node.secret.clone()));
    let account = node.directory.add_account(new).await.map_err(|error| error.chain())?;
    node.store.ensure(account).await.map_err(|error| error.chain())?;
    Ok(account)
}
