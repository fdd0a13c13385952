//! The command line, as data.

mod feedback;
mod moving_in;

use std::path::PathBuf;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

pub use feedback::Reports;
pub use moving_in::{AccountImport, First, FrontDoor, FrontDoorOpen};

use crate::text::{ARGUMENTS, COMMANDS, Language, Line};

/// Where the boot file is unless somebody says otherwise.
pub const BOOT_FILE: &str = "/etc/anser/anser.toml";

#[derive(Debug, Parser)]
#[command(name = "anser", version)]
pub struct Cli {
    #[command(flatten)]
    pub place: Place,
    #[arg(long, global = true)]
    pub json: bool,
    #[command(subcommand)]
    pub verb: Verb,
}

/// Where the server is.
#[derive(Debug, Clone, Args)]
pub struct Place {
    #[arg(long, global = true, value_name = "FILE", conflicts_with = "dir")]
    pub config: Option<PathBuf>,
    #[arg(long, global = true, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

impl Place {
    /// The boot file.
    pub fn boot_file(&self) -> PathBuf {
        match (&self.config, &self.dir) {
            (Some(file), _) => file.clone(),
            (None, Some(dir)) => dir.join("anser.toml"),
            (None, None) => BOOT_FILE.into(),
        }
    }
}

#[derive(Debug, Subcommand)]
pub enum Verb {
    Init(Init),
    Serve,
    Dev(Dev),
    #[command(subcommand)]
    Domain(Domain),
    #[command(subcommand)]
    Account(Account),
    #[command(subcommand)]
    Alias(Alias),
    #[command(subcommand)]
    Group(Group),
    Import(Import),
    Export(Export),
    #[command(subcommand)]
    Route(Route),
    #[command(subcommand)]
    Sending(Sending),
    Reports(Reports),
    #[command(subcommand)]
    Queue(Queue),
    #[command(subcommand)]
    Move(Move),
    #[command(subcommand)]
    Sieve(Sieve),
    Trace {
        query: String,
        #[arg(long, default_value_t = 1000)]
        limit: usize,
    },
    Check {
        #[arg(long)]
        repair: bool,
        #[arg(long)]
        quick: bool,
    },
    Backup {
        path: PathBuf,
    },
    Restore {
        path: PathBuf,
        #[arg(long)]
        account: Option<String>,
    },
    Sweep,
    Reload,
    Status,
}

#[derive(Debug, Args)]
pub struct Init {
    #[arg(long)]
    pub hostname: String,
    #[arg(long)]
    pub domain: String,
    #[arg(long)]
    pub user: Option<String>,
    #[arg(long)]
    pub password_stdin: bool,
}

#[derive(Debug, Args)]
pub struct Dev {
    #[arg(long, default_value_t = 2000)]
    pub port_offset: u16,
    #[arg(long, value_name = "HOST:PORT")]
    pub smarthost: Option<String>,
    #[arg(long, value_name = "HOST:PORT")]
    pub dns: Option<String>,
    #[arg(long, value_name = "PORT")]
    pub outward_port: Option<u16>,
    #[arg(long, num_args = 1..=2, value_names = ["ENGINE", "URL"])]
    pub engine: Vec<String>,
}

#[derive(Debug, Subcommand)]
pub enum Domain {
    Add {
        name: String,
        #[arg(long)]
        alias_of: Option<String>,
    },
    List,
    Show {
        name: String,
    },
    /// `none` takes an address away.
    Set {
        name: String,
        #[arg(long)]
        disabled: Option<bool>,
        #[arg(long, value_name = "ADDRESS")]
        catch_all: Option<String>,
        #[arg(long, value_name = "ADDRESS")]
        postmaster: Option<String>,
        #[arg(long)]
        default: bool,
    },
    Remove {
        name: String,
    },
    Dns {
        name: String,
        #[arg(long)]
        check: bool,
    },
    #[command(subcommand)]
    Dkim(Dkim),
    #[command(subcommand)]
    FrontDoor(FrontDoor),
}

#[derive(Debug, Subcommand)]
pub enum Dkim {
    Add { domain: String },
    List { domain: String },
    Rotate { domain: String },
    Remove { domain: String, selector: String },
}

#[derive(Debug, Subcommand)]
pub enum Account {
    Add(AccountAdd),
    List {
        #[arg(long)]
        domain: Option<String>,
        #[arg(long)]
        state: Option<String>,
        #[arg(long)]
        text: Option<String>,
    },
    Show {
        address: String,
    },
    Password {
        address: String,
        #[arg(long)]
        password_stdin: bool,
    },
    Set(AccountSet),
    Import(AccountImport),
    Suspend {
        address: String,
    },
    Restore {
        address: String,
    },
    Remove {
        address: String,
    },
    Purge {
        address: String,
    },
    /// Addresses that an account may write as, besides its own.
    #[command(subcommand)]
    SendAs(SendAs),
    #[command(subcommand)]
    AppPassword(AppPassword),
    #[command(subcommand)]
    Token(Token),
}

#[derive(Debug, Subcommand)]
pub enum SendAs {
    Add { address: String, other: String },
    List { address: String },
    Remove { address: String, other: String },
}

#[derive(Debug, Args)]
pub struct AccountAdd {
    #[arg(value_name = "ADDRESS")]
    pub addresses: Vec<String>,
    #[arg(long)]
    pub stdin_list: bool,
    #[arg(long, conflicts_with = "no_password")]
    pub password_stdin: bool,
    #[arg(long)]
    pub no_password: bool,
    #[arg(long, default_value = "")]
    pub name: String,
    #[arg(long)]
    pub quota: Option<String>,
    #[arg(long)]
    pub role: Option<String>,
    #[arg(long)]
    pub shared: bool,
}

#[derive(Debug, Args)]
pub struct AccountSet {
    pub address: String,
    #[arg(long)]
    pub name: Option<String>,
    #[arg(long)]
    pub quota: Option<String>,
    #[arg(long, value_delimiter = ',')]
    pub services: Option<Vec<String>>,
    #[arg(long, value_parser = ["zh", "en"])]
    pub locale: Option<String>,
    #[arg(long)]
    pub time_zone: Option<String>,
    #[arg(long)]
    pub role: Option<String>,
    #[arg(long, value_name = "DAYS")]
    pub pop3_days: Option<u32>,
    #[arg(long)]
    pub must_change: Option<bool>,
}

#[derive(Debug, Args)]
pub struct NewSecret {
    pub address: String,
    #[arg(long)]
    pub name: String,
    #[arg(long, value_delimiter = ',')]
    pub services: Vec<String>,
    #[arg(long, value_name = "DAYS")]
    pub expires: Option<u32>,
}

#[derive(Debug, Subcommand)]
pub enum Token {
    Add(NewSecret),
    List { address: String },
    Remove { address: String, id: u64 },
}

#[derive(Debug, Subcommand)]
pub enum AppPassword {
    Add(NewSecret),
    List { address: String },
    Revoke { address: String, id: u64 },
}

#[derive(Debug, Subcommand)]
pub enum Alias {
    Add {
        address: String,
        target: String,
    },
    List {
        #[arg(long)]
        domain: Option<String>,
    },
    Remove {
        address: String,
    },
}

#[derive(Debug, Subcommand)]
pub enum Group {
    Add {
        address: String,
        #[arg(long, default_value = "")]
        name: String,
    },
    List,
    Show {
        address: String,
    },
    Remove {
        address: String,
    },
    Join {
        address: String,
        #[arg(required = true)]
        members: Vec<String>,
    },
    Leave {
        address: String,
        #[arg(required = true)]
        members: Vec<String>,
    },
}

#[derive(Debug, Subcommand)]
pub enum Route {
    Add(RouteAdd),
    List,
    Remove {
        pattern: String,
    },
    #[command(subcommand)]
    Address(Elsewhere),
}

#[derive(Debug, Args)]
pub struct RouteAdd {
    pub pattern: String,
    pub way: String,
    #[arg(long, value_parser = ["opportunistic", "required", "implicit", "never"])]
    pub tls: Option<String>,
    #[arg(long, requires = "password_stdin")]
    pub login: Option<String>,
    #[arg(long, requires = "login")]
    pub password_stdin: bool,
    #[arg(long, value_parser = ["all", "list", "callout"])]
    pub accept: Option<String>,
    #[arg(long, requires = "accept")]
    pub accept_when_down: bool,
    #[arg(long, value_name = "HH:MM-HH:MM")]
    pub hours: Option<String>,
    #[arg(long, value_name = "DAYS")]
    pub expires: Option<u32>,
}

#[derive(Debug, Subcommand)]
pub enum Sending {
    Limit {
        scope: String,
        #[arg(long, value_name = "N")]
        per_hour: Option<u32>,
        #[arg(long, value_name = "N")]
        per_day: Option<u32>,
        #[arg(long, value_name = "N")]
        new_per_day: Option<u32>,
    },
    Limits,
    Forget {
        scope: String,
    },
    Held,
    Hold {
        address: String,
    },
    Release {
        address: String,
    },
}

#[derive(Debug, Subcommand)]
pub enum Elsewhere {
    Add {
        #[arg(value_name = "ADDRESS")]
        addresses: Vec<String>,
    },
    List {
        domain: String,
    },
    Remove {
        #[arg(value_name = "ADDRESS")]
        addresses: Vec<String>,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Form {
    Mbox,
    Maildir,
    Eml,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum ExportForm {
    Mbox,
    Maildir,
}

#[derive(Debug, Args)]
pub struct Import {
    pub form: Form,
    pub path: PathBuf,
    #[arg(long)]
    pub account: String,
    #[arg(long, default_value = "INBOX")]
    pub folder: String,
}

#[derive(Debug, Args)]
pub struct Export {
    pub form: ExportForm,
    pub path: PathBuf,
    #[arg(long)]
    pub account: String,
    #[arg(long)]
    pub folder: Option<String>,
}

#[derive(Debug, Clone, Args)]
pub struct Selection {
    #[arg(long)]
    pub sender: Option<String>,
    #[arg(long)]
    pub recipient: Option<String>,
    #[arg(long)]
    pub domain: Option<String>,
    #[arg(long, value_name = "TEXT")]
    pub why: Option<String>,
    #[arg(long, value_name = "AGE")]
    pub older: Option<String>,
    #[arg(long, value_name = "AGE")]
    pub newer: Option<String>,
    #[arg(long)]
    pub held: bool,
}

#[derive(Debug, Args)]
pub struct Entries {
    pub entries: Vec<u64>,
    #[arg(long)]
    pub all: bool,
    #[command(flatten)]
    pub selection: Selection,
}

#[derive(Debug, Subcommand)]
pub enum Queue {
    List(Selection),
    Show {
        entry: u64,
    },
    Retry(Entries),
    Hold(Entries),
    Release(Entries),
    Remove(Entries),
    Reroute {
        #[arg(long, value_name = "WAY")]
        to: String,
        #[command(flatten)]
        entries: Entries,
    },
}

#[derive(Debug, Subcommand)]
pub enum Move {
    List,
    Plan(MovePlan),
    Accounts {
        project: String,
        #[arg(long)]
        source: Option<String>,
        #[arg(long)]
        stdin: bool,
    },
    Check(MoveWhich),
    Trial(MoveWhich),
    Start(MoveWhich),
    Pause {
        project: String,
    },
    Resume {
        #[command(flatten)]
        which: MoveWhich,
        #[arg(long)]
        losses_are_meant: bool,
    },
    Retry(MoveWhich),
    Delta(MoveWhich),
    Status(MoveWhich),
    Verify {
        project: String,
        #[arg(value_name = "ADDRESS")]
        addresses: Vec<String>,
    },
    Report {
        project: String,
        #[arg(value_name = "ADDRESS")]
        addresses: Vec<String>,
        #[arg(long, default_value = "html", value_parser = ["html", "csv"])]
        format: String,
    },
}

#[derive(Debug, Args)]
pub struct MovePlan {
    pub project: String,
    #[arg(long, default_value = "old")]
    pub source: String,
    #[arg(id = "source_kind", long = "kind", default_value = "imap", value_parser = ["imap", "pop3", "maildir", "mbox", "eml"])]
    pub kind: String,
    #[arg(long, required_unless_present = "source_path")]
    pub host: Option<String>,
    #[arg(id = "source_path", long = "path", conflicts_with = "host")]
    pub path: Option<String>,
    #[arg(long)]
    pub port: Option<u16>,
    #[arg(long, default_value = "implicit", value_parser = ["implicit", "starttls", "implicit-any", "starttls-any", "none"])]
    pub tls: String,
    #[arg(long, default_value = "generic")]
    pub profile: String,
    #[arg(long, default_value_t = 2)]
    pub connections: u32,
}

#[derive(Debug, Args)]
pub struct MoveWhich {
    pub project: String,
    #[arg(value_name = "ADDRESS")]
    pub addresses: Vec<String>,
    #[arg(long)]
    pub wait: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum ScriptPlace {
    Active,
    Before,
    After,
    Off,
}

#[derive(Debug, Subcommand)]
pub enum Sieve {
    List {
        whose: String,
    },
    Show {
        whose: String,
        script_name: Option<String>,
    },
    Put {
        whose: String,
        script_name: String,
        #[arg(long)]
        file: Option<PathBuf>,
        #[arg(long)]
        place: Option<ScriptPlace>,
    },
    Activate {
        whose: String,
        script_name: String,
        #[arg(long, default_value = "active")]
        place: ScriptPlace,
    },
    Remove {
        whose: String,
        script_name: String,
    },
    Check {
        file: Option<PathBuf>,
    },
    Form {
        address: String,
        #[arg(long)]
        put: Option<PathBuf>,
    },
    Try(Trial),
    Apply(Applied),
    Job {
        address: String,
    },
    Cancel {
        address: String,
    },
}

#[derive(Debug, Args)]
pub struct Applied {
    pub address: String,
    #[arg(id = "newest", long = "last")]
    pub last: Option<usize>,
    #[arg(long, value_name = "FILE")]
    pub script: Option<PathBuf>,
    #[arg(long, default_value = "INBOX")]
    pub folder: String,
    #[arg(id = "wait_job", long = "wait")]
    pub wait: bool,
}

#[derive(Debug, Args)]
pub struct Trial {
    pub address: String,
    #[arg(long, default_value_t = 100)]
    pub last: usize,
    #[arg(long, value_name = "FILE")]
    pub script: Option<PathBuf>,
    #[arg(long, default_value = "INBOX")]
    pub folder: String,
}

/// Reads the command line; prints help or bad usage and ends the process by itself.
pub fn read(language: Language) -> Cli {
    let mut command = localised(Cli::command(), "", language);
    let matches = command.get_matches_mut();
    Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.format(&mut command).exit())
}

/// The command with help in one language.
fn localised(command: clap::Command, path: &str, language: Language) -> clap::Command {
    let find = |table: &'static [(&'static str, Line)], key: &str| {
        table.iter().find(|(known, _)| *known == key).map(|(_, line)| language.say(*line, &[])).unwrap_or_default()
    };
    let ids: Vec<clap::Id> = command.get_arguments().map(|argument| argument.get_id().clone()).collect();
    let mut command = command.about(find(COMMANDS, path));
    for id in ids.into_iter().filter(|id| *id != "help" && *id != "version") {
        let help = find(ARGUMENTS, id.as_str());
        command = command.mut_arg(id, |argument| argument.help(help));
    }
    let below: Vec<String> = command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    for name in below.into_iter().filter(|name| name != "help") {
        let path = if path.is_empty() { name.clone() } else { format!("{path} {name}") };
        command = command.mut_subcommand(name, |sub| localised(sub, &path, language));
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_and_argument_has_help_in_both_languages() {
        fn look(command: &clap::Command, path: &str) {
            assert!(COMMANDS.iter().any(|(known, _)| *known == path), "no help for {path:?}");
            for argument in
                command.get_arguments().filter(|a| !matches!(a.get_id().as_str(), "help" | "version" | "form"))
            {
                let id = argument.get_id().as_str();
                assert!(ARGUMENTS.iter().any(|(known, _)| *known == id), "no help for {id:?} of {path:?}");
            }
            for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
                let path = format!("{path} {}", sub.get_name());
                look(sub, path.trim_start());
            }
        }
        let command = Cli::command();
        command.clone().debug_assert();
        look(&command, "");
    }
}
