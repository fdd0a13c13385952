//! Exit status 1 with one plain line for what is refused, 2 for bad usage, in the language of the person.

use crate::world::{Place, anser, run, run_in};

#[test]
fn what_is_refused_is_said_in_one_line_in_both_languages() {
    let place = Place::new();
    let dev = place.start();
    let cases: [(&[&str], &str, &str); 8] = [
        (&["account", "show", "nobody@anser.test"], "there is no account", "没有账号"),
        (&["account", "show", "no address"], "is not an address", "不是邮箱地址"),
        (&["account", "add", "ann@anser.test", "--no-password"], "is taken", "已被占用"),
        (&["account", "add", "x@elsewhere.example", "--no-password"], "not one of ours", "不属于本系统"),
        (&["account", "add", "x@anser.test"], "--password-stdin", "--password-stdin"),
        (&["domain", "add", "anser.test"], "exists", "已存在"),
        (&["queue", "show", "77"], "no such queue entry", "没有这个队列条目"),
        (&["import", "mbox", "/nowhere", "--account", "ann@anser.test"], "/nowhere", "/nowhere"),
    ];
    for (arguments, en, zh) in cases {
        for (language, words) in [("en_US.UTF-8", en), ("zh_CN.UTF-8", zh)] {
            let output = run_in(language, &dev.folder, arguments, b"");
            let said = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
            assert_eq!(said.lines().count(), 1, "{said}");
            assert!(said.contains(words), "{arguments:?} says {said:?}");
        }
    }
}

#[test]
fn bad_usage_is_status_2() {
    let place = Place::new();
    for arguments in
        [&["fly"][..], &["account"], &["account", "add", "--password", "x"], &["queue", "list", "--colour"]]
    {
        assert_eq!(run(&place.path(), arguments, b"").status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn a_missing_or_bad_boot_file_is_named() {
    let place = Place::new();
    let missing = anser().args(["serve", "--config"]).arg(place.file("none.toml")).output().unwrap();
    assert_eq!(missing.status.code(), Some(1));
    assert!(String::from_utf8(missing.stderr).unwrap().contains("none.toml"));
    std::fs::write(place.file("bad.toml"), "hostname = \"x\"\ndata_dir = \"d\"\ncolour = 1\n").unwrap();
    let bad = anser().args(["serve", "--config"]).arg(place.file("bad.toml")).output().unwrap();
    let said = String::from_utf8(bad.stderr).unwrap();
    assert!(said.contains("line 3") && said.contains("colour"), "{said}");
}

#[test]
fn help_is_there_in_chinese() {
    let output = anser().env("LC_ALL", "zh_CN.UTF-8").args(["account", "add", "--help"]).output().unwrap();
    assert!(output.status.success());
    assert!(String::from_utf8(output.stdout).unwrap().contains("从标准输入读取密码"));
}
