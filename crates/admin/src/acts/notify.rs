//! Letters to the users of a move: made of its documents, sent as ordinary mail of each domain's postmaster.

use std::collections::HashMap;

use anser_base::{Address, Class, Error, Result, Timestamp};
use anser_directory::{HopTls, NextHop};
use anser_migrate::documents::{Facts, Language, letter};
use anser_migrate::{Notice, Occasion, Side, Unsent, Which};
use anser_mime::build::{Entity, Headers, Mailbox, TextEncoding, message};
use anser_mime::date::DateTime;
use anser_queue::{Envelope, Origin, Recipient};

use crate::answer::{Item, NoticeView, Out, Report};
use crate::{Actor, Admin};

impl Admin {
    /// Sends the letters of an occasion to whoever has not got them, or with `dry_run` tells who that is; how many. `Class::Invalid` while
    /// the survey form does not name the organisation.
    pub(super) async fn notify(
        &self,
        actor: &Actor,
        name: &str,
        which: &Which,
        (occasion, dry_run): (Occasion, bool),
        out: &Out,
    ) -> Result<Report> {
        let moves = &self.deps.moves;
        let notices = moves.notices(name, which, occasion).await?;
        let relay = moves.move_view(name).await?.relay;
        if !dry_run {
            if moves.form(name).await?.get("organisation").trim().is_empty() {
                return Err(Error::invalid(
                    "the letters name the organisation: say `anser move survey MOVE --answer organisation=NAME` first",
                    "通知中要写明单位名称：请先运行 anser move survey MOVE --answer organisation=名称",
                ));
            }
            self.note(actor, "move.notify", name, None, Some(occasion.word().to_owned())).await?;
        }
        let (mut facts, mut count) = (HashMap::new(), 0);
        for notice in notices {
            let (state, why) = match notice.begun {
                Some((at, went)) => {
                    let state = if went { "before" } else { "unsure" };
                    (state, Some(Timestamp(at).to_string()))
                }
                None if notice.side == Side::Old && !notice.by_imap && relay.is_none() => ("no-way", None),
                None if dry_run => ("due", None),
                None => match self.tell(name, &notice, relay.as_deref(), &mut facts).await? {
                    Told::Sent => ("sent", None),
                    Told::Not(why) => ("failed", Some(why)),
                    Told::Unsure(why) => ("unsure", Some(why)),
                    Told::ByAnother => ("before", None),
                },
            };
            count += u64::from(state == "sent" || state == "due");
            let Notice { login, address, side, .. } = notice;
            let (state, side) = (state.to_owned(), side.word().to_owned());
            out.item(Item::MoveNotice(NoticeView { login, address, side, state, why })).await?;
        }
        Ok(Report::Counted { count })
    }

    /// Sends one letter, unless somebody else began it.
    async fn tell(
        &self,
        name: &str,
        notice: &Notice,
        relay: Option<&str>,
        facts: &mut HashMap<bool, Facts>,
    ) -> Result<Told> {
        if notice.side == Side::Old && notice.by_imap && notice.is_busy {
            return Ok(Told::Not("a pass is under way: say it again when it is over".to_owned()));
        }
        let account = match self.account(&notice.address).await {
            Err(error) if error.class == Class::NotFound => return Ok(Told::Not(error.chain())),
            account => account?,
        };
        let is_zh = account.locale == anser_directory::Locale::Zh;
        let language = if is_zh { Language::Zh } else { Language::En };
        let known = match facts.entry(is_zh) {
            std::collections::hash_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::hash_map::Entry::Vacant(place) => {
                let mut made = self.deps.moves.facts(name, &[], language).await?;
                self.add_own(&mut made);
                place.insert(made)
            }
        };
        known.texts.insert("address", notice.address.clone());
        known.texts.insert("login", notice.login.clone());
        let (subject, text) = letter(notice.occasion, language, known);
        if !self.deps.moves.begin_notice(notice).await? {
            return Ok(Told::ByAnother);
        }
        let from = format!("postmaster@{}", account.address.domain());
        let raw = self.notice(&from, known.texts.get("organisation"), &account.address, &subject, &text);
        let sent = match notice.side {
            Side::New => {
                let put = self.put(&from, &account.address, &raw).await;
                put.map_err(|error| Unsent { why: error.chain(), may_be_there: false })
            }
            Side::Old if notice.by_imap => self.deps.moves.append_there(notice, raw).await,
            Side::Old => self.hand_to(relay, &from, &account.address, raw).await,
        };
        // What may have gone stays begun, so that nobody gets it twice.
        if let Err(Unsent { why, may_be_there: true }) = sent {
            return Ok(Told::Unsure(why));
        }
        self.deps.moves.end_notice(notice, sent.is_ok()).await?;
        Ok(sent.map_or_else(|unsent| Told::Not(unsent.why), |()| Told::Sent))
    }

    async fn put(&self, from: &str, to: &Address, raw: &[u8]) -> Result<()> {
        let recipients = vec![Recipient::new(to.clone())];
        let envelope = Envelope::new(Address::parse(from), recipients, Origin::internal(), self.deps.clock.now());
        self.deps.delivery.send(envelope, raw).await.map(drop)
    }

    /// Hands a letter to the old server's SMTP: here the address leads into the new mailbox.
    async fn hand_to(&self, relay: Option<&str>, from: &str, to: &Address, raw: Vec<u8>) -> Result<(), Unsent> {
        let nowhere = || Unsent { why: "there is no --relay".to_owned(), may_be_there: false };
        let (host, port) = relay.map(anser_migrate::split).transpose().ok().flatten().ok_or_else(nowhere)?;
        let door = anser_delivery::Door::Server(NextHop { host, port, tls: HopTls::Opportunistic, login: None });
        let handed = self.deps.delivery.hand_over(&door, Address::parse(from).as_ref(), to, raw).await;
        handed.map(drop).map_err(|error| Unsent { why: error.why, may_be_there: error.may_be_there })
    }

    fn notice(&self, from: &str, by: Option<&String>, to: &Address, subject: &str, text: &str) -> Vec<u8> {
        let name = by.map(String::as_str).unwrap_or_default();
        let headers = Headers::new()
            .date("Date", DateTime { unix: self.deps.clock.now().secs(), offset_minutes: 0 })
            .addresses("From", &[Mailbox { name, email: from }])
            .structured("To", &to.to_string())
            .text("Subject", subject)
            .structured("Message-ID", &format!("<{}@{}>", self.deps.entropy.token(32), self.deps.hostname))
            .structured("Auto-Submitted", "auto-generated");
        message(headers, Entity::text("plain", text, TextEncoding::Base64))
    }
}

/// What came of a letter.
enum Told {
    Sent,
    /// Why not, in words.
    Not(String),
    /// Why nobody knows whether it went, in words.
    Unsure(String),
    /// Somebody else sends it.
    ByAnother,
}
