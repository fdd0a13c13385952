//! The independent verifier: it lists both sides anew, each over a connection of its own, through their public face, by another
//! way than the copy takes (message numbers, not UIDs; bodies in the order of the folder), and holds them against each other. The
//! ledger is asked only for the reason of a difference, never for what is there.
//!
//! | class | means |
//! |---|---|
//! | equal | the same bytes, size, date, flags and keywords |
//! | equal-eol | the same, behind CRLF for the bare LF in which its lines end at the source |
//! | changed | the same bytes; flags, keywords or date changed since the last pass, at the source or here |
//! | elsewhere | its owner moved it here to another folder |
//! | removed | its owner removed it here |
//! | failed | the source does not hand it out, or does not open its folder, or lost more of it than a pass takes without asking |
//! | excluded | a rule of the move leaves it out: it is marked as deleted there, or its folder is not the user's own |
//! | new | it came to the source after the last pass, or was brought here while this was compared |
//! | unexplained | none of these: it must not be |
//!
//! Flags and keywords are held against the ledger, which has what was last merged: what is other at the source than there changed at the
//! source since; what is other here was changed by its owner, as long as the account's log says that the message was touched after it
//! came. A flag that is missing from a message which nobody touched is unexplained. Once a pass or an owner has touched a message, what
//! was lost of it before cannot be told from what its owner took away. A date is other only where the ledger notes that the source's
//! cannot be.
//!
//! Folders are compared as well: those that are on one side alone, uses, subscriptions, UIDVALIDITY and UIDNEXT; unique ids of POP3 and
//! their order where the move brought them. Who changed a subscription the ledger cannot tell: it counts as changed.
//!
//! At level 2 every body is read on both sides. At level 1 size, date, flags and keywords of every message are compared, and the bodies of a
//! sample: of [`SAMPLE`] messages of each folder or one in a hundred, of the [`BIGGEST`], of all that the ledger notes something odd of,
//! and of all that find no twin without. Bodies that the source did not hand out to the move are not asked for again.
//!
//! Messages that are only here (delivered meanwhile, or gone at the source) are counted as `extra`, and are no difference.

mod folder;
mod hold;
pub(crate) mod ids;
mod known;
mod list;
mod sum;

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use anser_base::{AccountId, Result, TenantId, Text};
use anser_store::{Flags, Store};
use serde::{Deserialize, Serialize};

use crate::imap::Imap;
use crate::model::Source;
use crate::name;
use crate::pass::{Rule, is_question};
use crate::source::{self, Origin};
use crate::trouble::Trouble;
use crate::words::in_chinese;

pub use ids::Ids;
pub use list::{BIGGEST, SAMPLE};
pub use sum::Sum;

use folder::Shown;
use known::{Known, KnownFolder};
use list::{Line, Sample};

/// The session here is told so often that somebody is there: after half an hour of silence it ends (RFC 9051 §5.4).
pub const AWAKE: Duration = Duration::from_secs(5 * 60);
/// Differences of one mailbox that are named one by one.
pub const NAMED: usize = 1_000;

/// The doors of this server, as any client reaches them.
#[derive(Clone, Debug)]
pub struct Faces {
    /// IMAP.
    pub imap: Source,
    /// POP3, where it is served.
    pub pop3: Option<Source>,
}

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// The folder at the source.
    pub folder: String,
    /// The UID there; 0 when it has none, or the folder itself differs.
    pub uid: u32,
    /// `changed`, `elsewhere`, `removed`, `excluded`, `failed`, `new`, `unexplained`.
    pub class: String,
    /// What differs, or why, in English.
    pub why: String,
    /// In Chinese.
    #[serde(default)]
    pub zh: String,
}

/// How a folder stands on one side.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stand {
    /// Messages in it.
    pub messages: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Those without `\Seen`.
    pub unseen: u64,
    /// UIDVALIDITY (RFC 9051 §2.3.1.1); 0 where there is none.
    pub uidvalidity: u32,
    /// UIDNEXT; 0 where it is not told.
    pub uidnext: u32,
    /// What it is for, as an attribute tells (RFC 6154); at the source else the name that it has at the top.
    pub role: Option<String>,
    /// Whether its owner subscribed to it.
    pub subscribed: bool,
}

impl Stand {
    fn of(standing: &source::Standing, lines: &[Line]) -> Self {
        Self {
            messages: lines.len() as u64,
            bytes: lines.iter().map(|line| line.size).sum(),
            unseen: lines.iter().filter(|line| !line.flags.has(Flags::SEEN)).count() as u64,
            uidvalidity: standing.uidvalidity,
            uidnext: standing.uidnext,
            ..Self::default()
        }
    }
}

/// How one folder compares.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FolderProof {
    /// Its name at the source.
    pub folder: String,
    /// Its path here.
    pub here: String,
    /// Messages there.
    pub messages: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Messages by class. A folder that the source does not open counts as one that failed.
    pub classes: BTreeMap<String, u64>,
    /// Messages that are only here.
    pub extra: u64,
    /// Whether UIDVALIDITY and the UIDs of all messages that are on both sides are the same.
    pub uids_kept: bool,
    /// How it stands there.
    #[serde(default)]
    pub there: Stand,
    /// How its mailbox here stands.
    #[serde(default)]
    pub shown: Stand,
}

/// How one mailbox compares.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// The login at the source.
    pub login: String,
    /// The address here.
    pub address: String,
    /// Its folders.
    pub folders: Vec<FolderProof>,
    /// Differences, the first [`NAMED`] of them.
    pub differences: Vec<Difference>,
    /// What nobody can explain, of messages, folders and unique ids. The move is proven when there is nothing.
    pub unexplained: u64,
    /// Differences of folders themselves and of unique ids, by class.
    #[serde(default)]
    pub beside: BTreeMap<String, u64>,
    /// Folders that are only here, the first [`NAMED`] of them: no difference.
    #[serde(default)]
    pub only_here: Vec<String>,
    /// Unique ids of POP3, where the move brought any.
    #[serde(default)]
    pub ids: Option<Ids>,
    /// BLAKE3 over the rows of the ledger in their order, in hexadecimal: it names the state of the ledger at this proof, and nothing
    /// computes it again.
    #[serde(default)]
    pub ledger: String,
}

anser_base::words! {
    /// How much is read.
    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    pub enum Level {
        /// A sample of the bodies.
        Sample = "1",
        /// All bodies.
        Bodies = "2",
    }
}

anser_base::words! {
    /// What a proof comes to.
    #[derive(PartialOrd, Ord)]
    pub enum Score {
        /// Every message is equal, and every UID is the same.
        Perfect = "perfect",
        /// Every difference is explained.
        Good = "good",
        /// The source does not hand all of it out.
        Investigate = "investigate",
        /// Something is unexplained.
        Poor = "poor",
    }
}

impl Proof {
    /// What it comes to.
    pub fn score(&self) -> Score {
        let all: u64 = self.folders.iter().map(|folder| folder.messages).sum();
        let is_same = self.count("equal") + self.count("equal-eol") == all && self.beside.is_empty();
        match () {
            () if self.unexplained > 0 => Score::Poor,
            () if self.failed() > 0 => Score::Investigate,
            () if is_same && self.folders.iter().all(|folder| folder.uids_kept) => Score::Perfect,
            () => Score::Good,
        }
    }

    /// What it adds up to.
    pub fn sum(&self) -> Sum {
        Sum::of(self.unexplained, self.folders.iter().map(|folder| &folder.classes), &self.beside)
    }

    /// What the source does not hand out: messages, and folders that it does not open.
    pub fn failed(&self) -> u64 {
        self.sum().failed
    }

    /// All differences, those that are not named one by one as well.
    pub fn different(&self) -> u64 {
        let all: u64 = self.folders.iter().flat_map(|folder| folder.classes.values()).chain(self.beside.values()).sum();
        all - self.count("equal") - self.count("equal-eol")
    }

    fn count(&self, class: &str) -> u64 {
        self.folders.iter().filter_map(|folder| folder.classes.get(class)).sum()
    }

    /// Notes a message that differs.
    fn note(&mut self, one: &mut FolderProof, line: &Line, class: &str, why: &Text) {
        *one.classes.entry(class.to_owned()).or_default() += 1;
        self.name(&one.folder, (line.uid, 1), class, why);
    }

    /// Notes that a folder itself differs, or its unique ids: so many.
    fn note_beside(&mut self, folder: &str, count: u64, class: &str, why: &Text) {
        *self.beside.entry(class.to_owned()).or_default() += count;
        self.name(folder, (0, count), class, why);
    }

    /// Notes what a folder does not hand out, of which no message is known.
    fn note_failed(&mut self, one: &mut FolderProof, count: u64, why: &Text) {
        *one.classes.entry("failed".to_owned()).or_default() += count;
        self.name(&one.folder, (0, count), "failed", why);
    }

    fn name(&mut self, folder: &str, (uid, count): (u32, u64), class: &str, why: &Text) {
        self.unexplained += if class == "unexplained" { count } else { 0 };
        if self.differences.len() < NAMED {
            let (why, zh) = (why.en.clone().into_owned(), why.zh.clone().into_owned());
            self.differences.push(Difference { folder: folder.to_owned(), uid, class: class.to_owned(), why, zh });
        }
    }
}

/// What several proofs come to: the worst of them.
pub fn worst(proofs: &[Proof]) -> Option<Score> {
    proofs.iter().map(Proof::score).max()
}

/// Holds everything that a login sees at the source against what the account shows here.
pub async fn verify(
    there: &mut Origin,
    here: &mut Imap,
    store: &Store,
    (tenant, account): (TenantId, AccountId),
    (id, rule): (u64, Rule),
    level: Level,
) -> Result<Proof, Trouble> {
    let known = Known::of(store, account, id).await?;
    let shown = Shown::of(here).await?;
    let mut look = Look { here, store, tenant, account, level, rule, shown, proof: Proof::default() };
    let folders = there.folders().await?.into_iter().filter(source::Folder::is_selectable);
    let comes = |folder: &source::Folder| rule.lets_in(folder.space, known.whole.contains(&folder.name));
    let (folders, out): (Vec<_>, Vec<_>) = folders.partition(comes);
    for folder in &out {
        look.proof.note_beside(&name::shown(&folder.name), 1, "excluded", &whose(folder.space));
    }
    for folder in &folders {
        let ours = known.folders.get(&folder.name);
        let mut one = FolderProof { folder: name::shown(&folder.name), ..FolderProof::default() };
        one.here = ours.map(|ours| ours.path.clone()).unwrap_or_default();
        look.hold_folder(there, folder, ours, &mut one).await?;
        look.proof.folders.push(one);
    }
    let listed: HashSet<&[u8]> = folders.iter().map(|folder| &folder.name[..]).collect();
    let unlisted = known.folders.values().filter(|ours| !listed.contains(&ours.ledger.name[..]));
    for ledger in unlisted.map(|ours| &ours.ledger).filter(|ledger| ledger.messages > 0) {
        let why = Text::new("the old server lists it no longer", "旧服务器已不再列出该文件夹");
        look.proof.note_beside(&name::shown(&ledger.name), ledger.messages, "failed", &why);
    }
    let mut proof = look.proof;
    proof.ledger = known.digest;
    let taken = folders.iter().filter_map(|folder| known.folders.get(&folder.name)).map(|ours| ours.path.as_str());
    proof.only_here = look.shown.besides(taken.collect());
    Ok(proof)
}

/// Why a folder is left out that is not the user's own.
fn whose(space: source::Space) -> Text {
    match space {
        source::Space::Others => Text::new("it is another user's, with whom it comes", "属于其他用户，随该用户迁移"),
        _ => Text::new(
            "many share it, and it comes into no mailbox but the one that is named for it",
            "多人共享的文件夹，只迁入指定的邮箱",
        ),
    }
}

/// Does what may take long at the source; the session here is told each [`AWAKE`] that somebody is there (NOOP, RFC 9051 §6.1.2).
pub async fn beside<T>(here: &mut Imap, work: impl Future<Output = Result<T, Trouble>>) -> Result<T, Trouble> {
    let mut work = std::pin::pin!(work);
    loop {
        match tokio::time::timeout(AWAKE, &mut work).await {
            Ok(done) => return done,
            Err(_) => here.command("NOOP").await?,
        };
    }
}

/// Both sides under comparison.
struct Look<'a> {
    here: &'a mut Imap,
    store: &'a Store,
    tenant: TenantId,
    account: AccountId,
    level: Level,
    rule: Rule,
    shown: Shown,
    proof: Proof,
}

impl Look<'_> {
    /// What a pass would ask about is no proof: the source cannot tell any more what was in the folder.
    fn hold_losses(&mut self, ours: &KnownFolder, one: &FolderProof) {
        let (before, now) = (ours.ledger.messages, one.messages);
        let lost = before.saturating_sub(now);
        if is_question(lost, now) {
            let why = Text::new(
                format!("the old server lost {lost} of {before} messages since the last pass"),
                format!("上次迁移之后旧服务器减少了 {before} 封邮件中的 {lost} 封"),
            );
            self.proof.note_beside(&one.folder, lost, "failed", &why);
        }
    }

    async fn hold_folder(
        &mut self,
        there: &mut Origin,
        folder: &source::Folder,
        ours: Option<&KnownFolder>,
        one: &mut FolderProof,
    ) -> Result<(), Trouble> {
        if ours.is_some_and(KnownFolder::ends_connections) {
            // What is in it nobody can say.
            let why = Text::new(
                "the old server ends the connection when this folder is opened",
                "打开该文件夹时旧服务器断开连接",
            );
            self.proof.note_failed(one, 1, &why);
            return Ok(());
        }
        let standing = match there.examine(&folder.name).await {
            Ok(standing) => standing,
            Err(Trouble::Refused(why)) => {
                let why = Text::new(
                    format!("the old server does not open this folder: {why}"),
                    format!("旧服务器拒绝打开该文件夹：{}", in_chinese(&why)),
                );
                self.proof.note_failed(one, 1, &why);
                return Ok(());
            }
            Err(other) => return Err(other),
        };
        let has_failed = |key: &[u8]| ours.is_some_and(|ours| ours.failed.contains(key));
        let failed = |line: &Line| has_failed(&line.key);
        let (level, store) = (self.level, (self.store, self.tenant));
        let list = async {
            match &mut *there {
                Origin::Imap(imap) => {
                    let mut lines = list::all_of(imap, &standing, level, failed).await?;
                    if let (Some(ours), Level::Sample) = (ours, level) {
                        let sample = Sample::of(&lines);
                        let is_odd = |line: &Line| ours.odd.contains(&line.key);
                        let wanted = |line: &Line| !failed(line) && (is_odd(line) || sample.has(line));
                        list::read_some(imap, &mut lines, wanted).await?;
                        return Ok((lines, Some(sample)));
                    }
                    Ok((lines, None))
                }
                other => Ok((list::of_source(other, store, has_failed).await?, None)),
            }
        };
        let (lines, sample) = beside(self.here, list).await?;
        one.there = Stand::of(&standing, &lines);
        (one.messages, one.bytes) = (one.there.messages, one.there.bytes);
        let unlisted = standing.messages.saturating_sub(one.messages);
        if unlisted > 0 {
            let why = Text::new("the old server counts messages that it does not list", "旧服务器计数但未列出的邮件");
            one.messages += unlisted;
            self.proof.note_failed(one, unlisted, &why);
        }
        let Some(ours) = ours else {
            // Folders that nobody planned for are new as a whole.
            let why = Text::new("the folder is new", "该文件夹是新建的");
            self.proof.note_beside(&one.folder, 1, "new", &why);
            lines.iter().for_each(|line| self.proof.note(one, line, "new", &why));
            return Ok(());
        };
        self.hold_losses(ours, one);
        let level = if sample.is_some() { Level::Sample } else { Level::Bodies };
        let wire = anser_wire::imap::encode_mutf7(&ours.path);
        // What came here above this may not be in the list.
        let mut listed = u64::MAX;
        let mut found = match self.here.examine(wire.as_bytes()).await {
            Ok(standing) => {
                listed = Some(standing.modseq).filter(|modseq| *modseq > 0).unwrap_or(u64::MAX);
                let found = list::all_of(self.here, &standing, level, |_| false).await?;
                one.shown = Stand::of(&standing, &found);
                found
            }
            // It is not there, or not open yet: each message says why.
            Err(Trouble::Refused(_)) => Vec::new(),
            Err(other) => return Err(other),
        };
        self.hold_stands(folder, ours, one).await?;
        one.uids_kept = one.there.uidvalidity == one.shown.uidvalidity;
        if let Some(sample) = sample {
            let is_odd = |line: &Line| ours.odd_here.contains(&line.uid);
            list::read_some(self.here, &mut found, |line| is_odd(line) || sample.has(line)).await?;
        }
        let mut paired = hold::pair(one, lines, found);
        if let (Origin::Imap(imap), Level::Sample) = (&mut *there, level) {
            // First here: what is said beside the other may number messages anew.
            list::read_some(self.here, &mut paired.here, |_| true).await?;
            beside(self.here, list::read_some(imap, &mut paired.there, |line| !failed(line))).await?;
            let (differ, last) = (std::mem::take(&mut paired.differ), paired.last);
            paired = hold::pair(one, paired.there, paired.here);
            paired.differ.extend(differ);
            paired.last = paired.last.max(last);
        }
        let base = hold::Base { ledger: ours.ledger.clone(), listed, skips_deleted: self.rule.skips_deleted };
        hold::explain(&mut self.proof, one, paired, self.store, self.account, base).await?;
        Ok(())
    }
}
