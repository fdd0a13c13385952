//! A closure on its way to a worker and its outcome on the way back.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use anser_base::{Class, Error, Result};
use tokio::sync::oneshot;

use crate::Durability;
use crate::place::Place;
use crate::tx::Tx;

/// What a job may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Read,
    Write(Durability),
}

/// One closure and where it runs.
pub(crate) struct Job {
    pub place: Place,
    pub mode: Mode,
    pub work: Box<dyn Work>,
}

/// The type-erased closure: `run` once or more, then `done` once.
pub(crate) trait Work: Send {
    /// Runs the closure. An error is kept for the caller and only its fact is told here.
    fn run(&mut self, tx: &mut Tx<'_>) -> Result<(), Failed>;
    /// Resolves the future: with the closure's own result, or with the engine's error.
    fn done(self: Box<Self>, outcome: Result<()>);
}

/// The closure failed.
pub(crate) struct Failed {
    /// Whether the engine asked to run it again (PostgreSQL 40001, 40P01).
    pub retry: bool,
    /// Set when the engine itself failed, so that the whole transaction must be given up and the file be opened anew.
    pub poisoned: Option<Class>,
}

struct Typed<R, F, A> {
    work: F,
    after: A,
    result: Option<Result<R>>,
    reply: oneshot::Sender<Result<R>>,
}

impl Job {
    pub fn new<R, F, A>(place: Place, mode: Mode, work: F, after: A) -> (Self, Pending<R>)
    where
        R: Send + 'static,
        F: FnMut(&mut Tx<'_>) -> Result<R> + Send + 'static,
        A: FnOnce(&mut R) + Send + 'static,
    {
        let (reply, receiver) = oneshot::channel();
        (Self { place, mode, work: Box::new(Typed { work, after, result: None, reply }) }, Pending { receiver })
    }
}

impl<R, F, A> Work for Typed<R, F, A>
where
    R: Send,
    F: FnMut(&mut Tx<'_>) -> Result<R> + Send,
    A: FnOnce(&mut R) + Send,
{
    fn run(&mut self, tx: &mut Tx<'_>) -> Result<(), Failed> {
        // A panic ends one job, not the worker; what it did is rolled back like that of any other failure.
        let result = catch_unwind(AssertUnwindSafe(|| (self.work)(tx))).unwrap_or_else(|_| Err(panicked()));
        let failed = result.is_err().then(|| Failed { retry: tx.wants_retry(), poisoned: tx.poisoned() });
        self.result = Some(result);
        failed.map_or(Ok(()), Err)
    }

    fn done(self: Box<Self>, outcome: Result<()>) {
        let Self { after, result, reply, .. } = *self;
        let result = match (outcome, result) {
            (_, Some(Err(error))) => Err(error),
            (Err(error), _) => Err(error),
            (Ok(()), Some(Ok(mut value))) => match catch_unwind(AssertUnwindSafe(|| after(&mut value))) {
                Ok(()) => Ok(value),
                Err(_) => Err(panicked()),
            },
            (Ok(()), None) => Err(Error::unavailable("the closure did not run")),
        };
        // A caller that went away does not want to know.
        let _ = reply.send(result);
    }
}

/// The outcome of a [`crate::Db::write`] or [`crate::Db::read`] to come. Dropping it does not cancel the work.
#[must_use = "the work runs anyway, but its outcome would be lost"]
pub struct Pending<R> {
    receiver: oneshot::Receiver<Result<R>>,
}

impl<R> Pending<R> {
    /// Waits on the calling thread. Never call it on a reactor thread.
    pub fn wait(self) -> Result<R> {
        self.receiver.blocking_recv().unwrap_or_else(|_| Err(stopped()))
    }
}

impl<R> Future for Pending<R> {
    type Output = Result<R>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.receiver).poll(context).map(|received| received.unwrap_or_else(|_| Err(stopped())))
    }
}

fn panicked() -> Error {
    Error::unavailable("a closure panicked on the worker")
}

fn stopped() -> Error {
    Error::unavailable("the worker ended before it answered")
}
