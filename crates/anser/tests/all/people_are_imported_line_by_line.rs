//! What an old system exports comes in by a command (case 39 of the list of nasty cases).

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::world::{Place, done, each_engine, python, run};

const TABLE: &str = "姓名,邮箱,部门,密码,容量(MB),别名,转发,身份证号\n\
    张三,zhangsan,学校/信息中心,hunter two,1024,zs,,\n\
    李四,lisi＠anser．test ,教务处,{SSHA}KWKSPvIFnXLyBILlJE9m8UgWF5kBAnNhbHT/AA==,,,x@else.test,\n\
    \"王\n五\",wangwu,,{FOO}x,,,,11010119900307123X\n\
    重复,ZhangSan,,,,,,\n\
    占用,zhao,,,,bob,,\n\
    坏,no@pe@x,,,,,,\n\
    群主,zhou,,{CRYPT}!$6$a$b,,zhou,,\n";

#[test]
fn a_table_in_gbk_comes_in_once_and_again_as_changes() {
    each_engine(|place| {
        let dev = place.start();
        let file = place.file("people.csv");
        fs::write(&file, encoding_rs::GB18030.encode(TABLE).0).unwrap();
        let (file, slips) = (file.display().to_string(), place.file("slips"));
        let slips_name = slips.display().to_string();
        let import = |more: &[&str]| {
            let command = ["account", "import", &file, "--domain", "anser.test"];
            run(&dev.folder, &[&command[..], more].concat(), b"")
        };
        let said = |output: &std::process::Output| String::from_utf8_lossy(&output.stdout).into_owned();
        let dry = said(&import(&["--dry-run"]));
        assert!(dry.contains("csv gb18030 ,") && dry.contains("邮箱 = address"), "{dry}");
        for line in
            ["2  new  zhangsan@anser.test", "3  new  lisi@anser.test", "4  new  wangwu@anser.test", "6  refused"]
        {
            assert!(dry.contains(line), "{line}: {dry}");
        }
        assert!(dry.contains("nothing was done: 4 new, 0 changed, 0 as they are, 3 refused"), "{dry}");
        assert!(!dev.ask(&["account", "list"]).contains("zhangsan"));

        let first = import(&["--passwords", "formula", "--keep-passwords", "--slips", &slips_name]);
        assert!(!first.status.success(), "some lines were refused");
        assert!(said(&first).contains("4 new, 0 changed, 0 as they were, 3 refused"), "{}", said(&first));
        let table = slips.with_extension("csv");
        let slip = fs::read_to_string(&table).unwrap();
        assert!(slip.contains("\"07123xwangwu\"") || slip.contains("\"7123xwangwu\""), "{slip}");
        assert_eq!(fs::metadata(&table).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(fs::read_to_string(slips.with_extension("txt")).unwrap().contains("wangwu@anser.test"));

        let again = said(&import(&["--passwords", "formula"]));
        assert!(again.contains("0 new, 0 changed, 4 as they were, 3 refused"), "{again}");
        let login = "import imaplib,sys; imaplib.IMAP4('127.0.0.1', 143+int(sys.argv[1])).login(sys.argv[2], sys.argv[3]); print('in')";
        assert!(python(&dev, login, &["zhangsan@anser.test", "hunter two"]).contains("in"));
        let rules = dev.ask(&["sieve", "show", "lisi@anser.test"]);
        assert!(rules.contains("redirect") && rules.contains("x@else.test"), "{rules}");

        fs::write(&file, TABLE.replace("1024", "2048").replace("hunter two", "other")).unwrap();
        let changed = said(&import(&["--passwords", "formula"]));
        assert!(changed.contains("2  changed  zhangsan@anser.test  quota\n"), "a password used here stays: {changed}");
        let taken = import(&["--slips", &slips_name]);
        assert!(String::from_utf8_lossy(&taken.stderr).contains("not overwritten"));
    });
}

#[test]
fn passwd_with_shadow_and_a_dump_with_lists_come_in_without_a_server() {
    let place = Place::new();
    drop(place.start().stop());
    let folder = place.path();
    let write = |name: &str, text: &str| {
        fs::write(place.file(name), text).unwrap();
        place.file(name).display().to_string()
    };
    let passwd = write("passwd", "root:x:0:0::/root:/bin/sh\ncarl:x:1000:1000:Carl:/home/carl:/bin/sh\n");
    let shadow = write(
        "shadow",
        "root:*:1:0:9:7:::\ncarl:$6$saltstring$INYb1pHR06gRpFZbnZwjkGO5WaM7xkc26Zw9q3gsbniDy7881LAxC.q3zEfVE.5OL5fdmM7YuVW3u5YqkE85O1:1:0:9:7:::\n",
    );
    let said = done(run(&folder, &["account", "import", &passwd, &shadow, "--domain", "anser.test"], b""));
    assert!(said.contains("1 new, 0 changed, 0 as they were, 0 refused") && said.contains("sha512-crypt"), "{said}");
    let dump = write(
        "dump.sql",
        "INSERT INTO domain (domain) VALUES ('new.test');\n\
         INSERT INTO mailbox (username, password, name) VALUES ('dora@new.test','$1$a$b','Dora');\n\
         INSERT INTO alias (address, goto) VALUES ('dora@new.test','dora@new.test'),('d@new.test','dora@new.test'),\
         ('all@new.test','dora@new.test,carl@anser.test,x@else.test'),('loop@new.test','all@new.test,loop@new.test'),\
         ('out@new.test','x@else.test'),('@new.test','dora@new.test');\n",
    );
    for (round, totals) in [(0, "5 new, 1 changed"), (1, "0 new, 0 changed")] {
        let said = String::from_utf8(run(&folder, &["account", "import", &dump], b"").stdout).unwrap();
        assert!(said.contains(totals), "round {round}: {said}");
    }
    let all = done(run(&folder, &["group", "show", "all@new.test"], b""));
    assert!(all.contains("carl@anser.test") && all.contains("x@else.test"), "{all}");
    let aliases = done(run(&folder, &["alias", "list"], b""));
    assert!(
        aliases.contains("d@new.test  dora@new.test") && aliases.contains("out@new.test  x@else.test"),
        "{aliases}"
    );
}

#[test]
fn totals_are_held_against_the_survey_form_and_what_is_here() {
    let place = Place::new();
    let dev = place.start();
    let file = place.file("people.csv");
    fs::write(&file, "email,alias\nx@house.test,\ny@house.test,z@house.test\n").unwrap();
    dev.ask(&["move", "plan", "m", "--host", "127.0.0.1", "--port", "1", "--tls", "none"]);
    dev.ask(&["move", "survey", "m", "--answer", "users=3"]);
    let command = ["account", "import", &file.display().to_string(), "--add-domains", "--move", "m"];
    let dry = dev.ask(&[&command[..], &["--dry-run"]].concat());
    assert!(dry.contains("! users: 2 in the files, 3 in the survey form, 0 here"), "{dry}");
    let told = dev.ask(&command);
    assert!(told.contains("! users: 2 in the files, 3 in the survey form, 2 here"), "{told}");
    for line in ["+ domains: 1 in", "+ aliases: 1 in the files, - in the survey form, 1 here", "+ lists: 0 in"] {
        assert!(told.contains(line), "{line}: {told}");
    }
    dev.ask(&["move", "survey", "m", "--answer", "users=2"]);
    assert!(dev.ask(&command).contains("+ users: 2 in the files, 2 in the survey form, 2 here"));
}
