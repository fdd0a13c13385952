//! An old server that is Anser itself and has lost the body of one message: that one is named at the first pass, and the others come.

use crate::peers::tools::files;
use crate::world::{Place, done, python, run};

const MESSAGES: usize = 5;
const FILL: &str = r#"
import imaplib, sys
with imaplib.IMAP4('127.0.0.1', 143 + int(sys.argv[1])) as imap:
    imap.login('ann@anser.test', 'wild-goose')
    for number in range(int(sys.argv[2])):
        imap.append('INBOX', '', None, f'Subject: {number}\r\n\r\nbody {number}\r\n'.encode())
"#;
const COUNT: &str = r#"
import imaplib, sys
with imaplib.IMAP4('127.0.0.1', 143 + int(sys.argv[1])) as imap:
    imap.login('bob@anser.test', 'wild-goose')
    print(int(imap.select()[1][0]))
"#;

#[test]
fn it_is_named_and_the_others_come() {
    let (there, here) = (Place::new(), Place::new());
    let old = there.start();
    python(&old, FILL, &[&MESSAGES.to_string()]);
    assert!(old.stop().status.success());
    let bodies = files(&there.path().join("blobs"));
    assert_eq!(bodies.len(), MESSAGES);
    std::fs::remove_file(&bodies[MESSAGES / 2]).unwrap();
    let (old, dev) = (there.start(), here.start());
    let port = old.port("imap").to_string();
    dev.ask(&["move", "plan", "m", "--host", "127.0.0.1", "--port", &port, "--tls", "starttls-any"]);
    done(run(&dev.folder, &["move", "accounts", "m", "--stdin"], b"ann@anser.test\tbob@anser.test\twild-goose\n"));
    dev.ask(&["move", "start", "m", "--wait"]);
    let status = dev.ask(&["move", "status", "m"]);
    assert!(status.contains("settled") && status.contains("failed 1"), "{status}");
    let failed = dev.ask(&["move", "failed", "m"]);
    assert!(failed.lines().count() == 1 && failed.contains("damaged"), "{failed}");
    assert_eq!(python(&dev, COUNT, &[]), format!("{}\n", MESSAGES - 1));
}
