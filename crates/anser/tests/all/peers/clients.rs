//! Programs that people read mail with, each told to fetch what an inbox holds. What a program changes on its own account is said
//! at its function.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::corpus::without_field;
use super::node::PASSWORD;
use super::tools::{Home, files, is_root, run, shell};

/// An account at a server.
pub struct Inbox<'a> {
    /// The login name.
    pub user: &'a str,
    /// Where IMAP listens.
    pub imap: u16,
    /// Where POP3 listens.
    pub pop3: u16,
}

/// The configuration of mbsync: both sides of everything, with state beside the Maildir.
pub fn mbsync_config(home: &Home, inbox: &Inbox<'_>) -> std::path::PathBuf {
    let (mail, Inbox { user, imap, .. }) = (home.path("mail"), inbox);
    fs::create_dir_all(&mail).expect("a folder for mail");
    let mail = mail.display();
    home.write(
        "mbsyncrc",
        format!(
            "FSync no\n\nIMAPAccount a\nHost 127.0.0.1\nPort {imap}\nUser {user}\nPass {PASSWORD}\nSSLType None\nAuthMechs LOGIN\n\n\
             IMAPStore far\nAccount a\n\nMaildirStore near\nPath {mail}/\nInbox {mail}/INBOX\nSubFolders Verbatim\n\n\
             Channel c\nFar :far:\nNear :near:\nPatterns *\nCreate Both\nRemove None\nExpunge Both\nSync All\nSyncState *\n"
        ),
    )
}

/// All of the inbox by isync's mbsync, which leaves out every CR. The field that it adds to know its copies again is left out here.
pub fn mbsync(inbox: &Inbox<'_>) -> Vec<Vec<u8>> {
    let home = Home::new();
    let config = mbsync_config(&home, inbox);
    run(home.command("mbsync").arg("-c").arg(config).arg("c:INBOX"));
    contents(&home.path("mail/INBOX")).iter().map(|message| without_field(message, "X-TUID")).collect()
}

/// Which protocol getmail is to speak.
#[derive(Clone, Copy)]
pub enum Getmail {
    /// With `SimplePOP3Retriever`.
    Pop3,
    /// With `SimpleIMAPRetriever`.
    Imap,
}

/// One run of getmail, which leaves everything on the server and takes what it has not taken before into the Maildir `mail`.
pub fn getmail_run(home: &Home, inbox: &Inbox<'_>, protocol: Getmail) {
    let mail = home.maildir("mail");
    let (kind, port) = match protocol {
        Getmail::Pop3 => ("SimplePOP3Retriever", inbox.pop3),
        Getmail::Imap => ("SimpleIMAPRetriever", inbox.imap),
    };
    home.write(
        "getmail/rc",
        format!(
            "[retriever]\ntype = {kind}\nserver = 127.0.0.1\nport = {port}\nusername = {}\npassword = {PASSWORD}\n\n\
             [destination]\ntype = Maildir\npath = {}/\n\n\
             [options]\nread_all = false\ndelete = false\ndelivered_to = false\nreceived = false\n",
            inbox.user,
            mail.display()
        ),
    );
    if is_root() {
        shell(&format!("chown -R nobody {}", home.path("").display()));
    }
    let mut command = home.command("/usr/bin/python3");
    command.args(["-c", include_str!("getmail.py"), "--getmaildir"]).arg(home.path("getmail")).args(["--rcfile", "rc"]);
    run(&mut command);
}

/// All of the inbox by getmail, which parses and rebuilds every message: compare with [`as_getmail_writes`]. The field that it adds
/// over IMAP is left out here.
pub fn getmail(inbox: &Inbox<'_>, protocol: Getmail) -> Vec<Vec<u8>> {
    let home = Home::new();
    getmail_run(&home, inbox, protocol);
    let field = "X-getmail-retrieved-from-mailbox";
    contents(&home.path("mail")).iter().map(|message| without_field(message, field)).collect()
}

/// What getmail's own code makes of these bytes.
pub fn as_getmail_writes(messages: &[Vec<u8>], protocol: Getmail) -> Vec<Vec<u8>> {
    let home = Home::new();
    let input = home.write("in", frames(messages));
    let how = match protocol {
        Getmail::Pop3 => "lines",
        Getmail::Imap => "string",
    };
    let script = include_str!("as_getmail_writes.py");
    run(home.command("/usr/bin/python3").args(["-c", script, how]).arg(input).arg(home.path("out")));
    unframed(&fs::read(home.path("out")).expect("what getmail makes of them"))
}

/// One run of fetchmail, which leaves everything on the server and takes what it has not taken before into the folder `mail`.
pub fn fetchmail_run(home: &Home, inbox: &Inbox<'_>) {
    let mail = home.path("mail");
    fs::create_dir_all(&mail).expect("a folder for mail");
    let rc = home.write(
        "fetchmailrc",
        format!(
            "set invisible\nset no bouncemail\nset no syslog\n\
             poll 127.0.0.1 protocol pop3 port {} uidl user \"{}\" password \"{PASSWORD}\" keep no rewrite sslproto ''\n\
             mda \"/bin/sh -c 'cat >$(mktemp -p {})'\"\n",
            inbox.pop3,
            inbox.user,
            mail.display()
        ),
    );
    let (ids, lock) = (home.path("fetchids"), home.path("fetchmail.pid"));
    let mut command = home.command("fetchmail");
    command.arg("-f").arg(rc).arg("-i").arg(ids).arg("--pidfile").arg(lock);
    let (status, _, said) = super::tools::finish(&mut command);
    // 1 means that there was nothing new.
    assert!(status == 0 || status == 1, "fetchmail ended with status {status}:\n{said}");
}

/// All of the inbox by fetchmail, which leaves out every CR and the separator of an mbox.
pub fn fetchmail(inbox: &Inbox<'_>) -> Vec<Vec<u8>> {
    let home = Home::new();
    fetchmail_run(&home, inbox);
    contents(&home.path("mail"))
}

/// All of the inbox by mpop, which logs in with SCRAM-SHA-256.
pub fn mpop(inbox: &Inbox<'_>) -> Vec<Vec<u8>> {
    let home = Home::new();
    let mail = home.maildir("mail");
    let rc = home.write(
        "mpoprc",
        format!(
            "account a\nhost 127.0.0.1\nport {}\nuser {}\npassword {PASSWORD}\nauth scram-sha-256\ntls off\nkeep on\n\
             received_header off\nuidls_file {}\ndelivery maildir {}\n",
            inbox.pop3,
            inbox.user,
            home.path("uidls").display(),
            mail.display()
        ),
    );
    run(home.command("mpop").arg("-q").arg("-C").arg(rc).arg("a"));
    contents(&mail)
}

/// All of the inbox by neomutt on a terminal: every message tagged and copied into a Maildir. It leaves out the separator of an
/// mbox, and the fields of [`without_neomutts_own`] are left out here.
pub fn neomutt(inbox: &Inbox<'_>) -> Vec<Vec<u8>> {
    let home = Home::new();
    let mail = home.maildir("mail");
    // It asks before it makes this folder, and the answer would be the first of the keys below.
    fs::create_dir(home.path("Mail")).expect("a folder");
    let rc = home.write(
        "muttrc",
        format!(
            "set imap_user=\"{}\" imap_pass=\"{PASSWORD}\" ssl_starttls=no ssl_force_tls=no\n\
             set mbox_type=Maildir confirmappend=no confirmcreate=no wait_key=no quit=yes delete=no mark_old=no\n\
             set sort=mailbox-order record=\"\" imap_check_subscribed=no imap_list_subscribed=no\n\
             push \"T~A<enter>;C<kill-line>{}<enter>q\"\n",
            inbox.user,
            mail.display()
        ),
    );
    let line = format!("neomutt -n -F {} -f imap://127.0.0.1:{}/INBOX", rc.display(), inbox.imap);
    run(home.command("script").args(["-q", "-e", "-c", &line, "/dev/null"]));
    contents(&mail).iter().map(|message| without_neomutts_own(message)).collect()
}

/// Without the fields that neomutt writes itself.
pub fn without_neomutts_own(message: &[u8]) -> Vec<u8> {
    ["Status", "X-Status", "Content-Length", "Lines"]
        .iter()
        .fold(message.to_vec(), |rest, name| without_field(&rest, name))
}

/// The first `count` messages of the inbox by curl over IMAP, byte for byte.
pub fn curl_imap(inbox: &Inbox<'_>, count: usize) -> Vec<Vec<u8>> {
    curl(inbox, &format!("imap://127.0.0.1:{}/INBOX;MAILINDEX=[1-{count}]", inbox.imap))
}

/// The first `count` messages of the inbox by curl over POP3, byte for byte.
pub fn curl_pop3(inbox: &Inbox<'_>, count: usize) -> Vec<Vec<u8>> {
    curl(inbox, &format!("pop3://127.0.0.1:{}/[1-{count}]", inbox.pop3))
}

fn curl(inbox: &Inbox<'_>, url: &str) -> Vec<Vec<u8>> {
    let home = Home::new();
    let user = format!("{}:{PASSWORD}", inbox.user);
    let into = home.path("mail/#1");
    run(home
        .command("curl")
        .args(["-q", "-sS", "--fail-early", "--create-dirs", "-u", &user, "-o"])
        .arg(into)
        .arg(url));
    contents(&home.path("mail"))
}

/// All of the inbox by Python's imaplib, byte for byte.
pub fn imaplib(inbox: &Inbox<'_>) -> Vec<Vec<u8>> {
    python(include_str!("imaplib_takes_all.py"), inbox.imap, inbox.user)
}

/// All of the inbox by Python's poplib, byte for byte.
pub fn poplib(inbox: &Inbox<'_>) -> Vec<Vec<u8>> {
    python(include_str!("poplib_takes_all.py"), inbox.pop3, inbox.user)
}

fn python(script: &str, port: u16, user: &str) -> Vec<Vec<u8>> {
    let home = Home::new();
    let mut command: Command = home.command("/usr/bin/python3");
    run(command.args(["-c", script, &port.to_string(), user, PASSWORD]).arg(home.path("out")));
    unframed(&fs::read(home.path("out")).expect("what python took"))
}

/// The content of every file below a folder that is not a program's own.
pub fn contents(folder: &Path) -> Vec<Vec<u8>> {
    let own = |path: &Path| path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
    files(folder).iter().filter(|path| !own(path)).map(|path| fs::read(path).expect("a message")).collect()
}

/// Messages in one file: for each its length, a line feed, its bytes.
fn frames(messages: &[Vec<u8>]) -> Vec<u8> {
    let mut out = Vec::new();
    for message in messages {
        out.extend_from_slice(format!("{}\n", message.len()).as_bytes());
        out.extend_from_slice(message);
    }
    out
}

fn unframed(mut bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut messages = Vec::new();
    while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
        let length: usize =
            std::str::from_utf8(&bytes[..end]).ok().and_then(|text| text.parse().ok()).expect("a length");
        messages.push(bytes[end + 1..end + 1 + length].to_vec());
        bytes = &bytes[end + 1 + length..];
    }
    messages
}
