//! RFC 4978, with Dovecot: what an old server far away lists and tells comes through its compression as it would without.

use anser_migrate::imap::Imap;
use anser_migrate::source::{Listed, Window};
use anser_migrate::{Kind, Source, Tls};
use anser_wire::Secret;

use super::dovecot::Dovecot;
use crate::peers::node::PASSWORD;

/// The plugins that come with it.
const COMPRESSES: &str = "mail_plugins = zlib\nprotocol imap {\n  mail_plugins = zlib imap_zlib\n}\n";
const MAILS: usize = 300;

#[test]
fn what_comes_compressed_is_what_comes_without() {
    let dovecot = Dovecot::start_with("maildir:~/Maildir:LAYOUT=fs", "/", COMPRESSES);
    let mut session = dovecot.login("ann");
    for n in 0..MAILS {
        let mail = format!("Message-ID: <{n}@x.test>\r\nDate: Mon, 2 Nov 2026 10:00:00 +0800\r\n\r\n{n}\r\n");
        session.append("INBOX", "", mail.as_bytes()).expect("dovecot takes it");
    }
    let (host, tls, profile) = ("127.0.0.1".to_owned(), Tls::None, "dovecot".to_owned());
    let (id, name, kind, connections) = (1, "old".to_owned(), Kind::Imap, 1);
    let source = Source {
        id,
        name,
        kind,
        host,
        port: dovecot.imap,
        tls,
        profile,
        connections,
        admin: None,
        rules: Default::default(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let seen = |compressed: bool| {
        runtime.block_on(async {
            let password = Secret::new(PASSWORD.as_bytes().to_vec());
            let mut imap = Imap::open(&source, "ann", &password).await.map_err(|trouble| trouble.words()).unwrap();
            if compressed {
                assert!(imap.compress().await.map_err(|trouble| trouble.words()).unwrap(), "dovecot compresses");
            }
            imap.examine(b"INBOX").await.map_err(|trouble| trouble.words()).unwrap();
            let Ok(Listed::All(listed)) = imap.list_or_part(Window::WHOLE, MAILS).await else { panic!("it is listed") };
            let ids = imap
                .identities(MAILS as u64, [Window::WHOLE].into_iter(), &|_| ())
                .await
                .map_err(|trouble| trouble.words())
                .unwrap();
            imap.leave().await;
            (listed, ids)
        })
    };
    let plain = seen(false);
    assert_eq!(plain.0.len(), MAILS);
    assert_eq!(plain.1.as_ref().map(|ids| ids.len()), Some(MAILS));
    assert_eq!(seen(true), plain);
}
