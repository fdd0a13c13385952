//! Tokens that acts are done by over HTTP.

use std::time::Duration;

use anser_base::{Error, Result};
use anser_directory::AdminScope;

use crate::answer::{AdminTokenView, Item, Out, Report};
use crate::request::TokenAct;
use crate::{Actor, Admin};

impl Admin {
    /// Makes, lists and revokes tokens. Errors as for [`anser_directory::admin_tokens`].
    pub async fn admin_token(&self, actor: &Actor, what: TokenAct, out: &Out) -> Result<Report> {
        let directory = &self.deps.directory;
        match what {
            TokenAct::Add { name, scopes, of_move, days } => {
                let named: Vec<AdminScope> = scopes.iter().map(|word| scope_named(word)).collect::<Result<_>>()?;
                let life = Duration::from_secs(u64::from(days) * 24 * 3600);
                let secret = directory.add_admin_token(&name, &named, of_move.as_deref(), life).await?;
                let only = of_move.map(|of| format!(" {of}")).unwrap_or_default();
                let after = format!("{}{only} {days}", scopes.join(" "));
                self.note(actor, "admin-token.create", &name, None, Some(after)).await?;
                Ok(Report::Registered { id: name, secret: Some(secret) })
            }
            TokenAct::List => {
                let now = self.deps.clock.now();
                for one in directory.admin_tokens().await? {
                    let view = AdminTokenView {
                        scopes: one.scopes.iter().map(|scope| scope.word().to_owned()).collect(),
                        of_move: one.of_move,
                        created: one.created.to_string(),
                        expires: one.expires.to_string(),
                        last_used: one.last_used.map(|at| at.to_string()),
                        over: now >= one.expires,
                        name: one.name,
                    };
                    out.item(Item::AdminToken(view)).await?;
                }
                Ok(Report::Done)
            }
            TokenAct::Revoke { name } => {
                directory.revoke_admin_token(&name).await?;
                self.note(actor, "admin-token.remove", &name, None, None).await?;
                Ok(Report::Done)
            }
        }
    }
}

fn scope_named(word: &str) -> Result<AdminScope> {
    AdminScope::from_word(word).ok_or_else(|| {
        let known: Vec<&str> = AdminScope::ALL.iter().map(|scope| scope.word()).collect();
        let known = known.join(" ");
        Error::invalid(format!("{word} is no scope; there are {known}"), format!("没有权限范围 {word}；可用：{known}"))
    })
}
