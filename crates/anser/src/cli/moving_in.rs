//! The commands on people who move in, and on where their logins are checked, as data.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

#[derive(Debug, Subcommand)]
pub enum FrontDoor {
    Open(FrontDoorOpen),
    List,
    Close { domain: String },
}

#[derive(Debug, Args)]
pub struct FrontDoorOpen {
    pub domain: String,
    #[arg(id = "old_host", long = "host")]
    pub host: String,
    #[arg(id = "old_port", long = "port")]
    pub port: Option<u16>,
    #[arg(long, default_value = "imap", value_parser = ["imap", "pop3", "smtp"])]
    pub protocol: String,
    #[arg(id = "old_tls", long = "tls", default_value = "implicit", value_parser = ["implicit", "starttls", "implicit-any", "starttls-any", "none"])]
    pub tls: String,
    #[arg(long)]
    pub bare_user: bool,
    #[arg(long, default_value_t = 30)]
    pub days: u32,
    #[arg(long, default_value_t = 10)]
    pub tries: u32,
    #[arg(long, value_name = "PATTERN", requires = "most")]
    pub create: Option<String>,
    #[arg(long, requires = "create", default_value_t = 0)]
    pub most: u32,
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
    #[arg(long, value_name = "FILE")]
    pub slips: Option<PathBuf>,
}
