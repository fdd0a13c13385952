//! The mail that both servers hold: a Maildir that the peer serves as it is, and that ours imports.

use std::fs;
use std::io;
use std::path::Path;

use crate::load;
use crate::servers::{Server, shell};

/// Whose inbox holds few messages of all sizes.
pub const SMALL: &str = "small";
/// Whose inbox holds many small messages.
pub const LARGE: &str = "large";
/// Accounts that start empty.
pub const EMPTY: [&str; 2] = ["append", "notice"];
/// Sizes of the small mailbox's messages, 20 KB on average; the large one's are the first alone.
const SIZES: [usize; 4] = [2_500, 8_000, 20_000, 50_000];
/// Every so manieth message has this word, which no other has.
const RARE_EVERY: usize = 997;
/// What SEARCH looks for.
pub const RARE: [&str; 2] = ["wildgoosechase", "雁渡寒潭"];

/// Writes both Maildirs, gives them to the peer, and has ours import them.
pub fn fill(folder: &Path, servers: &[Server], small: usize, large: usize) -> io::Result<()> {
    let source = folder.join("maildir");
    if source.exists() {
        fs::remove_dir_all(&source)?;
    }
    for (name, count, sizes) in [(SMALL, small, &SIZES[..]), (LARGE, large, &SIZES[..1])] {
        let maildir = source.join(name);
        write(&maildir, count, sizes)?;
        for server in servers {
            server.take_maildir(name, &maildir)?;
        }
    }
    for name in EMPTY {
        servers.iter().try_for_each(|server| server.make_mailbox(name))?;
    }
    shell("sync")
}

fn write(maildir: &Path, count: usize, sizes: &[usize]) -> io::Result<()> {
    for part in ["cur", "new", "tmp"] {
        fs::create_dir_all(maildir.join(part))?;
    }
    for n in 0..count {
        let mut message = load::message("reader@bench.test", sizes[n % sizes.len()], n as u64 + 1);
        if n % RARE_EVERY == 0 {
            let words = format!("{}\r\n{}\r\n", RARE[0], RARE[1]);
            let at = message.windows(4).position(|four| four == b"\r\n\r\n").map_or(0, |at| at + 4);
            // Behind the first part's own header, where there are parts.
            let body = message[at..].windows(4).position(|four| four == b"\r\n\r\n").filter(|_| sizes.len() > 1);
            let at = at + body.map_or(0, |more| more + 4);
            message.splice(at..at, words.into_bytes());
        }
        let flags = if n % 10 == 9 { "" } else { "S" };
        let size = message.len();
        let name = format!("{}.M{n}P1.bench,S={size},W={size}:2,{flags}", 1_760_000_000 + n);
        fs::write(maildir.join("cur").join(name), &message)?;
    }
    Ok(())
}
