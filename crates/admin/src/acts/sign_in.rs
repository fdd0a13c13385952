//! How people sign in: their sessions, their second factors, the programs that may ask for grants, and the portals that vouch for them.

use std::time::Duration;

use anser_base::{Error, Result, Text};
use anser_directory::looks::{Colour, Layout, Look, logo_type};
use anser_directory::{Client, Names, Portal, Provider, ProviderKind, Rules, SessionId};

use crate::acts::accounts::services_named;
use crate::answer::{ClientView, Item, LookView, Out, PortalView, Report, SecondFactorView, SessionView};
use crate::request::{ClientSpec, LookSpec, Plain, ProviderSpec, SignInAct, SignInRules};
use crate::{Actor, Admin, parse};

impl Admin {
    /// Lists and ends sessions, shows and takes away second factors, says where they are required, registers clients, portals and providers. Errors
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
            SignInAct::RulesSet { rules } => {
                let (scope, after) = (rules.scope.clone(), format!("{rules:?}"));
                self.deps.directory.set_rules(rules_of(rules)?).await?;
                self.note(actor, "sign-in.rules", &scope, None, Some(after)).await?;
                Ok(Report::Done)
            }
            SignInAct::RulesList => {
                for rules in self.deps.directory.rules().await? {
                    out.item(Item::SignInRules(rules_view(rules))).await?;
                }
                Ok(Report::Done)
            }
            SignInAct::RulesRemove { scope } => {
                if !self.deps.directory.remove_rules(&scope).await? {
                    let (en, zh) = (format!("{scope} has no rules"), format!("{scope} 没有规则"));
                    return Err(Error::not_found(en, zh));
                }
                self.note(actor, "sign-in.rules", &scope, None, None).await?;
                Ok(Report::Done)
            }
            SignInAct::LookSet { look } => {
                let look = look_of(look)?;
                let LookView { scope, layout, colour, name, logo, .. } = look_view(&look);
                self.deps.directory.set_look(look).await?;
                let parts = [layout, colour, name.map(|name| name.join(" / ")), logo];
                let after = parts.into_iter().flatten().collect::<Vec<_>>().join(" ");
                self.note(actor, "sign-in.look", &scope, None, Some(after)).await?;
                Ok(Report::Done)
            }
            SignInAct::LookList => {
                for look in self.deps.directory.looks().await? {
                    out.item(Item::Look(look_view(&look))).await?;
                }
                Ok(Report::Done)
            }
            SignInAct::LookRemove { scope } => {
                if !self.deps.directory.remove_look(&scope).await? {
                    let (en, zh) = (format!("{scope} has no look of its own"), format!("{scope} 没有自己的登录页样式"));
                    return Err(Error::not_found(en, zh));
                }
                self.note(actor, "sign-in.look", &scope, None, None).await?;
                Ok(Report::Done)
            }
            SignInAct::ProviderAdd { provider, secret } => self.add_provider(actor, provider, secret).await,
            SignInAct::ProviderList => {
                for provider in self.deps.directory.providers().await? {
                    out.item(Item::Provider(provider_view(provider))).await?;
                }
                Ok(Report::Done)
            }
            SignInAct::ProviderRemove { id } => {
                self.deps.directory.remove_provider(&id).await?;
                self.note(actor, "provider.remove", &id, None, None).await?;
                Ok(Report::Done)
            }
            SignInAct::ProviderLink { id, person, address } => {
                let account = address.as_deref().map(parse).transpose()?;
                self.deps.directory.link_person(&id, &person, account.as_ref()).await?;
                self.note(actor, "provider.link", &format!("{id} {person}"), None, address).await?;
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

    async fn add_provider(&self, actor: &Actor, spec: ProviderSpec, secret: Option<Plain>) -> Result<Report> {
        let provider = Provider {
            kind: ProviderKind::of_word(&spec.kind).ok_or_else(|| unknown(&spec.kind))?,
            names: Names::of_word(&spec.names).ok_or_else(|| unknown(&spec.names))?,
            id: spec.id,
            name: spec.name,
            scope: spec.scope,
            url: spec.url,
            client: spec.client,
            claim: spec.claim,
            password: spec.password,
            second: spec.second_factor,
        };
        let (id, after) = (provider.id.clone(), format!("{} {}", provider.scope, provider.url));
        let secret = secret.map(|secret| String::from_utf8(secret.0)).transpose();
        let secret = secret.map_err(|_| Error::invalid("the secret is no text", "密钥不是文本"))?;
        self.deps.directory.add_provider(provider, secret.as_deref()).await?;
        self.note(actor, "provider.create", &id, None, Some(after)).await?;
        Ok(Report::Registered { id, secret: None })
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

fn look_of(spec: LookSpec) -> Result<Look> {
    let LookSpec { scope, layout, colour, name, line, logo } = spec;
    let layout = layout.map(|word| Layout::of_word(&word).ok_or_else(|| unknown(&word))).transpose()?;
    let colour = colour.map(|text| Colour::parse(&text).ok_or_else(no_colour)).transpose()?;
    let text = |said: [String; 2]| {
        let [zh, en] = said;
        Text::new(en, zh)
    };
    Ok(Look { scope, layout, colour, name: name.map(text), line: line.map(text), logo })
}

fn look_view(look: &Look) -> LookView {
    let said = |text: &Text| [text.zh.to_string(), text.en.to_string()];
    LookView {
        scope: look.scope.clone(),
        layout: look.layout.map(|layout| layout.as_str().to_owned()),
        colour: look.colour.map(|colour| colour.to_string()),
        name: look.name.as_ref().map(said),
        line: look.line.as_ref().map(said),
        logo: look.logo.as_deref().and_then(logo_type).map(str::to_owned),
    }
}

fn unknown(word: &str) -> Error {
    Error::invalid(format!("{word} is not known here"), format!("无法识别 {word}"))
}

fn no_colour() -> Error {
    Error::invalid("a colour is written #rrggbb", "颜色须写作 #rrggbb")
}

fn rules_of(rules: SignInRules) -> Result<Rules> {
    let SignInRules { scope, idle_minutes, longest_hours, password_length, password_kinds, services } = rules;
    let services = (!services.is_empty()).then(|| services_named(&services)).transpose()?;
    let life = |number: Option<u64>, unit: u64| number.map(|number| Duration::from_secs(number.saturating_mul(unit)));
    let (idle, longest) = (life(idle_minutes, 60), life(longest_hours, 3600));
    Ok(Rules { scope, idle, longest, length: password_length, kinds: password_kinds, services })
}

fn rules_view(rules: Rules) -> SignInRules {
    let Rules { scope, idle, longest, length, kinds, services } = rules;
    let services = services.map(|services| services.names().into_iter().map(str::to_owned).collect());
    SignInRules {
        scope,
        idle_minutes: idle.map(|idle| idle.as_secs() / 60),
        longest_hours: longest.map(|longest| longest.as_secs() / 3600),
        password_length: length,
        password_kinds: kinds,
        services: services.unwrap_or_default(),
    }
}

fn provider_view(provider: Provider) -> ProviderSpec {
    let Provider { id, name, scope, kind, url, client, claim, names, password, second } = provider;
    let (kind, names) = (kind.as_str().to_owned(), names.as_str().to_owned());
    ProviderSpec { id, name, scope, kind, url, client, claim, names, password, second_factor: second }
}

fn client_view(client: Client) -> ClientView {
    let services = client.services.names().into_iter().map(str::to_owned).collect();
    let Client { id, name, redirects, confidential, .. } = client;
    ClientView { id, name, redirects, services, confidential }
}
