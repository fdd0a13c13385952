//! The commands on signing in, as data.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub enum SignIn {
    Sessions {
        address: String,
    },
    End {
        address: String,
        #[arg(id = "session", long, value_name = "NUMBER")]
        session: Option<u64>,
    },
    SecondFactor {
        address: String,
    },
    Reset {
        address: String,
    },
    Require {
        scope: String,
    },
    Free {
        scope: String,
    },
    Required,
    #[command(subcommand)]
    Client(OAuthClient),
    #[command(subcommand)]
    Portal(Portal),
    #[command(subcommand)]
    Provider(Provider),
    #[command(subcommand)]
    Rules(SignInRules),
    #[command(subcommand)]
    Look(Look),
}

#[derive(Debug, Subcommand)]
pub enum Look {
    Set(LookSet),
    List,
    Remove { scope: String },
}

#[derive(Debug, Args)]
pub struct LookSet {
    pub scope: String,
    #[arg(long, value_parser = ["paper", "card", "beside"])]
    pub layout: Option<String>,
    #[arg(long, value_name = "#RRGGBB")]
    pub colour: Option<String>,
    #[arg(id = "house_name", long = "name", value_name = "NAME")]
    pub name: Option<String>,
    #[arg(id = "house_name_en", long = "name-en", value_name = "NAME", requires = "house_name")]
    pub name_en: Option<String>,
    #[arg(id = "house_line", long = "line", value_name = "TEXT")]
    pub line: Option<String>,
    #[arg(id = "house_line_en", long = "line-en", value_name = "TEXT", requires = "house_line")]
    pub line_en: Option<String>,
    #[arg(id = "logo", long, value_name = "FILE")]
    pub logo: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub enum SignInRules {
    Set(RulesSet),
    List,
    Remove { scope: String },
}

#[derive(Debug, Args)]
pub struct RulesSet {
    pub scope: String,
    #[arg(long, value_name = "MINUTES")]
    pub idle: Option<u64>,
    #[arg(long, value_name = "HOURS")]
    pub longest: Option<u64>,
    #[arg(long, value_name = "CHARACTERS")]
    pub password_length: Option<usize>,
    #[arg(long, value_name = "KINDS")]
    pub password_kinds: Option<usize>,
    #[arg(id = "doors", long, value_delimiter = ',')]
    pub doors: Vec<String>,
}

#[derive(Debug, Subcommand)]
pub enum Provider {
    Add(ProviderAdd),
    List,
    Remove { provider: String },
    Link { provider: String, person: String, address: String },
    Unlink { provider: String, person: String },
}

#[derive(Debug, Args)]
pub struct ProviderAdd {
    pub provider: String,
    #[arg(id = "speaks_for", long = "for", value_name = "DOMAIN")]
    pub speaks_for: String,
    #[arg(id = "provider_url", long = "url", value_name = "URL")]
    pub url: String,
    #[arg(id = "provider_kind", long = "kind", default_value = "openid", value_parser = ["openid", "cas", "cas2"])]
    pub kind: String,
    #[arg(id = "provider_name", long = "name", default_value = "")]
    pub name: String,
    #[arg(id = "provider_client", long = "client", default_value = "")]
    pub client: String,
    #[arg(long)]
    pub secret_stdin: bool,
    #[arg(long, default_value = "")]
    pub claim: String,
    #[arg(long, default_value = "address", value_parser = ["address", "user", "linked"])]
    pub names: String,
    #[arg(id = "no_login_password", long = "no-password")]
    pub no_password: bool,
    #[arg(long)]
    pub no_second_factor: bool,
}

#[derive(Debug, Subcommand)]
pub enum Portal {
    Add {
        portal: String,
        #[arg(id = "vouches_for", long = "for", value_name = "DOMAIN")]
        vouches_for: String,
        #[arg(id = "public_key", long = "key", value_name = "KEY")]
        public_key: Option<String>,
    },
    List,
    Remove {
        portal: String,
    },
}

#[derive(Debug, Subcommand)]
pub enum OAuthClient {
    Add(ClientAdd),
    List,
    Remove { client: String },
}

#[derive(Debug, Args)]
pub struct ClientAdd {
    pub client: String,
    #[arg(long, default_value = "")]
    pub name: String,
    #[arg(long, value_name = "URI")]
    pub redirect: Vec<String>,
    #[arg(long, value_delimiter = ',')]
    pub services: Vec<String>,
    #[arg(long)]
    pub confidential: bool,
}

#[derive(Debug, Subcommand)]
pub enum Admin {
    #[command(subcommand)]
    Token(AdminToken),
}

#[derive(Debug, Subcommand)]
pub enum AdminToken {
    Add {
        #[arg(id = "admin_token")]
        name: String,
        #[arg(id = "admin_scope", long = "scope", value_delimiter = ',', required = true)]
        scopes: Vec<String>,
        #[arg(id = "admin_move", long = "move", value_name = "PROJECT")]
        of_move: Option<String>,
        #[arg(id = "admin_days", long = "days", default_value_t = 90)]
        days: u32,
    },
    List,
    Revoke {
        #[arg(id = "admin_token")]
        name: String,
    },
}
