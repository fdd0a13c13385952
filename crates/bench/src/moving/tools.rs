//! What people use to move mailboxes, each with the settings that its manual gives for such work.

use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;

use super::{Old, Took, timed};
use crate::servers::{PASSWORD, shell};

/// A tool.
pub struct Tool {
    /// For the table.
    pub name: &'static str,
    /// Its program.
    program: &'static str,
    /// Writes what it wants to a folder; the line that runs it.
    prepare: fn(&Old<'_>, &Path, &str) -> io::Result<String>,
    /// Whether it takes minutes for some thousands of messages.
    pub is_slow: bool,
}

/// Every tool.
pub const TOOLS: [Tool; 5] = [
    Tool { name: "dsync", program: "doveadm", prepare: dsync, is_slow: false },
    Tool { name: "mbsync", program: "mbsync", prepare: mbsync, is_slow: false },
    Tool { name: "interimap", program: "interimap", prepare: interimap, is_slow: false },
    Tool { name: "offlineimap3", program: "offlineimap", prepare: offlineimap, is_slow: true },
    Tool { name: "imapsync", program: "imapsync", prepare: imapsync, is_slow: false },
];

impl Tool {
    /// Whether it is installed.
    pub fn is_there(&self) -> bool {
        let found = Command::new("/bin/sh").args(["-c", &format!("command -v {}", self.program)]).output();
        found.is_ok_and(|output| output.status.success())
    }

    /// One round, into an account of its own.
    pub fn copy(&self, old: &Old<'_>, round: u64) -> io::Result<Took> {
        let (name, folder) = (format!("{}{round}", self.program), old.scratch.join(format!("{}{round}", self.program)));
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&folder)?;
        let line = (self.prepare)(old, &folder, &old.server.address(&name))?;
        let line = format!("{line} >{}/log 2>&1", folder.display());
        // What is not yet on the disk counts for who wrote it.
        let copy = timed(|| shell(&line).and_then(|()| shell("sync")))?;
        Ok(Took { copy, again: timed(|| shell(&line))?, verified: [f64::NAN; 2] })
    }
}

fn dsync(old: &Old<'_>, _: &Path, to: &str) -> io::Result<String> {
    let (port, from) = (old.server.imap, old.server.address(old.login));
    Ok(format!(
        "doveadm -c {}/dovecot/dovecot.conf -o imapc_host=127.0.0.1 -o imapc_port={port} -o imapc_user={from} -o imapc_password={PASSWORD} \
         -o imapc_features='rfc822.size fetch-headers' -o mail_prefetch_count=20 backup -R -u {to} imapc:",
        old.server.folder().display()
    ))
}

fn mbsync(old: &Old<'_>, folder: &Path, to: &str) -> io::Result<String> {
    let (port, from, dir) = (old.server.imap, old.server.address(old.login), folder.display());
    let store = |name: &str, user: &str| {
        format!(
            "IMAPAccount {name}\nHost 127.0.0.1\nPort {port}\nUser {user}\nPass {PASSWORD}\nSSLType None\nAuthMechs LOGIN\n\n\
             IMAPStore {name}\nAccount {name}\n\n"
        )
    };
    let channel =
        format!("Channel all\nFar :old:\nNear :new:\nPatterns *\nCreate Near\nSync Pull\nSyncState {dir}/state/\n");
    fs::create_dir_all(folder.join("state"))?;
    fs::write(folder.join("rc"), format!("FSync yes\n\n{}{}{channel}", store("old", &from), store("new", to)))?;
    Ok(format!("mbsync -c {dir}/rc all"))
}

fn interimap(old: &Old<'_>, folder: &Path, to: &str) -> io::Result<String> {
    let (port, from, dir) = (old.server.imap, old.server.address(old.login), folder.display());
    let side = |name: &str, user: &str| {
        format!(
            "[{name}]\ntype = imap\nhost = 127.0.0.1\nport = {port}\nSTARTTLS = NO\nauth = PLAIN LOGIN\nusername = {user}\npassword = \
             {PASSWORD}\n\n"
        )
    };
    fs::write(folder.join("config"), format!("database = {dir}/db\n\n{}{}", side("local", to), side("remote", &from)))?;
    Ok(format!("interimap --config={dir}/config"))
}

fn offlineimap(old: &Old<'_>, folder: &Path, to: &str) -> io::Result<String> {
    let (port, from, dir) = (old.server.imap, old.server.address(old.login), folder.display());
    let side = |name: &str, user: &str| {
        format!(
            "[Repository {name}]\ntype = IMAP\nremotehost = 127.0.0.1\nremoteport = {port}\nssl = no\nstarttls = no\nauth_mechanisms = LOGIN\n\
             remoteuser = {user}\nremotepass = {PASSWORD}\n\n"
        )
    };
    let head = format!("[general]\naccounts = all\nmetadata = {dir}/state\nfsync = True\n\n");
    let account = "[Account all]\nlocalrepository = new\nremoterepository = old\n\n";
    fs::write(folder.join("rc"), format!("{head}{account}{}{}", side("new", to), side("old", &from)))?;
    Ok(format!("offlineimap -o -u quiet -c {dir}/rc"))
}

fn imapsync(old: &Old<'_>, folder: &Path, to: &str) -> io::Result<String> {
    let (port, from, dir) = (old.server.imap, old.server.address(old.login), folder.display());
    Ok(format!(
        "imapsync --nolog --tmpdir {dir} --host1 127.0.0.1 --port1 {port} --user1 {from} --password1 {PASSWORD} --host2 127.0.0.1 --port2 {port} \
         --user2 {to} --password2 {PASSWORD} --nossl1 --notls1 --nossl2 --notls2"
    ))
}
