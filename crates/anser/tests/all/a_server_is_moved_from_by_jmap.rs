//! A server of ours as the old one: another account takes a mailbox from it by JMAP.

use crate::world::{each_engine, python, run};

const APPEND: &str = r#"
import imaplib, sys
with imaplib.IMAP4('127.0.0.1', 143 + int(sys.argv[1])) as imap:
    imap.login('ann@anser.test', 'wild-goose')
    for name in ('Work', '"Work/R&- D"', '"&l20-"'):
        imap.create(name)
    for n in range(60):
        for name in ('INBOX', '"Work/R&- D"', '"&l20-"'):
            imap.literal = f'Subject: {n} in {name}\r\n\r\n'.encode() + bytes([n, 255, 13, 10]) * n
            flags = ['()', r'(\Seen)', r'(\Flagged \Answered red)', r'(\Draft)'][n % 4]
            kind, answer = imap._simple_command('APPEND', name, flags, f'"{n % 9 + 10}-Mar-2020 01:02:03 +0000"')
            assert kind == 'OK', answer
"#;

const DUMP: &str = r#"
import imaplib, re, sys
with imaplib.IMAP4('127.0.0.1', 143 + int(sys.argv[1])) as imap:
    imap.login(sys.argv[2], 'wild-goose')
    for line in sorted(imap.list()[1]):
        name = line.decode().split(' "/" ')[1]
        if int(imap.select(name, readonly=True)[1][0]) == 0:
            continue
        for part in sorted(p for p in imap.fetch('1:*', '(FLAGS INTERNALDATE BODY.PEEK[])')[1] if isinstance(p, tuple)):
            head = part[0].decode()
            flags = sorted(flag for flag in re.search(r'FLAGS \(([^)]*)\)', head)[1].split() if flag != r'\Recent')
            print(name, flags, re.search(r'INTERNALDATE "([^"]*)"', head)[1], repr(part[1]))
"#;

#[test]
fn a_mailbox_comes_whole_by_jmap_and_again_nothing() {
    each_engine(|place| {
        let dev = place.start();
        python(&dev, APPEND, &[]);
        let url = dev.said.lines().find_map(|line| line.split("http://127.0.0.1:").nth(1)).unwrap();
        let port: String = url.chars().take_while(char::is_ascii_digit).collect();
        let plan = ["move", "plan", "m", "--kind", "jmap", "--host", "127.0.0.1", "--port", &port, "--tls", "none"];
        dev.ask(&plan);
        let logins = b"ann@anser.test\tbob@anser.test\twild-goose\n";
        assert!(run(&dev.folder, &["move", "accounts", "m", "--stdin"], logins).status.success());
        dev.ask(&["move", "start", "m", "--wait"]);
        let (before, after) = (python(&dev, DUMP, &["ann@anser.test"]), python(&dev, DUMP, &["bob@anser.test"]));
        let sorted = |text: &str| {
            let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
            lines.sort();
            lines
        };
        assert_eq!(before.lines().count(), 180);
        assert_eq!(sorted(&before), sorted(&after), "{}", dev.ask(&["move", "status", "m"]));
        dev.ask(&["move", "delta", "m", "--wait"]);
        assert_eq!(python(&dev, DUMP, &["bob@anser.test"]), after);
    });
}
