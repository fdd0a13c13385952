//! The command on reports of other servers, as data.

use clap::Args;

#[derive(Debug, Args)]
pub struct Reports {
    #[arg(value_name = "DOMAIN")]
    pub domain: Option<String>,
    #[arg(id = "report_kind", long = "kind", value_parser = ["dmarc", "tls"])]
    pub kind: Option<String>,
    #[arg(id = "report_days", long = "days", value_name = "DAYS", default_value_t = 30)]
    pub days: u32,
    #[arg(long)]
    pub each: bool,
}
