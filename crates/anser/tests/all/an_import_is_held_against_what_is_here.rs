//! VER: `anser account import --move` is remembered, and the report of the move tells what is no longer as the files said.

use std::fs;

use crate::world::Place;

#[test]
fn what_was_changed_since_the_import_is_told_by_the_report() {
    let place = Place::new();
    let dev = place.start();
    let file = place.file("people.csv");
    fs::write(&file, "email,alias,forward\nx@house.test,,f@else.test\ny@house.test,z@house.test,\n").unwrap();
    dev.ask(&["move", "plan", "m", "--host", "127.0.0.1", "--port", "1", "--tls", "none"]);
    let report = || dev.ask(&["move", "report", "m", "--format", "html"]);
    let import = ["account", "import", &file.display().to_string(), "--add-domains", "--move", "m"];
    dev.ask(&[&import[..], &["--dry-run"]].concat());
    assert!(!report().contains("Accounts and lists"), "a dry run brings nothing");
    dev.ask(&import);
    assert!(report().contains("export said 与旧系统导出一致: 2 / 2"), "{}", report());
    dev.ask(&["alias", "remove", "z@house.test"]);
    let told = report();
    assert!(told.contains("export said 与旧系统导出一致: 1 / 2") && told.contains("<td>aliases</td>"), "{told}");
}
