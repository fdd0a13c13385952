//! The SMTP door: mail from other servers (MX, RFC 5321), submission by own users (RFC 6409) and LMTP (RFC 2033), three services out
//! of one session.
//!
//! ## States of a session
//!
//! The state is not kept beside the session but read off it, so that the two cannot disagree. The table is data: `state::refusal`.
//!
//! | command | Connected | Greeted | Authenticated | MailGiven | RcptGiven | Data |
//! |---|---|---|---|---|---|---|
//! | EHLO, HELO, LHLO | → Greeted | → Greeted | → Authenticated | → Greeted¹ | → Greeted¹ | → Greeted¹ |
//! | STARTTLS | 503 | → Connected | 503 | 503 | 503 | 503 |
//! | AUTH | 503 | → Authenticated | 503 | 503 | 503 | 503 |
//! | MAIL | 503 | → MailGiven² | → MailGiven | 503 | 503 | 503 |
//! | RCPT | 503 | 503 | 503 | → RcptGiven | → RcptGiven | 503 |
//! | DATA | 503 | 503 | 503 | 503 | → Data → Greeted¹ | 503 |
//! | BDAT | 503³ | 503³ | 503³ | 503³ | → Data | → Data |
//! | BDAT LAST | 503³ | 503³ | 503³ | 503³ | → Greeted¹ | → Greeted¹ |
//! | RSET | 250 | 250 | 250 | → Greeted¹ | → Greeted¹ | → Greeted¹ |
//! | NOOP, HELP, VRFY, EXPN | answered in every state and change none | | | | | |
//! | QUIT | ends the session in every state | | | | | |
//!
//! ¹ Authenticated, when the peer has logged in. ² 530 at submission. ³ The octets that follow are read and dropped, since the peer
//! sends them whatever the answer is (RFC 3030 §2).
//!
//! ## The path of a message
//!
//! `verb::data` or `verb::bdat` → `message::receive` (octets off the socket) → `message::intake` (memory, or blob store beyond
//! 255 KiB) → `message::header` (loops, whose name it bears, what submission adds) → `message::accept` (envelope, one durable commit,
//! journal) → the reply.
//!
//! What another door takes from somebody who logged in there goes the same way from `message::intake` on: [`submit()`].
//!
//! ## Promises
//!
//! - 250 after the last octet of a message is said only when [`anser_queue::Queue::put`] has returned; nothing can fail afterwards. Over
//!   LMTP the message is put once for all accepted recipients, then each of them is answered 250; when that put fails each is
//!   answered with the failure (RFC 2033 §4.2).
//! - What claims to be results of ours (RFC 8601 §5) is taken out of every message that strangers or users send.
//! - What other servers send is checked (SPF, DKIM, DMARC, ARC); trouble with the DNS is a result and loses no mail.
//! - No open relay: without a login only recipients that the directory resolves are accepted; of a domain whose mailboxes are on
//!   another server, those that a list or that server knows.
//! - Only `CRLF . CRLF` ends DATA, only CRLF a command. What has a bare CR or LF is refused, but for BINARYMIME; unless it came by BDAT the
//!   session ends as well, so that nothing behind a dubious end is ever taken for a command.
//! - What a peer said in plain is forgotten when TLS begins; what it sent behind STARTTLS is thrown away.
//! - A session holds some 0.5 MiB for a message in memory and some 3 MiB for a larger one, whatever its size.

mod answer;
mod deps;
mod journal;
mod message;
mod policy;
mod senders;
mod session;
mod state;
mod submit;
mod transaction;
mod verb;

pub use deps::{Callout, Deps, Limits, OverQuota, Rates, Service, refusal_words};
pub use senders::Senders;
pub use session::session;
pub use submit::{Refused, Submission, submit};
