//! What a person wishes of a move of his own, and what may be wrong with it.

use anser_base::{Error, MailboxId, Result};

use super::{Choice, discover};
use crate::acts::Password;
use crate::model::{Kind, Source, Tls};
use crate::profile;

/// Minutes between two passes, at least and at most.
pub const EVERY: (u32, u32) = (15, 7 * 24 * 60);
/// Characters of a name, an address, or a password.
const LONGEST: usize = 320;

/// What a person wishes.
#[derive(Clone, Debug)]
pub struct Wish {
    /// The address of the other mailbox.
    pub email: String,
    /// IMAP, POP3 or JMAP.
    pub kind: Kind,
    /// Its server.
    pub host: String,
    /// The port there.
    pub port: u16,
    /// How the way there is protected: whatever certificate will not do.
    pub tls: Tls,
    /// The name to log in with.
    pub login: String,
    /// The password; `None` where its owner signs in at the provider.
    pub password: Option<Password>,
    /// Minutes between two passes; `None` for one pass only.
    pub every: Option<u32>,
    /// The mailbox that takes everything; `None` for folders as they are there.
    pub target: Option<MailboxId>,
    /// Which folders come, and what each is for.
    pub choice: Choice,
    /// Whether it waits for its owner to start it.
    pub is_paused: bool,
}

/// What changes.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// Stop, or begin again at once.
    pub paused: Option<bool>,
    /// Another password.
    pub password: Option<Password>,
    /// Minutes between two passes, or none.
    pub every: Option<Option<u32>>,
    /// Which folders come, and what each is for, from the next pass on.
    pub choice: Option<Choice>,
}

impl Wish {
    /// [`Class::Invalid`](anser_base::Class::Invalid) in words for whoever filled the form in.
    pub(super) fn check(&self) -> Result<()> {
        let plain = |text: &str| (1..=LONGEST).contains(&text.len()) && !text.contains(char::is_control);
        if !plain(&self.email) || !plain(&self.login) || !plain(&self.host) || self.port == 0 {
            return Err(Error::invalid(
                "the server, its port and the name there are needed",
                "请填写服务器、端口和用户名",
            ));
        }
        if self.kind.is_files() || !matches!(self.tls, Tls::Implicit | Tls::Starttls | Tls::None) {
            return Err(Error::invalid(
                "mail comes from a server by IMAP, POP3 or JMAP",
                "只能通过 IMAP、POP3 或 JMAP 从服务器收取",
            ));
        }
        self.password.as_ref().map_or(Ok(()), check_password)?;
        check_every(self.every)
    }

    /// The server as its move knows it.
    pub(super) fn source(&self) -> Source {
        let known = profile::by_host(&self.host).or_else(|| discover::by_domain(&self.email));
        let profile = known.map_or(profile::GENERIC, |known| known.name.as_str()).to_owned();
        let (id, name, connections) = (0, "other".to_owned(), 1);
        Source {
            id,
            name,
            kind: self.kind,
            host: self.host.clone(),
            port: self.port,
            tls: self.tls,
            profile,
            connections,
            admin: None,
            rules: Default::default(),
        }
    }
}

pub(super) fn check_password(password: &Password) -> Result<()> {
    match (1..=LONGEST).contains(&password.0.len()) && !password.0.contains(&0) {
        true => Ok(()),
        false => Err(Error::invalid("a password is needed", "请填写密码")),
    }
}

pub(super) fn check_every(every: Option<u32>) -> Result<()> {
    let (least, most) = EVERY;
    match every.is_none_or(|every| (least..=most).contains(&every)) {
        true => Ok(()),
        false => Err(Error::invalid("mail is fetched every 15 minutes to every 7 days", "收取间隔须为 15 分钟至 7 天")),
    }
}
