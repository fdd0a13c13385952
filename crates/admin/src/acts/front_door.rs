//! The front door of domains that move in.

use std::time::Duration;

use anser_base::{Error, Result};
use anser_directory::{FrontDoor, OldProtocol};

use crate::answer::{FrontDoorView, Item, Out, Report};
use crate::request::FrontDoorSpec;
use crate::{Actor, Admin};

impl Admin {
    /// Logins in a domain that our own credentials do not know are checked at its old server, for some days.
    pub async fn open_front_door(&self, actor: &Actor, spec: FrontDoorSpec) -> Result<Report> {
        let protocol = OldProtocol::from_word(&spec.protocol).ok_or_else(|| {
            Error::invalid(format!("there is no protocol {}", spec.protocol), format!("没有协议 {}", spec.protocol))
        })?;
        let until = self.deps.clock.now().after(Duration::from_secs(u64::from(spec.days) * 24 * 3600));
        let implicit = spec.tls.starts_with("implicit");
        let standard = match (protocol, implicit) {
            (OldProtocol::Imap, true) => 993,
            (OldProtocol::Imap, false) => 143,
            (OldProtocol::Pop3, true) => 995,
            (OldProtocol::Pop3, false) => 110,
            (OldProtocol::Smtp, true) => 465,
            (OldProtocol::Smtp, false) => 587,
            (OldProtocol::Ldap, true) => 636,
            (OldProtocol::Ldap, false) => 389,
            (OldProtocol::Http, true) => 443,
            (OldProtocol::Http, false) => 80,
        };
        let door = FrontDoor {
            domain: spec.domain.clone(),
            protocol,
            host: spec.host,
            port: spec.port.unwrap_or(standard),
            tls: spec.tls,
            target: spec.target,
            whole_address: spec.whole_address,
            until,
            tries: spec.tries,
            pattern: spec.create,
            most: spec.most,
            made: 0,
        };
        let target = door.target.as_ref().map(|target| format!(" {target}")).unwrap_or_default();
        let (protocol, host, port, tls) = (door.protocol.word(), &door.host, door.port, &door.tls);
        let after = format!("{protocol} {host}:{port}{target} {tls} until {until}");
        self.deps.directory.open_front_door(door).await?;
        self.note(actor, "front-door.open", &spec.domain, None, Some(after)).await?;
        Ok(Report::Done)
    }

    /// Logins in a domain are ours alone again.
    pub async fn close_front_door(&self, actor: &Actor, domain: &str) -> Result<Report> {
        self.deps.directory.close_front_door(domain).await?;
        self.note(actor, "front-door.close", domain, None, None).await?;
        Ok(Report::Done)
    }

    /// Every front door, by domain.
    pub async fn list_front_doors(&self, out: &Out) -> Result<Report> {
        let now = self.deps.clock.now();
        for door in self.deps.directory.front_doors().await? {
            let over = door.until <= now;
            let view = FrontDoorView {
                domain: door.domain,
                protocol: door.protocol.word().to_owned(),
                host: door.host,
                port: door.port,
                tls: door.tls,
                target: door.target,
                whole_address: door.whole_address,
                until: door.until.to_string(),
                over,
                tries: door.tries,
                create: door.pattern,
                most: door.most,
                made: door.made,
            };
            out.item(Item::FrontDoor(view)).await?;
        }
        Ok(Report::Done)
    }
}
