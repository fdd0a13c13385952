//! Folders of an old server: their list, and how each stands.

use std::collections::{BTreeSet, HashMap};

use anser_wire::imap::client::{Code, Listed, Response, quoted};

use super::connection::{GUID, Imap, well};
use crate::source::{Folder, Space, Spaces, Standing, id_of};
use crate::trouble::Trouble;

/// Folders of one login that are followed at most.
pub const FOLDERS: usize = 20_000;
/// How often namespaces are asked for that the server says it can tell.
const ASKED: usize = 2;

impl Imap {
    /// Every folder of the login, subscriptions included, and how each stands where one answer tells it all.
    pub async fn folders(&mut self) -> Result<Vec<Folder>, Trouble> {
        let with_status = self.can("LIST-STATUS");
        let extended = self.can("LIST-EXTENDED") || with_status;
        let modseq = if self.can("CONDSTORE") || self.can("QRESYNC") { " HIGHESTMODSEQ" } else { "" };
        let id = self.folder_id().filter(|_| with_status).map(|item| format!(" {item}")).unwrap_or_default();
        let (special_use, xlist) = (self.can("SPECIAL-USE"), self.can("XLIST"));
        let command = |id: &str| match (extended, with_status, special_use, xlist) {
            (_, true, special, _) => {
                let special = if special { " SPECIAL-USE" } else { "" };
                format!(
                    "LIST \"\" \"*\" RETURN (SUBSCRIBED{special} STATUS (MESSAGES UIDVALIDITY UIDNEXT{modseq}{id}))"
                )
            }
            (true, _, true, _) => "LIST \"\" \"*\" RETURN (SUBSCRIBED SPECIAL-USE)".to_owned(),
            (true, ..) => "LIST \"\" \"*\" RETURN (SUBSCRIBED)".to_owned(),
            (.., true) => "XLIST \"\" \"*\"".to_owned(),
            _ => "LIST \"\" \"*\"".to_owned(),
        };
        let server = self.server;
        let mut listing = Listing { server, ..Listing::default() };
        let told = self.run(&command(&id), |response| listing.take(response)).await;
        match told {
            // It knows less than it seemed to.
            Err(Trouble::Refused(_)) if !id.is_empty() => {
                listing = Listing { server, ..Listing::default() };
                self.run(&command(""), |response| listing.take(response)).await?;
            }
            told => drop(told?),
        }
        let mut folders = listing.folders;
        for (name, standing) in listing.standings {
            if let Some(at) = listing.known.get(&name) {
                (folders[*at].standing, folders[*at].id) = (Some(standing), standing.id);
            }
        }
        if !extended {
            let subscribed = self.subscriptions().await?;
            folders.iter_mut().for_each(|folder| folder.subscribed = subscribed.contains(&folder.name));
        }
        let spaces = self.spaces().await?;
        folders.iter_mut().for_each(|folder| folder.space = spaces.of(&folder.name));
        Ok(folders)
    }

    /// The item of STATUS by which the server tells a folder whatever its name.
    fn folder_id(&self) -> Option<&'static str> {
        self.can("OBJECTID").then_some("MAILBOXID").or(self.is_dovecot.then_some(GUID))
    }

    /// What the server knows a folder by that is not open, in short; 0 when it does not tell.
    pub async fn id_of(&mut self, name: &[u8]) -> Result<u64, Trouble> {
        let Some(item) = self.folder_id() else { return Ok(0) };
        let (mut told, server) = (0, self.server);
        let each = |response| {
            if let Response::Status { id: Some(id), .. } = response {
                told = id_of(server, &id);
            }
        };
        self.ask_status(name, item, each).await?;
        Ok(told)
    }

    /// What the names of the user's own folders begin with, such as `INBOX.`; nothing when the server does not tell.
    pub async fn personal_prefix(&mut self) -> Result<Vec<u8>, Trouble> {
        Ok(self.spaces().await?.prefix())
    }

    /// The namespaces of the login, asked for until they are told once (RFC 2342); none when the server does not tell.
    pub async fn spaces(&mut self) -> Result<Spaces, Trouble> {
        if let Some(known) = &self.spaces {
            return Ok(known.clone());
        }
        let can = self.can("NAMESPACE");
        let mut spaces = if can { Spaces::hidden() } else { Spaces::default() };
        for _ in (0..ASKED).take_while(|_| can) {
            let mut told = Spaces::default();
            let each = |response| {
                if let Response::Namespace(all) = response {
                    told = Spaces::new(all);
                }
            };
            match self.run("NAMESPACE", each).await {
                Ok(_) => {
                    spaces = told;
                    break;
                }
                Err(Trouble::Refused(_)) => {}
                Err(other) => return Err(other),
            }
        }
        self.spaces = Some(spaces.clone());
        Ok(spaces)
    }

    /// Those that were told, while nothing is asked.
    pub fn told_spaces(&self) -> Option<&Spaces> {
        self.spaces.as_ref().filter(|spaces| !spaces.are_hidden)
    }

    async fn subscriptions(&mut self) -> Result<BTreeSet<Vec<u8>>, Trouble> {
        let mut found = BTreeSet::new();
        let each = |response| {
            if let Response::List(Listed { name, .. }) = response {
                found.insert(name);
            }
        };
        match self.run("LSUB \"\" \"*\"", each).await {
            Ok(_) | Err(Trouble::Refused(_)) => Ok(found),
            Err(other) => Err(other),
        }
    }

    /// Opens a folder to read: EXAMINE, never SELECT.
    pub async fn examine(&mut self, name: &[u8]) -> Result<Standing, Trouble> {
        self.enter("EXAMINE", name).await
    }

    /// Opens a folder by one verb or the other.
    pub(super) async fn enter(&mut self, verb: &str, name: &[u8]) -> Result<Standing, Trouble> {
        let (mut standing, server) = (Standing::default(), self.server);
        let mut arguments = vec![quoted(name)];
        if self.can("CONDSTORE") || self.can("QRESYNC") {
            arguments.push(anser_wire::imap::client::Argument::Inline(b"(CONDSTORE)".to_vec()));
        }
        let each = |response| match response {
            Response::Exists(count) => standing.messages = u64::from(count),
            Response::Condition(condition) => match condition.code {
                Some(Code::UidValidity(value)) => standing.uidvalidity = value,
                Some(Code::UidNext(value)) => standing.uidnext = value,
                Some(Code::HighestModSeq(value)) => standing.modseq = value,
                Some(Code::MailboxId(value)) => standing.id = id_of(server, &value),
                _ => {}
            },
            _ => {}
        };
        let condition = self.run_with(verb, &arguments, each).await?;
        well(condition, verb)?;
        if standing.uidnext == 0 {
            standing.uidnext = self.uidnext_of(name).await?;
        }
        Ok(standing)
    }

    /// UIDNEXT as STATUS tells it, to which Courier and others leave it; 0 when that does not tell it either.
    async fn uidnext_of(&mut self, name: &[u8]) -> Result<u32, Trouble> {
        let told = self.status(name, "UIDNEXT").await?;
        Ok(told.and_then(|number| u32::try_from(number).ok()).unwrap_or(0))
    }

    /// How many messages a folder holds that is not open; `None` when the server does not tell.
    pub async fn count(&mut self, name: &[u8]) -> Result<Option<u64>, Trouble> {
        self.status(name, "MESSAGES").await
    }

    /// One number of STATUS (RFC 9051 §6.3.11).
    async fn status(&mut self, name: &[u8], item: &str) -> Result<Option<u64>, Trouble> {
        let mut told = None;
        let each = |response| {
            if let Response::Status { items, .. } = response {
                told = items.iter().find(|(known, _)| known == item).map(|(_, number)| *number).or(told);
            }
        };
        self.ask_status(name, item, each).await?;
        Ok(told)
    }

    /// STATUS, which a server may refuse.
    async fn ask_status(&mut self, name: &[u8], item: &str, each: impl FnMut(Response)) -> Result<(), Trouble> {
        let asked = [quoted(name), anser_wire::imap::client::Argument::Inline(format!("({item})").into_bytes())];
        let condition = self.run_with("STATUS", &asked, each).await?;
        match well(condition, "STATUS") {
            Ok(_) | Err(Trouble::Refused(_)) => Ok(()),
            Err(other) => Err(other),
        }
    }
}

#[derive(Default)]
struct Listing {
    /// Whose ids they are.
    server: u16,
    folders: Vec<Folder>,
    /// Where each name is in `folders`.
    known: HashMap<Vec<u8>, usize>,
    standings: Vec<(Vec<u8>, Standing)>,
}

impl Listing {
    fn take(&mut self, response: Response) {
        match response {
            Response::List(listed)
                if listed.verb != "LSUB" && self.folders.len() < FOLDERS && !self.known.contains_key(&listed.name) =>
            {
                let attributes: Vec<String> = listed.attributes.iter().map(|word| word.to_lowercase()).collect();
                let subscribed = attributes.iter().any(|word| word == "\\subscribed");
                let (name, delimiter) = (listed.name, listed.delimiter);
                self.known.insert(name.clone(), self.folders.len());
                self.folders.push(Folder {
                    name,
                    delimiter,
                    attributes,
                    subscribed,
                    standing: None,
                    stamp: 0,
                    id: 0,
                    space: Space::Own,
                });
            }
            Response::Status { name, items, id } if self.standings.len() < FOLDERS => {
                let number =
                    |wanted: &str| items.iter().find(|(item, _)| item == wanted).map_or(0, |(_, number)| *number);
                let small = |wanted: &str| u32::try_from(number(wanted)).unwrap_or(0);
                let standing = Standing {
                    messages: number("MESSAGES"),
                    uidvalidity: small("UIDVALIDITY"),
                    uidnext: small("UIDNEXT"),
                    modseq: number("HIGHESTMODSEQ"),
                    id: id.map_or(0, |id| id_of(self.server, &id)),
                    ..Standing::default()
                };
                self.standings.push((name, standing));
            }
            _ => {}
        }
    }
}
