//! The command line, as data: here what concerns the whole server, in a file of its own each noun that has verbs.

mod domain;
mod feedback;
mod moves;
mod outward;
mod people;
mod rules;
mod sign_in;

use std::path::PathBuf;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

pub use domain::*;
pub use feedback::*;
pub use moves::*;
pub use outward::*;
pub use people::*;
pub use rules::*;
pub use sign_in::*;

use crate::help::{ARGUMENTS, COMMANDS};
use crate::text::{Language, Line};

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
    #[command(subcommand)]
    SignIn(SignIn),
    Reports(Reports),
    #[command(subcommand)]
    Queue(Queue),
    #[command(subcommand)]
    Move(Move),
    #[command(subcommand)]
    Sieve(Sieve),
    #[command(subcommand)]
    Admin(Admin),
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
    #[arg(long, value_name = "URL")]
    pub tokens: Option<String>,
    #[arg(long, num_args = 1..=2, value_names = ["ENGINE", "URL"])]
    pub engine: Vec<String>,
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
    Eml,
    Tgz,
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
    #[arg(value_name = "ADDRESS", requires = "export_move")]
    pub addresses: Vec<String>,
    #[arg(long, required_unless_present = "export_move", conflicts_with = "export_move")]
    pub account: Option<String>,
    #[arg(long)]
    pub folder: Option<String>,
    #[arg(id = "export_move", long = "move", value_name = "MOVE", conflicts_with = "folder")]
    pub of_move: Option<String>,
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
