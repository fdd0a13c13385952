//! The commands on signing in, as data.

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
