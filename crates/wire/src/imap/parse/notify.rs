//! NOTIFY (RFC 5465 §8).

use super::{Bad, Cursor, fetch, second};
use crate::imap::{EventGroup, Events, FetchItem, LIST_MAX, MailboxFilter, Notify};

pub(super) fn notify(c: &mut Cursor<'_>) -> Result<Notify, Bad> {
    match c.keyword()?.as_str() {
        "NONE" => return Ok(Notify::None),
        "SET" => c.space()?,
        _ => return Err(Bad("NOTIFY wants SET or NONE")),
    }
    let status = c.eat_word("STATUS");
    let mut groups = vec![group(c)?];
    while c.more() {
        if groups.len() == LIST_MAX {
            return Err(Bad("A list is too long"));
        }
        groups.push(group(c)?);
    }
    let selected = |group: &&EventGroup| is_selected(&group.mailboxes);
    if groups.iter().filter(selected).count() > 1 {
        return Err(Bad("SELECTED may stand only once"));
    }
    Ok(Notify::Set { status, groups })
}

fn is_selected(mailboxes: &MailboxFilter) -> bool {
    matches!(mailboxes, MailboxFilter::Selected | MailboxFilter::SelectedDelayed)
}

fn group(c: &mut Cursor<'_>) -> Result<EventGroup, Bad> {
    c.expect(b'(', "A group of events is wanted")?;
    let mailboxes = match c.keyword()?.as_str() {
        "SELECTED" => MailboxFilter::Selected,
        "SELECTED-DELAYED" => MailboxFilter::SelectedDelayed,
        "INBOXES" => MailboxFilter::Inboxes,
        "PERSONAL" => MailboxFilter::Personal,
        "SUBSCRIBED" => MailboxFilter::Subscribed,
        "SUBTREE" => MailboxFilter::Subtree(second(c, mailboxes)?),
        "MAILBOXES" => MailboxFilter::Mailboxes(second(c, mailboxes)?),
        _ => return Err(Bad("Unknown mailbox filter")),
    };
    let events = second(c, events)?;
    c.expect(b')', "A group of events does not end")?;
    check(&mailboxes, &events)?;
    Ok(EventGroup { mailboxes, events })
}

fn mailboxes(c: &mut Cursor<'_>) -> Result<Vec<String>, Bad> {
    if c.peek() == Some(b'(') { c.list1(Cursor::mailbox) } else { Ok(vec![c.mailbox()?]) }
}

/// Known events with whether they came, and the items of MessageNew.
fn events(c: &mut Cursor<'_>) -> Result<Events, Bad> {
    let mut events = Events::default();
    if c.peek() == Some(b'(') {
        for (name, items) in c.list1(event)? {
            note(&mut events, &name, items);
        }
        return Ok(events);
    }
    // The example of RFC 5465 §3 has events without parentheses, its grammar does not.
    loop {
        let (name, items) = event(c)?;
        if name == "NONE" {
            return Ok(events);
        }
        note(&mut events, &name, items);
        if !c.eat(b' ') {
            return Ok(events);
        }
    }
}

fn event(c: &mut Cursor<'_>) -> Result<(String, Vec<FetchItem>), Bad> {
    let name = c.keyword()?;
    let has_items = name == "MESSAGENEW" && matches!(c.rest(), [b' ', b'(', ..]);
    let items = if has_items { second(c, |c| c.list1(fetch::items))?.concat() } else { Vec::new() };
    Ok((name, items))
}

fn note(events: &mut Events, name: &str, items: Vec<FetchItem>) {
    match name {
        "MESSAGENEW" => (events.message_new, events.items) = (true, items),
        "MESSAGEEXPUNGE" => events.message_expunge = true,
        "FLAGCHANGE" => events.flag_change = true,
        "MAILBOXNAME" => events.mailbox_name = true,
        "SUBSCRIPTIONCHANGE" => events.subscription_change = true,
        "MAILBOXMETADATACHANGE" => events.mailbox_metadata = true,
        "SERVERMETADATACHANGE" => events.server_metadata = true,
        _ => events.other = true,
    }
}

/// What RFC 5465 §5, §6.1 and §8 want to be refused.
fn check(mailboxes: &MailboxFilter, events: &Events) -> Result<(), Bad> {
    if events.message_new != events.message_expunge || (events.flag_change && !events.message_new) {
        return Err(Bad("MessageNew and MessageExpunge come together, FlagChange with both"));
    }
    match is_selected(mailboxes) {
        true if events.has_others() => Err(Bad("The selected mailbox has events of messages only")),
        false if !events.items.is_empty() => Err(Bad("Only of the selected mailbox messages are fetched")),
        _ => Ok(()),
    }
}
