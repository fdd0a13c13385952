//! What every source gives, whatever it speaks or lies in: folders, how each stands, what its messages look like, and their bodies. The
//! ledger, passes, merges and proofs know nothing else of it.
//!
//! | kind | a folder is | a message is known by | its list holds besides |
//! |---|---|---|---|
//! | [`imap`](crate::imap) | a mailbox | its UID | flags, keywords, INTERNALDATE, size |
//! | [`pop3`] | the maildrop | its unique id, else its bytes | size |
//! | [`jmap`] | a mailbox | its id | the same, but for UIDs |
//! | [`files`] | a directory or a file | its file name, its UID, or its bytes | what the programs note that wrote it |
//!
//! What a message is known by is the same in every session; where it stands ([`Seen::at`]) is so until the folder is opened again.

mod allowance;
mod body;
mod ids;
mod pour;
mod space;

use std::collections::HashMap;
use std::sync::Arc;

use anser_base::{BlobId, TenantId};
use anser_store::{Flags, Keywords, LedgerFolder, Store};
use anser_wire::Secret;

pub use allowance::{Allowance, UNCOMMITTED};
pub use body::{BODY, Incoming, Known, Partial, Spared, Taken, room};
pub(crate) use ids::{id_of, mark_of};
pub use pour::{PIECES, Pour};
pub use space::{Space, Spaces};

use crate::entry::Login;
use crate::files::{self, Ends, Files};
use crate::imap::{Imap, fetch};
use crate::jmap::{self, Jmap};
use crate::model::{Kind, Source};
use crate::pop3::{self, Pop3};
use crate::trouble::Trouble;

/// Messages that one window of a list is meant to hold.
const WINDOW: u64 = 5_000;
/// Messages that are listed at once, at most: a window that holds more is parted.
pub const CROWD: usize = 20_000;

/// A folder as its source lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder {
    /// Its name on the wire.
    pub name: Vec<u8>,
    /// What stands between levels.
    pub delimiter: Option<u8>,
    /// `\Sent` and the like, in lower case.
    pub attributes: Vec<String>,
    /// Whether the user subscribed to it.
    pub subscribed: bool,
    /// How it stands, when the source told it with the list.
    pub standing: Option<Standing>,
    /// A number that is another one after every change of a folder that lies in files; 0 when it is not known.
    pub stamp: u64,
    /// What the source knows it by whatever its name, in short; 0 when the list does not tell.
    pub id: u64,
    /// Whose it is.
    pub space: Space,
}

impl Folder {
    /// Whether it holds messages.
    pub fn is_selectable(&self) -> bool {
        !self.attributes.iter().any(|word| word == "\\noselect" || word == "\\nonexistent")
    }
}

/// How a folder stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Messages in it.
    pub messages: u64,
    /// UIDVALIDITY; 0 when the source has none.
    pub uidvalidity: u32,
    /// UIDNEXT; 0 when the source does not tell.
    pub uidnext: u32,
    /// HIGHESTMODSEQ; 0 when the source has none.
    pub modseq: u64,
    /// What a file is gone on from the next time; zeros when all of it is read then.
    pub mark: Mark,
    /// What the source knows it by whatever its name (RFC 8474 §4), in short; 0 when it does not tell.
    pub id: u64,
}

/// A place in a file, and a hash of what was before it.
pub type Mark = [u8; 24];

/// Keywords as they are there. What some programs call `Forwarded` is beside that the keyword by which all others know it.
pub(crate) fn keywords_of<'w>(words: impl IntoIterator<Item = &'w str>) -> Keywords {
    let mut words: Vec<&str> = words.into_iter().collect();
    if words.iter().any(|word| word.eq_ignore_ascii_case("Forwarded")) {
        words.push("$Forwarded");
    }
    Keywords::new(words)
}

/// A message as the list tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Where it stands in the order of its folder: its body is asked for by this. With IMAP its UID.
    pub at: u32,
    /// What the ledger knows it by.
    pub key: Vec<u8>,
    /// Its UID; 0 when it has none.
    pub uid: u32,
    /// The unique id that POP3 gives (RFC 1939 §7).
    pub uidl: Option<String>,
    /// What the source knows it by in every folder (RFC 8474 §5.1), in short: what has the same bytes may have another one.
    pub identity: Option<u64>,
    /// System flags.
    pub flags: Flags,
    /// Keywords.
    pub keywords: Keywords,
    /// INTERNALDATE, as written; empty when the source keeps none.
    pub received: String,
    /// When its file was written, in seconds since 1970: its date where nothing better is known.
    pub written: Option<i64>,
    /// Its size in bytes, which may be wrong; 0 when it is not told.
    pub size: u64,
}

/// Where the messages of one list stand, both ends included; the last window is open upwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The first.
    pub first: u32,
    /// The last.
    pub last: u32,
}

impl Window {
    /// All of a folder.
    pub const WHOLE: Self = Self { first: 1, last: u32::MAX };

    /// Its messages of a list in the order of their places, which begin at 1.
    pub fn of(self, all: &[Seen]) -> std::slice::Iter<'_, Seen> {
        let first = all.partition_point(|one| one.at < self.first);
        let end = all.partition_point(|one| one.at <= self.last);
        all[first..end].iter()
    }

    /// Between which keys of the ledger its messages lie, both included.
    pub fn keys(self) -> (Vec<u8>, Vec<u8>) {
        match self == Self::WHOLE {
            true => (Vec::new(), vec![u8::MAX; KEY + 1]),
            false => (self.first.to_be_bytes().to_vec(), self.last.to_be_bytes().to_vec()),
        }
    }
}

/// Longest key of a message, in bytes.
pub const KEY: usize = 300;

/// Windows over all UIDs of a folder.
fn windows(standing: &Standing) -> impl Iterator<Item = Window> + use<> {
    let (messages, next) = (standing.messages.max(1), u64::from(standing.uidnext));
    // Where messages are spread evenly a window holds as many as it is meant to.
    let step = if next == 0 { u64::from(u32::MAX) } else { (next * WINDOW / messages).max(WINDOW) };
    let (mut first, mut ended) = (1, false);
    std::iter::from_fn(move || {
        if ended {
            return None;
        }
        let last = first + step - 1;
        ended = next == 0 || last + 1 >= next;
        let last = if ended { u64::from(u32::MAX) } else { last };
        let window = Window { first: first as u32, last: last as u32 };
        first = last + 1;
        Some(window)
    })
}

/// What came of the list of a window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listed {
    /// Its messages.
    All(Vec<Seen>),
    /// It holds too many: windows that hold fewer, ascending.
    Parts(Vec<Window>),
}

/// Windows that hold [`WINDOW`] of these UIDs each, and together are this window.
pub(crate) fn parted(window: Window, mut uids: Vec<u32>) -> Vec<Window> {
    uids.sort_unstable();
    uids.dedup();
    let mut firsts: Vec<u32> = uids.chunks(WINDOW as usize).map(|some| some[0]).collect();
    if let Some(first) = firsts.first_mut() {
        *first = window.first;
    }
    // Each part ends before the next one begins, the last with the window.
    let lasts = firsts.iter().skip(1).map(|next| next - 1).chain([window.last]);
    firsts.iter().zip(lasts).map(|(first, last)| Window { first: *first, last }).collect()
}

/// Messages of an earlier list, where they stand in this one.
fn again<'s>(now: impl Iterator<Item = (u32, &'s [u8])>, before: Vec<Seen>) -> Vec<Seen> {
    let mut known: HashMap<Vec<u8>, Seen> = before.into_iter().map(|one| (one.key.clone(), one)).collect();
    let place = |(at, key): (u32, &[u8])| known.remove(key).map(|one| Seen { at, ..one });
    let mut found: Vec<Seen> = now.filter_map(place).collect();
    found.sort_by_key(|one| one.at);
    found
}

/// What changed in a folder, as its source tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// Messages that are new or have other flags.
    pub changed: Vec<Seen>,
    /// Ranges of UIDs that are no longer there, or never were; empty where the source does not tell.
    pub vanished: Vec<(u32, u32)>,
}

/// What one request for bodies brought.
#[derive(Debug, Default)]
pub struct Batch {
    /// Where the messages stand that were asked for, ascending.
    pub wanted: Vec<u32>,
    /// What came of them.
    pub arrived: HashMap<u32, Taken>,
    /// How lines ended of those among it whose lines got CRLF.
    pub ends: HashMap<u32, Ends>,
    /// What the source said when it did not do all.
    pub refused: Option<String>,
    /// Why nothing comes behind this: the connection broke. What was wanted ends with what came whole before.
    pub broken: Option<Trouble>,
    /// What came of a large body that it broke in.
    pub partial: Option<Partial>,
}

impl Batch {
    /// What came of these before the connection broke, up to the first that did not.
    pub fn broken(mut wanted: Vec<u32>, arrived: HashMap<u32, Taken>, trouble: Trouble) -> Self {
        let whole = wanted.iter().take_while(|at| arrived.contains_key(at)).count();
        wanted.truncate(whole);
        Self { wanted, arrived, broken: Some(trouble), ..Self::default() }
    }

    /// For whom a part is of no use: the trouble, where the connection broke.
    pub fn whole(mut self) -> Result<Self, Trouble> {
        match self.broken.take() {
            Some(trouble) => Err(trouble),
            None => Ok(self),
        }
    }
}

/// A source, open for one login.
pub enum Origin {
    /// It speaks IMAP.
    Imap(Imap),
    /// It speaks POP3.
    Pop3(Pop3),
    /// It speaks JMAP.
    Jmap(Jmap),
    /// It lies in files.
    Files(Files),
}

impl Origin {
    /// Opens it. [`Trouble::Login`] when it does not let the login in, or nothing is known to let it in with; files need no password.
    pub async fn open(source: &Source, login: impl Into<Login>, password: Option<&Secret>) -> Result<Self, Trouble> {
        let login = login.into();
        let no_password = || Trouble::Login { kind: "no-password", why: "no password is known".into() };
        match source.kind {
            Kind::Imap => {
                let mut imap = Imap::open(source, login, password.ok_or_else(no_password)?).await?;
                imap.compress_where_far().await?;
                Ok(Self::Imap(imap))
            }
            Kind::Pop3 => Ok(Self::Pop3(Pop3::open(source, login, password.ok_or_else(no_password)?).await?)),
            Kind::Jmap => Ok(Self::Jmap(Jmap::open(source, login, password.ok_or_else(no_password)?).await?)),
            Kind::Maildir | Kind::Mbox | Kind::Eml | Kind::Pst | Kind::Takeout | Kind::Cyrus => {
                Ok(Self::Files(Files::open(source, &login.name).await?))
            }
        }
    }

    /// What the names of the user's own folders begin with, such as `INBOX.`.
    pub async fn personal_prefix(&mut self) -> Result<Vec<u8>, Trouble> {
        match self {
            Self::Imap(imap) => imap.personal_prefix().await,
            Self::Pop3(_) | Self::Jmap(_) | Self::Files(_) => Ok(Vec::new()),
        }
    }

    /// Whether the server says that it can tell whose folders are, and does not: of any folder that is not known.
    pub async fn hides_spaces(&mut self) -> Result<bool, Trouble> {
        match self {
            Self::Imap(imap) => Ok(imap.spaces().await?.are_hidden),
            Self::Pop3(_) | Self::Jmap(_) | Self::Files(_) => Ok(false),
        }
    }

    /// Every folder of the login.
    pub async fn folders(&mut self) -> Result<Vec<Folder>, Trouble> {
        match self {
            Self::Imap(imap) => imap.folders().await,
            Self::Pop3(_) => Ok(vec![Pop3::folder()]),
            Self::Jmap(jmap) => jmap.folders().await,
            Self::Files(files) => files.folders().await,
        }
    }

    /// Opens a folder to read, and nothing but that. [`Trouble::Refused`] when this folder alone cannot be.
    pub async fn examine(&mut self, name: &[u8]) -> Result<Standing, Trouble> {
        match self {
            Self::Imap(imap) => imap.examine(name).await,
            Self::Pop3(pop3) => pop3.stat().await,
            Self::Jmap(jmap) => jmap.examine(name).await,
            Self::Files(files) => files.examine(name).await,
        }
    }

    /// Whether a folder that stands so comes by its files alone, since what its program noted of it cannot be read.
    pub fn is_bare(&self, standing: &Standing) -> bool {
        matches!(self, Self::Files(files) if files.is_bare(standing))
    }

    /// What the source knows a folder by whatever its name, in short; 0 when it does not tell.
    pub async fn id_of(&mut self, name: &[u8]) -> Result<u64, Trouble> {
        match self {
            Self::Imap(imap) => imap.id_of(name).await,
            Self::Pop3(_) | Self::Jmap(_) | Self::Files(_) => Ok(0),
        }
    }

    /// How many messages a folder holds, where its source tells that of one which is not open.
    pub async fn count(&mut self, name: &[u8]) -> Result<Option<u64>, Trouble> {
        match self {
            Self::Imap(imap) => imap.count(name).await,
            Self::Pop3(_) | Self::Jmap(_) => Ok(None),
            Self::Files(files) => match files.examine(name).await {
                Ok(standing) => Ok(Some(standing.messages)),
                Err(Trouble::Refused(_)) => Ok(None),
                Err(other) => Err(other),
            },
        }
    }

    /// The windows in which the open folder is to be listed.
    pub fn windows(&self, standing: &Standing) -> impl Iterator<Item = Window> + Send + use<> {
        let uidnext = match self {
            Self::Imap(_) => standing.uidnext,
            // By their places, where they are many.
            Self::Pop3(_) | Self::Jmap(_) | Self::Files(_) if standing.messages > WINDOW => {
                u32::try_from(standing.messages).unwrap_or(u32::MAX - 1) + 1
            }
            Self::Pop3(_) | Self::Jmap(_) | Self::Files(_) => 0,
        };
        windows(&Standing { uidnext, ..*standing })
    }

    /// Whether a window is a range of what the ledger knows messages by, and not of places alone.
    pub fn is_keyed(&self, window: Window) -> bool {
        matches!(self, Self::Imap(_)) || window == Window::WHOLE
    }

    /// What the messages of a window of the open folder look like. A message may be told of twice.
    pub async fn list(&mut self, window: Window) -> Result<Listed, Trouble> {
        match self {
            Self::Imap(imap) => imap.list_or_part(window, CROWD).await,
            Self::Pop3(pop3) => Ok(Listed::All(window.of(pop3.listed().await?).cloned().collect())),
            Self::Jmap(jmap) => Ok(Listed::All(window.of(jmap.list()).cloned().collect())),
            Self::Files(files) => Ok(Listed::All(files.list(window))),
        }
    }

    /// How often the open folder has each `adopt::identity`; `None` from a source that could tell by handing out every message only.
    /// `alive` is told of each that was looked at.
    pub async fn identities(
        &mut self,
        standing: &Standing,
        alive: &(dyn Fn(u64) + Sync),
    ) -> Result<Option<HashMap<BlobId, u32>>, Trouble> {
        let windows = self.windows(standing);
        match self {
            Self::Imap(imap) => imap.identities(standing.messages, windows, alive).await,
            Self::Pop3(_) | Self::Jmap(_) | Self::Files(_) => Ok(None),
        }
    }

    /// A folder that lies in one file, and was gone over once, is opened behind what was there from now on, as long as its beginning is
    /// the same; each is opened as a whole when none is named.
    pub fn go_on_from(&mut self, folder: Option<&LedgerFolder>) {
        if let Self::Files(files) = self {
            files.go_on_from(folder);
        }
    }

    /// Whether the open folder was opened behind what was there: its list holds what came since.
    pub fn went_on(&self) -> bool {
        matches!(self, Self::Files(files) if files.went_on())
    }

    /// Where messages of an earlier list stand, now that their folder was opened again; those that are no longer there are left out.
    pub fn find_again(&self, seen: Vec<Seen>) -> Vec<Seen> {
        match self {
            Self::Imap(_) | Self::Pop3(_) => seen,
            Self::Jmap(jmap) => again(jmap.list().iter().map(|one| (one.at, &one.key[..])), seen),
            Self::Files(files) => again((1..).zip(files.opened().iter().map(|mail| mail.key())), seen),
        }
    }

    /// What changed in the open folder after this modification sequence; `None` from a source that cannot tell.
    pub async fn changed_since(&mut self, modseq: u64) -> Result<Option<Told>, Trouble> {
        match self {
            Self::Imap(imap) => imap.changed_since(modseq).await,
            Self::Pop3(_) | Self::Jmap(_) | Self::Files(_) => Ok(None),
        }
    }

    /// Bodies of the open folder; large ones go to this tenant's bodies at once. Files, which no stranger writes, come without bounds.
    pub fn fetcher(&mut self, store: Store, tenant: TenantId, allowance: Allowance) -> Fetcher<'_> {
        match self {
            Self::Imap(imap) => Fetcher::Imap(fetch::Fetcher::new(imap, store, tenant, allowance)),
            Self::Pop3(pop3) => Fetcher::Pop3(pop3::fetch::Fetcher::new(pop3, store, tenant, allowance)),
            Self::Jmap(jmap) => Fetcher::Jmap(jmap::fetch::Fetcher::new(jmap, store, tenant, allowance)),
            Self::Files(files) => Fetcher::Files(files::fetch::Fetcher::new(files, store, tenant)),
        }
    }

    /// The rest of a body of the open folder that broke off: errors as of `Imap::rest`.
    pub async fn rest(&mut self, partial: &mut Partial) -> Result<(), Trouble> {
        match self {
            Self::Imap(imap) => imap.rest(partial).await,
            Self::Pop3(_) | Self::Jmap(_) | Self::Files(_) => {
                Err(Trouble::Refused("this source hands out whole messages only".to_owned()))
            }
        }
    }

    /// Whether there are servers of this kind that remove what was read.
    pub fn may_remove(&self) -> bool {
        matches!(self, Self::Pop3(_))
    }

    /// Ends the session in good order and begins another, so that what the old one did shows in the next list.
    pub async fn come_again(&mut self) -> Result<(), Trouble> {
        match self {
            Self::Imap(_) | Self::Jmap(_) | Self::Files(_) => Ok(()),
            Self::Pop3(pop3) => pop3.come_again().await,
        }
    }

    /// Ends the session.
    pub async fn leave(self) {
        match self {
            Self::Imap(imap) => imap.leave().await,
            Self::Pop3(pop3) => pop3.leave().await,
            Self::Jmap(_) | Self::Files(_) => {}
        }
    }
}

/// Bodies on their way, several requests at a time.
pub enum Fetcher<'a> {
    /// By IMAP.
    Imap(fetch::Fetcher<'a>),
    /// By POP3.
    Pop3(pop3::fetch::Fetcher<'a>),
    /// By JMAP.
    Jmap(jmap::fetch::Fetcher<'a>),
    /// Out of files.
    Files(files::fetch::Fetcher),
}

impl Fetcher<'_> {
    /// Lets nothing be asked for of what is here: it arrives in its turn as [`Taken::Here`]. For sources whose messages have an identity.
    pub fn spare(&mut self, spared: Arc<Spared>) {
        match self {
            Self::Imap(fetcher) => fetcher.spare(spared),
            Self::Pop3(_) | Self::Jmap(_) | Self::Files(_) => {}
        }
    }

    /// Requests that were not answered yet.
    pub fn under_way(&self) -> usize {
        match self {
            Self::Imap(fetcher) => fetcher.under_way(),
            Self::Pop3(fetcher) => fetcher.under_way(),
            Self::Jmap(fetcher) => fetcher.under_way(),
            Self::Files(fetcher) => fetcher.under_way(),
        }
    }

    /// Asks for some bodies, ascending.
    pub async fn ask(&mut self, wanted: Vec<u32>) -> Result<(), Trouble> {
        match self {
            Self::Imap(fetcher) => fetcher.ask(wanted).await,
            Self::Pop3(fetcher) => fetcher.ask(wanted).await,
            Self::Jmap(fetcher) => {
                fetcher.ask(wanted);
                Ok(())
            }
            Self::Files(fetcher) => {
                fetcher.ask(wanted);
                Ok(())
            }
        }
    }

    /// Asks for one body in another way, counted from 0. Whether there is such a way.
    pub async fn ask_otherwise(&mut self, at: u32, way: usize) -> Result<bool, Trouble> {
        match self {
            Self::Imap(fetcher) => fetcher.ask_otherwise(at, way).await,
            // Once more, and that is all.
            Self::Pop3(fetcher) if way == 0 => fetcher.ask(vec![at]).await.map(|()| true),
            Self::Jmap(fetcher) if way == 0 => {
                fetcher.ask(vec![at]);
                Ok(true)
            }
            Self::Files(fetcher) if way == 0 => {
                fetcher.ask(vec![at]);
                Ok(true)
            }
            Self::Pop3(_) | Self::Jmap(_) | Self::Files(_) => Ok(false),
        }
    }

    /// What the oldest request brought, or what it had brought when the connection broke.
    pub async fn receive(&mut self) -> Result<Batch, Trouble> {
        match self {
            Self::Imap(fetcher) => fetcher.receive().await,
            Self::Pop3(fetcher) => fetcher.receive().await,
            Self::Jmap(fetcher) => fetcher.receive().await,
            Self::Files(fetcher) => fetcher.receive().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crowded_window_is_parted_without_gaps() {
        let window = Window { first: 7, last: u32::MAX };
        let uids: Vec<u32> = (0..12_000).map(|n| 4_000_000_000 - n).chain([4_000_000_000]).collect();
        let parts = parted(window, uids);
        assert_eq!((parts.len(), parts[0].first, parts[2].last), (3, 7, u32::MAX));
        assert!(parts.windows(2).all(|two| two[0].last + 1 == two[1].first), "{parts:?}");
    }

    #[test]
    fn windows_cover_every_uid_once() {
        for (messages, uidnext) in [(0, 1), (10, 11), (10, 4_000_000_000), (20_000, 20_001), (20_000, 100_000), (7, 0)]
        {
            let standing = Standing { messages, uidnext, ..Standing::default() };
            let all: Vec<Window> = windows(&standing).collect();
            assert_eq!(all[0].first, 1);
            assert_eq!(all[all.len() - 1].last, u32::MAX);
            assert!(all.windows(2).all(|two| two[0].last + 1 == two[1].first), "{all:?}");
            assert!(all.len() < 10, "{all:?}");
        }
    }
}
