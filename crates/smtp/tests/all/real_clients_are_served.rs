use std::process::Command;

use anser_smtp::Service;
use anser_testkit::engines::World;

use crate::house::{House, PASSWORD, SCHEMAS};

/// Whether the machine has the program; a test that needs it says so when it does not.
fn has(program: &str) -> bool {
    let found = Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success());
    if !found {
        eprintln!("{program} is not there: its part of this test did not run");
    }
    found
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}\n{out}\n{err}");
}

#[test]
fn python_submits_with_starttls_and_every_mechanism_it_knows() {
    if !has("python3") {
        return;
    }
    let world = World::embedded(SCHEMAS);
    let house = House::with(&world, |deps| deps.allow_plaintext_auth = false);
    let port = house.open(Service::Submission).port();
    let script = format!(
        r#"
import smtplib, ssl
from email.message import EmailMessage
for mechanism in ("auth_plain", "auth_login"):
    smtp = smtplib.SMTP("127.0.0.1", {port}, timeout=30)
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    smtp.starttls(context=context)
    smtp.ehlo()
    smtp.user, smtp.password = "ann@example.org", "{PASSWORD}"
    smtp.auth(mechanism[5:].upper(), getattr(smtp, mechanism))
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "ann@example.org", "bob@example.org", "你好"
    message.set_content(".\n..\n你好\n" * 1000)
    smtp.send_message(message)
    message.replace_header("To", "陈雁@example.org")
    smtp.send_message(message)
    smtp.quit()
"#
    );
    run(Command::new("python3").args(["-c", &script]));
    let mail = house.mail();
    assert_eq!(mail.len(), 4);
    assert!(mail[1].entry.envelope.smtputf8);
}

#[test]
fn swaks_speaks_to_all_three_services() {
    if !has("swaks") {
        return;
    }
    let world = World::embedded(SCHEMAS);
    let house = House::new(&world);
    let swaks = |service: Service, arguments: &[&str]| {
        let server = house.open(service).to_string();
        run(Command::new("swaks")
            .args(["--server", &server, "--to", "bob@example.org", "--timeout", "30"])
            .args(arguments));
    };
    swaks(Service::Mx, &["--from", "eve@elsewhere.net", "--pipeline"]);
    swaks(Service::Mx, &["--from", "<>", "--protocol", "SMTP"]);
    swaks(Service::Lmtp, &["--from", "eve@elsewhere.net", "--protocol", "LMTP"]);
    let login = ["--from", "ann@example.org", "--auth-user", "ann@example.org", "--auth-password", PASSWORD];
    swaks(Service::Submission, &[&login[..], &["--auth", "PLAIN"]].concat());
    swaks(Service::Submission, &[&login[..], &["--auth", "LOGIN"]].concat());
    assert_eq!(house.mail().len(), 5);
}
