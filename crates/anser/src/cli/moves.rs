//! The commands on organisations that move in, as data.

use anser_migrate::which;
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
        #[arg(id = "accounts_wave", long = "wave", value_name = "WAVE", requires = "stdin")]
        wave: Option<String>,
        #[arg(long, conflicts_with = "stdin")]
        old_addresses: bool,
        #[arg(long, value_name = "DOMAIN", requires = "old_addresses")]
        old_domain: Option<String>,
        #[arg(id = "old_dry_run", long = "dry-run", requires = "old_addresses")]
        dry_run: bool,
    },
    Wave {
        project: String,
        #[arg(id = "wave_name", value_name = "WAVE")]
        wave: String,
        #[arg(value_name = "ADDRESS")]
        addresses: Vec<String>,
        #[arg(id = "wave_stdin", long = "stdin")]
        stdin: bool,
        #[arg(long, value_name = "FROM-TO")]
        hours: Option<String>,
        #[arg(id = "wave_out", long = "out")]
        out: bool,
        #[arg(id = "wave_remove", long = "remove", conflicts_with_all = ["wave_out", "hours", "addresses", "wave_stdin"])]
        remove: bool,
    },
    First {
        project: String,
        #[command(flatten)]
        chosen: MoveChosen,
    },
    Failed {
        project: String,
        #[command(flatten)]
        chosen: MoveChosen,
    },
    Undo {
        project: String,
        #[command(flatten)]
        chosen: MoveChosen,
        #[arg(id = "undo_all", long = "all")]
        all: bool,
        #[arg(id = "undo_yes", long = "yes")]
        yes: bool,
    },
    Runs {
        project: String,
        #[command(flatten)]
        chosen: MoveChosen,
    },
    Consent {
        #[command(flatten)]
        which: MoveWhich,
        #[arg(id = "oauth_client", long = "client", value_name = "ID")]
        client: String,
        #[arg(id = "oauth_tenant", long = "tenant", value_name = "ID")]
        tenant: Option<String>,
        #[arg(id = "oauth_endpoint", long = "endpoint", value_name = "URL")]
        endpoint: Option<String>,
        #[arg(id = "oauth_way", long = "way", default_value = "code", value_parser = ["code", "refresh", "application"])]
        way: String,
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
    Survey {
        project: String,
        #[command(flatten)]
        chosen: MoveChosen,
        #[arg(id = "survey_form", long = "form", value_name = "FILE")]
        form: Option<std::path::PathBuf>,
        #[arg(id = "survey_answer", long = "answer", value_name = "QUESTION=ANSWER")]
        answers: Vec<String>,
        #[arg(id = "survey_blank", long = "blank", conflicts_with_all = ["survey_form", "survey_answer"])]
        blank: bool,
    },
    Cutover {
        #[command(flatten)]
        which: MoveWhich,
        #[arg(id = "gates_check", long = "check")]
        check: bool,
        #[arg(long)]
        noticed: bool,
        #[arg(id = "gates_accept", long = "accept", value_name = "GATE")]
        accept: Vec<String>,
        #[arg(id = "move_close", long = "close", conflicts_with = "gates_check")]
        close: bool,
        #[arg(id = "move_probe", long = "probe", conflicts_with_all = ["gates_check", "move_close"])]
        probe: bool,
    },
    Ticket {
        project: String,
        #[arg(id = "ticket_open", long = "open", value_name = "TEXT", conflicts_with = "ticket_close")]
        open: Option<String>,
        #[arg(id = "ticket_close", long = "close", value_name = "NUMBER")]
        close: Option<u64>,
        #[arg(id = "ticket_answer", long = "answer", value_name = "TEXT", requires = "ticket_close")]
        answer: Option<String>,
    },
    Notify {
        project: String,
        #[command(flatten)]
        chosen: MoveChosen,
        #[arg(id = "notify_success", long = "success", required_unless_present = "notify_reminder")]
        success: bool,
        #[arg(id = "notify_reminder", long = "reminder", conflicts_with = "notify_success")]
        reminder: bool,
        #[arg(id = "notify_dry_run", long = "dry-run")]
        dry_run: bool,
    },
    Abandon {
        project: String,
        #[command(flatten)]
        chosen: MoveChosen,
        #[arg(id = "abandon_all", long = "all")]
        all: bool,
    },
    Rollback {
        #[command(flatten)]
        which: MoveWhich,
        #[arg(id = "rollback_dry_run", long = "dry-run")]
        dry_run: bool,
    },
    Status {
        #[command(flatten)]
        which: MoveWhich,
        #[arg(id = "move_watch", long = "watch", conflicts_with = "wait")]
        watch: bool,
    },
    Verify {
        project: String,
        #[command(flatten)]
        chosen: MoveChosen,
        #[arg(long, default_value = "2", value_parser = ["1", "2"])]
        level: String,
    },
    Report {
        project: String,
        #[command(flatten)]
        chosen: MoveChosen,
        #[arg(long, default_value = "html", value_parser = ["html", "csv", "json", "pdf"])]
        format: String,
        #[arg(id = "report_check", long = "check", value_name = "FILE")]
        check: Option<std::path::PathBuf>,
        #[arg(id = "report_documents", long = "documents", value_name = "DIR", conflicts_with = "report_check")]
        documents: Option<std::path::PathBuf>,
    },
}

#[derive(Debug, Args)]
pub struct MovePlan {
    pub project: String,
    #[arg(long, default_value = "old")]
    pub source: String,
    #[arg(id = "source_kind", long = "kind", default_value = "imap", value_parser = ["imap", "pop3", "jmap", "maildir", "mbox", "eml", "pst", "takeout", "cyrus"])]
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
    #[arg(id = "source_admin", long = "admin", value_name = "NAME")]
    pub admin: Option<String>,
    #[arg(long, default_value = "authzid", requires = "source_admin")]
    pub admin_form: String,
    #[arg(long, requires = "source_admin")]
    pub admin_password_stdin: bool,
    #[arg(long, value_parser = ["off", "until-cutover", "until-ready"])]
    pub pass_through: Option<String>,
    #[arg(id = "old_relay", long = "relay", value_name = "HOST:PORT")]
    pub relay: Option<String>,
    #[arg(long, value_name = "FROM-TO")]
    pub hours: Option<String>,
    #[arg(long, value_name = "SIZE")]
    pub bytes_per_day: Option<String>,
    #[arg(long, value_name = "true|false", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub skip_deleted: Option<bool>,
    #[arg(long, value_name = "ADDRESS")]
    pub shared: Option<String>,
    #[arg(long, value_name = "DAYS|unused")]
    pub keep_secrets: Option<String>,
}

#[derive(Debug, Args)]
pub struct MoveChosen {
    #[arg(value_name = "ADDRESS")]
    pub addresses: Vec<String>,
    #[arg(id = "move_wave", long = "wave", value_name = "WAVE")]
    pub waves: Vec<String>,
    #[arg(id = "move_state", long = "state", value_name = "STATE")]
    pub states: Vec<String>,
    #[arg(id = "move_trouble", long = "trouble", value_name = "CLASS")]
    pub troubles: Vec<String>,
}

impl MoveChosen {
    /// As acts take them.
    pub fn which(self) -> Vec<String> {
        let words = |kind: &'static str, all: Vec<String>| all.into_iter().map(move |one| format!("{kind}{one}"));
        let kinds = words(which::WAVE, self.waves)
            .chain(words(which::STATE, self.states))
            .chain(words(which::TROUBLE, self.troubles));
        self.addresses.into_iter().chain(kinds).collect()
    }
}

#[derive(Debug, Args)]
pub struct MoveWhich {
    pub project: String,
    #[command(flatten)]
    pub chosen: MoveChosen,
    #[arg(long)]
    pub wait: bool,
}
