//! `kill -9` at any moment, and a start over the same folder.

use crate::world::{each_engine, python};

const SEND: &str = r#"
import smtplib, sys
with smtplib.SMTP('127.0.0.1', 25 + int(sys.argv[1])) as mx:
    for number in range(20):
        mx.sendmail('a@example.org', ['ann@anser.test'], f'Subject: {sys.argv[2]}-{number}\r\n\r\nbody\r\n')
"#;
const READ: &str = r#"
import imaplib, sys, time
wanted = int(sys.argv[2])
for attempt in range(2400):
    with imaplib.IMAP4('127.0.0.1', 143 + int(sys.argv[1])) as imap:
        imap.login('ann@anser.test', 'wild-goose')
        count = int(imap.select()[1][0])
        if count >= wanted:
            lines = [part[1] for part in imap.fetch('1:*', '(BODY.PEEK[HEADER.FIELDS (SUBJECT)])')[1] if isinstance(part, tuple)]
            uids = imap.uid('search', 'ALL')[1][0].decode()
            assert count == wanted == len(set(lines)), (count, len(set(lines)))
            print(uids)
            break
    time.sleep(0.05)
else:
    raise SystemExit(f'{count} of {wanted} came')
"#;

#[test]
fn what_was_acknowledged_is_there_after_a_kill_once() {
    each_engine(|place| {
        let mut dev = place.start();
        python(&dev, SEND, &["before"]);
        dev.kill();
        let mut dev = place.start();
        let uids = python(&dev, READ, &["20"]);
        python(&dev, SEND, &["after"]);
        dev.kill();
        let dev = place.start();
        let more = python(&dev, READ, &["40"]);
        assert!(more.trim().starts_with(uids.trim()), "UIDs changed: {uids} became {more}");
        assert!(dev.stop().status.success());
    });
}
