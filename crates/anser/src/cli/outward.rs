//! The commands on mail that leaves: its ways, its limits, its queue, as data.

use clap::{Args, Subcommand};

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
