//! Debian's Cyrus, in a folder of its own; everybody's password is the house's.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use crate::peers::node::PASSWORD;
use crate::peers::tools::{Home, free_port, installed, shell, wait_for};
use crate::peers::wire::Imap;

const CONFIG: &str = "configdirectory: @DIR@/conf
partition-default: @DIR@/spool
defaultpartition: default
cyrus_user: nobody
cyrus_group: nogroup
admins: admin
sasl_pwcheck_method: auxprop
sasl_auxprop_plugin: sasldb
sasl_sasldb_path: @DIR@/sasldb2
sasl_mech_list: PLAIN LOGIN
allowplaintext: yes
lmtpsocket: @DIR@/run/lmtp
idlesocket: @DIR@/run/idle
notifysocket: @DIR@/run/notify
proc_path: @DIR@/run/proc
mboxname_lockpath: @DIR@/run/lock
";
const SERVICES: &str = "START {
}
SERVICES {
  imap cmd=\"@BIN@/imapd -C @DIR@/imapd.conf\" listen=\"127.0.0.1:@IMAP@\" prefork=0
  pop3 cmd=\"@BIN@/pop3d -C @DIR@/imapd.conf\" listen=\"127.0.0.1:@POP3@\" prefork=0
}
EVENTS {
}
";
/// Where the package that does not conflict with dovecot's puts the master process.
const MASTER: &str = "/usr/lib/cyrus/bin/master";

/// And what repairs mailboxes.
const RECONSTRUCT: &str = "/usr/lib/cyrus/bin/reconstruct";

/// A running Cyrus. It ends, and its mail goes, with this value.
pub struct Cyrus {
    master: Child,
    /// The port of IMAP.
    pub imap: u16,
    /// The port of POP3.
    pub pop3: u16,
    home: Home,
}

impl Cyrus {
    /// Starts one with these users, and `more` in its configuration.
    pub fn start(users: &[&str], more: &str) -> Self {
        let (home, imap, pop3) = (Home::new(), free_port(), free_port());
        let dir = home.path("").display().to_string().trim_end_matches('/').to_owned();
        let bin = format!("{}/cyrus/usr/lib/cyrus/bin", installed("ANSER_TEST_OLD"));
        let filled = |text: &str| {
            let ports = text.replace("@IMAP@", &imap.to_string()).replace("@POP3@", &pop3.to_string());
            ports.replace("@DIR@", &dir).replace("@BIN@", &bin)
        };
        home.write("imapd.conf", filled(CONFIG) + more);
        home.write("cyrus.conf", filled(SERVICES));
        for user in users.iter().chain(&["admin"]) {
            shell(&format!("echo {PASSWORD} | saslpasswd2 -p -c -f {dir}/sasldb2 -u $(hostname) {user}"));
        }
        shell(&format!("mkdir -p {dir}/conf {dir}/spool {dir}/run && chown -R nobody:nogroup {dir}"));
        let mut master = Command::new(MASTER);
        master.args(["-C", &format!("{dir}/imapd.conf"), "-M", &format!("{dir}/cyrus.conf")]);
        master.args(["-p", &format!("{dir}/master.pid"), "-D"]);
        master.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let master = master.spawn().expect("cyrus is there");
        wait_for("cyrus", || std::net::TcpStream::connect(("127.0.0.1", imap)).ok());
        let cyrus = Self { master, imap, pop3, home };
        let separator = if more.contains("unixhierarchysep: no") { '.' } else { '/' };
        for user in users {
            cyrus.login("admin").run(&format!("CREATE user{separator}{user}")).expect("CREATE");
        }
        cyrus
    }

    /// A path of its folder; mail lies in `spool`.
    pub fn path(&self, below: &str) -> PathBuf {
        self.home.path(below)
    }

    /// Has it write its indexes anew.
    pub fn reconstruct(&self, arguments: &[&str]) {
        let config = self.home.path("imapd.conf").display().to_string();
        let mut command = Command::new("runuser");
        command.args(["-u", "nobody", "--", RECONSTRUCT, "-C", &config]).args(arguments);
        let done = command.output().expect("runuser is there");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }

    /// A session of a user.
    pub fn login(&self, user: &str) -> Imap {
        Imap::login(self.imap, user).expect("cyrus lets its users in")
    }
}

impl Drop for Cyrus {
    fn drop(&mut self) {
        // The master ends its services before itself.
        let _ = Command::new("kill").arg(self.master.id().to_string()).status();
        let _ = self.master.wait();
    }
}
