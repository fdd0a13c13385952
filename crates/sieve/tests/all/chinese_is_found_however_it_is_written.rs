//! Chinese in fields, names, bodies and file names is found, whatever charset and encoding the sender used.

use anser_sieve::{Action, Environment, Program};

use crate::inbox::{input, run_main};

/// Whether `test` is true of a message.
fn holds(test: &str, message: &[u8]) -> bool {
    let script =
        format!("require [\"body\", \"mime\", \"regex\", \"comparator-i;unicode-casemap\"];\nif {test} {{ discard; }}");
    let program = Program::compile(script.as_bytes()).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let outcome = run_main(&program, &input(message, &Environment::new()));
    assert!(outcome.failures.is_empty(), "{outcome:?}");
    outcome.actions[0].action == Action::Discard
}

#[test]
fn in_subjects() {
    let subjects: [&[u8]; 5] = [
        b"Subject: \xb9\xa4\xd7\xf7\xb1\xa8\xb8\xe6\r\n\r\n",
        "Subject: 工作报告\r\n\r\n".as_bytes(),
        b"Subject: =?gb2312?B?uaTX97GouOY=?=\r\n\r\n",
        b"Subject: =?GBK?Q?=B9=A4=D7=F7=B1?=\r\n =?gbk?B?qLjm?=\r\n\r\n",
        b"Subject: =?utf-8?B?5bel5L2c?= =?utf-8?B?5oql5ZGK?=\r\n\r\n",
    ];
    for subject in subjects {
        assert!(holds("header :is \"subject\" \"工作报告\"", subject), "{subject:?}");
        assert!(holds("header :contains \"subject\" \"工作\"", subject));
        assert!(holds("header :matches \"subject\" \"工作??\"", subject));
        assert!(holds("header :regex \"subject\" \"^工.{3}$\"", subject));
    }
}

#[test]
fn in_names_and_addresses() {
    let message = "From: =?gbk?B?zfXQobb+?= <wang@例子.中国>\r\nTo: \"王小二\" <王@例子.中国>\r\n\r\n".as_bytes();
    assert!(holds("header :contains \"from\" \"王小二\"", message));
    assert!(holds("address :domain :is \"from\" \"例子.中国\"", message));
    assert!(holds("address :localpart :is \"to\" \"王\"", message));
    assert!(!holds("address :contains \"from\" \"王小二\"", message));
}

#[test]
fn in_bodies_and_file_names() {
    let message =
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; charset=gb2312\r\n\
        Content-Transfer-Encoding: quoted-printable\r\n\r\n=B9=A4=D7=F7=B1=A8=\r\n=B8=E6\r\n--b\r\n\
        Content-Disposition: attachment; filename*=gbk''%B1%A8%B8%E6.exe\r\n\r\nx\r\n--b--\r\n";
    assert!(holds("body :contains \"工作报告\"", message));
    assert!(holds("header :mime :anychild :param \"filename\" :matches \"Content-Disposition\" \"报告.*\"", message));
    assert!(holds("body :contains :comparator \"i;unicode-casemap\" \"报告\"", message));
    assert!(!holds("body :raw :contains \"工作报告\"", message));
}
