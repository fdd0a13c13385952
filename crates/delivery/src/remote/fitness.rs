//! What an entry needs of the server. What is not offered and cannot be done without returns the message, as the extensions'
//! RFCs ask for: nothing is rewritten, so that signatures hold.

use anser_base::Address;
use anser_queue::{Entry, Recipient};
use anser_wire::smtp::{BodyType, Capabilities, ForwardPath, MailFrom, Mailbox, Notify, RcptTo};

use crate::content::Content;

use super::client::Client;
use super::stop::Stop;

/// The MAIL command for an entry, or why the server cannot have it. Fails for all its recipients.
pub(super) async fn mail_from(client: &Client, entry: &Entry, content: &mut Content) -> Result<MailFrom, Stop> {
    let (envelope, offered) = (&entry.envelope, client.capabilities());
    check_size(client, content)?;
    check_requiretls(client, entry)?;
    let needs_utf8 =
        !envelope.sender.as_ref().is_none_or(Address::is_ascii) || (envelope.smtputf8 && !content.has_ascii_header());
    if needs_utf8 && !offered.smtputf8 {
        return Err(unfit("5.6.7", client, "internationalized addresses and headers (SMTPUTF8)"));
    }
    let some_utf8 = needs_utf8 || envelope.recipients.iter().any(|recipient| !recipient.address.is_ascii());
    Ok(MailFrom {
        path: envelope.sender.as_ref().map(mailbox),
        size: offered.size.map(|_| content.size()),
        body: body_type(client, entry, content).await?,
        smtputf8: offered.smtputf8 && (some_utf8 || envelope.smtputf8),
        ret: envelope.ret.filter(|_| offered.dsn),
        envid: envelope.envid.clone().filter(|_| offered.dsn),
        requiretls: envelope.requiretls,
        priority: Some(envelope.priority).filter(|priority| *priority != 0 && offered.mt_priority),
        ..MailFrom::default()
    })
}

/// The RCPT command for a recipient, or why the server cannot have it.
pub(super) fn rcpt_to(client: &Client, entry: &Entry, recipient: &Recipient) -> Result<RcptTo, Stop> {
    let offered = client.capabilities();
    if !recipient.address.is_ascii() && !offered.smtputf8 {
        return Err(unfit("5.6.7", client, "internationalized addresses (SMTPUTF8)"));
    }
    let path = ForwardPath::Mailbox(mailbox(&recipient.address));
    let plain = RcptTo { path, notify: None, orcpt: None, other: Vec::new() };
    match offered.dsn {
        true => Ok(RcptTo { notify: notify(entry, recipient), orcpt: orcpt(recipient), ..plain }),
        false => Ok(plain),
    }
}

/// Nobody is told about mail from the null sender, so nothing may be asked for (RFC 3461 §4.1).
fn notify(entry: &Entry, recipient: &Recipient) -> Option<Notify> {
    let never = Notify::default();
    if entry.envelope.sender.is_none() { Some(never) } else { Some(recipient.notify) }
}

fn orcpt(recipient: &Recipient) -> Option<(String, String)> {
    let (kind, address) = recipient.orcpt.as_deref()?.split_once(';')?;
    Some((kind.to_owned(), address.to_owned()))
}

fn mailbox(address: &Address) -> Mailbox {
    Mailbox { local: address.local().to_owned(), domain: address.domain().to_owned() }
}

/// RFC 1870 §6.3: a message over the server's limit is not even tried.
fn check_size(client: &Client, content: &Content) -> Result<(), Stop> {
    match client.capabilities().size {
        Some(most) if most > 0 && content.size() > most => {
            let why = format!("5.3.4 the message has {} bytes, {} takes {most}", content.size(), client.host());
            Err(Stop::never(why))
        }
        _ => Ok(()),
    }
}

/// RFC 8689 §4.2.1: a verified server that promises the same for the way behind it.
fn check_requiretls(client: &Client, entry: &Entry) -> Result<(), Stop> {
    match entry.envelope.requiretls {
        true if !client.is_verified() => Err(unfit("5.7.10", client, "verified encryption, which the sender asks for")),
        true if !client.capabilities().requiretls => Err(unfit("5.7.30", client, "REQUIRETLS")),
        _ => Ok(()),
    }
}

/// BODY= (RFC 6152 §3, RFC 3030 §3).
async fn body_type(client: &Client, entry: &Entry, content: &mut Content) -> Result<Option<BodyType>, Stop> {
    let Capabilities { eight_bit_mime, binary_mime, chunking, .. } = *client.capabilities();
    match entry.envelope.body_type {
        BodyType::BinaryMime if binary_mime && chunking => Ok(Some(BodyType::BinaryMime)),
        BodyType::BinaryMime => Err(unfit("5.6.3", client, "binary messages (BINARYMIME)")),
        BodyType::EightBitMime if eight_bit_mime => Ok(Some(BodyType::EightBitMime)),
        BodyType::EightBitMime => match content.is_ascii().await {
            Ok(true) => Ok(None),
            Ok(false) => Err(unfit("5.6.3", client, "8-bit messages (8BITMIME)")),
            Err(error) => Err(Stop::own(&error)),
        },
        BodyType::SevenBit => Ok(None),
    }
}

fn unfit(code: &str, client: &Client, what: &str) -> Stop {
    Stop::never(format!("{code} {} does not offer {what}", client.host()))
}
