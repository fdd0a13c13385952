//! One exchange of SASL (RFC 4422) for every door: the door carries challenges and responses, this knows the mechanisms.
//!
//! ```text
//! door: AUTHENTICATE name [initial] ─▶ Exchange::begin ──▶ Step::Challenge ─▶ door sends it, reads the response
//!                                             ▲                                      │
//!                                             └──────── Exchange::respond ◀──────────┘
//!                                                             │
//!                                                             └▶ Step::Done: a Login, or an AuthFailure
//! ```
//!
//! | mechanism | RFC | messages of the client |
//! |---|---|---|
//! | SCRAM-SHA-256-PLUS, SCRAM-SHA-256 | 5802, 7677; bindings 9266, 5929 | first, final, an empty one for the server's signature |
//! | OAUTHBEARER | 7628 | the token; after an error one more, which is not looked at |
//! | XOAUTH2 | Google's forerunner of it | the same |
//! | PLAIN | 4616 | name and password |
//! | LOGIN | none: what old clients know | the name, the password |
//!
//! The tokens are the server's own ([`Directory::add_app_password`]). A failure before its last message, an error of
//! the OAuth mechanisms, is counted before the client hears of it; the delay comes with the end.

use std::net::IpAddr;
use std::time::Duration;

use anser_base::{Class, Entropy, Error, Text};
use anser_net::{ChannelBinding as Channel, Stream};
use anser_wire::sasl::{
    ChannelBinding, ClientFinal, ClientFirst, LOGIN_PASSWORD_PROMPT, LOGIN_USER_PROMPT, NAME_MAX, OAuthBearer, Plain,
    SaslError, ServerFirst, XOAuth2, oauth_error, server_final,
};

use crate::login::{Attempt, Login};
use crate::model::Service;
use crate::names::LoginName;
use crate::refusal::{AuthFailure, Refusal};
use crate::scram::ScramLookup;
use crate::{Directory, names};

/// Characters of the server's part of a SCRAM nonce, 5 random bits each.
const NONCE: usize = 32;

/// The client of a login, and how it is connected.
#[derive(Clone, Debug)]
pub struct Peer {
    /// The door that it came to.
    pub service: Service,
    /// Its address.
    pub source: IpAddr,
    /// What a login can be bound to; `None` without TLS.
    pub channel: Option<Channel>,
    /// Whether SCRAM is offered: not while passwords are learnt at a front door, which needs to see them. It is taken all the same,
    /// from clients that know their account to have keys.
    pub scram: bool,
}

impl Peer {
    /// The client at the other end of a connection.
    pub fn of(directory: &Directory, stream: &Stream, service: Service) -> Self {
        let channel = stream.tls_info().map(|tls| tls.binding.clone());
        Self { service, source: stream.peer_addr().ip(), channel, scram: !directory.learns_passwords() }
    }

    /// A password of this client, for [`Directory::authenticate`].
    pub fn attempt<'a>(&self, name: &'a [u8], password: &'a [u8]) -> Attempt<'a> {
        Attempt { name, password, service: self.service, source: self.source, tls: self.channel.is_some() }
    }

    /// Whether the connection has anything to bind to.
    fn can_bind(&self) -> bool {
        self.channel.as_ref().is_some_and(|it| it.exporter.is_some() || it.server_end_point.is_some())
    }

    /// The octets of a channel binding by its name (RFC 5056 §7.1); `None` when the connection has no such one.
    fn binding(&self, name: &str) -> Option<Vec<u8>> {
        let channel = self.channel.as_ref()?;
        match name {
            "tls-exporter" => channel.exporter.map(Vec::from),
            "tls-server-end-point" => channel.server_end_point.clone(),
            _ => None,
        }
    }
}

/// A way to log in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mechanism {
    /// SCRAM-SHA-256-PLUS: bound to the TLS channel.
    ScramSha256Plus,
    /// SCRAM-SHA-256.
    ScramSha256,
    /// OAUTHBEARER.
    OAuthBearer,
    /// XOAUTH2.
    XOAuth2,
    /// PLAIN.
    Plain,
    /// LOGIN.
    Login,
}

impl Mechanism {
    /// All, the strongest first.
    const ALL: [(Self, &'static str); 6] = [
        (Self::ScramSha256Plus, "SCRAM-SHA-256-PLUS"),
        (Self::ScramSha256, "SCRAM-SHA-256"),
        (Self::OAuthBearer, "OAUTHBEARER"),
        (Self::XOAuth2, "XOAUTH2"),
        (Self::Plain, "PLAIN"),
        (Self::Login, "LOGIN"),
    ];

    /// What a client on this connection may use, the strongest first; whether it may log in at all is the door's to say.
    pub fn offered(peer: &Peer) -> impl Iterator<Item = &'static str> {
        let scram = peer.scram;
        let is_scram = |one: Self| matches!(one, Self::ScramSha256 | Self::ScramSha256Plus);
        Self::taken(peer).filter(move |(one, _)| scram || !is_scram(*one)).map(|(_, name)| *name)
    }

    /// What is understood on this connection, whether or not it is offered.
    fn taken(peer: &Peer) -> impl Iterator<Item = &'static (Self, &'static str)> {
        let binds = peer.can_bind();
        Self::ALL.iter().filter(move |(one, _)| binds || *one != Self::ScramSha256Plus)
    }

    /// A mechanism that is taken, by its name in upper case.
    pub fn named(name: &str, peer: &Peer) -> Option<Self> {
        Self::taken(peer).find(|(_, known)| *known == name).map(|(one, _)| *one)
    }

    /// Its registered name.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(one, _)| *one == self).map_or("", |(_, name)| name)
    }
}

/// What the door does next.
#[derive(Debug)]
pub enum Step {
    /// Send this challenge; hand the client's response to [`Exchange::respond`].
    Challenge(Vec<u8>),
    /// The end. After a failure wait [`AuthFailure::delay`], then answer.
    Done(Result<Login, AuthFailure>),
    /// The end: the client's message does not follow its mechanism. Nothing was looked at.
    Malformed(Text),
    /// The end: the client gave up.
    Cancelled,
}

/// One exchange.
pub struct Exchange {
    directory: Directory,
    peer: Peer,
    mechanism: Mechanism,
    user: String,
    state: State,
}

enum State {
    /// The client speaks next, and has said nothing.
    Begun,
    /// LOGIN: the password comes next.
    Named,
    /// SCRAM: client-final comes next.
    Offered(Box<Offered>),
    /// SCRAM: the signature was sent, the client agrees or not.
    Signed(Login),
    /// OAuth: the error was sent, and whatever comes is the end.
    Refused(AuthFailure),
    Over,
}

struct Offered {
    first: ClientFirst,
    channel: Vec<u8>,
    lookup: ScramLookup,
    server: ServerFirst,
}

/// What ends an exchange early.
enum End {
    Malformed(SaslError),
    Failed(AuthFailure),
}

impl From<SaslError> for End {
    fn from(error: SaslError) -> Self {
        Self::Malformed(error)
    }
}

impl From<AuthFailure> for End {
    fn from(failure: AuthFailure) -> Self {
        Self::Failed(failure)
    }
}

impl Exchange {
    /// An exchange that has not begun.
    pub fn new(directory: &Directory, mechanism: Mechanism, peer: Peer) -> Self {
        Self { directory: directory.clone(), peer, mechanism, user: String::new(), state: State::Begun }
    }

    /// Who the client says that it is, so far; for the journal.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// Which mechanism it is.
    pub fn mechanism(&self) -> Mechanism {
        self.mechanism
    }

    /// Whether the last challenge is what goes along with success: a door whose positive answer has a place for it may respond to it
    /// with nothing at once, and send it there (RFC 4422 §3.6).
    pub fn is_proven(&self) -> bool {
        matches!(self.state, State::Signed(_))
    }

    /// Begins, with the initial response if the client sent one with its command (RFC 4422 §3).
    pub async fn begin(&mut self, initial: Option<&[u8]>) -> Step {
        match (initial, self.mechanism) {
            (Some(initial), _) => self.respond(Some(initial)).await,
            (None, Mechanism::Login) => Step::Challenge(LOGIN_USER_PROMPT.into()),
            (None, _) => Step::Challenge(Vec::new()),
        }
    }

    /// Takes the response to a challenge, after base64 decoding; `None` when the client gave up (`*`).
    pub async fn respond(&mut self, response: Option<&[u8]>) -> Step {
        let state = std::mem::replace(&mut self.state, State::Over);
        match (state, response) {
            (State::Refused(failure), _) => Step::Done(Err(failure)),
            (State::Over, _) | (_, None) => Step::Cancelled,
            (State::Signed(login), Some(_)) => Step::Done(Ok(login)),
            (state, Some(response)) => match self.advance(state, response).await {
                Ok(step) => step,
                Err(End::Failed(failure)) => Step::Done(Err(failure)),
                Err(End::Malformed(error)) => Step::Malformed(Text::new(error.text, "认证数据格式错误")),
            },
        }
    }

    async fn advance(&mut self, state: State, response: &[u8]) -> Result<Step, End> {
        match (state, self.mechanism) {
            (State::Named, _) => self.login_password(response).await,
            (State::Offered(offered), _) => self.scram_final(*offered, response).await,
            (_, Mechanism::Login) => self.login_name(response),
            (_, Mechanism::Plain) => self.plain(response).await,
            (_, Mechanism::OAuthBearer | Mechanism::XOAuth2) => self.token(response).await,
            (_, Mechanism::ScramSha256 | Mechanism::ScramSha256Plus) => self.scram_first(response).await,
        }
    }

    async fn plain(&mut self, message: &[u8]) -> Result<Step, End> {
        let plain = Plain::parse(message)?;
        self.user = plain.authcid;
        let attempt = self.peer.attempt(self.user.as_bytes(), plain.password.as_bytes());
        let login = self.directory.authenticate(attempt).await?;
        Ok(Step::Done(Ok(self.only_self(login, &plain.authzid)?)))
    }

    fn login_name(&mut self, name: &[u8]) -> Result<Step, End> {
        let name = str::from_utf8(name).ok().filter(|name| is_name(name));
        self.user = name.ok_or(SaslError { text: "Bad user name" })?.to_owned();
        self.state = State::Named;
        Ok(Step::Challenge(LOGIN_PASSWORD_PROMPT.into()))
    }

    async fn login_password(&mut self, password: &[u8]) -> Result<Step, End> {
        if password.is_empty() || password.len() > NAME_MAX {
            return Err(SaslError { text: "Empty or over-long password" }.into());
        }
        let attempt = self.peer.attempt(self.user.as_bytes(), password);
        Ok(Step::Done(Ok(self.directory.authenticate(attempt).await?)))
    }

    /// Nobody acts for somebody else.
    fn only_self(&self, login: Login, authzid: &str) -> Result<Login, AuthFailure> {
        let is_own = match LoginName::parse(authzid.as_bytes()) {
            None => authzid.is_empty(),
            Some(LoginName::Full(address)) => address == names::key(&login.account.address),
            Some(LoginName::Bare(_)) => false,
        };
        if is_own || authzid.eq_ignore_ascii_case(&self.user) {
            return Ok(login);
        }
        let error = Error::new(Class::Forbidden, "you may act for yourself only", "只能以本人身份登录");
        Err(AuthFailure { reason: Refusal::NotYourself, delay: Duration::ZERO, error })
    }
}

/// Somebody may be in between.
fn unbound() -> AuthFailure {
    let error = Error::new(Class::Unauthenticated, "the channel binding does not fit", "信道绑定不匹配");
    AuthFailure { reason: Refusal::Wrong, delay: Duration::ZERO, error }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= NAME_MAX && !name.chars().any(char::is_control)
}

/// OAUTHBEARER and XOAUTH2.
impl Exchange {
    async fn token(&mut self, message: &[u8]) -> Result<Step, End> {
        let token = match self.mechanism {
            Mechanism::XOAuth2 => {
                let XOAuth2 { user, token } = XOAuth2::parse(message)?;
                self.user = user;
                token
            }
            _ => {
                let OAuthBearer { authzid, token, .. } = OAuthBearer::parse(message)?;
                self.user = authzid;
                token
            }
        };
        let attempt = self.peer.attempt(self.user.as_bytes(), token.as_bytes());
        match self.directory.authenticate_token(attempt).await {
            Ok(login) => {
                if self.user.is_empty() {
                    self.user = login.account.address.to_string();
                }
                Ok(Step::Done(Ok(login)))
            }
            Err(failure) if failure.reason == Refusal::Unavailable => Err(failure.into()),
            Err(failure) => {
                let status = match (self.mechanism, failure.reason) {
                    (Mechanism::XOAuth2, _) => "401",
                    (_, Refusal::NotAllowed) => "insufficient_scope",
                    _ => "invalid_token",
                };
                self.state = State::Refused(failure);
                Ok(Step::Challenge(oauth_error(status, None).into_bytes()))
            }
        }
    }
}

/// SCRAM.
impl Exchange {
    async fn scram_first(&mut self, message: &[u8]) -> Result<Step, End> {
        let first = ClientFirst::parse(message)?;
        first.user.clone_into(&mut self.user);
        let channel = self.channel_data(&first.binding).ok_or_else(unbound)?;
        let lookup = self.directory.scram_lookup(first.user.as_bytes(), self.peer.source).await?;
        let server = ServerFirst {
            nonce: format!("{}{}", first.nonce, self.entropy().token(NONCE)),
            salt: lookup.keys.salt.to_vec(),
            iterations: lookup.keys.iterations,
        };
        let challenge = server.to_message().into_bytes();
        self.state = State::Offered(Box::new(Offered { first, channel, lookup, server }));
        Ok(Step::Challenge(challenge))
    }

    async fn scram_final(&mut self, offered: Offered, message: &[u8]) -> Result<Step, End> {
        let Offered { first, channel, lookup, server } = offered;
        let last = ClientFinal::parse(message)?;
        let spoken = format!("{},{},{}", first.bare, server.to_message(), last.without_proof);
        let sound = last.nonce == server.nonce && last.binds(&first, &channel);
        let signature = lookup.keys.verify(spoken.as_bytes(), &last.proof).filter(|_| sound);
        let Peer { service, source, ref channel, .. } = self.peer;
        let verdict =
            self.directory.scram_finish(lookup, signature.is_some(), service, source, channel.is_some()).await;
        let login = self.only_self(verdict?, &first.authzid)?;
        self.state = State::Signed(login);
        // Most doors' positive answers have no place for it, so it is one more challenge (RFC 4422 §3.6).
        Ok(Step::Challenge(server_final(&signature.unwrap_or_default()).into_bytes()))
    }

    /// The octets that the client must have bound to (RFC 5802 §6); `None` for a binding that does not fit.
    fn channel_data(&self, binding: &ChannelBinding) -> Option<Vec<u8>> {
        match (binding, self.mechanism == Mechanism::ScramSha256Plus) {
            (ChannelBinding::Required(name), true) => self.peer.binding(name),
            (ChannelBinding::Unsupported, false) => Some(Vec::new()),
            // The client could bind and believes that we cannot. If we can, somebody in between took the -PLUS form off our list.
            (ChannelBinding::NotOffered, false) => (!self.peer.can_bind()).then(Vec::new),
            _ => None,
        }
    }

    fn entropy(&self) -> &Entropy {
        &self.directory.inner.deps.entropy
    }
}
