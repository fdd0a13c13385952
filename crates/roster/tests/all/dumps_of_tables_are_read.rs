//! SQL dumps.

use anser_roster::{Format, Pass};

use crate::{person, read, told, wrong};

const MYSQL: &str = r"-- MySQL dump 10.13
/*!40101 SET NAMES utf8 */;
DROP TABLE IF EXISTS `mailbox`;
CREATE TABLE `mailbox` (
  `username` varchar(255) NOT NULL,
  `password` varchar(255) NOT NULL,
  `name` varchar(255) NOT NULL DEFAULT '',
  `maildir` varchar(255) NOT NULL,
  `quota` bigint(20) NOT NULL DEFAULT '0',
  `local_part` varchar(255) NOT NULL,
  `domain` varchar(255) NOT NULL,
  `active` tinyint(1) NOT NULL DEFAULT 1,
  PRIMARY KEY (`username`),
  KEY `domain` (`domain`)
) ENGINE=InnoDB;
INSERT INTO `mailbox` VALUES ('ann@example.org','$1$abc$def','Ann \'O\' ''White''; x','example.org/ann/',1073741824,'ann','example.org',1),
('bob@example.org','{PLAIN-MD5}00','',NULL,0,'bob','example.org',0);
INSERT INTO alias (address, goto, domain, created, active) VALUES ('ann@example.org','ann@example.org','example.org',NOW(),1);
INSERT INTO alias (address, goto, domain, active) VALUES ('info@example.org','ann@example.org,x@else.test','example.org',1),('@example.org','bob@example.org','example.org',1),('old@example.org','ann@example.org','example.org',0);
INSERT INTO `domain` (`domain`, description) VALUES ('ALL',''),('example.org','');
INSERT INTO alias_domain (alias_domain, target_domain) VALUES ('example.net','example.org');
INSERT INTO log VALUES (1,'x');
INSERT INTO mailbox VALUES ('cut";

#[test]
fn postfixadmin_in_mysql_is_read() {
    let roster = read(MYSQL.as_bytes());
    assert_eq!(roster.format, Format::Sql);
    assert_eq!(
        told(&roster),
        [
            "16 person ann@example.org",
            "17 person bob@example.org",
            "19 alias info@example.org > ann@example.org,x@else.test",
            "19 catch-all example.org > bob@example.org",
            "20 domain example.org",
            "21 domain example.net = example.org",
        ]
    );
    let ann = person(&roster, "ann@example.org");
    assert_eq!(ann.name.as_deref(), Some("Ann 'O' 'White'; x"));
    assert_eq!((ann.quota, ann.active), (Some(1 << 30), Some(true)));
    assert_eq!(ann.pass, Some(Pass::Hashed("$1$abc$def".into())));
    assert_eq!(person(&roster, "bob@example.org").active, Some(false));
    assert_eq!(wrong(&roster), [23], "{:?}", roster.problems);
}

#[test]
fn postgresql_copies_and_tables_made_by_hand_are_read() {
    let text = "COPY public.mailbox (username, password, name, active) FROM stdin;
ann@example.org\t$6$s$h\tAnn\\tWhite\tt
bob@example.org\t\\N\t\\N\tf
\\.

INSERT INTO virtual_domains (id, name) VALUES (1, 'x.test');
INSERT INTO virtual_users (id, domain_id, password, email) VALUES (7, 1, '{SHA512-CRYPT}$6$a$b', 'carl');
INSERT INTO \"public\".\"virtual_aliases\" (id, domain_id, source, destination) VALUES (1, 1, 'post@x.test', 'carl@x.test');
INSERT INTO mailbox_without_columns VALUES ('a');
INSERT INTO mailbox VALUES ('a');
";
    let roster = read(text.as_bytes());
    let expected = [
        "2 person ann@example.org",
        "3 person bob@example.org",
        "6 domain x.test",
        "7 person carl@x.test",
        "8 alias post@x.test > carl@x.test",
    ];
    assert_eq!(told(&roster), expected, "{:?}", roster.problems);
    assert_eq!(person(&roster, "ann@example.org").name.as_deref(), Some("Ann White"), "a name is one line");
    assert_eq!(person(&roster, "bob@example.org").pass, None);
    assert_eq!(wrong(&roster), [10]);
}
