use std::fs;
use std::path::{Path, PathBuf};

use anser_pop3::Limits;
use anser_testkit::engines::each_engine;

use crate::site::{SCHEMAS, Site, TENANT, mail};

/// With the code of what will not be better by itself (RFC 3206 §5).
#[test]
fn missing_bodies_answer_err_and_the_others_arrive() {
    each_engine(SCHEMAS, |world| {
        let site = Site::start(world, Limits::default());
        site.populate();
        let large = format!("{}{}", mail(9), "line\r\n".repeat(100_000));
        for raw in [&mail(1), &mail(2), &mail(3), &large, &mail(4)] {
            let new = site.message("ann", raw.as_bytes());
            if *raw == mail(3) || *raw == large {
                site.deps.store.blobs().delete(TENANT, new.content.blob).unwrap();
            }
            site.append("ann", vec![new]);
        }
        let mut client = site.login("ann");
        for (number, intact) in [(1, Some(1)), (2, Some(2)), (3, None), (4, None), (5, Some(4))] {
            match intact {
                Some(n) => assert_eq!(client.retr(number), mail(n).as_bytes()),
                None => assert!(client.ask(&format!("RETR {number}")).starts_with("-ERR [SYS/PERM] ")),
            }
        }
        site.stop();
    });
}

/// Half of a message must not look like a whole one: it has no end, and the connection closes.
#[test]
fn an_answer_that_cannot_be_finished_has_no_end() {
    each_engine(SCHEMAS, |world| {
        let site = Site::start(world, Limits::default());
        site.populate();
        let lines: String =
            (0..300_000).map(|n: u64| format!("{:016x}\r\n", n.wrapping_mul(0x9E37_79B9_7F4A_7C15))).collect();
        site.deliver("ann", &[format!("{}{lines}", mail(1))]);
        damage_the_middle(&largest_below(&world.dir.path().join("blobs")).unwrap());
        let mut client = site.login("ann");
        assert!(client.ask("RETR 1").starts_with("+OK "));
        let rest = client.rest();
        assert!(rest.starts_with(mail(1).as_bytes()) && !rest.ends_with(b"\r\n.\r\n"), "{} bytes", rest.len());
        assert_eq!(site.login("ann").ask("UIDL 1").split(' ').count(), 3);
        assert_eq!(site.inbox_now("ann"), [(1, false)]);
        site.stop();
    });
}

fn damage_the_middle(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(path, bytes).unwrap();
}

fn largest_below(folder: &Path) -> Option<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().flatten().map(|entry| entry.path());
    let files = entries.filter_map(|path| if path.is_dir() { largest_below(&path) } else { Some(path) });
    files.max_by_key(|path| fs::metadata(path).map_or(0, |meta| meta.len()))
}
