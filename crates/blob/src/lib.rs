//! Message bodies by the BLAKE3 hash of their bytes: stored once per tenant, compressed, verified whenever they are read.
//!
//! | module | holds |
//! |---|---|
//! | [`form`] | the form of a body in its file: chunks that compress and verify one by one, and the seal that binds them |
//! | [`prepared`] | a whole body in memory, already in the form of its file |
//! | [`blobs`] | the folder of bodies: put, open, read, delete, and what is durable when |
//! | [`writer`] | a body that arrives piece by piece |
//! | [`reader`] | a body that is read range by range |
//! | [`sweep`] | deletion of bodies that nothing refers to |
//! | [`check`] | the walk over the whole folder, and `anser check`'s reading of it |
//! | [`real`] | the machine's file system behind [`anser_base::Disk`] |
//!
//! All calls block; run them on worker threads. The folder belongs to one process at a time.
//!
//! # Why a lost race with the sweeper is harmless
//!
//! A caller puts a body first and commits the row that refers to it afterwards. A put sets the file's modification time,
//! also when the body was there already, and both that and the sweeper's "is it still old? then remove it" run under one
//! lock per body, so that a put either saves the file or finds it gone and writes it anew. The sweeper removes only files
//! whose modification time is more than the grace period before the moment at which *collecting the references* began.
//! So a removed body was last put a whole grace period before that moment; its row, if there ever was one, was committed
//! within the grace period and therefore seen. A reference that is taken without a put (a copy between accounts) calls
//! [`Blobs::refresh`] first, to the same effect. The second look covers a clock that was set forward in between.

pub mod blobs;
pub mod check;
mod folder;
pub mod form;
mod known;
pub mod prepared;
pub mod reader;
pub mod real;
mod source;
pub mod sweep;
pub mod writer;

pub use anser_base::Durability;
pub use blobs::Blobs;
pub use check::Checked;
pub use prepared::Prepared;
pub use reader::BlobReader;
pub use real::RealDisk;
pub use sweep::{Sweeper, Swept};
pub use writer::BlobWriter;
