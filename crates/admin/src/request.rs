//! What an administrator asks for. Every act of the house is one variant, whoever asks: the command line, later the API and the
//! console.

use std::fmt;
use std::path::PathBuf;

use anser_base::EntryId;
use anser_migrate::{Grant, Level, NewMailbox, Passing, Source, Which};
use anser_sieve::form::Form;
use serde::{Deserialize, Serialize};

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

/// What is done about how people sign in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignInAct {
    /// Lists the sessions of our own pages.
    Sessions {
        /// The account.
        address: String,
    },
    /// Ends one of them, or all.
    End {
        /// The account.
        address: String,
        /// Which one.
        id: Option<u64>,
    },
    /// Shows the second factor.
    SecondFactor {
        /// The account.
        address: String,
    },
    /// Takes the second factor away, so that its owner can set up another.
    Reset {
        /// The account.
        address: String,
    },
    /// Says where a second factor is required.
    Require {
        /// An account, a domain, `*`.
        scope: String,
        /// Whether it is.
        required: bool,
    },
    /// Lists where it is required.
    Required,
    /// Registers a client (RFC 6749 §2).
    ClientAdd {
        /// The client.
        client: ClientSpec,
    },
    /// Lists clients.
    ClientList,
    /// Registers a portal that vouches for people.
    PortalAdd {
        /// Its name.
        id: String,
        /// For whom it vouches: a domain, or `*`.
        scope: String,
        /// Its Ed25519 key in base64url; without one it gets a secret.
        key: Option<String>,
    },
    /// Lists portals.
    PortalList,
    /// Removes a portal.
    PortalRemove {
        /// Its name.
        id: String,
    },
    /// Sets rules of signing in; what is not named stays.
    RulesSet {
        /// The rules.
        rules: SignInRules,
    },
    /// Lists rules.
    RulesList,
    /// Removes the rules of a scope.
    RulesRemove {
        /// A domain, or `*`.
        scope: String,
    },
    /// Registers a provider that tells who somebody is.
    ProviderAdd {
        /// The provider.
        provider: ProviderSpec,
        /// Its client's secret.
        secret: Option<Plain>,
    },
    /// Lists providers.
    ProviderList,
    /// Removes a provider, with its links.
    ProviderRemove {
        /// Its name.
        id: String,
    },
    /// Says whose account somebody is whom a provider calls by a name, or takes that back.
    ProviderLink {
        /// The provider.
        id: String,
        /// What it calls them.
        person: String,
        /// The account; `None` takes it back.
        address: Option<String>,
    },
    /// Removes a client, with all grants that it was given.
    ClientRemove {
        /// `client_id`.
        id: String,
    },
}

/// Rules of signing in, to be set or as they are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignInRules {
    /// A domain, or `*`.
    pub scope: String,
    /// Minutes that a session lasts without a request.
    pub idle_minutes: Option<u64>,
    /// Hours that it lasts at most.
    pub longest_hours: Option<u64>,
    /// Characters of a new password at least.
    pub password_length: Option<usize>,
    /// Kinds of characters in it at least.
    pub password_kinds: Option<usize>,
    /// The doors that are there; none named is as it was.
    pub services: Vec<String>,
}

/// A provider of sign-in, to be registered or as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderSpec {
    /// Its name in paths.
    pub id: String,
    /// Its name on the login page.
    pub name: String,
    /// For whom it speaks: a domain, or `*`.
    pub scope: String,
    /// `openid`, `cas`, `cas2`.
    pub kind: String,
    /// The issuer, or what stands before `/login` of CAS.
    pub url: String,
    /// `client_id`.
    pub client: String,
    /// The claim or attribute that names somebody.
    pub claim: String,
    /// What that is here: `address`, `user`, `linked`.
    pub names: String,
    /// Whether the own password still opens the login page.
    pub password: bool,
    /// Whether the second factor is asked for after it.
    pub second_factor: bool,
}

/// A client to be registered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientSpec {
    /// `client_id`.
    pub id: String,
    /// The name that owners are shown.
    pub name: String,
    /// Where it is sent back to.
    pub redirects: Vec<String>,
    /// The most that it is given; none is who the owner is, and nothing else.
    pub services: Vec<String>,
    /// Whether it gets a secret.
    pub confidential: bool,
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
}

/// A front door to be opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrontDoorSpec {
    /// The domain.
    pub domain: String,
    /// `imap`, `pop3`, `smtp`.
    pub protocol: String,
    /// The old server.
    pub host: String,
    /// Its port; the standard one without.
    pub port: Option<u16>,
    /// `implicit`, `starttls`, `implicit-any`, `starttls-any`, `none`.
    pub tls: String,
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

/// What is done with a move.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MoveAct {
    /// Makes a move with an old server, or changes that.
    Plan(Source),
    /// Says whether sessions are passed through to the old server, and where mail goes meanwhile; what is not named stays.
    PassThrough {
        /// `off`, `until-cutover`, `until-ready`.
        passing: Option<Passing>,
        /// The old server's SMTP, `HOST:PORT`; empty for none.
        relay: Option<String>,
    },
    /// Lists logins of an old server.
    Accounts {
        /// The old server, by its name; the first without.
        source: Option<String>,
        /// The logins.
        logins: Vec<NewMailbox>,
    },
    /// Lets a grant of OAuth 2.0 stand where passwords do, or asks owners for it: their codes are in the notes then.
    Consent {
        /// What the client is known by, and what it has.
        grant: Grant,
        /// Whether owners are asked.
        asks: bool,
    },
    /// Tries logins.
    Check,
    /// Brings a few messages of each folder.
    Trial,
    /// Begins to bring everything.
    Start,
    /// Another pass over what is settled.
    Delta,
    /// Puts answers into the survey form: questions by their names; shows it.
    Form(Vec<(String, String)>),
    /// The documents of the move, in both languages, signed, and the calendar.
    Documents,
    /// Looks at the old servers, into the mailboxes, and at the DNS of their domains.
    Survey,
    /// Cuts mailboxes over that were brought: those that are named, or everybody, once the gates are passed.
    Cutover {
        /// Only tell how the gates stand.
        check: bool,
        /// The users know.
        noticed: bool,
        /// Gates that are taken for passed.
        accepted: Vec<String>,
        /// End the move.
        close: bool,
    },
    /// Takes the mailboxes that are named out of the move, or everybody; what was brought stays.
    Abandon {
        /// Everybody, where nobody is named.
        all: bool,
    },
    /// Gives the old server what is new here.
    Rollback {
        /// Only tell what that would be.
        dry_run: bool,
    },
    /// The newest proofs as a signed document.
    Report {
        /// `html`, `csv`, `json`.
        format: String,
    },
    /// The public key that documents are signed by.
    ReportKey,
    /// Works again on what failed.
    Retry,
    /// Stops at the next batch.
    Pause,
    /// Goes on.
    Resume {
        /// Whether losses at the old server were meant.
        losses_are_meant: bool,
    },
    /// Waits until nothing is under way.
    Wait,
    /// How each mailbox stands.
    Status,
    /// Holds both sides against each other.
    Verify {
        /// How much is read.
        level: Level,
    },
    /// The newest proofs.
    Proofs,
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
    /// [`crate::Admin::moves`]
    MoveList,
    /// [`crate::Admin::act_on_move`]
    Move { name: String, which: Which, what: MoveAct },
    /// [`crate::Admin::sweep`]
    Sweep,
    /// [`crate::Admin::reload`]
    Reload,
    /// [`crate::Admin::status`]
    Status,
}
