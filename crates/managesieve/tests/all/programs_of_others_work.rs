use std::fs;
use std::process::{Command, Output};

use crate::site::{PASSWORD, certificate, each_site};

/// The Python with the client library, and whether all programs must be there: `./x test` sets both.
const PYTHON: &str = "ANSER_TEST_MANAGESIEVE";
const ALL: &str = "ANSER_TEST_CLIENTS";

fn run(command: &mut Command) -> Option<Output> {
    match command.output() {
        Ok(output) => Some(output),
        Err(error) => {
            assert!(std::env::var_os(ALL).is_none(), "{command:?}: {error}");
            eprintln!("{command:?}: {error}; this program was not tried");
            None
        }
    }
}

fn shown(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn pythons_managesieve() {
    let Some(python) = std::env::var_os(PYTHON) else {
        eprintln!("{PYTHON} is not set: the library was not tried");
        return;
    };
    each_site(|site| {
        let script = r#"
import sys, managesieve
port, strict, password = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
m = managesieve.MANAGESIEVE('127.0.0.1', port)
assert 'PLAIN' in m.loginmechs and 'fileinto' in m.capabilities, (m.loginmechs, m.capabilities)
assert m.login('', 'ann', password) == 'OK'
text = 'require "fileinto";\r\nif header :contains "subject" "报告" { fileinto "Work"; }\r\n'
assert m.havespace('mine', 100) == 'OK'
assert m.putscript('mine', text) == 'OK', m.response_text
assert m.putscript('other', 'keep;') == 'OK'
assert m.putscript('bad', 'nonsense;') == 'NO'
assert 'line 1, column 1' in str(m.response_text), m.response_text
assert m.setactive('mine') == 'OK'
ok, scripts = m.listscripts()
assert ok == 'OK' and sorted(scripts) == [('mine', True), ('other', False)], scripts
ok, found = m.getscript('mine')
assert ok == 'OK' and found == text, repr(found)
assert m.deletescript('mine') == 'NO' and m.response_code == 'ACTIVE', (m.response_code, m.response_text)
assert m.setactive('') == 'OK' and m.deletescript('mine') == 'OK'
m.logout()
m = managesieve.MANAGESIEVE('127.0.0.1', strict, use_tls=True, tls_verify=False)
assert m.login('', 'ann', password) == 'OK'
m.logout()
"#;
        let ports = [site.plain.port(), site.strict.port()].map(|port| port.to_string());
        let mut command = Command::new(&python);
        command.args(["-c", script, &ports[0], &ports[1], PASSWORD]);
        let output = run(&mut command).unwrap();
        assert!(output.status.success(), "{}", shown(&output));
    });
}

#[test]
fn sieve_connect() {
    each_site(|site| {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::write(&path, text).unwrap();
            path
        };
        let authority = file("authority.pem", &certificate().0);
        let password = file("password", PASSWORD);
        let mine = file("mine", "require \"fileinto\";\nfileinto \"Junk\";\n");
        let bad = file("bad", "fileinto \"Junk\";\n");
        let connect = |arguments: &[&str]| {
            let mut command = Command::new("sieve-connect");
            let port = site.strict.port().to_string();
            command.args(["--server", "localhost", "--port", &port, "--user", "ann", "-4"]);
            command.args(["--tlscafile", authority.to_str().unwrap()]);
            command.args(["--passwordfd", "0"]).stdin(fs::File::open(&password).unwrap());
            run(command.args(arguments))
        };
        let Some(output) = connect(&["--localsieve", mine.to_str().unwrap(), "--remotesieve", "mine", "--upload"])
        else {
            return;
        };
        assert!(output.status.success(), "{}", shown(&output));
        let output = connect(&["--remotesieve", "mine", "--activate"]).unwrap();
        assert!(output.status.success(), "{}", shown(&output));
        let output = connect(&["--list"]).unwrap();
        assert!(shown(&output).contains("\"mine\" ACTIVE"), "{}", shown(&output));
        let output = connect(&["--localsieve", bad.to_str().unwrap(), "--remotesieve", "bad", "--upload"]).unwrap();
        assert!(!output.status.success() && shown(&output).contains("line 1, column 1"), "{}", shown(&output));
    });
}
