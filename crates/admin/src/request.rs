//! What an administrator asks for. Every act of the house is one variant, whoever asks: the command line, or a program over HTTP.

mod moves;
mod sign_in;

use std::fmt;
use std::path::PathBuf;

use anser_base::EntryId;
use anser_migrate::Which;
use anser_sieve::form::Form;
use serde::{Deserialize, Serialize};

pub use moves::{MoveAct, TicketAct};
pub use sign_in::{ClientSpec, LookSpec, ProviderSpec, SignInAct, SignInRules, TokenAct};

/// A password on its way; never shown.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Plain(pub Vec<u8>);

impl fmt::Debug for Plain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Plain")
    }
}

/// Which entries of the queue; texts match when an address contains them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Selection {
    /// In the sender.
    pub sender: Option<String>,
    /// In a recipient that still waits.
    pub recipient: Option<String>,
    /// The domain of such a recipient, or `.` and a domain that it is below.
    pub domain: Option<String>,
    /// In what the last attempt brought for it.
    pub why: Option<String>,
    /// Accepted more than so many minutes ago.
    pub older: Option<u64>,
    /// Accepted at most so many minutes ago.
    pub newer: Option<u64>,
    /// Only held ones, or only others.
    pub held: Option<bool>,
}

/// What is done to entries of the queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum QueueAct {
    /// Attempt now.
    Retry,
    /// Keep, and do not attempt.
    Hold,
    /// End of holding.
    Release,
    /// Remove without a report to the sender.
    Remove,
    /// Send another way, now.
    Reroute {
        /// `HOST:PORT`, `mx`, `mx=DOMAIN`; `usual` is what the routes say.
        way: String,
    },
}

impl QueueAct {
    /// The word of the journal.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Retry => "queue.retry",
            Self::Hold => "queue.hold",
            Self::Release => "queue.release",
            Self::Remove => "queue.remove",
            Self::Reroute { .. } => "queue.reroute",
        }
    }
}

/// Entries of the queue that an act is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Entries {
    /// These.
    These(Vec<EntryId>),
    /// All that match.
    Matching(Selection),
}

/// An account to be made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountSpec {
    /// Its address.
    pub address: String,
    /// The name shown beside it.
    pub name: String,
}

/// What of an account is to change; `None` leaves it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountChange {
    /// The name shown beside the address.
    pub name: Option<String>,
    /// Room in bytes; 0 is no limit.
    pub quota: Option<u64>,
    /// The services that are on, by name.
    pub services: Option<Vec<String>>,
    /// `zh` or `en`.
    pub locale: Option<String>,
    /// The IANA name of where the owner lives; empty for what goes with the language.
    #[serde(default)]
    pub time_zone: Option<String>,
    /// `none`, `system`, `organisation`, `audit`.
    pub role: Option<String>,
    /// The inbox of the last so many days is what POP3 shows; 0 for all of it.
    pub pop3_days: Option<u32>,
    /// Whether the owner must choose a new password first.
    pub must_change: Option<bool>,
}

/// What is done about what accounts send.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SendingAct {
    /// Sets limits; what is not named stays.
    Limit {
        /// An account, a group, a domain, `*`; `@` and a domain for all of it together.
        scope: String,
        /// Recipients elsewhere in an hour.
        per_hour: Option<u32>,
        /// In a day.
        per_day: Option<u32>,
        /// Of them new ones, in a day.
        new_per_day: Option<u32>,
    },
    /// Lists limits.
    Limits,
    /// Removes limits.
    Forget {
        /// Whose.
        scope: String,
    },
    /// Lists accounts whose mail is held.
    Held,
    /// Holds an account's mail.
    Hold {
        /// Whose.
        address: String,
    },
    /// Lets an account send again.
    Release {
        /// Whose.
        address: String,
    },
}

/// Which reports of other servers are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportsAsked {
    /// On one domain of ours.
    pub domain: Option<String>,
    /// `dmarc` or `tls`; both without.
    pub kind: Option<String>,
    /// About the last so many days.
    pub days: u32,
    /// Report by report, rather than what they say in sum.
    pub each: bool,
}

/// A route to be set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteSpec {
    /// Whom it is for: an address, a domain, `*.` and a domain, `*`.
    pub pattern: String,
    /// `HOST:PORT`, `mx`, `mx=DOMAIN`, `hold`, `discard`.
    pub way: String,
    /// `opportunistic`, `required`, `implicit`, `never`.
    pub tls: Option<String>,
    /// Who we are there.
    pub user: Option<String>,
    /// And how we show it.
    pub password: Option<Plain>,
    /// Mail for the domain is taken from everybody; who knows its addresses: `all`, `list`, `callout`.
    pub accept: Option<String>,
    /// Unknown addresses are taken while the server cannot be asked.
    pub open_when_down: bool,
    /// `22:00-06:00`, in UTC, or with the zone behind it.
    pub hours: Option<String>,
    /// For how many days it counts.
    pub days: Option<u32>,
}

/// What of a domain is to change; `None` leaves it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DomainChange {
    /// Whether it is switched off: no mail, no logins.
    pub disabled: Option<bool>,
    /// The address of ours that gets what nobody in the domain has; empty for none.
    pub catch_all: Option<String>,
    /// The address of ours that reads `postmaster@` the domain; empty for the administrator.
    pub postmaster: Option<String>,
    /// Login names without a domain are sought in this one from now on.
    pub default: bool,
}

/// An app password or a token to be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppPasswordSpec {
    /// Its name, unique in the account.
    pub name: String,
    /// A bearer token, rather than something that is typed.
    pub token: bool,
    /// The services that it opens, by name; all when there is none.
    pub services: Vec<String>,
    /// How many days it is good for; `None` for ever.
    pub days: Option<u32>,
}

/// How somebody gets in whom an old system gives no password for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FirstPassword {
    /// By a random one, on a slip.
    #[default]
    Random,
    /// By the end of the identity card's number and the name before the `@`; a random one where no number is known. Weak.
    Formula,
    /// Not at all, until a password is set or learnt.
    None,
}

/// How people are brought in from files.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeopleImport {
    /// `csv`, `ldif`, `passwd`, `shadow`, `dovecot`, `sql`; guessed without.
    pub format: Option<String>,
    /// The domain of names that have none.
    pub domain: Option<String>,
    /// Only say what would be done.
    pub dry_run: bool,
    /// Add the domains that people are in.
    pub add_domains: bool,
    /// Who lacks a password.
    pub passwords: FirstPassword,
    /// First passwords must be changed.
    pub must_change: bool,
    /// The move whose survey form the totals are held against, and whose report holds the accounts against what the files say.
    #[serde(default)]
    pub of_move: Option<String>,
}

/// A front door to be opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrontDoorSpec {
    /// The domain.
    pub domain: String,
    /// `imap`, `pop3`, `smtp`, `ldap`, `http`.
    pub protocol: String,
    /// The old server.
    pub host: String,
    /// Its port; the standard one without.
    pub port: Option<u16>,
    /// `implicit`, `starttls`, `implicit-any`, `starttls-any`, `none`.
    pub tls: String,
    /// LDAP: the name that is bound as, with `{login}` in it. HTTP: the path of the hook.
    #[serde(default)]
    pub target: Option<String>,
    /// The old server wants `user@domain`.
    pub whole_address: bool,
    /// For how many days it is open.
    pub days: u32,
    /// Wrong passwords of one name that go to the old server within a day.
    pub tries: u32,
    /// Names that become accounts when the old server knows them.
    pub create: Option<String>,
    /// How many accounts may be made so.
    pub most: u32,
}

/// What is done with Sieve scripts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SieveAct {
    /// Lists them.
    List,
    /// Shows one, or the active one.
    Show {
        /// Its name.
        name: Option<String>,
    },
    /// Stores one.
    Put {
        /// Its name.
        name: String,
        /// What its author wrote.
        text: String,
        /// Where it runs from now on: `active`, `before`, `after`, `off`; where it ran without.
        place: Option<String>,
    },
    /// Says where one runs.
    Place {
        /// Its name.
        name: String,
        /// As in `Put`.
        place: String,
    },
    /// Removes one.
    Remove {
        /// Its name.
        name: String,
    },
    /// Compiles a text and stores nothing.
    Check {
        /// The text.
        text: String,
    },
    /// Shows the active script as a form.
    Form,
    /// Makes a form the active script.
    PutForm {
        /// The form.
        form: Form,
    },
    /// Tries rules on stored mail.
    Try(Trial),
    /// Starts a job that applies rules to stored mail.
    Apply(Applied),
    /// Shows the account's job, or the last one.
    Job,
    /// Ends the account's job.
    Cancel,
}

/// Rules tried on stored mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trial {
    /// The mailbox, its levels joined by `/`.
    pub folder: String,
    /// The newest so many messages of it.
    pub last: usize,
    /// A script that runs alone; the account's own ones without.
    pub script: Option<String>,
}

/// Rules applied to stored mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Applied {
    /// The mailbox, its levels joined by `/`.
    pub folder: String,
    /// The newest so many messages of it; all without.
    pub last: Option<usize>,
    /// A script that runs alone; the account's own ones without.
    pub script: Option<String>,
    /// Answer when it has ended.
    pub wait: bool,
}

/// One act.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "kebab-case")]
#[allow(missing_docs)] // The fields are the arguments of the functions that the variants stand for.
pub enum Request {
    /// [`crate::Admin::add_domain`]
    DomainAdd { name: String, alias_of: Option<String> },
    /// [`crate::Admin::list_domains`]
    DomainList,
    /// [`crate::Admin::show_domain`]
    DomainShow { name: String },
    /// [`crate::Admin::change_domain`]
    DomainChange { name: String, change: DomainChange },
    /// [`crate::Admin::remove_domain`]
    DomainRemove { name: String },
    /// [`crate::Admin::domain_dns`]
    DomainDns { name: String, check: bool },
    /// [`crate::Admin::add_dkim_keys`]
    DkimAdd { domain: String },
    /// [`crate::Admin::list_dkim_keys`]
    DkimList { domain: String },
    /// [`crate::Admin::rotate_dkim_keys`]
    DkimRotate { domain: String },
    /// [`crate::Admin::remove_dkim_key`]
    DkimRemove { domain: String, selector: String },
    /// [`crate::Admin::add_accounts`]
    AccountAdd { accounts: Vec<AccountSpec>, password: Option<Plain>, quota: u64, role: Option<String>, shared: bool },
    /// [`crate::Admin::list_accounts`]
    AccountList { domain: Option<String>, state: Option<String>, text: Option<String> },
    /// [`crate::Admin::show_account`]
    AccountShow { address: String },
    /// [`crate::Admin::set_password`]
    AccountPassword { address: String, password: Plain },
    /// [`crate::Admin::change_account`]
    AccountChange { address: String, change: AccountChange },
    /// [`crate::Admin::suspend_account`]
    AccountSuspend { address: String },
    /// [`crate::Admin::restore_account`]
    AccountRestore { address: String },
    /// [`crate::Admin::remove_account`]
    AccountRemove { address: String },
    /// [`crate::Admin::purge_account`]
    AccountPurge { address: String },
    /// [`crate::Admin::grant_send_as`]
    SendAsAdd { address: String, other: String },
    /// [`crate::Admin::list_send_as`]
    SendAsList { address: String },
    /// [`crate::Admin::revoke_send_as`]
    SendAsRemove { address: String, other: String },
    /// [`crate::Admin::add_app_password`]
    AppPasswordAdd { address: String, new: AppPasswordSpec },
    /// [`crate::Admin::list_app_passwords`]
    AppPasswordList { address: String, token: bool },
    /// [`crate::Admin::revoke_app_password`]
    AppPasswordRevoke { address: String, token: bool, id: u64 },
    /// [`crate::Admin::add_alias`]
    AliasAdd { address: String, target: String },
    /// [`crate::Admin::list_aliases`]
    AliasList { domain: Option<String> },
    /// [`crate::Admin::remove_alias`]
    AliasRemove { address: String },
    /// [`crate::Admin::add_group`]
    GroupAdd { address: String, name: String },
    /// [`crate::Admin::list_groups`]
    GroupList,
    /// [`crate::Admin::show_group`]
    GroupShow { address: String },
    /// [`crate::Admin::remove_group`]
    GroupRemove { address: String },
    /// [`crate::Admin::add_members`]
    GroupJoin { address: String, members: Vec<String> },
    /// [`crate::Admin::remove_members`]
    GroupLeave { address: String, members: Vec<String> },
    /// [`crate::Admin::add_route`]
    RouteAdd { route: RouteSpec },
    /// [`crate::Admin::list_routes`]
    RouteList,
    /// [`crate::Admin::remove_route`]
    RouteRemove { pattern: String },
    /// [`crate::Admin::list_elsewhere`]
    ElsewhereChange { addresses: Vec<String>, remove: bool },
    /// [`crate::Admin::listed_elsewhere`]
    ElsewhereList { domain: String },
    /// [`crate::Admin::sending`]
    Sending { what: SendingAct },
    /// [`crate::Admin::sign_in`]
    SignIn { what: SignInAct },
    /// [`crate::Admin::reports`]
    Reports { asked: ReportsAsked },
    /// [`crate::Admin::list_queue`]
    QueueList { selection: Selection },
    /// [`crate::Admin::show_entry`]
    QueueShow { entry: EntryId },
    /// [`crate::Admin::act_on_queue`]
    QueueAct { what: QueueAct, entries: Entries },
    /// [`crate::Admin::trace`]
    Trace { query: String, limit: usize },
    /// [`crate::Admin::check`]
    Check { repair: bool, quick: bool },
    /// [`crate::Admin::backup`]; the path is whole.
    Backup { path: PathBuf },
    /// [`crate::Admin::restore_one`]; the path is whole.
    RestoreOne { path: PathBuf, address: String },
    /// [`crate::Admin::import`]; the messages follow.
    Import { address: String },
    /// [`crate::Admin::export`]
    Export { address: String, folder: Option<String> },
    /// [`crate::Admin::open_front_door`]
    FrontDoorOpen { door: FrontDoorSpec },
    /// [`crate::Admin::close_front_door`]
    FrontDoorClose { domain: String },
    /// [`crate::Admin::list_front_doors`]
    FrontDoorList,
    /// [`crate::Admin::import_people`]; the files follow.
    PeopleImport { import: PeopleImport },
    /// [`crate::Admin::sieve`]
    Sieve { whose: String, what: SieveAct },
    /// [`crate::Admin::admin_token`]
    AdminToken { what: TokenAct },
    /// [`crate::Admin::moves`]
    MoveList {
        /// The only one that is meant.
        #[serde(default)]
        name: Option<String>,
    },
    /// [`crate::Admin::act_on_move`]; all mailboxes where none is named.
    Move {
        name: String,
        #[serde(default)]
        which: Which,
        what: MoveAct,
    },
    /// [`crate::Admin::sweep`]
    Sweep,
    /// [`crate::Admin::reload`]
    Reload,
    /// [`crate::Admin::status`]
    Status,
}
