//! A move as it goes on: how each mailbox stands, every change, and a sum of all for each look.

use std::collections::HashMap;
use std::time::Duration;

use anser_base::Result;
use anser_migrate::{MailboxView, Which};
use tokio::time::Instant;

use crate::Admin;
use crate::answer::{Item, Out, ProgressView, Report};

/// How often it looks, and what part of the time looking may take: the mailboxes of a large move are many files.
const LOOK: Duration = Duration::from_secs(1);
const SHARE: u32 = 5;
/// Speed is that of so many looks.
const LOOKS: usize = 10;

impl Admin {
    /// Tells of a move until nothing is under way; with `stay` until nobody reads.
    pub(super) async fn follow_move(&self, name: &str, which: Which, stay: bool, out: &Out) -> Result<Report> {
        let (mut told, mut looks) = (HashMap::new(), Vec::new());
        loop {
            let began = Instant::now();
            let views = self.deps.moves.mailbox_views(name, which.clone()).await?;
            looks.push((began, views.iter().map(|view| view.bytes).sum(), views.iter().map(|view| view.done).sum()));
            looks.drain(..looks.len().saturating_sub(LOOKS));
            let sum = sum(&views, speeds(&looks));
            let is_busy = views.iter().any(is_under_way);
            for view in views {
                // One address may have logins of the same name at several old servers.
                let key = (view.source.clone(), view.login.clone());
                if told.get(&key) != Some(&view) {
                    out.item(Item::MoveMailbox(view.clone())).await?;
                    told.insert(key, view);
                }
            }
            // It is told each time: whoever has left is noticed by it.
            out.item(Item::MoveProgress(sum)).await?;
            if !is_busy && !stay {
                return Ok(Report::Done);
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK.max(began.elapsed() * (SHARE - 1))) => {}
                () = out.is_left() => return Ok(Report::Done),
            }
        }
    }
}

fn is_under_way(view: &MailboxView) -> bool {
    view.state == "copying" || (view.state == "waiting" && view.note.is_none())
}

fn is_troubled(view: &MailboxView) -> bool {
    matches!(&*view.state, "refused" | "asking") || (view.state == "waiting" && view.note.is_some())
}

/// Bytes and messages in a second, from the first look to the last. A pass that begins counts its messages from none.
fn speeds(looks: &[(Instant, u64, u64)]) -> [f64; 2] {
    match (looks.first(), looks.last()) {
        (Some((first, bytes, done)), Some((last, more, also))) if last > first => {
            let seconds = last.duration_since(*first).as_secs_f64();
            [more.saturating_sub(*bytes) as f64 / seconds, also.saturating_sub(*done) as f64 / seconds]
        }
        _ => [0.0; 2],
    }
}

fn sum(views: &[MailboxView], [speed, rate]: [f64; 2]) -> ProgressView {
    let mut all = ProgressView { speed: speed as u64, rate: rate as u64, ..ProgressView::default() };
    for view in views {
        *all.states.entry(view.state.clone()).or_default() += 1;
        all.troubled += u64::from(is_troubled(view));
        if let Some(class) = &view.trouble {
            *all.troubles.entry(class.clone()).or_default() += 1;
        }
        all.done += view.done;
        all.total += view.total;
        all.bytes += view.bytes;
    }
    // Messages that are not here yet are taken to be as large as the others.
    all.left = (all.done > 0 && speed > 0.0).then(|| {
        let each = all.bytes as f64 / all.done as f64;
        (all.total.saturating_sub(all.done) as f64 * each / speed).ceil() as u64
    });
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(state: &str, note: Option<&str>, done: u64, bytes: u64) -> MailboxView {
        MailboxView {
            zh: None,
            source: "old".into(),
            login: "ann".into(),
            address: "ann@anser.test".into(),
            state: state.into(),
            task: "copy".into(),
            note: note.map(str::to_owned),
            passes: 1,
            done,
            total: 100,
            bytes,
            home: "here".into(),
            cut: None,
            ledger: Vec::new(),
            wave: None,
            priority: "usual".into(),
            until: None,
            trouble: note.map(|_| "old-server".into()),
        }
    }

    #[test]
    fn what_is_left_is_told_by_what_was_done() {
        let began = Instant::now();
        let looks = [(began, 0, 10), (began + Duration::from_secs(2), 5_000, 50)];
        let views = [view("copying", None, 50, 5_000), view("waiting", Some("no room"), 0, 0)];
        let told = sum(&views, speeds(&looks));
        assert_eq!((told.speed, told.rate, told.left, told.troubled), (2_500, 20, Some(6), 1));
        assert_eq!(told.troubles, [("old-server".to_owned(), 1)].into());
        assert_eq!((told.done, told.total, told.bytes, told.states["copying"]), (50, 200, 5_000, 1));
        assert_eq!(sum(&views, speeds(&looks[..1])).left, None, "nobody can say yet");
        assert!(is_under_way(&views[0]) && !is_under_way(&views[1]) && is_under_way(&view("waiting", None, 0, 0)));
    }
}
