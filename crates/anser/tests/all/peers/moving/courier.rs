//! Debian's Courier, in a folder of its own; everybody's password is the house's. Its paths are built in: it runs where `/etc/courier` and
//! `/run/courier` are folders of the test's own, and every process of it ends with the first.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use crate::peers::node::PASSWORD;
use crate::peers::tools::{Home, free_port, installed, shell, wait_for};
use crate::peers::wire::Imap;

const START: &str = "#!/bin/sh
mount --bind @DIR@/etc /etc/courier
mkdir -p /run/courier
mount --bind @DIR@/run /run/courier
/usr/lib/courier/courier-authlib/authdaemond &
export IMAP_CAPABILITY='IMAP4rev1 UIDPLUS CHILDREN NAMESPACE THREAD=ORDEREDSUBJECT THREAD=REFERENCES SORT QUOTA IDLE'
export IMAP_KEYWORDS=1 IMAP_ACL=1 IMAP_USELOCKS=1 IMAP_UMASK=022 IMAP_IDLE_TIMEOUT=60 IMAP_TRASHFOLDERNAME=Trash
export IMAP_EMPTYTRASH=@TRASH@
serve() { /usr/sbin/couriertcpd -address=127.0.0.1 -maxprocs=40 -maxperip=40 -nodnslookup -noidentlookup \"$@\" Maildir & }
serve @IMAP@ @BIN@/lib/courier/courier/imaplogin @BIN@/bin/imapd
serve @POP3@ @BIN@/lib/courier/courier/courierpop3login @BIN@/lib/courier/courier/courierpop3d
wait
";

/// A running Courier. It ends, and its mail goes, with this value.
pub struct Courier {
    process: Child,
    home: Home,
    trash: String,
    /// The port of IMAP.
    pub imap: u16,
    /// The port of POP3.
    pub pop3: u16,
}

impl Courier {
    /// Starts one with these users, which clears folders at logins as it is told (`IMAP_EMPTYTRASH`).
    pub fn start(users: &[&str], trash: &str) -> Self {
        let (home, imap, pop3) = (Home::new(), free_port(), free_port());
        let dir = home.path("").display().to_string().trim_end_matches('/').to_owned();
        shell(&format!("mkdir -p {dir}/etc {dir}/run/authdaemon"));
        let asks = "authmodulelist=authuserdb\nauthmodulelistorig=authuserdb\ndaemons=2\nauthdaemonvar=/run/courier/authdaemon\n";
        home.write("etc/authdaemonrc", asks);
        let mut table = String::new();
        for user in users {
            shell(&format!("mkdir -p {dir}/mail/{user} && maildirmake.courier {dir}/mail/{user}/Maildir"));
            let at = format!("home={dir}/mail/{user}|shell=/bin/sh|mail={dir}/mail/{user}/Maildir");
            table += &format!("{user}\tuid=65534|gid=65534|{at}|systempw=@{user}@\n");
        }
        home.write("etc/userdb", &table);
        // One hash is as good for everybody.
        shell(&format!(
            "cd {dir}/etc && hash=$(echo {PASSWORD} | userdbpw -md5) && sed -i \"s,systempw=@.*@,systempw=$hash,\" userdb \
             && chmod 700 userdb && makeuserdb -f {dir}/etc/userdb && chown -R nobody:nogroup {dir}/mail"
        ));
        let start = START
            .replace("@DIR@", &dir)
            .replace("@TRASH@", trash)
            .replace("@BIN@", &format!("{}/courier/usr", installed("ANSER_TEST_OLD")))
            .replace("@IMAP@", &imap.to_string())
            .replace("@POP3@", &pop3.to_string());
        let file = home.write("start.sh", start);
        let mut process = Command::new("unshare");
        process.args(["--mount", "--pid", "--fork", "--kill-child", "/bin/sh"]).arg(file);
        process.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let process = process.spawn().expect("unshare is there");
        let courier = Self { process, home, trash: trash.to_owned(), imap, pop3 };
        // Who asks of passwords is up a moment after the door.
        wait_for("courier", || Imap::login(imap, users[0]).ok());
        courier
    }

    /// A login of a user so many days later, with which Courier clears what is old by then. It then finds the clock to be wrong, and ends.
    pub fn logs_in_later(&self, user: &str, days: u32) {
        let (mail, trash) = (self.path(&format!("mail/{user}/Maildir")), &self.trash);
        let imapd = format!("{}/courier/usr/bin/imapd", installed("ANSER_TEST_OLD"));
        shell(&format!(
            "export AUTHENTICATED={user} IMAP_TRASHFOLDERNAME=Trash IMAP_EMPTYTRASH={trash} NO_FAKE_STAT=1; \
             printf '1 LOGOUT\\r\\n' | setpriv --reuid=nobody --regid=nogroup --clear-groups \
             faketime -f +{days}d {imapd} {} || true",
            mail.display()
        ));
    }

    /// A path of its folder; mail of a user lies in `mail/<user>/Maildir`.
    pub fn path(&self, below: &str) -> PathBuf {
        self.home.path(below)
    }

    /// A session of a user.
    pub fn login(&self, user: &str) -> Imap {
        Imap::login(self.imap, user).expect("courier lets its users in")
    }
}

impl Drop for Courier {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
