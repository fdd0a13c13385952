//! The commands on organisations that move in, as data.

use clap::{Args, Subcommand};

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
    #[arg(id = "source_kind", long = "kind", default_value = "imap", value_parser = ["imap", "pop3", "maildir", "mbox", "eml", "takeout"])]
    pub kind: String,
    #[arg(long)]
    pub host: Option<String>,
    #[arg(id = "source_path", long = "path", conflicts_with = "host")]
    pub path: Option<String>,
    #[arg(long)]
    pub port: Option<u16>,
    #[arg(long, default_value = "implicit", value_parser = ["implicit", "starttls", "implicit-any", "starttls-any", "none"])]
    pub tls: String,
    #[arg(long)]
    pub profile: Option<String>,
    #[arg(long)]
    pub connections: Option<u32>,
}

#[derive(Debug, Args)]
pub struct MoveWhich {
    pub project: String,
    #[arg(value_name = "ADDRESS")]
    pub addresses: Vec<String>,
    #[arg(long)]
    pub wait: bool,
}
