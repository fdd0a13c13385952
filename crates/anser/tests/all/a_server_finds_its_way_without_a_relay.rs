//! Mail for other domains without a smarthost in the boot file: taken, for it finds its own way, unless even that is off.

use crate::world::{Place, Served, anser, done, free_port, run};

/// Logs in and hands over a message for another domain; prints the code of the answer.
const SUBMIT: &str = r#"
import smtplib, ssl, sys
context = ssl._create_unverified_context()
with smtplib.SMTP_SSL("127.0.0.1", int(sys.argv[1]), context=context) as smtp:
    smtp.login("ann@example.org", "wild-goose")
    try:
        smtp.sendmail("ann@example.org", ["x@far.test"], "From: ann@example.org\r\nTo: x@far.test\r\n\r\nhi\r\n")
        print("taken")
    except smtplib.SMTPRecipientsRefused as refused:
        print(refused.recipients["x@far.test"][0])
"#;

fn submitted(more: &str) -> String {
    let (place, port) = (Place::new(), free_port());
    let folder = place.file("server");
    let mut command = anser();
    command.args(["init", "--hostname", "mail.example.org", "--domain", "example.org", "--dir"]).arg(&folder);
    done(command.output().unwrap());
    // Nobody listens there: what is taken waits.
    let dns = "\n[dns]\nservers = [\"127.0.0.1:9\"]\n";
    Served::listen(&folder, &[("submissions", port)], &format!("{dns}{more}"));
    done(run(&folder, &["account", "add", "ann@example.org", "--password-stdin"], b"wild-goose"));
    let server = Served::start(&folder);
    let said = done(std::process::Command::new("python3").args(["-c", SUBMIT, &port.to_string()]).output().unwrap());
    server.stop();
    said.trim().to_owned()
}

#[test]
fn mail_for_others_is_taken_unless_nothing_may_leave() {
    assert_eq!(submitted(""), "taken");
    assert_eq!(submitted("\n[outward]\noff = true\n"), "550");
}
