//! Debian's dovecot, in a folder of its own, with whatever users; everybody's password is the house's.

use std::process::{Command, Stdio};

use crate::peers::node::PASSWORD;
use crate::peers::tools::{Home, free_port, shell, wait_for};
use crate::peers::wire::Imap;

const CONFIG: &str = "base_dir = @DIR@/run
state_dir = @DIR@/state
log_path = @DIR@/log
protocols = imap pop3
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
auth_mechanisms = plain login
mail_uid = nobody
mail_gid = nogroup
first_valid_uid = 1
first_valid_gid = 1
mail_location = @LOCATION@
mail_max_userip_connections = 1000
default_internal_user = dovecot
default_login_user = dovenull
passdb {
  driver = passwd-file
  args = username_format=%n @DIR@/users
}
passdb {
  driver = static
  args = password=@PASSWORD@
}
userdb {
  driver = static
  args = uid=nobody gid=nogroup home=@DIR@/mail/%u allow_all_users=yes
}
namespace inbox {
  inbox = yes
  separator = @SEPARATOR@
  mailbox Drafts {
    special_use = \\Drafts
  }
  mailbox \"Sent Items\" {
    special_use = \\Sent
  }
}
service imap-login {
  inet_listener imap {
    port = @IMAP@
  }
  inet_listener imaps {
    port = 0
  }
}
service pop3-login {
  inet_listener pop3 {
    port = @POP3@
  }
  inet_listener pop3s {
    port = 0
  }
}
";

/// Users with a password of their own, with every character that is easily spoilt.
const USERS: &str = "carl:{PLAIN}a()*%\"\\ {}]~ 密
dora:{PLAIN}a()*%\"\\ {}]~ 密
erik:{PLAIN}a()*%\"\\ {}]~ 密
fred:{PLAIN}a()*%\"\\ {}]~ 密
";

/// Root's, who may log in for everybody where that is configured: [`MASTERS`].
pub const MASTER: &str = "m*st()er%\"\\ 密";
/// Lets root log in for everybody, as an authorization identity and by a name of both.
pub const MASTERS: &str = "auth_master_user_separator = *
passdb {
  driver = passwd-file
  args = @DIR@/masters
  master = yes
  result_success = continue
}
";

/// A running dovecot. It ends, and its mail goes, with this value.
pub struct Dovecot {
    home: Home,
    /// The port of IMAP.
    pub imap: u16,
    /// The port of POP3.
    pub pop3: u16,
}

impl Dovecot {
    /// Starts one that keeps mail in Maildirs, with `/` between levels.
    pub fn start() -> Self {
        Self::start_with("maildir:~/Maildir:LAYOUT=fs", "/", "")
    }

    /// Starts one that keeps mail in some place; `more`, where `@DIR@` is its folder, is added to its configuration.
    pub fn start_with(location: &str, separator: &str, more: &str) -> Self {
        let (home, imap, pop3) = (Home::new(), free_port(), free_port());
        let dir = home.path("").display().to_string().trim_end_matches('/').to_owned();
        let config = (CONFIG.to_owned() + more)
            .replace("@DIR@", &dir)
            .replace("@LOCATION@", location)
            .replace("@SEPARATOR@", separator)
            .replace("@PASSWORD@", PASSWORD)
            .replace("@IMAP@", &imap.to_string())
            .replace("@POP3@", &pop3.to_string());
        home.write("users", USERS);
        home.write("masters", format!("root:{{PLAIN}}{MASTER}\n"));
        shell(&format!("chmod 644 {dir}/users {dir}/masters"));
        let file = home.write("dovecot.conf", config);
        shell(&format!("mkdir -p {dir}/mail && chown nobody:nogroup {dir}/mail"));
        // It lives on with whatever it inherited: pipes to this process would never end.
        let mut command = Command::new("/usr/sbin/dovecot");
        command.arg("-c").arg(&file).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        assert!(command.status().expect("dovecot is there").success(), "dovecot starts");
        wait_for("dovecot", || std::net::TcpStream::connect(("127.0.0.1", imap)).ok());
        Self { home, imap, pop3 }
    }

    /// A path of its folder; mail of a user lies in `mail/<user>`.
    pub fn path(&self, below: &str) -> String {
        self.home.path(below).display().to_string()
    }

    /// A session of a user.
    pub fn login(&self, user: &str) -> Imap {
        Imap::login(self.imap, user).expect("dovecot lets its users in")
    }
}

impl Drop for Dovecot {
    fn drop(&mut self) {
        let pid = std::fs::read_to_string(self.home.path("run/master.pid")).unwrap_or_default();
        if let Ok(pid) = pid.trim().parse::<u32>() {
            let _ = Command::new("kill").arg(pid.to_string()).status();
            // Its folder can go once it has written its last file.
            let gone = || (!std::path::Path::new(&format!("/proc/{pid}")).exists()).then_some(());
            wait_for("dovecot to end", gone);
        }
    }
}
