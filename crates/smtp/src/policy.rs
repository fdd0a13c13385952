//! Who may send what to whom. Here and nowhere else it is decided that this is no open relay.

use std::sync::Arc;

use anser_base::{Address, TenantId};
use anser_directory::{Account, Check, Directory, Resolution, Route, Services, Standing};
use anser_wire::smtp::{CommandError, ForwardPath, Mailbox};

use crate::answer::Stop;
use crate::deps::{Deps, Service};
use crate::session::Session;

const UNKNOWN: CommandError = CommandError::new(550, (5, 1, 1), "No such user here");
const UNSURE: CommandError = CommandError::new(451, (4, 4, 1), "The server of that mailbox does not answer at present");
const SUSPENDED: CommandError = CommandError::new(450, (4, 2, 1), "That mailbox takes no mail at present");
const DISABLED: CommandError = CommandError::new(450, (4, 2, 1), "That domain takes no mail at present");
const RELAY: CommandError = CommandError::new(550, (5, 7, 1), "Relaying denied");
const NO_OUTSIDE_TO: CommandError = CommandError::new(550, (5, 7, 1), "That mailbox takes no mail from outside");
const NO_OUTSIDE_FROM: CommandError = CommandError::new(550, (5, 7, 1), "You may not send mail to other organisations");
const OVER_QUOTA: CommandError = CommandError::new(452, (4, 2, 2), "The mailbox is full");
/// Not the sender's own address.
pub const NOT_YOURS: CommandError = CommandError::new(550, (5, 7, 1), "That sender address is not yours");
/// A recipient that cannot be written down.
const BAD_RECIPIENT: CommandError = CommandError::new(553, (5, 1, 3), "Bad recipient address");
/// A sender that cannot be written down.
const BAD_SENDER: CommandError = CommandError::new(553, (5, 1, 7), "Bad sender address");

/// Who asks, for what is decided here.
pub struct Party<'a> {
    /// The door's surroundings.
    pub deps: &'a Deps,
    /// Through which service.
    pub service: Service,
    /// Who logged in.
    pub account: Option<&'a Arc<Account>>,
    /// The reverse path, once it is known.
    pub sender: Option<&'a Address>,
}

impl<'a> Party<'a> {
    /// Of a session and its transaction.
    pub fn of(session: &'a Session) -> Self {
        Self {
            deps: &session.deps,
            service: session.service,
            account: session.login.as_ref(),
            sender: session.transaction.as_ref().and_then(|transaction| transaction.sender.as_ref()),
        }
    }
}

/// A recipient that may be accepted.
pub struct Admitted {
    /// Its address; for `<postmaster>` the full one.
    pub address: Address,
    /// Whose it is, when it is ours.
    pub tenant: Option<TenantId>,
}

/// Whether mail to this path may be accepted from this party, and for whom.
pub async fn recipient(party: &Party<'_>, path: &ForwardPath) -> Result<Admitted, Stop> {
    let directory = &party.deps.directory;
    let (address, resolution) = match path {
        ForwardPath::Mailbox(mailbox) => {
            let address = Address::new(&mailbox.local, &mailbox.domain).ok_or(BAD_RECIPIENT)?;
            let resolution = directory.resolve(&address).await?;
            (address, resolution)
        }
        ForwardPath::Postmaster => (postmaster(party).await?, directory.resolve_postmaster().await?),
    };
    let tenant = match resolution {
        Resolution::Account(account) => {
            if !is_postmaster(&address) {
                of_account(party, &account).await?;
            }
            Some(account.tenant)
        }
        Resolution::Group(group) => group.accounts.first().map(|account| account.tenant),
        Resolution::Forward(_) => None,
        Resolution::Elsewhere(route) => {
            elsewhere(party, &route, &address).await?;
            None
        }
        Resolution::Suspended(_) => return Err(SUSPENDED.into()),
        Resolution::NoSuchUser => return Err(UNKNOWN.into()),
        Resolution::Disabled => return Err(DISABLED.into()),
        Resolution::NotLocal => outside(party)?,
    };
    Ok(Admitted { address, tenant })
}

/// An address whose mailbox is on a server behind this one. Own users may write to it while nobody can say whether it is there: they get
/// the message back if it is not.
async fn elsewhere(party: &Party<'_>, route: &Arc<Route>, address: &Address) -> Result<(), Stop> {
    let Some(gate) = route.gate else { return Ok(()) };
    let standing = match (gate.check, &party.deps.callout) {
        (Check::All, _) => Standing::Known,
        (Check::List, _) => match party.deps.directory.is_listed_elsewhere(address).await? {
            true => Standing::Known,
            false => Standing::Unknown(String::new()),
        },
        (Check::Callout, Some(callout)) => callout(route.clone(), address.clone()).await,
        (Check::Callout, None) => Standing::Unsure(String::new()),
    };
    match standing {
        Standing::Known => Ok(()),
        Standing::Unknown(_) => Err(UNKNOWN.into()),
        Standing::Unsure(_) if gate.open_when_down || party.service == Service::Submission => Ok(()),
        Standing::Unsure(why) => {
            tracing::info!(why, "a recipient on another server cannot be verified");
            Err(UNSURE.into())
        }
    }
}

/// An address elsewhere: only for those who have logged in and may write to other organisations.
fn outside(party: &Party<'_>) -> Result<Option<TenantId>, Stop> {
    match (party.service, party.account) {
        (Service::Submission, Some(_)) if party.deps.local_only => Err(RELAY.into()),
        (Service::Submission, Some(account)) if !account.services.contains(Services::OUTSIDE_MAIL) => {
            Err(NO_OUTSIDE_FROM.into())
        }
        (Service::Submission, Some(_)) => Ok(None),
        _ => Err(RELAY.into()),
    }
}

async fn of_account(party: &Party<'_>, account: &Arc<Account>) -> Result<(), Stop> {
    let inside_only = !account.services.contains(Services::OUTSIDE_MAIL);
    if inside_only && is_from_outside(party).await? {
        return Err(NO_OUTSIDE_TO.into());
    }
    match &party.deps.over_quota {
        Some(over_quota) if over_quota(account.id) => Err(OVER_QUOTA.into()),
        _ => Ok(()),
    }
}

/// Whether the message comes from another organisation: all that reaches the MX does, of what comes by LMTP what says so.
async fn is_from_outside(party: &Party<'_>) -> Result<bool, Stop> {
    match (party.service, party.sender) {
        (Service::Submission, _) => Ok(false),
        (Service::Lmtp, Some(sender)) => Ok(!party.deps.directory.is_local_domain(sender.domain()).await?),
        _ => Ok(true),
    }
}

/// The full address of `<postmaster>` (RFC 5321 §4.1.1.3).
async fn postmaster(party: &Party<'_>) -> Result<Address, Stop> {
    let domain = party.deps.directory.default_domain().await?;
    let name = domain.as_ref().map_or(party.deps.hostname.as_str(), |domain| &domain.name);
    Address::new("postmaster", name).ok_or(BAD_RECIPIENT.into())
}

fn is_postmaster(address: &Address) -> bool {
    address.local().eq_ignore_ascii_case("postmaster")
}

/// The address of a reverse path, `None` for the null sender. At submission it must be one of the account's own (RFC 6409 §6.1).
pub async fn sender(party: &Party<'_>, path: Option<&Mailbox>) -> Result<Option<Address>, Stop> {
    let Some(mailbox) = path else { return Ok(None) };
    let address = Address::new(&mailbox.local, &mailbox.domain).ok_or(BAD_SENDER)?;
    if let Some(account) = party.account
        && !party.deps.directory.may_send_as(account.id, &address).await?
    {
        return Err(NOT_YOURS.into());
    }
    Ok(Some(address))
}

/// Whether all of these are the account's own addresses.
pub async fn may_sign_as(directory: &Directory, account: &Account, addresses: &[Address]) -> Result<bool, Stop> {
    for address in addresses {
        if !directory.may_send_as(account.id, address).await? {
            return Ok(false);
        }
    }
    Ok(!addresses.is_empty())
}
