//! Every line of the contract about `anser dev`.

use std::io::Read;
use std::net::TcpStream;

use crate::world::{PORTS, each_engine, python};

/// A message in by SMTP from outside, one by submission over STARTTLS and over TLS, one by LMTP; out by IMAP and POP3.
const ROUND_TRIP: &str = r#"
import imaplib, poplib, smtplib, ssl, sys, time
offset = int(sys.argv[1])
tls = ssl._create_unverified_context()
password = 'wild-goose'

def message(sender, to, subject):
    return (f'From: {sender}\r\nTo: {to}\r\nSubject: {subject}\r\nDate: Sat, 21 Nov 2026 08:00:00 +0800\r\n'
            f'Message-ID: <{subject}@example.org>\r\n\r\n.line\r\nFrom here\r\n')

with smtplib.SMTP('127.0.0.1', 25 + offset) as mx:
    mx.sendmail('someone@example.org', ['bob@anser.test'], message('someone@example.org', 'bob@anser.test', 'mx'))
with smtplib.SMTP('127.0.0.1', 587 + offset) as plain:
    plain.login('ann', password)
    plain.sendmail('ann@anser.test', ['bob@anser.test'], message('ann@anser.test', 'bob@anser.test', 'plain'))
with smtplib.SMTP('127.0.0.1', 587 + offset) as sub:
    sub.starttls(context=tls)
    sub.login('ann@anser.test', password)
    sub.sendmail('ann@anser.test', ['bob@anser.test'], message('ann@anser.test', 'bob@anser.test', 'starttls'))
with smtplib.SMTP_SSL('127.0.0.1', 465 + offset, context=tls) as sub:
    sub.login('ann@anser.test', password)
    sub.sendmail('ann@anser.test', ['bob@anser.test'], message('ann@anser.test', 'bob@anser.test', 'tls'))
with smtplib.LMTP('127.0.0.1', 24 + offset) as lmtp:
    lmtp.sendmail('someone@example.org', ['bob@anser.test'], message('someone@example.org', 'bob@anser.test', 'lmtp'))

wanted = {'mx', 'plain', 'starttls', 'tls', 'lmtp'}
def subjects(raws):
    found = set()
    for raw in raws:
        head, _, body = raw.partition(b'\r\n\r\n')
        assert body == b'.line\r\nFrom here\r\n', body
        found |= {line[9:].decode() for line in head.split(b'\r\n') if line.startswith(b'Subject: ')}
    return found

for attempt in range(200):
    with imaplib.IMAP4('127.0.0.1', 143 + offset) as imap:
        imap.login('bob@anser.test', password)
        count = int(imap.select()[1][0])
        if count == len(wanted):
            raws = [part[1] for part in imap.fetch('1:*', '(RFC822)')[1] if isinstance(part, tuple)]
            assert subjects(raws) == wanted, subjects(raws)
            break
    time.sleep(0.05)
else:
    raise SystemExit(f'only {count} messages came')
with imaplib.IMAP4_SSL('127.0.0.1', 993 + offset, ssl_context=tls) as imap:
    imap.login('bob', password)
    assert int(imap.select()[1][0]) == len(wanted)
for open_pop in (lambda: poplib.POP3('127.0.0.1', 110 + offset),
                 lambda: poplib.POP3_SSL('127.0.0.1', 995 + offset, context=tls)):
    pop = open_pop()
    pop.user('bob@anser.test')
    pop.pass_(password)
    count = pop.stat()[0]
    assert count == len(wanted), count
    raws = [b'\r\n'.join(pop.retr(number + 1)[1]) + b'\r\n' for number in range(count)]
    assert subjects(raws) == wanted
    pop.quit()
with imaplib.IMAP4('127.0.0.1', 143 + offset) as imap:
    for user in ('chen@anser.test', 'postmaster@anser.test'):
        pass
    imap.login('chen@anser.test', password)
print('all there')
"#;

#[test]
fn every_service_accepts_when_it_says_ready() {
    each_engine(|place| {
        let dev = place.start();
        for (service, _) in PORTS {
            let mut socket = TcpStream::connect(("127.0.0.1", dev.port(service))).unwrap();
            if !matches!(service, "submissions" | "imaps" | "pop3s" | "http" | "https") {
                assert!(socket.read(&mut [0; 1]).unwrap() > 0, "{service} says nothing");
            }
            assert!(dev.said.contains(&format!("127.0.0.1:{}", dev.port(service))), "{service} is not shown");
        }
        for word in
            ["ann@anser.test", "bob@anser.test", "chen@anser.test", "陈雁", "postmaster@anser.test", "wild-goose"]
        {
            assert!(dev.said.contains(word), "{word} is not shown:\n{}", dev.said);
        }
    });
}

#[test]
fn mail_goes_in_by_every_door_and_out_by_every_other() {
    each_engine(|place| {
        let dev = place.start();
        assert_eq!(python(&dev, ROUND_TRIP, &[]), "all there\n");
        let trace = dev.ask(&["trace", "mx@example.org"]);
        assert!(trace.contains("accepted") && trace.contains("delivered"), "{trace}");
    });
}
