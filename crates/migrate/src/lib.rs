//! Moving in: an organisation's mailboxes come from their old servers, byte for byte, once each, and may be stopped at any instant.
//!
//! A *move* is one organisation's project. It has *sources* (old servers) and *mailboxes* (a login at a source, and the account here that
//! takes its mail). All of it is rows in `moves.db`; what became of each message is rows of the *ledger* in the account's own `mail.db`,
//! written by the transaction that stores the message.
//!
//! | state of a mailbox | means | left by |
//! |---|---|---|
//! | new | listed, nothing tried | check, trial, start → waiting |
//! | ready | the login works | check, trial, start → waiting |
//! | refused | the login does not work; `note` says why | retry, check by name → waiting |
//! | waiting | due at some time | its time comes and a connection is free → copying |
//! | copying | a pass is under way, under a lease | all was gone over → settled (after a check or trial: ready); the connection broke, or the server asks for patience → waiting, later; paused, or others wait for their turn → waiting; something else comes first → waiting, later; the login is refused → refused; mail is missing at the source → asking; the process died → copying by whoever looks next, once the lease ran out |
//! | settled | the last pass went over everything | delta, retry → waiting; late mail is to be looked for, or a folder could not be opened, and its time comes → copying |
//! | asking | the source lost mail since the last pass, or much was removed here that would be removed there; nothing was done about it | resume, saying that the loss was meant → waiting; on the way back also delta, saying that it was not, so that the mailbox stays here → waiting |
//! | abandoned | taken out of the move: what was brought stays, the mailbox lives here and is open to every door | check by name → waiting |
//!
//! Every state is left by abandon, to abandoned, and by undo, to new; abandoned stays so.
//!
//! A move is a draft until something is started, running, or paused: mailboxes of a paused one wait.
//!
//! | module | holds |
//! |---|---|
//! | [`model`] | the nouns |
//! | [`acts`] | the verbs |
//! | `coexist` | routes of whole domains, while both servers have mailboxes |
//! | [`cutover`] | the verbs of an organisation as a whole |
//! | [`views`], [`which`] | how moves and mailboxes stand; which are meant |
//! | [`wave`], `hours` | mailboxes that move together; who comes first; what may not be brought now |
//! | `history` | what passes came to |
//! | `rows`, `schema` | the tables of `moves.db` |
//! | `run` | who works on what: leases, connections, turns |
//! | `throttle` | how many mailboxes of one host at once |
//! | `work` | one mailbox under work, and what came of it: pauses |
//! | [`pass`] | one pass over one mailbox |
//! | `plan`, [`name`], `role` | which mailbox here takes which folder |
//! | [`profile`] | what is known of providers and kinds of servers |
//! | `commit` | messages and their rows of the ledger, in one transaction |
//! | [`adopt`], `overlap` | mail that was here before; mail that came to both servers |
//! | `merge` | flags of three sides, what is gone, what was removed |
//! | `proofs` | the verbs of a proof |
//! | [`imported`] | accounts and lists held against what the old system's export said |
//! | [`verify`], [`report`] | both sides listed anew and held against each other; the proof as files |
//! | [`source`] | what every source gives |
//! | [`imap`] | old servers that speak IMAP |
//! | [`jmap`] | old servers that speak JMAP |
//! | [`pop3`] | old servers that speak POP3 |
//! | [`files`] | Maildir, mbox, one message a file |
//! | `talk`, `web` | dialogues of lines; HTTP |
//! | `meaning` | what old servers mean when they refuse |
//! | `reach`, `halt` | what a person may have us connect to; waits that end when a pass is stopped |
//! | [`own`] | a person's own moves |
//! | [`entry`], `refused` | as whom and by what old servers are logged in at; secrets that they refused |
//! | [`oauth`], [`consent`] | logins by OAuth 2.0; owners who are asked for them |
//! | [`front_door`], `ldap` | old servers asked about one login; passwords that were learnt |
//! | [`pass_through`], `tap` | sessions of mailboxes that still live at the old server |
//! | `turn`, `uidl` | a mailbox turns from there to here, unique ids of POP3 included; late mail is swept |
//! | [`survey`], `sample` | what there is to be moved |
//! | `undo` | what was brought and not touched goes away again |
//! | [`failed`] | messages that old servers do not hand out |
//! | `back` | the way back, by the same ledger |
//! | [`form`] | what an organisation says of itself before it moves |
//! | [`documents`] | what is handed out and worked by, made of what the move knows |
//! | [`paper`] | what is printed: HTML and PDF |
//! | [`notices`] | letters that users get |
//! | [`probes`] | letters that a domain was tried with |
//! | [`tickets`], [`figures`] | what users complain of; how they use what they moved to |
//! | [`gates`] | what must be so before a cut-over, and after it |
//! | [`signature`] | reports that nobody can change |
//! | [`kept`] | how long secrets are kept |
//! | [`old_addresses`] | old addresses that a move made here |
//! | `secret` | passwords, sealed by a key outside of the database |

pub mod acts;
pub mod adopt;
mod back;
mod coexist;
pub mod commit;
pub mod consent;
pub mod cutover;
pub mod documents;
pub mod entry;
pub mod failed;
pub mod figures;
pub mod files;
pub mod form;
pub mod front_door;
pub mod gates;
mod halt;
mod history;
mod hours;
pub mod imap;
pub mod imported;
pub mod jmap;
pub mod kept;
mod ldap;
mod logins;
mod meaning;
mod merge;
pub mod model;
pub mod name;
pub mod notices;
pub mod oauth;
pub mod old_addresses;
mod overlap;
pub mod own;
pub mod paper;
pub mod pass;
pub mod pass_through;
mod plan;
pub mod pop3;
pub mod probes;
pub mod profile;
mod proofs;
mod reach;
mod refused;
pub mod report;
mod role;
mod rows;
pub mod rules;
mod run;
mod sample;
mod schema;
mod secret;
pub mod signature;
pub mod source;
pub mod survey;
mod tables;
mod talk;
mod tap;
mod throttle;
pub mod tickets;
pub mod trouble;
mod turn;
mod uidl;
mod undo;
pub mod verify;
pub mod views;
pub mod wave;
mod web;
pub mod which;
mod words;
mod work;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use anser_base::{Clock, Entropy, Result};
use anser_db::Db;
use anser_directory::Directory;
use anser_net::Network;
use anser_store::Store;
use tokio::sync::{Notify, watch};

pub use acts::{NewMailbox, Password};
pub use back::Returned;
pub use cutover::{Look, Said};
pub use entry::{Admin, Login};
pub use failed::FailedView;
pub use form::FieldView;
pub use gates::{GateView, MxSeen, Remembered};
pub use history::RunView;
pub use model::{Home, Kind, Passing, Source, Tls};
pub use notices::{Notice, Occasion, Side, Unsent};
pub use oauth::{Code, Grant};
pub use old_addresses::{Leaving, Made, OldAddress};
pub use own::{OwnMove, OwnResult, OwnState, Wish};
pub use probes::{Probe, Tried};
pub use proofs::{Compared, Uncompared};
pub use rules::{Rules, RulesChange};
pub use schema::SCHEMA;
pub use survey::SourceSurvey;
pub use tickets::Ticket;
pub use turn::split;
pub use undo::Undone;
pub use verify::{Faces, Level, Proof};
pub use views::{MailboxView, MoveView, PaceView, WaveView};
pub use wave::Pace;
pub use which::Which;
pub use words::in_chinese;

use run::Following;
use secret::Seal;

/// What the engine works with.
#[derive(Clone)]
pub struct Deps {
    /// The tables, opened with [`SCHEMA`] as their `moves` schema.
    pub db: Db,
    /// Where mail goes.
    pub store: Store,
    /// Whose it is.
    pub directory: Directory,
    /// The clock.
    pub clock: Clock,
    /// The randomness.
    pub entropy: Entropy,
    /// What passwords are sealed with; kept outside of the database.
    pub key: [u8; 32],
    /// Networks beside the public Internet whose servers persons may move from.
    pub allowed: Arc<[Network]>,
    /// Whom providers know this server as, so that persons sign in there.
    pub clients: Arc<[own::Client]>,
}

/// The engine. Cheap to clone.
#[derive(Clone)]
pub struct Migrate {
    inner: Arc<Inner>,
}

struct Inner {
    deps: Deps,
    seal: Seal,
    /// Passes under way, by mailbox.
    following: Mutex<HashMap<u64, Arc<Following>>>,
    /// Something is due that was not before.
    stirred: Notify,
    /// Counts what came to an end.
    changed: watch::Sender<u64>,
    /// Sessions that are passed through.
    passing: pass_through::Passing,
    /// Logins at old servers that are tried.
    logins: logins::Logins,
    /// Who is away: whose mailbox does not live here.
    everybody: pass_through::Everybody,
    /// Which secrets are used.
    noted: kept::Noted,
    /// Access tokens of mailboxes that are opened by grants.
    keeper: oauth::Keeper,
    /// What was learned of hosts.
    throttle: Arc<throttle::Throttle>,
    /// Passes in a row that ended by trouble of our own, by mailbox.
    own_trouble: Mutex<HashMap<u64, u32>>,
    /// When a server, by its host and port, may be asked next whether a login is good.
    checks: Mutex<HashMap<(String, u16), Instant>>,
    /// Messages here that were held against those of old servers.
    read: Arc<adopt::Read>,
    /// What persons' own moves came to.
    counted: Mutex<own::Counted>,
    /// Codes that wait for persons to type them.
    sign_ins: Mutex<own::SignIns>,
}

impl Migrate {
    /// Over open tables. Nothing is worked on before [`Self::run`].
    pub fn new(deps: Deps) -> Result<Self> {
        tables::read_all();
        let seal = Seal::new(&deps.key, deps.entropy.clone());
        let (following, stirred, changed) = (Mutex::default(), Notify::new(), watch::Sender::new(0));
        let (passing, logins, everybody, noted, keeper, own_trouble, checks, read, counted) = Default::default();
        let (throttle, sign_ins) = Default::default();
        let inner = Inner {
            deps,
            seal,
            following,
            stirred,
            changed,
            passing,
            logins,
            everybody,
            noted,
            keeper,
            throttle,
            own_trouble,
            checks,
            read,
            counted,
            sign_ins,
        };
        Ok(Self { inner: Arc::new(inner) })
    }
}
