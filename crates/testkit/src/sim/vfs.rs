//! SQLite's face of the disk: a VFS whose files are the disk's files. All `unsafe` code of the crate is here.
//!
//! The VFS lives as long as its [`Registration`], which sits in [`Shared`]; every open file holds a [`Shared`], so it cannot go
//! before the last connection's files are closed.

use std::ffi::{CStr, CString, OsStr, c_char, c_int, c_void};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use rusqlite::{Connection, ffi};

use super::Shared;
use super::content::SECTOR;
use super::state::Handle;

/// Longest path, in bytes.
const PATH: usize = 512;
/// 1970-01-01 as a Julian day.
const EPOCH_JULIAN: f64 = 2_440_587.5;
/// Milliseconds of a day.
const DAY_MS: f64 = 86_400_000.0;

/// A VFS that SQLite knows, until this is dropped.
pub(super) struct Registration {
    vfs: *mut ffi::sqlite3_vfs,
    name: CString,
}

// SAFETY: the pointer is only followed by SQLite, which reads the VFS and never writes to it but under its own global lock, and by
// `drop`, which nothing runs beside.
unsafe impl Send for Registration {}
// SAFETY: as above; no method follows the pointer.
unsafe impl Sync for Registration {}

impl Registration {
    /// Registers a VFS under a name of its own, never as the default.
    pub(super) fn new(shared: Weak<Shared>) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let name = format!("anser-sim-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let name = CString::new(name).unwrap_or_default();
        let vfs = Box::into_raw(Box::new(vfs(&name, Box::into_raw(Box::new(shared)))));
        // SAFETY: `vfs` and the name it points to live until `drop`, which unregisters it first.
        let code = unsafe { ffi::sqlite3_vfs_register(vfs, 0) };
        assert_eq!(code, ffi::SQLITE_OK, "SQLite takes a VFS");
        Self { vfs, name }
    }

    /// Its name.
    pub(super) fn name(&self) -> &str {
        self.name.to_str().unwrap_or_default()
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        // SAFETY: both boxes were made in `new` and are freed once, after SQLite forgot the VFS. No file of it is open, since an
        // open file keeps `Shared` and so this registration alive.
        unsafe {
            ffi::sqlite3_vfs_unregister(self.vfs);
            let vfs = Box::from_raw(self.vfs);
            drop(Box::from_raw(vfs.pAppData.cast::<Weak<Shared>>()));
        }
    }
}

fn vfs(name: &CStr, shared: *mut Weak<Shared>) -> ffi::sqlite3_vfs {
    ffi::sqlite3_vfs {
        iVersion: 1,
        szOsFile: size_of::<VfsFile>() as c_int,
        mxPathname: PATH as c_int,
        pNext: ptr::null_mut(),
        zName: name.as_ptr(),
        pAppData: shared.cast(),
        xOpen: Some(x_open),
        xDelete: Some(x_delete),
        xAccess: Some(x_access),
        xFullPathname: Some(x_full_pathname),
        xDlOpen: None,
        xDlError: None,
        xDlSym: None,
        xDlClose: None,
        xRandomness: Some(x_randomness),
        xSleep: Some(x_sleep),
        xCurrentTime: Some(x_current_time),
        xGetLastError: None,
        xCurrentTimeInt64: None,
        xSetSystemCall: None,
        xGetSystemCall: None,
        xNextSystemCall: None,
    }
}

/// Version 1: no shared memory, no mapping.
static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    iVersion: 1,
    xClose: Some(x_close),
    xRead: Some(x_read),
    xWrite: Some(x_write),
    xTruncate: Some(x_truncate),
    xSync: Some(x_sync),
    xFileSize: Some(x_file_size),
    xLock: Some(x_lock),
    xUnlock: Some(x_unlock),
    xCheckReservedLock: Some(x_check_reserved_lock),
    xFileControl: Some(x_file_control),
    xSectorSize: Some(x_sector_size),
    xDeviceCharacteristics: Some(x_device_characteristics),
    xShmMap: None,
    xShmLock: None,
    xShmBarrier: None,
    xShmUnmap: None,
    xFetch: None,
    xUnfetch: None,
};

/// The bytes that SQLite sets aside per open file.
#[repr(C)]
struct VfsFile {
    base: ffi::sqlite3_file,
    open: *mut OpenFile,
}

struct OpenFile {
    shared: Arc<Shared>,
    handle: Handle,
    lock: c_int,
    persist_wal: c_int,
    /// The folder to sync with the first sync of a journal or log; as SQLite's Unix VFS, also of one that was there before.
    folder: Option<PathBuf>,
    /// A named file that SQLite wants gone when it is closed.
    delete: Option<PathBuf>,
}

// SAFETY of all functions below: SQLite calls them with the VFS that was registered, with files that `x_open` filled, and with
// buffers and strings as its documentation of sqlite3_vfs and sqlite3_io_methods says.

/// The disk behind a VFS; `None` once its last owner is gone.
unsafe fn shared(vfs: *mut ffi::sqlite3_vfs) -> Option<Arc<Shared>> {
    // SAFETY: `pAppData` is the box that `Registration::new` put there and `drop` frees after unregistering.
    unsafe { (*(*vfs).pAppData.cast::<Weak<Shared>>()).upgrade() }
}

unsafe fn open_file<'a>(file: *mut ffi::sqlite3_file) -> &'a mut OpenFile {
    // SAFETY: `x_open` set the pointer when it set the methods, and SQLite uses one file from one thread at a time.
    unsafe { &mut *(*file.cast::<VfsFile>()).open }
}

unsafe fn path<'a>(name: *const c_char) -> &'a Path {
    // SAFETY: SQLite's names end with a zero byte.
    Path::new(OsStr::from_bytes(unsafe { CStr::from_ptr(name) }.to_bytes()))
}

unsafe extern "C" fn x_open(
    vfs: *mut ffi::sqlite3_vfs,
    name: ffi::sqlite3_filename,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    // SAFETY: see above; a null name stands for a temporary file. SQLite closes the file only when the methods are set.
    unsafe {
        (*file).pMethods = ptr::null();
        let Some(shared) = shared(vfs) else { return ffi::SQLITE_CANTOPEN };
        let name = (!name.is_null()).then(|| path(name));
        let Ok(open) = open(shared, name, flags) else { return ffi::SQLITE_CANTOPEN };
        (*file.cast::<VfsFile>()).open = Box::into_raw(Box::new(open));
        (*file).pMethods = &METHODS;
        if !out_flags.is_null() {
            *out_flags = flags;
        }
    }
    ffi::SQLITE_OK
}

fn open(shared: Arc<Shared>, name: Option<&Path>, flags: c_int) -> io::Result<OpenFile> {
    let has = |flag| flags & flag != 0;
    let handle = match name {
        None => shared.state().create_temporary()?,
        Some(path) => {
            let exclusive = has(ffi::SQLITE_OPEN_EXCLUSIVE) && has(ffi::SQLITE_OPEN_CREATE);
            let found = shared.state().open(path, !has(ffi::SQLITE_OPEN_READONLY));
            match found {
                Ok(_) if exclusive => return Err(io::ErrorKind::AlreadyExists.into()),
                Err(error) if error.kind() == io::ErrorKind::NotFound && has(ffi::SQLITE_OPEN_CREATE) => {
                    shared.state().create(path)?
                }
                found => found?,
            }
        }
    };
    let journal = has(ffi::SQLITE_OPEN_CREATE)
        && has(ffi::SQLITE_OPEN_MAIN_JOURNAL | ffi::SQLITE_OPEN_SUPER_JOURNAL | ffi::SQLITE_OPEN_WAL);
    Ok(OpenFile {
        shared,
        handle,
        lock: ffi::SQLITE_LOCK_NONE,
        persist_wal: 0,
        folder: name.filter(|_| journal).and_then(Path::parent).map(Path::to_owned),
        delete: name.filter(|_| has(ffi::SQLITE_OPEN_DELETEONCLOSE)).map(Path::to_owned),
    })
}

unsafe extern "C" fn x_close(file: *mut ffi::sqlite3_file) -> c_int {
    // SAFETY: see above; SQLite calls this once and then forgets the file. The last close may free the VFS: SQLite closes a
    // connection's main file last and does not look at the VFS after that.
    let open = unsafe { Box::from_raw((*file.cast::<VfsFile>()).open) };
    let mut state = open.shared.state();
    state.close(open.handle);
    if let Some(path) = &open.delete {
        let _ = state.remove(path);
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn x_read(file: *mut ffi::sqlite3_file, buffer: *mut c_void, n: c_int, offset: i64) -> c_int {
    // SAFETY: see above; the buffer holds `n` bytes, which are set before they are lent out.
    let (open, buffer) = unsafe {
        ptr::write_bytes(buffer.cast::<u8>(), 0, n as usize);
        (open_file(file), std::slice::from_raw_parts_mut(buffer.cast::<u8>(), n as usize))
    };
    match open.shared.state().read(open.handle, buffer, offset as u64) {
        Ok(read) if read == buffer.len() => ffi::SQLITE_OK,
        Ok(_) => ffi::SQLITE_IOERR_SHORT_READ,
        Err(_) => ffi::SQLITE_IOERR_READ,
    }
}

unsafe extern "C" fn x_write(file: *mut ffi::sqlite3_file, bytes: *const c_void, n: c_int, offset: i64) -> c_int {
    // SAFETY: see above; the buffer holds `n` bytes.
    let (open, bytes) = unsafe { (open_file(file), std::slice::from_raw_parts(bytes.cast::<u8>(), n as usize)) };
    let result = open.shared.state().write(open.handle, offset as usize, bytes);
    code(result, ffi::SQLITE_IOERR_WRITE)
}

unsafe extern "C" fn x_truncate(file: *mut ffi::sqlite3_file, len: i64) -> c_int {
    // SAFETY: see above.
    let open = unsafe { open_file(file) };
    let result = open.shared.state().set_len(open.handle, len as usize);
    code(result, ffi::SQLITE_IOERR_TRUNCATE)
}

unsafe extern "C" fn x_sync(file: *mut ffi::sqlite3_file, _flags: c_int) -> c_int {
    // SAFETY: see above.
    let open = unsafe { open_file(file) };
    let mut state = open.shared.state();
    if state.sync(open.handle).is_err() {
        return ffi::SQLITE_IOERR_FSYNC;
    }
    if let Some(folder) = &open.folder {
        if state.sync_dir(folder).is_err() {
            return ffi::SQLITE_IOERR_DIR_FSYNC;
        }
        open.folder = None;
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn x_file_size(file: *mut ffi::sqlite3_file, len: *mut i64) -> c_int {
    // SAFETY: see above; `len` is SQLite's variable.
    unsafe {
        let open = open_file(file);
        match open.shared.state().len(open.handle) {
            Ok(n) => *len = n as i64,
            Err(_) => return ffi::SQLITE_IOERR_FSTAT,
        }
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn x_lock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    // SAFETY: see above.
    let open = unsafe { open_file(file) };
    if open.lock >= level {
        return ffi::SQLITE_OK;
    }
    match open.shared.state().lock(open.handle, level) {
        Ok(true) => open.lock = level,
        Ok(false) => return ffi::SQLITE_BUSY,
        Err(_) => return ffi::SQLITE_IOERR_LOCK,
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn x_unlock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    // SAFETY: see above.
    let open = unsafe { open_file(file) };
    open.shared.state().unlock(open.handle, level);
    open.lock = level;
    ffi::SQLITE_OK
}

unsafe extern "C" fn x_check_reserved_lock(file: *mut ffi::sqlite3_file, out: *mut c_int) -> c_int {
    // SAFETY: see above; `out` is SQLite's variable.
    unsafe {
        let open = open_file(file);
        match open.shared.state().is_reserved(open.handle) {
            Ok(reserved) => *out = c_int::from(reserved),
            Err(_) => return ffi::SQLITE_IOERR_CHECKRESERVEDLOCK,
        }
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn x_file_control(file: *mut ffi::sqlite3_file, op: c_int, argument: *mut c_void) -> c_int {
    // SAFETY: see above; for these operations the argument is an int that is read when it is not negative, and then set.
    unsafe {
        let open = open_file(file);
        let argument = argument.cast::<c_int>();
        match op {
            ffi::SQLITE_FCNTL_PERSIST_WAL if *argument >= 0 => open.persist_wal = *argument,
            ffi::SQLITE_FCNTL_PERSIST_WAL => *argument = open.persist_wal,
            ffi::SQLITE_FCNTL_POWERSAFE_OVERWRITE => *argument = 1,
            ffi::SQLITE_FCNTL_LOCKSTATE => *argument = open.lock,
            _ => return ffi::SQLITE_NOTFOUND,
        }
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn x_sector_size(_: *mut ffi::sqlite3_file) -> c_int {
    SECTOR as c_int
}

/// A torn write never harms the bytes beside it, and nothing else is promised.
unsafe extern "C" fn x_device_characteristics(_: *mut ffi::sqlite3_file) -> c_int {
    ffi::SQLITE_IOCAP_POWERSAFE_OVERWRITE
}

unsafe extern "C" fn x_delete(vfs: *mut ffi::sqlite3_vfs, name: *const c_char, sync_dir: c_int) -> c_int {
    // SAFETY: see above.
    let (shared, path) = unsafe { (shared(vfs), path(name)) };
    let Some(shared) = shared else { return ffi::SQLITE_IOERR_DELETE };
    let mut state = shared.state();
    match state.remove(path) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return ffi::SQLITE_IOERR_DELETE_NOENT,
        Err(_) => return ffi::SQLITE_IOERR_DELETE,
    }
    let result = if sync_dir == 0 { Ok(()) } else { state.sync_dir(path.parent().unwrap_or(path)) };
    code(result, ffi::SQLITE_IOERR_DIR_FSYNC)
}

/// As SQLite's Unix VFS: an empty file does not count as existing.
unsafe extern "C" fn x_access(vfs: *mut ffi::sqlite3_vfs, name: *const c_char, flags: c_int, out: *mut c_int) -> c_int {
    // SAFETY: see above; `out` is SQLite's variable.
    unsafe {
        let Some(shared) = shared(vfs) else { return ffi::SQLITE_IOERR_ACCESS };
        let state = shared.state();
        if state.is_dead() {
            return ffi::SQLITE_IOERR_ACCESS;
        }
        let found = state.peek(path(name));
        *out = c_int::from(found.is_some_and(|bytes| flags != ffi::SQLITE_ACCESS_EXISTS || !bytes.is_empty()));
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn x_full_pathname(
    _: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    n: c_int,
    out: *mut c_char,
) -> c_int {
    // SAFETY: see above; `out` has room for `n` bytes.
    unsafe {
        let bytes = CStr::from_ptr(name).to_bytes_with_nul();
        if bytes.len() > n as usize {
            return ffi::SQLITE_CANTOPEN;
        }
        ptr::copy_nonoverlapping(bytes.as_ptr().cast(), out, bytes.len());
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn x_randomness(vfs: *mut ffi::sqlite3_vfs, n: c_int, out: *mut c_char) -> c_int {
    // SAFETY: see above; `out` has room for `n` bytes.
    unsafe {
        let Some(shared) = shared(vfs) else { return 0 };
        let mut state = shared.state();
        for i in 0..n as usize {
            *out.add(i) = state.random() as c_char;
        }
    }
    n
}

/// Nobody waits in a simulation.
unsafe extern "C" fn x_sleep(_: *mut ffi::sqlite3_vfs, microseconds: c_int) -> c_int {
    microseconds
}

unsafe extern "C" fn x_current_time(vfs: *mut ffi::sqlite3_vfs, out: *mut f64) -> c_int {
    // SAFETY: see above; `out` is SQLite's variable.
    unsafe {
        let Some(shared) = shared(vfs) else { return ffi::SQLITE_ERROR };
        *out = EPOCH_JULIAN + shared.state().clock().now().0 as f64 / DAY_MS;
    }
    ffi::SQLITE_OK
}

fn code(result: io::Result<()>, otherwise: c_int) -> c_int {
    match result {
        Ok(()) => ffi::SQLITE_OK,
        Err(error) if error.kind() == io::ErrorKind::StorageFull => ffi::SQLITE_FULL,
        Err(_) => otherwise,
    }
}

/// Syncs the write-ahead log of a connection's main database, on whatever VFS: the durability point of the commits before it
/// under `synchronous=NORMAL`. Fails with `NotFound` before the database is in WAL mode.
pub fn sync_journal(connection: &Connection) -> io::Result<()> {
    let mut file: *mut ffi::sqlite3_file = ptr::null_mut();
    // SAFETY: the connection is open and borrowed, so it and its journal's file outlive the calls; a file without methods is not
    // open.
    let code = unsafe {
        let out = (&raw mut file).cast();
        ffi::sqlite3_file_control(connection.handle(), c"main".as_ptr(), ffi::SQLITE_FCNTL_JOURNAL_POINTER, out);
        if file.is_null() || (*file).pMethods.is_null() {
            return Err(io::ErrorKind::NotFound.into());
        }
        let sync = (*(*file).pMethods).xSync;
        sync.map_or(ffi::SQLITE_OK, |sync| sync(file, ffi::SQLITE_SYNC_NORMAL))
    };
    if code == ffi::SQLITE_OK { Ok(()) } else { Err(io::Error::other(format!("sync of the log: SQLite code {code}"))) }
}
