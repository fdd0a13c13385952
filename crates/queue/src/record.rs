//! Envelopes and progress as bytes. Both begin with a version byte.

use std::net::IpAddr;

use anser_base::pack::{Packer, Unpacker};
use anser_base::{AccountId, Address, BlobId, Error, Result, TenantId, Timestamp};
use anser_wire::smtp::{BodyType, Notify, Ret};
use bytes::Bytes;

use crate::body::Body;
use crate::envelope::{Envelope, Origin, Protocol, Recipient};
use crate::queue::Submission;
use crate::state::{Progress, State};

/// Version of the bytes in the columns `envelope` and `progress`.
const VERSION: u8 = 1;

/// The envelope and the body's name and length.
pub fn pack_envelope(envelope: &Envelope, body: &Body) -> Vec<u8> {
    let mut out = Packer::with_capacity(160 + envelope.trace.len() + 48 * envelope.recipients.len());
    out.byte(VERSION);
    out.bytes(&body.id.0);
    out.number(body.size);
    out.option(envelope.sender.as_ref(), pack_address);
    out.number(envelope.recipients.len() as u64);
    for recipient in &envelope.recipients {
        pack_address(&mut out, &recipient.address);
        out.option(recipient.orcpt.as_deref(), Packer::text);
        let Notify { success, failure, delay } = recipient.notify;
        out.byte(flags([success, failure, delay]));
    }
    out.byte(envelope.ret.map_or(0, |ret| if ret == Ret::Full { 1 } else { 2 }));
    out.option(envelope.envid.as_deref(), Packer::text);
    out.byte(flags([envelope.smtputf8, envelope.requiretls, false]));
    out.byte(match envelope.body_type {
        BodyType::SevenBit => 0,
        BodyType::EightBitMime => 1,
        BodyType::BinaryMime => 2,
    });
    pack_origin(&mut out, &envelope.origin);
    out.option(envelope.tenant.map(|tenant| tenant.0), Packer::number);
    out.bytes(&envelope.trace);
    out.signed(envelope.priority.into());
    out.signed(envelope.accepted.0);
    out.option(envelope.not_before.map(|at| at.0), Packer::signed);
    out.signed(envelope.expires.0);
    if let Some(via) = &envelope.via {
        out.text(via);
    }
    out.finish()
}

fn pack_address(out: &mut Packer, address: &Address) {
    out.text(address.local());
    out.text(address.domain());
}

fn pack_origin(out: &mut Packer, origin: &Origin) {
    out.byte(match origin.protocol {
        Protocol::Smtp => 0,
        Protocol::Submission => 1,
        Protocol::Lmtp => 2,
        Protocol::Internal => 3,
    });
    out.option(origin.client, |out, client| match client {
        IpAddr::V4(ip) => out.bytes(&ip.octets()),
        IpAddr::V6(ip) => out.bytes(&ip.octets()),
    });
    out.option(origin.helo.as_deref(), Packer::text);
    out.option(origin.account.map(|account| account.0), Packer::number);
    out.option(origin.listener.as_deref(), Packer::text);
}

/// What [`pack_envelope`] wrote; the body has neither stored nor raw bytes.
pub fn unpack_envelope(bytes: &[u8]) -> Result<(Envelope, Body)> {
    let mut from = Unpacker::new(bytes);
    check_version(&mut from)?;
    let id = BlobId::from_slice(from.bytes()?).ok_or_else(nonsense)?;
    let body = Body::in_blob(id, from.number()?);
    let sender = from.option(unpack_address)?;
    let recipients = unpack_recipients(&mut from)?;
    let ret = match from.byte()? {
        0 => None,
        1 => Some(Ret::Full),
        _ => Some(Ret::Hdrs),
    };
    let envid = from.option(unpack_text)?;
    let [smtputf8, requiretls, _] = unflags(from.byte()?);
    let body_type = match from.byte()? {
        0 => BodyType::SevenBit,
        1 => BodyType::EightBitMime,
        _ => BodyType::BinaryMime,
    };
    let origin = unpack_origin(&mut from)?;
    let tenant = from.option(Unpacker::number)?.map(TenantId);
    let trace = from.bytes()?.to_vec();
    let priority = i8::try_from(from.signed()?).map_err(|_| nonsense())?;
    let accepted = Timestamp(from.signed()?);
    let not_before = from.option(Unpacker::signed)?.map(Timestamp);
    let expires = Timestamp(from.signed()?);
    let via = if from.is_empty() { None } else { Some(unpack_text(&mut from)?) };
    let envelope = Envelope {
        sender,
        recipients,
        ret,
        envid,
        smtputf8,
        body_type,
        requiretls,
        origin,
        tenant,
        trace,
        priority,
        accepted,
        not_before,
        expires,
        via,
    };
    Ok((envelope, body))
}

fn unpack_recipients(from: &mut Unpacker<'_>) -> Result<Vec<Recipient>> {
    let count = from.number()?;
    let mut recipients = Vec::new();
    for _ in 0..count {
        let address = unpack_address(from)?;
        let orcpt = from.option(unpack_text)?;
        let [success, failure, delay] = unflags(from.byte()?);
        recipients.push(Recipient { address, orcpt, notify: Notify { success, failure, delay } });
    }
    Ok(recipients)
}

fn unpack_origin(from: &mut Unpacker<'_>) -> Result<Origin> {
    let protocol = match from.byte()? {
        0 => Protocol::Smtp,
        1 => Protocol::Submission,
        2 => Protocol::Lmtp,
        _ => Protocol::Internal,
    };
    let client = from.option(|from| {
        let octets = from.bytes()?;
        let v4 = <[u8; 4]>::try_from(octets).map(IpAddr::from);
        v4.or_else(|_| <[u8; 16]>::try_from(octets).map(IpAddr::from)).map_err(|_| nonsense())
    })?;
    let helo = from.option(unpack_text)?;
    let account = from.option(Unpacker::number)?.map(AccountId);
    let listener = from.option(unpack_text)?;
    Ok(Origin { protocol, client, helo, account, listener })
}

fn unpack_address(from: &mut Unpacker<'_>) -> Result<Address> {
    let (local, domain) = (from.text()?, from.text()?);
    Address::new(local, domain).ok_or_else(nonsense)
}

fn unpack_text(from: &mut Unpacker<'_>) -> Result<String> {
    from.text().map(str::to_owned)
}

/// Submissions as bytes, for who must keep them until they are put; what travels in memory only is left out. `own` is the body of the
/// entry that they follow from, which is named and not repeated.
pub fn pack_submissions(submissions: &[Submission], own: &Body) -> Vec<u8> {
    let mut out = Packer::with_capacity(512);
    out.byte(VERSION);
    for Submission { envelope, body } in submissions {
        out.bytes(&pack_envelope(envelope, body));
        let is_own = (body.id, body.size) == (own.id, own.size);
        out.byte(is_own.into());
        out.option(body.stored.as_ref().filter(|_| !is_own), |out, stored| out.bytes(stored));
    }
    out.finish()
}

/// What [`pack_submissions`] wrote, given the same `own`.
pub fn unpack_submissions(bytes: &[u8], own: &Body) -> Result<Vec<Submission>> {
    let mut from = Unpacker::new(bytes);
    check_version(&mut from)?;
    let mut all = Vec::new();
    while !from.is_empty() {
        let (envelope, body) = unpack_envelope(from.bytes()?)?;
        let is_own = from.byte()? != 0;
        let stored = from.option(|from| from.bytes().map(Bytes::copy_from_slice))?;
        let body = if is_own { own.clone() } else { Body { stored, ..body } };
        all.push(Submission { envelope, body });
    }
    Ok(all)
}

/// The progress of all recipients.
pub fn pack_progress(progress: &[Progress]) -> Vec<u8> {
    let mut out = Packer::with_capacity(2 + 16 * progress.len());
    out.byte(VERSION);
    for one in progress {
        out.byte(match one.state {
            State::Waiting => 0,
            State::Done => 1,
            State::Failed => 2,
            State::Expired => 3,
        });
        out.number(one.attempts.into());
        out.signed(one.due.0);
        out.option(one.why.as_deref(), Packer::text);
        out.byte(one.delay_reported.into());
    }
    out.finish()
}

/// What [`pack_progress`] wrote.
pub fn unpack_progress(bytes: &[u8]) -> Result<Vec<Progress>> {
    let mut from = Unpacker::new(bytes);
    check_version(&mut from)?;
    let mut all = Vec::new();
    while !from.is_empty() {
        let state = match from.byte()? {
            0 => State::Waiting,
            1 => State::Done,
            2 => State::Failed,
            3 => State::Expired,
            _ => return Err(nonsense()),
        };
        let attempts = u32::try_from(from.number()?).map_err(|_| nonsense())?;
        let due = Timestamp(from.signed()?);
        let why = from.option(unpack_text)?;
        let delay_reported = from.byte()? != 0;
        all.push(Progress { state, attempts, due, why, delay_reported });
    }
    Ok(all)
}

fn flags([a, b, c]: [bool; 3]) -> u8 {
    u8::from(a) | u8::from(b) << 1 | u8::from(c) << 2
}

fn unflags(byte: u8) -> [bool; 3] {
    [byte & 1 != 0, byte & 2 != 0, byte & 4 != 0]
}

fn check_version(from: &mut Unpacker<'_>) -> Result<()> {
    match from.byte()? {
        VERSION => Ok(()),
        other => Err(Error::damaged(format!("queue record of version {other}"))),
    }
}

fn nonsense() -> Error {
    Error::damaged("a queue record makes no sense")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope() -> Envelope {
        let to = |text: &str| Recipient::new(Address::parse(text).unwrap());
        let mut rich = to("\"a b\"@例子.中国");
        rich.orcpt = Some("rfc822;x@y.z".into());
        rich.notify = Notify { success: true, failure: false, delay: true };
        let origin = Origin {
            protocol: Protocol::Submission,
            client: Some("2001:db8::1".parse().unwrap()),
            helo: Some("host".into()),
            account: Some(AccountId(7)),
            listener: Some("submission".into()),
        };
        Envelope {
            ret: Some(Ret::Hdrs),
            envid: Some("e\0\r\n".into()),
            smtputf8: true,
            body_type: BodyType::BinaryMime,
            requiretls: true,
            tenant: Some(TenantId(3)),
            trace: b"Received: x\r\n".to_vec(),
            priority: -4,
            not_before: Some(Timestamp(-5)),
            via: Some("relay.test:25".into()),
            ..Envelope::new(Address::parse("s@e.x"), vec![to("ann@example.org"), rich], origin, Timestamp(1))
        }
    }

    #[test]
    fn records_come_back_as_written() {
        let envelope = envelope();
        let body = Body::in_blob(BlobId::of(b"x"), 1);
        let bytes = pack_envelope(&envelope, &body);
        let (back, body_back) = unpack_envelope(&bytes).unwrap();
        assert_eq!(back, envelope);
        assert_eq!((body_back.id, body_back.size), (body.id, body.size));
        let plain = Envelope { via: None, ..envelope };
        let shorter = pack_envelope(&plain, &body);
        assert_eq!(unpack_envelope(&shorter).unwrap().0, plain, "entries of older programs have no such field");
        for cut in (0..bytes.len()).filter(|cut| *cut != shorter.len()) {
            assert!(unpack_envelope(&bytes[..cut]).is_err());
        }
    }

    #[test]
    fn submissions_come_back_as_written() {
        let own = Body::inline(BlobId::of(b"own"), 3, &b"own"[..]);
        let bodies = [own.clone(), Body::inline(BlobId::of(b"x"), 1, &b"x"[..]), Body::in_blob(BlobId::of(b"y"), 9)];
        let all = bodies.map(|body| Submission { envelope: envelope(), body });
        let bytes = pack_submissions(&all, &own);
        let back = unpack_submissions(&bytes, &own).unwrap();
        assert_eq!(back.len(), 3);
        for (one, two) in all.iter().zip(&back) {
            assert_eq!(one.envelope, two.envelope);
            assert_eq!((one.body.id, one.body.size, &one.body.stored), (two.body.id, two.body.size, &two.body.stored));
        }
        assert!(bytes.windows(3).all(|w| w != b"own"), "the own body is not repeated");
    }

    #[test]
    fn progress_comes_back_as_written() {
        let mut late = Progress::new(Timestamp(9));
        late.attempts = 300;
        late.why = Some("452 暂时".into());
        late.delay_reported = true;
        let all = vec![Progress { state: State::Expired, ..Progress::new(Timestamp(i64::MAX)) }, late];
        assert_eq!(unpack_progress(&pack_progress(&all)).unwrap(), all);
    }
}
