//! PDF, by another's library. It panics on what it does not expect; that is a document that cannot be read. Recursion without end and
//! memory without bound are for the process around it.

use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};

use pdf_extract::{Document, OutputError, PlainTextOutput, output_doc};

use super::{Failed, Limited};

pub(super) fn text(bytes: &[u8], out: &mut Limited) -> Result<(), Failed> {
    let mut sink = Sink(out);
    let read = catch_unwind(AssertUnwindSafe(|| -> Result<(), OutputError> {
        let mut document = Document::load_mem(bytes)?;
        if document.is_encrypted() {
            document.decrypt("")?;
        }
        output_doc(&document, &mut PlainTextOutput::new(&mut sink as &mut dyn Write))
    }));
    match read {
        Ok(Ok(())) => Ok(()),
        // What was read before it failed is worth finding; the rest counts as cut.
        _ if !out.text.trim().is_empty() => {
            out.is_full = true;
            Ok(())
        }
        _ => Err(Failed),
    }
}

/// The library writes bytes; it writes whole pieces of UTF-8.
struct Sink<'a>(&'a mut Limited);

impl Write for Sink<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.push(&String::from_utf8_lossy(bytes));
        if self.0.is_full { Err(io::ErrorKind::StorageFull.into()) } else { Ok(bytes.len()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
