//! What each recipient of an entry is: an account here, an address to send on to, somebody on another server, or nobody.

use std::sync::Arc;

use anser_base::{Address, Error};
use anser_directory::{Account, Resolution};
use anser_queue::{Entry, Outcome};

use crate::Delivery;

/// The recipients that are due, sorted by what is to be done.
#[derive(Default)]
pub(crate) struct Routed {
    /// Accounts here, by recipient.
    pub local: Vec<(usize, Local)>,
    /// Addresses to send on to, by recipient.
    pub forward: Vec<(usize, Vec<Address>)>,
    /// Recipients on other servers.
    pub remote: Vec<usize>,
    /// Recipients whose outcome is known already.
    pub decided: Vec<(usize, Outcome)>,
}

/// The accounts here that a recipient stands for.
pub(crate) struct Local {
    pub accounts: Vec<Arc<Account>>,
    /// It is a group, whatever the number of its members.
    pub is_group: bool,
}

impl Delivery {
    pub(crate) async fn route(&self, entry: &Entry) -> Routed {
        let mut routed = Routed::default();
        for (index, recipient) in entry.due(self.deps.clock.now()) {
            match self.deps.directory.resolve(&recipient.address).await {
                Ok(resolution) => routed.sort_in(index, resolution),
                Err(error) => routed.decided.push((index, retry_after_error(&error))),
            }
        }
        routed
    }
}

impl Routed {
    fn sort_in(&mut self, index: usize, resolution: Resolution) {
        match resolution {
            Resolution::Account(account) => {
                self.local.push((index, Local { accounts: vec![account], is_group: false }));
            }
            Resolution::Group(group) => {
                self.local.push((index, Local { accounts: group.accounts.clone(), is_group: true }));
                if !group.outside.is_empty() {
                    self.forward.push((index, group.outside.clone()));
                }
            }
            Resolution::Forward(address) => self.forward.push((index, vec![address])),
            Resolution::NotLocal => self.remote.push(index),
            Resolution::Suspended(_) => self.decided.push((index, retry("4.2.1 the mailbox is suspended"))),
            Resolution::Disabled => self.decided.push((index, retry("4.3.2 the domain is switched off"))),
            Resolution::NoSuchUser => {
                self.decided.push((index, Outcome::Fail { why: "5.1.1 no such mailbox here".into() }));
            }
        }
    }
}

fn retry(why: &str) -> Outcome {
    Outcome::Retry { after: None, why: why.into() }
}

/// Trouble of our own: logged whole, and tried again.
pub(crate) fn retry_after_error(error: &Error) -> Outcome {
    tracing::warn!(error = error.chain(), "a delivery is put off");
    let code = if error.class == anser_base::Class::Full { "4.3.1" } else { "4.3.0" };
    Outcome::Retry { after: None, why: format!("{code} {}", error.text.en) }
}
