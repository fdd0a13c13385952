//! What an account holds, as this server's own IMAP would show it.

use anser_migrate::Proof;
use anser_migrate::imap::Imap;
use anser_migrate::source::Origin;
use anser_migrate::trouble::Trouble;
use anser_migrate::verify::{Level, verify};
use anser_store::{Flags, MailTx, Store};
use anser_wire::Secret;
use anser_wire::imap::encode_mutf7;

use crate::fake::{Fake, Folder, Habits, Mail, folder};
use crate::house::{ANN, House, TENANT};

/// A server that shows what is here.
pub async fn face(store: &Store) -> Fake {
    let rows = |tx: &mut MailTx<'_, '_>| {
        let mut all = Vec::new();
        for mailbox in tx.mailboxes()? {
            let path = tx.path(mailbox.id)?.join("/");
            let mut entries = Vec::new();
            for entry in tx.entries(mailbox.id, 1, u32::MAX)? {
                let message = tx.message(entry.message)?.expect("an entry has a message");
                entries.push((entry, message.blob));
            }
            all.push((path, mailbox, entries));
        }
        Ok(all)
    };
    let mut folders = Vec::new();
    for (path, mailbox, entries) in store.read(ANN, rows).await.unwrap() {
        let mails = entries.into_iter().map(|(entry, blob)| {
            let names = Flags::NAMES.iter().filter(|(_, flag)| entry.flags.has(*flag)).map(|(name, _)| *name);
            let flags = names.chain(entry.keywords.iter()).collect::<Vec<_>>().join(" ");
            let date = anser_mime::date::DateTime { unix: entry.received.secs(), offset_minutes: 0 };
            // It lives as long as the test.
            let date: &'static str = Box::leak(anser_mime::date::format_internal_date(date).into_boxed_str());
            let body = store.blobs().read(TENANT, blob).unwrap().to_vec();
            Mail { uid: entry.uid, flags, date, modseq: entry.modseq, body, name: None }
        });
        let role = mailbox.role.and_then(|role| role.attribute()).unwrap_or_default();
        let subscribed = if mailbox.subscribed { "\\Subscribed" } else { "" };
        let attributes: &'static str = Box::leak(format!("{role} {subscribed}").trim().to_owned().into_boxed_str());
        let (uidvalidity, uidnext) = (mailbox.uidvalidity, mailbox.uidnext);
        let mails = mails.collect();
        folders.push(Folder { attributes, uidvalidity, uidnext, ..folder(&encode_mutf7(&path), mails) });
    }
    let capabilities = "LIST-EXTENDED SPECIAL-USE";
    Fake::start(folders, Habits { capabilities, admits_anybody: true, ..Habits::default() })
}

/// What is at the source held against what is here.
pub async fn proof(house: &House, there: &Fake, level: Level) -> Proof {
    proof_by(house, there, &face(&house.store).await, level).await.map_err(|trouble| trouble.words()).unwrap()
}

/// The same, against what some server shows.
pub async fn proof_by(house: &House, there: &Fake, here: &Fake, level: Level) -> Result<Proof, Trouble> {
    let password = Secret::new("secret");
    let mut origin = Origin::open(&there.source(), "ann", Some(&password)).await?;
    let mut own = Imap::open(&here.source(), "ann", &password).await?;
    verify(&mut origin, &mut own, &house.store, (TENANT, ANN), (1, Default::default()), level).await
}

/// Differences as folder, UID and class.
pub fn named(proof: &Proof) -> Vec<(&str, u32, &str)> {
    proof.differences.iter().map(|one| (&*one.folder, one.uid, &*one.class)).collect()
}
