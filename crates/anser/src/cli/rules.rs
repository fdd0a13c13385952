//! The commands on rules, as data.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

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
