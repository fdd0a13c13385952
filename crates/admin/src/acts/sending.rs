//! How much accounts may send, and accounts whose mail is held.

use anser_base::Result;
use anser_directory::SendingLimits;

use crate::answer::{HoldView, Item, LimitsView, Out, Report};
use crate::request::SendingAct;
use crate::{Actor, Admin};

impl Admin {
    /// Sets and lists limits, lists and releases accounts whose mail is held. Errors as for the functions of
    /// [`anser_directory::sending`].
    pub async fn sending(&self, actor: &Actor, what: SendingAct, out: &Out) -> Result<Report> {
        match what {
            SendingAct::Limit { scope, per_hour, per_day, new_per_day } => {
                self.limit(actor, scope, [per_hour, per_day, new_per_day]).await
            }
            SendingAct::Limits => {
                for limits in self.deps.directory.all_sending_limits().await? {
                    out.item(Item::Limits(view(limits))).await?;
                }
                Ok(Report::Done)
            }
            SendingAct::Forget { scope } => {
                self.deps.directory.remove_sending_limits(&scope).await?;
                self.note(actor, "sending.forget", &scope, None, None).await?;
                Ok(Report::Done)
            }
            SendingAct::Held => {
                for hold in self.deps.directory.sending_holds().await? {
                    let view = HoldView { address: hold.address, since: hold.since.to_string(), why: hold.why };
                    out.item(Item::Hold(view)).await?;
                }
                Ok(Report::Done)
            }
            SendingAct::Hold { address } => {
                let account = self.account(&address).await?;
                self.deps.directory.hold_sending(account.id, &format!("by {}", actor.name)).await?;
                self.note(actor, "sending.hold", &address, None, None).await?;
                Ok(Report::Done)
            }
            SendingAct::Release { address } => {
                let account = self.account(&address).await?;
                self.deps.directory.release_sending(account.id).await?;
                self.note(actor, "sending.release", &address, None, None).await?;
                Ok(Report::Done)
            }
        }
    }

    /// What is not named stays as it is, or as is usual.
    async fn limit(&self, actor: &Actor, scope: String, [hour, day, new]: [Option<u32>; 3]) -> Result<Report> {
        let all = self.deps.directory.all_sending_limits().await?;
        let old = all.into_iter().find(|limits| limits.scope == scope).unwrap_or_else(SendingLimits::usual);
        let limits = SendingLimits {
            scope: scope.clone(),
            per_hour: hour.unwrap_or(old.per_hour),
            per_day: day.unwrap_or(old.per_day),
            new_per_day: new.unwrap_or(old.new_per_day),
        };
        let told = format!("{} {} {}", limits.per_hour, limits.per_day, limits.new_per_day);
        self.deps.directory.put_sending_limits(limits).await?;
        self.note(actor, "sending.limit", &scope, None, Some(told)).await?;
        Ok(Report::Done)
    }
}

fn view(limits: SendingLimits) -> LimitsView {
    let SendingLimits { scope, per_hour, per_day, new_per_day } = limits;
    LimitsView { scope, per_hour, per_day, new_per_day }
}
