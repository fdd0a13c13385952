//! Reports to senders (RFC 3461, RFC 3464, RFC 6522).

use anser_queue::{Lease, Outcome, Plan, Submission};

use crate::Delivery;

/// Where a recipient is that left this server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Beyond {
    /// With somebody who reports success when it is asked for: a copy in the queue, a server that was given the DSN parameters.
    Reporting,
    /// With a server that does not report success.
    Silent,
}

impl Delivery {
    pub(crate) async fn reports(
        &self,
        _lease: &Lease,
        _plan: &Plan,
        _outcomes: &[(usize, Outcome)],
        _beyond: &[(usize, Beyond)],
    ) -> Vec<Submission> {
        Vec::new()
    }
}
