use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use anser_base::Durability;
use anser_store::NewMessage;

use crate::site::{NOW, Site, TENANT, each_site};

/// Lines of the message, of so many bytes each: 50 MB.
const LINES: usize = 800_000;
const LINE: usize = 62;
const HEADER: &str = "Subject: large\r\n\r\n";
/// Bytes that server and client together may hold more while it is fetched.
const MEMORY: usize = 4 * 1024 * 1024;

static HELD: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

/// Counts what is held, for the whole test binary.
struct Counting;

// SAFETY: every call is passed on unchanged to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let held = HELD.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        MOST.fetch_max(held, Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the pointer came from `alloc` above with this layout.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn of_fifty_megabytes() {
    each_site(|site| {
        deliver(site);
        let mut client = site.login("ann");
        let before = HELD.load(Ordering::Relaxed);
        MOST.store(before, Ordering::Relaxed);
        client.send(b"RETR 1\r\nTOP 1 1\r\n");
        assert_eq!(client.hear(), format!("+OK {} octets", HEADER.len() + LINES * LINE));
        assert_eq!((client.hear(), client.hear()), ("Subject: large".into(), "".into()));
        for number in 0..LINES {
            assert_eq!(client.hear(), line(number).trim_end());
        }
        assert_eq!(client.hear(), ".");
        assert!(client.hear().starts_with("+OK"));
        assert_eq!(client.hear_body(), format!("{HEADER}{}", line(0)).as_bytes());
        let more = MOST.load(Ordering::Relaxed) - before;
        assert!(more < MEMORY, "{more} bytes were held");
    });
}

/// A message whose lines count up, so that no piece of it is like another.
fn deliver(site: &Site) {
    let mut writer = site.deps.store.body_writer(TENANT).unwrap();
    writer.write(HEADER.as_bytes()).unwrap();
    for number in (0..LINES).step_by(1000) {
        let lines: String = (number..number + 1000).map(line).collect();
        writer.write(lines.as_bytes()).unwrap();
    }
    let content = writer.finish(Durability::Deferred).unwrap();
    let new = NewMessage::new(content, site.inbox(site.account("ann")), NOW);
    site.append("ann", vec![new]);
}

fn line(number: usize) -> String {
    format!("{number:060}\r\n")
}
