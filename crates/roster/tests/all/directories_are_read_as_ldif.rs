//! LDIF.

use anser_roster::{Format, Pass};

use crate::{person, read, read_as, told, wrong};

const LDIF: &str = "version: 1
# people
dn: uid=ann,ou=People,dc=example,dc=org
objectClass: inetOrgPerson
objectClass: posixAccount
uid: ann
cn:: 5byg5LiJ
mail: ann@example.org
mail: a.white@example.org
mailLocalAddress: awhite@example.org
userPassword:: e1NTSEF9YWJj
description: a long line that goes
  on here
preferredLanguage: zh-CN

dn: cn=staff,ou=Groups,dc=example,dc=org
objectClass: groupOfNames
cn: staff
mail: staff@example.org
member: uid=Ann, ou=People,dc=example,dc=org
member: uid=gone,ou=People,dc=example,dc=org

dn: ou=People,dc=example,dc=org
objectClass: organizationalUnit
ou: People

dn: uid=bob,ou=People,dc=example,dc=org
objectClass: posixAccount
uid: bob
userPassword: open sesame
mailQuota: 10000000S
jpegPhoto:< file:///etc/shadow
";

#[test]
fn people_and_groups_are_read() {
    for text in [LDIF.to_owned(), LDIF.replace('\n', "\r\n")] {
        let roster = read(text.as_bytes());
        assert_eq!(roster.format, Format::Ldif);
        let expected = [
            "3 person ann@example.org",
            "27 person bob@example.org",
            "16 list staff@example.org staff > ann@example.org",
        ];
        assert_eq!(told(&roster), expected);
        let ann = person(&roster, "ann@example.org");
        assert_eq!((ann.name.as_deref(), ann.pass.clone()), (Some("张三"), Some(Pass::Hashed("{SSHA}abc".into()))));
        assert_eq!(ann.aliases.len(), 2);
        let bob = person(&roster, "bob@example.org");
        assert_eq!((bob.pass.clone(), bob.quota), (Some(Pass::Clear("open sesame".into())), Some(10_000_000)));
        assert_eq!(wrong(&roster), [32, 16], "files are not opened, and a member is missing: {:?}", roster.problems);
    }
}

#[test]
fn zimbra_is_read_with_all_that_it_keeps() {
    let text = "dn: dc=example,dc=org
objectClass: zimbraDomain
zimbraDomainName: Example.org

dn: uid=ann,ou=people,dc=example,dc=org
objectClass: inetOrgPerson
objectClass: zimbraAccount
uid: ann
displayName: Ann White
zimbraMailDeliveryAddress: ann@example.org
zimbraMailAlias: white@example.org
mail: ann@example.org
mail: white@example.org
userPassword: {SSHA512}xyz
zimbraMailQuota: 1073741824
zimbraPrefMailForwardingAddress: x@else.test, y@else.test
zimbraPrefMailLocalDeliveryDisabled: TRUE
zimbraPrefMailSignature: Ann
zimbraPrefOutOfOfficeReply: away
zimbraPrefOutOfOfficeReplyEnabled: FALSE
zimbraMailSieveScript: keep;
zimbraAccountStatus: locked

dn: uid=all,ou=people,dc=example,dc=org
objectClass: zimbraDistributionList
objectClass: zimbraMailRecipient
mail: all@example.org
displayName: All
zimbraMailForwardingAddress: ann@example.org
zimbraMailForwardingAddress: white@example.org
";
    let roster = read_as(Format::Ldif, text);
    assert_eq!(
        told(&roster),
        [
            "1 domain example.org",
            "5 person ann@example.org",
            "24 list all@example.org All > ann@example.org,white@example.org"
        ]
    );
    let ann = person(&roster, "ann@example.org");
    assert_eq!((ann.quota, ann.keep, ann.active), (Some(1 << 30), false, Some(false)));
    assert_eq!((ann.aliases.len(), ann.forwards.len()), (1, 2));
    assert_eq!((ann.signature.as_deref(), ann.sieve.as_deref()), (Some("Ann"), Some("keep;")));
    assert!(!ann.away.as_ref().unwrap().on);
    assert!(wrong(&roster).is_empty(), "{:?}", roster.problems);
}
