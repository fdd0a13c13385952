//! How it went with one recipient, who may stand for many people.

use anser_base::Text;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What became of one copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Copy {
    /// It is gone.
    Recalled,
    /// Its owner has read it.
    Read,
    /// Its owner has removed it.
    Gone,
    /// It is in another organisation, or on another server.
    Foreign,
    /// Its mailbox is a copy of one at an old server.
    Refused,
}

impl Copy {
    /// The word for `outcome` and for the journal.
    pub fn name(self) -> &'static str {
        match self {
            Self::Recalled => "recalled",
            Self::Read => "read",
            Self::Gone => "notFound",
            Self::Foreign => "foreign",
            Self::Refused => "refused",
        }
    }
}

/// What is known of one recipient.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Tally {
    pub email: String,
    /// Nothing more will come of it.
    pub ended: bool,
    /// It was taken out of the queue, for all or for some of whom it stands for.
    pub unsent: bool,
    /// Copies that were looked at, in the order in which they were delivered, and what became of them.
    pub looked_at: usize,
    recalled: usize,
    read: usize,
    gone: usize,
    foreign: usize,
    refused: usize,
}

impl Tally {
    pub fn of(email: &str) -> Self {
        Self { email: email.to_owned(), ..Self::default() }
    }

    pub fn waits(&self) -> bool {
        !self.ended
    }

    /// Notes what became of the next copy.
    pub fn note(&mut self, copy: Copy) {
        self.looked_at += 1;
        let count = match copy {
            Copy::Recalled => &mut self.recalled,
            Copy::Read => &mut self.read,
            Copy::Gone => &mut self.gone,
            Copy::Foreign => &mut self.foreign,
            Copy::Refused => &mut self.refused,
        };
        *count += 1;
    }

    /// Notes that it went to another server.
    pub fn went_abroad(&mut self) {
        self.foreign += 1;
    }

    /// Of several copies the one that matters most to whoever wants them back.
    fn outcome(&self) -> Option<Copy> {
        let all = [
            (self.read, Copy::Read),
            (self.refused, Copy::Refused),
            (self.foreign, Copy::Foreign),
            (self.recalled + usize::from(self.unsent), Copy::Recalled),
        ];
        let first = all.into_iter().find(|(count, _)| *count > 0).map_or(Copy::Gone, |(_, copy)| copy);
        self.ended.then_some(first)
    }

    /// The object of `results`.
    pub fn object(&self) -> Value {
        let outcome = self.outcome();
        let text = self.text(outcome);
        json!({ "email": self.email, "outcome": outcome.map_or("waiting", Copy::name), "text": { "en": text.en, "zh": text.zh } })
    }

    fn text(&self, outcome: Option<Copy>) -> Text {
        let all = self.recalled + self.read + self.gone + self.foreign + self.refused;
        match outcome {
            None => Text::new("on its way just now; look again in a moment", "正在投递或处理中，请稍后再看"),
            Some(Copy::Recalled) if self.unsent && all == 0 => {
                Text::new("taken back before it was sent", "尚未发出，已撤回")
            }
            Some(_) if all > 1 => Text::new(
                format!("{} of {all} copies were taken back; {} had been read", self.recalled, self.read),
                format!("共 {all} 份，已撤回 {} 份，{} 份已读", self.recalled, self.read),
            ),
            Some(Copy::Recalled) => Text::new("taken back unread", "对方未读，已撤回"),
            Some(Copy::Read) => Text::new("read already: it stays", "对方已读，无法撤回"),
            Some(Copy::Foreign) => Text::new(
                "it went to another organisation, from where nothing can be taken back",
                "已发往其他单位，无法撤回",
            ),
            Some(Copy::Refused) => Text::new(
                "the mailbox is still at its old server, from where nothing can be taken back",
                "对方邮箱仍在旧服务器上，无法撤回",
            ),
            Some(Copy::Gone) => Text::new(
                "it is not there: never delivered, or removed by its reader",
                "未找到：未曾投递，或已被对方删除",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_copies_the_one_that_matters_is_told() {
        let mut tally = Tally::of("team@anser.test");
        assert_eq!(tally.object()["outcome"], "waiting");
        tally.note(Copy::Recalled);
        tally.note(Copy::Gone);
        tally.ended = true;
        assert_eq!(tally.object()["outcome"], "recalled");
        tally.note(Copy::Read);
        assert_eq!(tally.object()["outcome"], "read");
        assert_eq!(tally.object()["text"]["en"], "1 of 3 copies were taken back; 1 had been read");
        let mut half = Tally { unsent: true, ended: true, ..Tally::of("team@anser.test") };
        assert_eq!(half.object()["text"]["en"], "taken back before it was sent");
        half.note(Copy::Read);
        assert_eq!(half.object()["outcome"], "read");
        let nobody = Tally { ended: true, ..Tally::of("x@anser.test") };
        assert_eq!(nobody.object()["outcome"], "notFound");
    }
}
