//! `move status --watch`: a view of the whole terminal that follows a move; where no terminal is, a line for each change.

use std::collections::BTreeMap;
use std::io::IsTerminal;

use anser_admin::Event;
use anser_admin::answer::{Item, ProgressView};
use anser_admin::request::{MoveAct, Request};
use anser_base::Result;
use anser_migrate::MailboxView;
use tokio::sync::mpsc;

use crate::command::act;
use crate::config::Config;
use crate::moves::mailbox_in_words;
use crate::show::{self, size};
use crate::text::{self, Language};

/// The states, in the order in which people want to see them.
const ORDER: [&str; 8] = ["refused", "asking", "copying", "waiting", "new", "ready", "settled", "abandoned"];

/// Follows a move until nothing is under way.
pub async fn watch(config: &Config, project: String, which: Vec<String>, language: Language) -> Result<bool> {
    let full = std::io::stdout().is_terminal();
    // By login and old server.
    let mut views: BTreeMap<(String, String), MailboxView> = BTreeMap::new();
    if full {
        // Another screen, without a cursor; what was there comes back at the end.
        show::out("\x1b[?1049h\x1b[?25l")?;
    }
    let request = Request::Move { name: project.clone(), which, what: MoveAct::Follow { stay: false } };
    let following = act(config, request, mpsc::channel(1).1, |event| {
        let Event::Item(item) = event else { return Ok(()) };
        match *item {
            Item::MoveMailbox(view) => {
                let before = views.insert((view.login.clone(), view.source.clone()), view.clone());
                let is_news = before.is_none_or(|before| before.state != view.state);
                if !full && is_news { show::out(&mailbox_in_words(&view, language)) } else { Ok(()) }
            }
            Item::MoveProgress(sum) if full => show::out(&screen(language, &project, &views, &sum)),
            _ => Ok(()),
        }
    });
    let ended = tokio::select! {
        ended = following => ended.map(|_| true),
        _ = tokio::signal::ctrl_c() => Ok(true),
    };
    if full {
        show::out("\x1b[?25h\x1b[?1049l")?;
    }
    ended
}

fn screen(
    language: Language,
    project: &str,
    views: &BTreeMap<(String, String), MailboxView>,
    sum: &ProgressView,
) -> String {
    let (lines, columns) = console::Term::stdout().size();
    let mut out = String::from("\x1b[H\x1b[2J");
    for line in
        head(language, project, sum).into_iter().chain(rows(views, language)).take(usize::from(lines).saturating_sub(1))
    {
        out.push_str(&cut(&line, usize::from(columns)));
        out.push_str("\r\n");
    }
    out
}

/// The whole: states, messages, bytes, speed, and how long it may still take.
fn head(language: Language, project: &str, sum: &ProgressView) -> Vec<String> {
    let states = ORDER.iter().filter_map(|state| Some(format!("{state} {}", sum.states.get(*state)?)));
    let states: Vec<String> = states.collect();
    let minutes = sum.left.unwrap_or(0).div_ceil(60);
    let (done, total, rate) = (sum.done.to_string(), sum.total.to_string(), sum.rate.to_string());
    let words = [done, total, size(sum.bytes), rate, size(sum.speed), minutes.to_string()];
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let troubles: Vec<String> = sum.troubles.iter().map(|(class, count)| format!("{class} {count}")).collect();
    let troubles = (!troubles.is_empty()).then(|| format!("! {}", troubles.join("  ")));
    let head = [format!("{project}  {}", states.join("  ")), language.say(text::WATCHED, &words)];
    head.into_iter().chain(troubles).chain([String::new()]).collect()
}

/// The mailboxes, those that somebody has to look at first.
fn rows(views: &BTreeMap<(String, String), MailboxView>, language: Language) -> Vec<String> {
    let mut all: Vec<&MailboxView> = views.values().collect();
    let place = |view: &&MailboxView| ORDER.iter().position(|state| *state == view.state);
    all.sort_by_key(place);
    all.into_iter()
        .flat_map(|view| mailbox_in_words(view, language).lines().map(str::to_owned).collect::<Vec<_>>())
        .collect()
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
