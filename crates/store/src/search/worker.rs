//! Documents read in processes of their own: this program again, as a worker that takes one document after the other over a pipe.
//!
//! A worker has no file but its pipes and can open none, nor a socket (limit of descriptors), has bounded memory and bounded time of the
//! processor for each document, and is killed when it does not answer. A document that ends two workers cannot be read.
//!
//! | pipe | bytes |
//! |---|---|
//! | to the worker | kind, length (4 bytes, little endian), document |
//! | from it | [`FAILED`], [`WHOLE`] or [`CUT`], length, text |

use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use anser_text::document::{self, Failed, INPUT, Kind, OUTPUT};
use anser_text::{Documents, InProcess};
use nix::sys::resource::{Resource, UsageWho, getrusage, setrlimit};

use super::Readers;

/// The verb by which the program becomes a worker.
pub const WORKER: &str = "extract-worker";
/// Workers at once.
const WORKERS: usize = 2;
/// How long a worker may take for one document.
const TIME: Duration = Duration::from_secs(30);
/// Seconds of the processor that one document may take.
const PROCESSOR: u64 = 20;
/// Bytes of address space of a worker.
const MEMORY: u64 = 1 << 30;
/// Workers that one document may end.
const TRIES: usize = 2;
/// Descriptors of a worker: its two pipes, and nothing in the place of output and errors.
const DESCRIPTORS: u64 = 4;

const FAILED: u8 = 0;
const WHOLE: u8 = 1;
const CUT: u8 = 2;

/// Readers that run this program as workers, at most two at once for all of them. Rich text, which is read by code of our own, is read
/// where the search runs.
pub fn documents_in(program: PathBuf) -> Readers {
    let pool = Arc::new(Pool { program, state: Mutex::default(), free: Condvar::new() });
    Arc::new(move || Box::new(Pooled { pool: pool.clone() }) as Box<dyn Documents>)
}

struct Pool {
    program: PathBuf,
    state: Mutex<PoolState>,
    free: Condvar,
}

#[derive(Default)]
struct PoolState {
    idle: Vec<Worker>,
    /// Workers that there are, busy ones among them.
    count: usize,
}

struct Pooled {
    pool: Arc<Pool>,
}

impl Documents for Pooled {
    fn text(&mut self, kind: Kind, bytes: &[u8]) -> Result<(String, bool), Failed> {
        if kind == Kind::Rtf {
            return InProcess.text(kind, bytes);
        }
        let document: Arc<[u8]> = bytes.into();
        for _ in 0..TRIES {
            let mut worker = self.pool.take().map_err(|error| {
                tracing::warn!(%error, "no worker for documents could be started");
                Failed
            })?;
            match worker.ask(kind, document.clone()) {
                Some(answer) => {
                    self.pool.give(Some(worker));
                    return answer;
                }
                None => {
                    drop(worker);
                    self.pool.give(None);
                    tracing::warn!(?kind, size = bytes.len(), "a document ended its worker");
                }
            }
        }
        Err(Failed)
    }
}

impl Pool {
    fn take(&self) -> io::Result<Worker> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(worker) = state.idle.pop() {
                return Ok(worker);
            }
            if state.count < WORKERS {
                state.count += 1;
                drop(state);
                return Worker::start(&self.program).inspect_err(|_| self.give(None));
            }
            state = self.free.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Takes a worker back, or hears of its end.
    fn give(&self, worker: Option<Worker>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match worker {
            Some(worker) => state.idle.push(worker),
            None => state.count -= 1,
        }
        self.free.notify_one();
    }
}

type Answer = Result<(String, bool), Failed>;

/// A running worker; killed when it is dropped.
struct Worker {
    child: Child,
    documents: SyncSender<(Kind, Arc<[u8]>)>,
    answers: Receiver<io::Result<Answer>>,
}

impl Worker {
    fn start(program: &PathBuf) -> io::Result<Self> {
        let mut command = Command::new(program);
        command.arg(WORKER).env_clear().current_dir("/").stderr(Stdio::null());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let (Some(mut input), Some(mut output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        let (documents, to_do) = sync_channel::<(Kind, Arc<[u8]>)>(1);
        let (done, answers) = sync_channel(1);
        // It ends when the worker's pipes do, or when nobody asks any more.
        std::thread::Builder::new().name("documents".into()).spawn(move || {
            while let Ok((kind, bytes)) = to_do.recv() {
                let answer = converse(&mut input, &mut output, kind, &bytes);
                if done.send(answer).is_err() {
                    return;
                }
            }
        })?;
        Ok(Self { child, documents, answers })
    }

    /// The worker's answer; `None` when it came to its end, or must.
    fn ask(&mut self, kind: Kind, document: Arc<[u8]>) -> Option<Answer> {
        self.documents.send((kind, document)).ok()?;
        self.answers.recv_timeout(TIME).ok()?.ok()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn converse(input: &mut impl Write, output: &mut impl Read, kind: Kind, bytes: &[u8]) -> io::Result<Answer> {
    write_frame(input, kind as u8, bytes)?;
    let (status, text) = read_frame(output, OUTPUT)?;
    let text = String::from_utf8(text).map_err(|_| io::ErrorKind::InvalidData)?;
    match status {
        WHOLE | CUT => Ok(Ok((text, status == CUT))),
        _ => Ok(Err(Failed)),
    }
}

fn write_frame(to: &mut impl Write, head: u8, bytes: &[u8]) -> io::Result<()> {
    to.write_all(&[head])?;
    to.write_all(&(bytes.len() as u32).to_le_bytes())?;
    to.write_all(bytes)?;
    to.flush()
}

fn read_frame(from: &mut impl Read, limit: usize) -> io::Result<(u8, Vec<u8>)> {
    let mut head = [0; 5];
    from.read_exact(&mut head)?;
    let length = u32::from_le_bytes([head[1], head[2], head[3], head[4]]) as usize;
    if length > limit {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut bytes = vec![0; length];
    from.read_exact(&mut bytes)?;
    Ok((head[0], bytes))
}

/// The worker's life: limits itself, then answers until its input ends.
pub fn work_as_worker() -> ExitCode {
    let served = limit_myself().and_then(|mut output| serve(&mut io::stdin().lock(), &mut output));
    match served {
        Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => ExitCode::FAILURE,
        _ => ExitCode::SUCCESS,
    }
}

/// Takes the pipe of answers away from what libraries may print, and gives up everything that reading a document does not need. The
/// pipe of answers.
fn limit_myself() -> io::Result<std::fs::File> {
    let output = std::fs::File::from(nix::unistd::dup(io::stdout())?);
    let nothing = std::fs::File::options().write(true).open("/dev/null")?;
    nix::unistd::dup2_stdout(&nothing)?;
    drop(nothing);
    setrlimit(Resource::RLIMIT_AS, MEMORY, MEMORY)?;
    setrlimit(Resource::RLIMIT_FSIZE, 0, 0)?;
    setrlimit(Resource::RLIMIT_CORE, 0, 0)?;
    setrlimit(Resource::RLIMIT_NOFILE, DESCRIPTORS, DESCRIPTORS)?;
    Ok(output)
}

fn serve(input: &mut impl Read, output: &mut impl Write) -> io::Result<()> {
    loop {
        let (kind, bytes) = read_frame(input, INPUT)?;
        let used = getrusage(UsageWho::RUSAGE_SELF)?;
        let seconds = (used.user_time().tv_sec() + used.system_time().tv_sec()).unsigned_abs();
        setrlimit(Resource::RLIMIT_CPU, seconds + PROCESSOR, u64::MAX)?;
        let answer = Kind::from_number(kind).ok_or(Failed).and_then(|kind| document::text(kind, &bytes));
        match answer {
            Ok((text, is_cut)) => write_frame(output, if is_cut { CUT } else { WHOLE }, text.as_bytes())?,
            Err(Failed) => write_frame(output, FAILED, &[])?,
        }
    }
}
