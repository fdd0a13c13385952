//! How people sign in: their sessions, their second factors, the programs that may ask for grants, and the portals that vouch for them.

use anser_base::{Error, Result};
use anser_directory::{Client, Portal, SessionId};

use crate::acts::accounts::services_named;
use crate::answer::{ClientView, Item, Out, PortalView, Report, SecondFactorView, SessionView};
use crate::request::{ClientSpec, SignInAct};
use crate::{Actor, Admin};

impl Admin {
    /// Lists and ends sessions, shows and takes away second factors, says where they are required, registers clients and portals. Errors
    /// as for the functions of [`anser_directory::sessions`], [`anser_directory::second`], [`anser_directory::oauth`] and
    /// [`anser_directory::portals`].
    pub async fn sign_in(&self, actor: &Actor, what: SignInAct, out: &Out) -> Result<Report> {
        match what {
            SignInAct::Sessions { address } => self.sessions(&address, out).await,
            SignInAct::End { address, id } => self.end_sessions(actor, &address, id).await,
            SignInAct::SecondFactor { address } => self.second_factor(&address, out).await,
            SignInAct::Reset { address } => self.reset_second_factor(actor, &address).await,
            SignInAct::Require { scope, required } => {
                self.deps.directory.require_second_factor(&scope, required).await?;
                let after = Some(required.to_string());
                self.note(actor, "second-factor.require", &scope, None, after).await?;
                Ok(Report::Done)
            }
            SignInAct::Required => {
                for scope in self.deps.directory.second_factor_required().await? {
                    out.item(Item::Address(scope)).await?;
                }
                Ok(Report::Done)
            }
            SignInAct::ClientAdd { client } => self.add_client(actor, client).await,
            SignInAct::ClientList => {
                for client in self.deps.directory.clients().await? {
                    out.item(Item::Client(client_view(client))).await?;
                }
                Ok(Report::Done)
            }
            SignInAct::PortalAdd { id, scope, key } => {
                let portal = Portal { id: id.clone(), scope: scope.clone(), key };
                let secret = self.deps.directory.add_portal(portal).await?;
                self.note(actor, "portal.create", &id, None, Some(scope)).await?;
                Ok(Report::Registered { id, secret })
            }
            SignInAct::PortalList => {
                for Portal { id, scope, .. } in self.deps.directory.portals().await? {
                    out.item(Item::Portal(PortalView { id, scope })).await?;
                }
                Ok(Report::Done)
            }
            SignInAct::PortalRemove { id } => {
                self.deps.directory.remove_portal(&id).await?;
                self.note(actor, "portal.remove", &id, None, None).await?;
                Ok(Report::Done)
            }
            SignInAct::ClientRemove { id } => {
                self.deps.directory.remove_client(&id).await?;
                self.note(actor, "client.remove", &id, None, None).await?;
                Ok(Report::Done)
            }
        }
    }

    async fn sessions(&self, address: &str, out: &Out) -> Result<Report> {
        let account = self.account(address).await?;
        for one in self.deps.directory.sessions(account.id).await? {
            let view = SessionView {
                id: one.id.0,
                created: one.created.to_string(),
                seen: one.seen.to_string(),
                expires: one.expires.to_string(),
                device: one.device,
                source: one.source,
            };
            out.item(Item::Session(view)).await?;
        }
        Ok(Report::Done)
    }

    async fn end_sessions(&self, actor: &Actor, address: &str, id: Option<u64>) -> Result<Report> {
        let account = self.account(address).await?;
        let count = match id {
            Some(id) => self.deps.directory.end_session(account.id, SessionId(id)).await.map(|()| 1)?,
            None => self.deps.directory.end_sessions(account.id, None).await?,
        };
        self.note(actor, "session.end", address, None, Some(count.to_string())).await?;
        Ok(Report::Counted { count })
    }

    async fn second_factor(&self, address: &str, out: &Out) -> Result<Report> {
        let account = self.account(address).await?;
        let found = self.deps.directory.second_factor(account.id).await?;
        let recovery = found.recovery as u64;
        let (totp, passkeys, required) = (found.totp, found.passkeys as u64, found.required);
        let view = SecondFactorView { totp, passkeys, required, recovery };
        out.item(Item::SecondFactor(view)).await?;
        Ok(Report::Done)
    }

    async fn reset_second_factor(&self, actor: &Actor, address: &str) -> Result<Report> {
        let account = self.account(address).await?;
        if !self.deps.directory.remove_second_factor(account.id).await? {
            let (en, zh) = (format!("{address} has no second factor"), format!("{address} 未设置两步验证"));
            return Err(Error::not_found(en, zh));
        }
        self.note(actor, "second-factor.remove", address, None, None).await?;
        Ok(Report::Done)
    }

    async fn add_client(&self, actor: &Actor, spec: ClientSpec) -> Result<Report> {
        let ClientSpec { id, name, redirects, services, confidential } = spec;
        let services = services_named(&services)?;
        let client = Client { id: id.clone(), name, redirects, services, confidential };
        let secret = self.deps.directory.add_client(client).await?;
        self.note(actor, "client.create", &id, None, Some(services.names().join(","))).await?;
        Ok(Report::Registered { id, secret })
    }
}

fn client_view(client: Client) -> ClientView {
    let services = client.services.names().into_iter().map(str::to_owned).collect();
    let Client { id, name, redirects, confidential, .. } = client;
    ClientView { id, name, redirects, services, confidential }
}
