//! SMTP commands, replies and xtext: the good forms, the bad forms, and the codes that the bad ones get.

use anser_wire::smtp::*;
use proptest::prelude::*;

fn parse(line: &str) -> Result<Command, CommandError> {
    Command::parse(line.as_bytes(), false)
}

fn mail(line: &str) -> MailFrom {
    match parse(line) {
        Ok(Command::MailFrom(mail)) => mail,
        other => panic!("{line}: {other:?}"),
    }
}

fn rcpt(line: &str) -> RcptTo {
    match Command::parse(line.as_bytes(), true) {
        Ok(Command::RcptTo(rcpt)) => rcpt,
        other => panic!("{line}: {other:?}"),
    }
}

#[test]
fn plain_commands() {
    let table = [
        ("EHLO client.example.org", Command::Ehlo("client.example.org".into())),
        ("ehlo [192.0.2.1]", Command::Ehlo("[192.0.2.1]".into())),
        ("HELO x", Command::Helo("x".into())),
        ("LHLO foo.edu", Command::Lhlo("foo.edu".into())),
        ("DATA", Command::Data),
        ("data ", Command::Data),
        ("BDAT 1000", Command::Bdat { size: 1000, last: false }),
        ("BDAT 0 last", Command::Bdat { size: 0, last: true }),
        ("RSET", Command::Rset),
        ("NOOP hello there", Command::Noop),
        ("QUIT", Command::Quit),
        ("VRFY Smith", Command::Vrfy("Smith".into())),
        ("EXPN list", Command::Expn("list".into())),
        ("HELP", Command::Help("".into())),
        ("STARTTLS", Command::StartTls),
        ("auth plain", Command::Auth { mechanism: "PLAIN".into(), initial: None }),
        ("XCLIENT a=b", Command::Unknown("XCLIENT".into())),
    ];
    for (line, command) in table {
        assert_eq!(parse(line), Ok(command), "{line}");
    }
}

#[test]
fn auth_carries_an_initial_response() {
    let Ok(Command::Auth { initial: Some(secret), .. }) = parse("AUTH PLAIN AHRlc3QAMTIzNA==") else { panic!() };
    assert_eq!(secret.as_bytes(), b"\0test\x001234");
    let Ok(Command::Auth { initial: Some(secret), .. }) = parse("AUTH EXTERNAL =") else { panic!() };
    assert_eq!(secret.as_bytes(), b"");
    assert_eq!(parse("AUTH PLAIN !!!").unwrap_err().code, 501);
    assert_eq!(parse_auth_response(b"*"), Ok(None));
    assert_eq!(parse_auth_response(b"dGVzdA==").unwrap().unwrap().as_bytes(), b"test");
    assert_eq!(parse_auth_response(b"dGVzdA=").unwrap_err().code, 501);
}

#[test]
fn paths_of_senders() {
    let table = [
        ("MAIL FROM:<>", None),
        ("mail from:<a@b.example>", Some(("a", "b.example"))),
        ("MAIL FROM: <a@b.example>", Some(("a", "b.example"))),
        ("MAIL FROM:<@one,@two.example:joe@three>", Some(("joe", "three"))),
        ("MAIL FROM:<\"a b\"@c>", Some(("a b", "c"))),
        ("MAIL FROM:<\"a\\\"> b\"@c>", Some(("a\"> b", "c"))),
        ("MAIL FROM:<\"a@b\"@c>", Some(("a@b", "c"))),
        ("MAIL FROM:<a@[192.0.2.1]>", Some(("a", "[192.0.2.1]"))),
        ("MAIL FROM:<a@[IPv6:2001:db8::1]>", Some(("a", "[IPv6:2001:db8::1]"))),
        ("MAIL FROM:<#$%&'*+-/=?^_`{|}~@c>", Some(("#$%&'*+-/=?^_`{|}~", "c"))),
        ("MAIL FROM:<用户@例子.中国> SMTPUTF8", Some(("用户", "例子.中国"))),
    ];
    for (line, expected) in table {
        let path = mail(line).path;
        assert_eq!(path.as_ref().map(|p| (p.local.as_str(), p.domain.as_str())), expected, "{line}");
    }
}

#[test]
fn parameters_of_mail() {
    let mail =
        mail("MAIL FROM:<a@b> SIZE=1000 BODY=8BITMIME RET=HDRS ENVID=QQ314159+2B AUTH=<> REQUIRETLS X-FOO=1 mt-prio");
    assert_eq!(mail.size, Some(1000));
    assert_eq!(mail.body, Some(BodyType::EightBitMime));
    assert_eq!(mail.ret, Some(Ret::Hdrs));
    assert_eq!(mail.envid.as_deref(), Some("QQ314159+"));
    assert_eq!(mail.auth.as_deref(), Some("<>"));
    assert!(mail.requiretls && !mail.smtputf8);
    let other: Vec<_> = mail.other.iter().map(|p| (p.name.as_str(), p.value.as_deref())).collect();
    assert_eq!(other, [("X-FOO", Some("1")), ("MT-PRIO", None)]);
}

#[test]
fn parameters_of_rcpt() {
    let rcpt = rcpt("RCPT TO:<Ann@x.example> NOTIFY=SUCCESS,delay ORCPT=rfc822;Ann+2Bx@x.example");
    assert_eq!(rcpt.notify, Some(Notify { success: true, failure: false, delay: true }));
    assert_eq!(rcpt.orcpt, Some(("rfc822".into(), "Ann+x@x.example".into())));
    assert_eq!(self::rcpt("RCPT TO:<a@b> NOTIFY=NEVER").notify, Some(Notify::default()));
    assert_eq!(self::rcpt("RCPT TO:<Postmaster>").path, ForwardPath::Postmaster);
}

#[test]
fn bad_lines_get_their_codes() {
    let long = format!("MAIL FROM:<{}@b>", "a".repeat(65));
    let longer = format!("MAIL FROM:<a@{}>", "b.".repeat(130) + "c");
    let longest = format!("NOOP {}", "x".repeat(COMMAND_LINE_MAX));
    let table = [
        ("", 500, (5, 5, 2)),
        ("EHLO", 501, (5, 5, 4)),
        ("EHLO two words", 501, (5, 5, 4)),
        ("DATA x", 501, (5, 5, 4)),
        ("BDAT", 501, (5, 5, 4)),
        ("BDAT -1", 501, (5, 5, 4)),
        ("BDAT 99999999999999999999", 501, (5, 5, 4)),
        ("BDAT 5 LAST x", 501, (5, 5, 4)),
        ("VRFY", 501, (5, 5, 4)),
        ("AUTH", 501, (5, 5, 4)),
        ("MAIL", 501, (5, 5, 4)),
        ("MAIL FROM", 501, (5, 5, 4)),
        ("MAIL FROM:a@b", 501, (5, 1, 7)),
        ("MAIL FROM :<a@b>", 501, (5, 5, 4)),
        ("MAIL FROM:<a@b", 501, (5, 1, 7)),
        ("MAIL FROM:<a>", 501, (5, 1, 7)),
        ("MAIL FROM:<@>", 501, (5, 1, 7)),
        ("MAIL FROM:<a@>", 501, (5, 1, 7)),
        ("MAIL FROM:<@b>", 501, (5, 1, 7)),
        ("MAIL FROM:<\"\"@b>", 501, (5, 1, 7)),
        ("MAIL FROM:<a@b@c>", 501, (5, 1, 7)),
        ("MAIL FROM:<a b@c>", 501, (5, 1, 7)),
        ("MAIL FROM:<a..b@c>", 501, (5, 1, 7)),
        ("MAIL FROM:<.a@c>", 501, (5, 1, 7)),
        ("MAIL FROM:<a@c..d>", 501, (5, 1, 7)),
        ("MAIL FROM:<a@[300.1.1.1]>", 501, (5, 1, 7)),
        ("MAIL FROM:<a@b>SIZE=1", 501, (5, 5, 4)),
        ("MAIL FROM:<a@b> SIZE=x", 501, (5, 5, 4)),
        ("MAIL FROM:<a@b> SIZE=1 SIZE=2", 501, (5, 5, 4)),
        ("MAIL FROM:<a@b> BODY=9BIT", 501, (5, 5, 4)),
        ("MAIL FROM:<a@b> SMTPUTF8=1", 501, (5, 5, 4)),
        ("MAIL FROM:<a@b> MT-PRIORITY=10", 501, (5, 5, 4)),
        ("MAIL FROM:<a@b> MT-PRIORITY=-0", 501, (5, 5, 4)),
        ("MAIL FROM:<a@b> MT-PRIORITY=+3", 501, (5, 5, 4)),
        ("MAIL FROM:<a@b> MT-PRIORITY", 501, (5, 5, 4)),
        ("MAIL FROM:<a@b> HOLDFOR=0", 501, (5, 5, 4)),
        ("MAIL FROM:<a@b> HOLDFOR=1234567890", 501, (5, 5, 4)),
        ("MAIL FROM:<a@b> HOLDUNTIL=tomorrow", 501, (5, 5, 4)),
        ("MAIL FROM:<a@b> HOLDUNTIL=2026-12-24T18:00:00", 501, (5, 5, 4)),
        ("MAIL FROM:<a@b> HOLDFOR=1 HOLDUNTIL=2026-12-24T18:00:00Z", 501, (5, 5, 4)),
        ("MAIL FROM:<a@b> =1", 501, (5, 5, 4)),
        ("MAIL FROM:<用户@b>", 553, (5, 6, 7)),
        ("RCPT TO:<用户@b>", 553, (5, 6, 7)),
        ("RCPT TO:<>", 501, (5, 1, 3)),
        ("RCPT TO:<a@b> NOTIFY=NEVER,SUCCESS", 501, (5, 5, 4)),
        ("RCPT TO:<a@b> ORCPT=foo", 501, (5, 5, 4)),
        ("MAIL FROM:<a@b>\rRCPT TO:<c@d>", 500, (5, 5, 2)),
        ("RCPT TO:<\"a\nb\"@c>", 500, (5, 5, 2)),
        ("RCPT TO:<a\0@c>", 500, (5, 5, 2)),
        (&long, 501, (5, 1, 7)),
        (&longer, 501, (5, 1, 7)),
        (&longest, 500, (5, 5, 2)),
    ];
    for (line, code, enhanced) in table {
        let error = parse(line).expect_err(line);
        assert_eq!((error.code, error.enhanced), (code, enhanced), "{line}: {error}");
    }
}

#[test]
fn a_client_line_reads_back() {
    for line in [
        "MAIL FROM:<>",
        "MAIL FROM:<a@b.example> SIZE=77 BODY=8BITMIME SMTPUTF8 RET=FULL ENVID=x+2By AUTH=<> X=1",
        "MAIL FROM:<\"a b\\\"\"@b>",
        "MAIL FROM:<a@b> MT-PRIORITY=-9 HOLDFOR=86400",
        "MAIL FROM:<a@b> MT-PRIORITY=4 HOLDUNTIL=2026-12-24T18:00:00Z",
    ] {
        assert_eq!(mail(line).to_line().as_deref(), Ok(line));
    }
    for line in ["RCPT TO:<a@b> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;a+2Bb@c", "RCPT TO:<postmaster> NOTIFY=NEVER"] {
        assert_eq!(rcpt(line).to_line().as_deref(), Ok(line));
    }
    let hostile =
        MailFrom { path: Some(Mailbox { local: "a\r\nRSET\r\n".into(), domain: "b".into() }), ..Default::default() };
    assert!(hostile.to_line().is_err());
    let hostile = Mailbox { local: "a".into(), domain: "b> SIZE=1 <".into() };
    assert!(MailFrom { path: Some(hostile), ..Default::default() }.to_line().is_err());
}

#[test]
fn replies_are_written_with_a_code_on_every_line() {
    let mut out = Vec::new();
    let reply = Reply {
        code: 550,
        enhanced: Some((5, 1, 1)),
        lines: vec!["No such user".into(), "Ask\r\npostmaster\0".into()],
    };
    reply.encode(&mut out);
    let text = "550-5.1.1 No such user\r\n550-5.1.1 Ask\r\n550 5.1.1 postmaster?\r\n";
    assert_eq!(String::from_utf8(out).unwrap(), text);
    let mut out = Vec::new();
    Reply::new(250, None, "信".repeat(400)).encode(&mut out);
    assert!(out.split_inclusive(|&b| b == b'\n').all(|line| line.len() <= REPLY_LINE_MAX));
    assert!(std::str::from_utf8(&out).is_ok());
}

#[test]
fn replies_are_read_one_after_another() {
    let input = b"250-mx.example greets you\r\n250-SIZE 1000\r\n250-AUTH PLAIN login\r\n250-AUTH=LOGIN\r\n250-STARTTLS\r\n250 X-Y 1\r\n550 5.1.1 no\r\n";
    let mut reader = ReplyReader::new();
    let (consumed, reply) = reader.push(input).unwrap();
    let capabilities = Capabilities::from_reply(&reply.unwrap());
    assert_eq!((capabilities.domain.as_str(), capabilities.size), ("mx.example", Some(1000)));
    assert_eq!(capabilities.auth, ["PLAIN", "LOGIN"]);
    assert!(capabilities.starttls && !capabilities.pipelining);
    assert_eq!(capabilities.other, ["X-Y 1"]);
    let (_, reply) = reader.push(&input[consumed..]).unwrap();
    assert_eq!(reply, Some(Reply::new(550, Some((5, 1, 1)), "no")));
    for bad in ["hello\r\n", "99 x\r\n", "250-a\r\n251 b\r\n", "2500 x\r\n"] {
        assert_eq!(ReplyReader::new().push(bad.as_bytes()), Err(ReplyError::Malformed), "{bad}");
    }
    let endless = "250-x\r\n".repeat(REPLY_LINES_MAX + 1);
    assert_eq!(ReplyReader::new().push(endless.as_bytes()), Err(ReplyError::TooLong));
    assert_eq!(ReplyReader::new().push(&[b'2'; REPLY_LINE_ACCEPTED_MAX + 1]), Err(ReplyError::TooLong));
}

#[test]
fn xtext_is_strict() {
    assert_eq!(xtext_decode("a+2Bb+3D"), Some(b"a+b=".to_vec()));
    for bad in ["+", "+2", "+2b", "+GG", "a b", "a=b", "é"] {
        assert_eq!(xtext_decode(bad), None, "{bad}");
    }
}

#[test]
fn a_verb_that_is_no_text_is_refused() {
    for line in [&b"\xff\xffEHLO a"[..], b"\xffHLO", b"\xe5\xa4HELO x", b"EH\xffLO x"] {
        assert!(matches!(Command::parse(line, false), Err(_) | Ok(Command::Unknown(_))));
    }
}

proptest! {
    #[test]
    fn xtext_reads_back(octets: Vec<u8>) {
        prop_assert_eq!(xtext_decode(&xtext_encode(&octets)), Some(octets));
    }

    #[test]
    fn no_line_panics(line: Vec<u8>, verb in prop::sample::select(vec!["", "MAIL FROM:<", "RCPT TO:<", "AUTH ", "BDAT ", "EHLO "])) {
        let line = [verb.as_bytes(), &line].concat();
        let _ = Command::parse(&line, true);
        let _ = parse_auth_response(&line);
    }

    #[test]
    fn addresses_read_back(local in "[ -~]{1,64}", domain in "[a-z]{1,10}(\\.[a-z]{1,10}){0,3}") {
        let mailbox = Mailbox { local, domain };
        prop_assert_eq!(Mailbox::parse(&mailbox.to_string()), Ok(mailbox));
    }

    #[test]
    fn reply_chunks_do_not_matter(texts in prop::collection::vec("[ -~]{0,30}", 1..5), cut in 0usize..200) {
        let mut out = Vec::new();
        Reply { code: 250, enhanced: None, lines: texts }.encode(&mut out);
        let whole = ReplyReader::new().push(&out).unwrap();
        let (head, tail) = out.split_at(cut.min(out.len()));
        let mut reader = ReplyReader::new();
        let (_, first) = reader.push(head).unwrap();
        let reply = if first.is_some() { first } else { reader.push(tail).unwrap().1 };
        prop_assert_eq!(reply, whole.1);
    }
}
