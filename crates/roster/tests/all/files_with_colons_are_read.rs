//! passwd, shadow, Dovecot's passwd-file.

use anser_roster::{Format, Pass};

use crate::{person, read, told, wrong};

#[test]
fn passwd_gives_people_and_not_the_system() {
    let text = "root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534::/:/bin/false\nann:x:1000:1000:Ann White,,,:/home/ann:/bin/sh\nbad\n";
    let roster = read(text.as_bytes());
    assert_eq!(roster.format, Format::Passwd);
    assert_eq!(told(&roster), ["3 person ann@example.org"]);
    assert_eq!(person(&roster, "ann@example.org").name.as_deref(), Some("Ann White"));
    assert_eq!(wrong(&roster), [4]);
    assert_eq!(roster.problems.len(), 3);
}

#[test]
fn shadow_gives_hashes_and_locked_ones_stay_locked() {
    let text = "root:*:19000:0:99999:7:::\nann:$6$salt$hash:19000:0:99999:7:::\nbob:!$6$salt$hash:19000:0:99999:7:::\n";
    let roster = read(text.as_bytes());
    assert_eq!(roster.format, Format::Shadow);
    assert_eq!(person(&roster, "ann@example.org").pass, Some(Pass::Hashed("$6$salt$hash".into())));
    assert_eq!(person(&roster, "bob@example.org").pass, Some(Pass::Hashed("!$6$salt$hash".into())));
}

#[test]
fn dovecots_file_has_schemes_and_extra_fields() {
    let text = "# users\nann@example.org:{BLF-CRYPT}$2y$05$x:5000:5000::/var/mail/ann::userdb_quota_rule=*:storage=1G nologin\n\
                bob:{PLAIN}secret:::Bob\ncarl:5f4dcc3b5aa765d61d8327deb882cf99\n";
    let roster = read(text.as_bytes());
    assert_eq!(roster.format, Format::Dovecot);
    let ann = person(&roster, "ann@example.org");
    assert_eq!((ann.pass.clone(), ann.quota), (Some(Pass::Hashed("{BLF-CRYPT}$2y$05$x".into())), Some(1 << 30)));
    assert_eq!(person(&roster, "bob@example.org").pass, Some(Pass::Hashed("{PLAIN}secret".into())));
    let carl = Some(Pass::Hashed("{PLAIN-MD5}5f4dcc3b5aa765d61d8327deb882cf99".into()));
    assert_eq!(person(&roster, "carl@example.org").pass, carl);
    assert!(wrong(&roster).is_empty());
}
