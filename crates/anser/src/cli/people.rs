//! The commands on people and their addresses, as data.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

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

/// How somebody gets in whom an old system gives no password for.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum First {
    Random,
    Formula,
    None,
}

#[derive(Debug, Args)]
pub struct AccountImport {
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    #[arg(id = "file_format", long = "format", value_parser = ["csv", "ldif", "passwd", "shadow", "dovecot", "sql"])]
    pub format: Option<String>,
    #[arg(long)]
    pub domain: Option<String>,
    #[arg(long)]
    pub dry_run: bool,
    #[arg(long)]
    pub add_domains: bool,
    #[arg(long, default_value = "random")]
    pub passwords: First,
    #[arg(long)]
    pub keep_passwords: bool,
    #[arg(id = "import_move", long = "move", value_name = "MOVE")]
    pub of_move: Option<String>,
    #[arg(long, value_name = "FILE")]
    pub slips: Option<PathBuf>,
}
