//! The commands on domains: their records, keys, and where logins are checked while they move in, as data.

use clap::{Args, Subcommand};

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
    #[arg(long, default_value = "imap", value_parser = ["imap", "pop3", "smtp", "ldap", "http"])]
    pub protocol: String,
    #[arg(id = "old_tls", long = "tls", default_value = "implicit", value_parser = ["implicit", "starttls", "implicit-any", "starttls-any", "none"])]
    pub tls: String,
    #[arg(id = "old_target", long = "target", value_name = "NAME|PATH")]
    pub target: Option<String>,
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
