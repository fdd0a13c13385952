//! UIDs of an old server: a mailbox takes its UIDVALIDITY, and messages that are older than those which came first take their own UIDs.
//!
//! A move brings the newest messages first. RFC 9051 §2.3.1.1 promises whoever looks that UIDs ascend in the order of arrival, so that nobody
//! may look by IMAP or POP3 while older messages come in between: as long as a mailbox has reserved UIDs it [is filling](crate::Mailbox::is_filling),
//! and those doors refuse it for the moment. All UIDs that are given meanwhile are at or above the UIDNEXT that was last shown; once the
//! reservation ends, what is shown is what would have come in the right order. JMAP, which knows no UIDs, shows what is there.
//!
//! | state | left by |
//! |---|---|
//! | open | [`MailTx::reserve_uids`] → filling |
//! | filling | [`MailTx::release_uids`] → open; UIDs that nothing took stay without a message |

use anser_base::{Class, Error, MailboxId, Result};
use anser_db::params;

use crate::change::Change;
use crate::tx::MailTx;

impl MailTx<'_, '_> {
    /// For a move: gives an empty mailbox that never held a message the UIDVALIDITY and next UID of the old server.
    /// `Class::Conflict` when it held one already.
    pub fn set_uidvalidity(&mut self, id: MailboxId, uidvalidity: u32, uidnext: u32) -> Result<()> {
        self.require_writing()?;
        let mailbox = self.mailbox_mut(id)?;
        if mailbox.uidnext != 1 || uidvalidity == 0 || uidnext == 0 {
            return Err(Error::new(Class::Conflict, "the mailbox was used already", "该文件夹已被使用过"));
        }
        (mailbox.uidvalidity, mailbox.uidnext, mailbox.recent_from) = (uidvalidity, uidnext, uidnext);
        self.state.uidvalidity = self.state.uidvalidity.max(uidvalidity);
        self.renumbered(id);
        Ok(())
    }

    /// For a move: no UID below this one is given out from now on, but those that are reserved.
    pub fn raise_uidnext(&mut self, id: MailboxId, uidnext: u32) -> Result<()> {
        self.require_writing()?;
        let mailbox = self.mailbox_mut(id)?;
        if mailbox.uidnext < uidnext {
            mailbox.uidnext = uidnext;
            self.renumbered(id);
        }
        Ok(())
    }

    /// For a move: reserves the UIDs that were not given yet and are below this one, for messages that name them when they come. A
    /// reservation may be made longer while no other message came. Whether there is one then: without, messages have to come in order.
    pub fn reserve_uids(&mut self, id: MailboxId, uidnext: u32) -> Result<bool> {
        self.require_writing()?;
        let mailbox = self.mailbox_mut(id)?;
        let (from, to) = mailbox.reserved;
        let first = match to {
            0 => mailbox.uidnext,
            _ if to == mailbox.uidnext => from,
            // Beyond what is reserved they have to come in order.
            _ => return Ok(to >= uidnext),
        };
        if mailbox.uidnext < uidnext {
            (mailbox.reserved, mailbox.uidnext) = ((first, uidnext), uidnext);
            // What a move brings is no news to anybody.
            mailbox.recent_from = mailbox.recent_from.max(uidnext);
            self.renumbered(id);
        }
        Ok(self.mailbox(id)?.is_filling())
    }

    /// For a move: ends a reservation. Fine when there is none, or no such mailbox.
    pub fn release_uids(&mut self, id: MailboxId) -> Result<()> {
        self.require_writing()?;
        if self.has_mailbox(id)? && self.mailbox(id)?.is_filling() {
            self.mailbox_mut(id)?.reserved = (0, 0);
            self.renumbered(id);
        }
        Ok(())
    }

    /// Takes a reserved UID that was never given, if this is one.
    pub(crate) fn take_reserved(&mut self, id: MailboxId, uid: u32) -> Result<bool> {
        let (from, to) = self.mailbox(id)?.reserved;
        if !(from..to).contains(&uid) {
            return Ok(false);
        }
        let given = self.db.query_one(
            "SELECT 1 FROM entry WHERE account = ?1 AND mailbox = ?2 AND uid = ?3 UNION ALL \
             SELECT 1 FROM vanished WHERE account = ?1 AND mailbox = ?2 AND first <= ?3 AND last >= ?3 LIMIT 1",
            params![self.account.to_sql(), id.to_sql(), uid],
            |_| Ok(()),
        )?;
        if given.is_none() {
            self.drop_blocks(id, [uid].into_iter())?;
        }
        Ok(given.is_none())
    }

    fn renumbered(&mut self, id: MailboxId) {
        self.mailbox_changed(id);
        self.publish(Change::Renumbered(id));
    }
}
