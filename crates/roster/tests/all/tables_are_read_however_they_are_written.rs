//! CSV (case 39 of the list of nasty cases).

use anser_base::Language;
use anser_roster::{Entry, Field, Format, Pass};
use encoding_rs::{GB18030, UTF_16LE};

use crate::{person, read, told, wrong};

const TABLE: &str = "姓名,邮箱,部门,密码,容量(GB),别名,备注\r\n\
                     张三,zhangsan,学校\\信息中心,a()*%\"\\ {}]~ 密,2,zs;san.zhang@example.org,x\r\n\
                     李四,lisi＠example．org  ,教务处,{SSHA}abcd,500M,,\r\n";

#[test]
fn a_table_in_utf8_with_and_without_a_mark_in_gbk_and_in_utf16_is_the_same() {
    let gbk = GB18030.encode(TABLE).0.into_owned();
    let marked = [&b"\xef\xbb\xbf"[..], TABLE.as_bytes()].concat();
    let wide: Vec<u8> = [0xfeff].into_iter().chain(TABLE.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    for (bytes, charset) in
        [(TABLE.as_bytes(), "UTF-8"), (&marked, "UTF-8"), (&gbk, GB18030.name()), (&wide, UTF_16LE.name())]
    {
        let roster = read(bytes);
        assert_eq!((roster.format, roster.charset, roster.separator), (Format::Csv, charset, Some(',')));
        let meant: Vec<_> = roster.columns.iter().map(|column| column.field).collect();
        let quota = Some(Field::Quota);
        let (name, address, department) = (Some(Field::Name), Some(Field::Address), Some(Field::Department));
        assert_eq!(meant, [name, address, department, Some(Field::Password), quota, Some(Field::Aliases), None]);
        let zhang = person(&roster, "zhangsan@example.org");
        assert_eq!(zhang.name.as_deref(), Some("张三"));
        assert_eq!(zhang.department.as_deref(), Some("学校/信息中心"));
        assert_eq!(zhang.pass, Some(Pass::Clear("a()*%\"\\ {}]~ 密".into())));
        assert_eq!(zhang.quota, Some(2 << 30));
        let aliases: Vec<String> = zhang.aliases.iter().map(ToString::to_string).collect();
        assert_eq!(aliases, ["zs@example.org", "san.zhang@example.org"]);
        let li = person(&roster, "lisi@example.org");
        assert_eq!((li.pass.clone(), li.quota), (Some(Pass::Hashed("{SSHA}abcd".into())), Some(500 << 20)));
        assert!(wrong(&roster).is_empty(), "{:?}", roster.problems);
    }
}

#[test]
fn semicolons_tabs_titles_and_quotes_with_newlines_are_understood() {
    let text = "人员名单;;\n\nName;E-Mail;Signature\n\"Ann; the \"\"first\"\"\";ann;\"Ann\nLine two\"\nBob;bob;\n";
    let roster = read(text.as_bytes());
    assert_eq!(told(&roster), ["4 person ann@example.org", "6 person bob@example.org"]);
    let ann = person(&roster, "ann@example.org");
    assert_eq!(ann.name.as_deref(), Some("Ann; the \"first\""));
    assert_eq!(ann.signature.as_deref(), Some("Ann\nLine two"));
    let roster = read(b"First Name\tLast Name\tUser\tEmail\tLanguage\nAnn\tWhite\t007\tann@x.test\tzh_CN\n");
    assert_eq!(roster.separator, Some('\t'));
    let ann = person(&roster, "ann@x.test");
    assert_eq!((ann.name.as_deref(), ann.language), (Some("Ann White"), Some(Language::Chinese)));
}

#[test]
fn a_wrong_line_is_told_and_the_rest_is_read() {
    let text = "email,quota,alias\nann,1,\nno@pe@x,1,\nbob,many,\n,,\ncarl,1,a,b,c\n\ndora,1,\"x y\"\n  ,1,\nerik\n";
    let roster = read(text.as_bytes());
    assert_eq!(told(&roster), ["2 person ann@example.org", "8 person dora@example.org", "10 person erik@example.org"]);
    assert_eq!(wrong(&roster), [3, 4, 6, 9]);
    for problem in &roster.problems {
        assert!(!problem.text.en.is_empty() && !problem.text.zh.is_empty());
    }
    let roster = anser_roster::read(b"email\nann\n", &anser_roster::Options::default());
    assert_eq!(wrong(&roster), [2], "a name without a domain");
    assert_eq!(wrong(&read(b"a,b\n1,2\n")), [1], "no known columns");
    assert_eq!(wrong(&read(b"")), [1]);
}

#[test]
fn lists_and_forwards_have_columns() {
    let roster = read("账号,名称,成员\nall,全体,\"ann、bob@example.org, c@else.test\"\n".as_bytes());
    assert_eq!(told(&roster), ["2 list all@example.org 全体 > ann@example.org,bob@example.org,c@else.test"]);
    let roster = read(
        "email,forward,keep,status,away\nann,x@else.test,no,停用,Back in May\nbob,\"bob,y@else.test\",,,\n".as_bytes(),
    );
    let (ann, bob) = (person(&roster, "ann@example.org"), person(&roster, "bob@example.org"));
    assert_eq!((ann.forwards.len(), ann.keep, ann.active), (1, false, Some(false)));
    assert!(ann.away.as_ref().unwrap().on);
    assert_eq!(
        (bob.forwards[0].to_string(), bob.keep),
        ("y@else.test".into(), true),
        "who forwards to himself keeps a copy"
    );
}

#[test]
fn fifty_thousand_lines_are_read_and_more_than_the_limit_are_not() {
    let mut text = String::from("email,name\n");
    for n in 0..anser_roster::ROWS + 5 {
        text.push_str(&format!("u{n},U {n}\n"));
    }
    let roster = read(text.as_bytes());
    assert_eq!(roster.rows.len(), anser_roster::ROWS);
    assert_eq!(roster.problem_count, 1);
    assert!(matches!(roster.rows[49_999].entry, Entry::Person(_)) && roster.rows[49_999].line == 50_001);
}
