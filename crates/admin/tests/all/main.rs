//! Mail in files: what goes out comes back, and nothing that is read brings the reader down.

mod any_bytes_are_read_without_harm;
mod what_is_written_reads_the_same;

use std::path::Path;
use std::sync::atomic::AtomicU64;

use anser_admin::Mail;
use anser_admin::mail::{Form, Reading, read};
use anser_base::Result;

/// All messages at a path, and how many were left out.
fn read_all(form: Form, path: &Path) -> (Vec<Mail>, u64, Result<()>) {
    let (mut mails, mut skipped, bytes) = (Vec::new(), 0, AtomicU64::new(0));
    let mut take = |mail| {
        mails.push(mail);
        Ok(())
    };
    let mut skip = |_: &str, _| skipped += 1;
    let mut reading = Reading { mail: &mut take, skipped: &mut skip, bytes: &bytes };
    let ended = read(form, path, &["INBOX".to_owned()], &mut reading);
    (mails, skipped, ended)
}
