//! `move status --watch`: a view of the whole terminal that follows a move; where no terminal is, a line for each change.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

use anser_admin::Event;
use anser_admin::answer::Item;
use anser_admin::request::{MoveAct, Request};
use anser_base::Result;
use anser_migrate::MailboxView;
use tokio::sync::mpsc;

use crate::command::act;
use crate::config::Config;
use crate::moves::mailbox_in_words;
use crate::show::{self, size};
use crate::text::{self, Language};

/// How often it looks.
const LOOK: Duration = Duration::from_secs(1);
/// Speed is that of so many looks.
const LOOKS: usize = 10;
/// The states, in the order in which people want to see them.
const ORDER: [&str; 8] = ["refused", "asking", "copying", "waiting", "new", "ready", "settled", "abandoned"];

/// Follows a move until nothing is under way.
pub async fn watch(config: &Config, project: String, which: Vec<String>, language: Language) -> Result<bool> {
    let full = std::io::stdout().is_terminal();
    let (mut last, mut looks) = (BTreeMap::new(), Vec::new());
    if full {
        // Another screen, without a cursor; what was there comes back at the end.
        show::out("\x1b[?1049h\x1b[?25l")?;
    }
    let ended = loop {
        let views = match look(config, &project, &which).await {
            Ok(views) => views,
            Err(error) => break Err(error),
        };
        looks.push((Instant::now(), views.iter().map(|view| view.bytes).sum::<u64>()));
        looks.drain(..looks.len().saturating_sub(LOOKS));
        let drawn = match full {
            true => show::out(&screen(language, &project, &views, &looks)),
            false => changes(&views, &mut last),
        };
        let busy = views.iter().any(|view| view.state == "copying" || (view.state == "waiting" && view.note.is_none()));
        match drawn {
            Ok(()) if busy => {}
            other => break other,
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            _ = tokio::signal::ctrl_c() => break Ok(()),
        }
    };
    if full {
        show::out("\x1b[?25h\x1b[?1049l")?;
    }
    ended.map(|()| true)
}

async fn look(config: &Config, project: &str, which: &[String]) -> Result<Vec<MailboxView>> {
    let mut views = Vec::new();
    let request = Request::Move { name: project.to_owned(), which: which.to_vec(), what: MoveAct::Status };
    act(config, request, mpsc::channel(1).1, |event| {
        if let Event::Item(item) = event
            && let Item::MoveMailbox(view) = *item
        {
            views.push(view);
        }
        Ok(())
    })
    .await?;
    Ok(views)
}

/// A line for each mailbox whose state is another one than before.
fn changes(views: &[MailboxView], last: &mut BTreeMap<String, String>) -> Result<()> {
    for view in views {
        let key = format!("{}\0{}", view.login, view.address);
        if last.insert(key, view.state.clone()).as_ref() != Some(&view.state) {
            show::out(&mailbox_in_words(view))?;
        }
    }
    Ok(())
}

fn screen(language: Language, project: &str, views: &[MailboxView], looks: &[(Instant, u64)]) -> String {
    let (lines, columns) = console::Term::stdout().size();
    let mut out = String::from("\x1b[H\x1b[2J");
    for line in
        head(language, project, views, looks).into_iter().chain(rows(views)).take(usize::from(lines).saturating_sub(1))
    {
        out.push_str(&cut(&line, usize::from(columns)));
        out.push_str("\r\n");
    }
    out
}

/// The whole: states, messages, bytes, speed, and how long it may still take.
fn head(language: Language, project: &str, views: &[MailboxView], looks: &[(Instant, u64)]) -> Vec<String> {
    let (done, total) =
        (views.iter().map(|view| view.done).sum::<u64>(), views.iter().map(|view| view.total).sum::<u64>());
    let bytes: u64 = views.iter().map(|view| view.bytes).sum();
    let states = ORDER.iter().map(|state| (state, views.iter().filter(|view| view.state == *state).count()));
    let states: Vec<String> =
        states.filter(|(_, count)| *count > 0).map(|(state, count)| format!("{state} {count}")).collect();
    let speed = match (looks.first(), looks.last()) {
        (Some((first, before)), Some((last, after))) if last > first => {
            after.saturating_sub(*before) as f64 / last.duration_since(*first).as_secs_f64()
        }
        _ => 0.0,
    };
    let left = match (done, speed > 0.0) {
        (1.., true) => (total.saturating_sub(done) as f64 * bytes as f64 / done as f64 / speed / 60.0).ceil() as u64,
        _ => 0,
    };
    let words = [done.to_string(), total.to_string(), size(bytes), size(speed as u64), left.to_string()];
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    vec![format!("{project}  {}", states.join("  ")), language.say(text::WATCHED, &words), String::new()]
}

/// The mailboxes, those that somebody has to look at first.
fn rows(views: &[MailboxView]) -> Vec<String> {
    let mut all: Vec<&MailboxView> = views.iter().collect();
    let place = |view: &&MailboxView| ORDER.iter().position(|state| *state == view.state);
    all.sort_by_key(place);
    all.into_iter().flat_map(|view| mailbox_in_words(view).lines().map(str::to_owned).collect::<Vec<_>>()).collect()
}

/// A line without anything that a terminal obeys, as wide as the terminal; whatever is not ASCII takes two columns.
fn cut(line: &str, columns: usize) -> String {
    let mut width = 0;
    let shown = line.chars().filter(|c| !c.is_control());
    shown
        .take_while(|c| {
            width += if c.is_ascii() { 1 } else { 2 };
            width <= columns
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_an_old_server_moves_the_cursor() {
        assert_eq!(cut("a\x1b[2J\u{4f60}\u{597d}", 7), "a[2J\u{4f60}");
    }
}
