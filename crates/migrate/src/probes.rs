//! Letters that the domains of a move were tried with: one from outside into a mailbox here, one from here to an address elsewhere. What
//! became of the newest of each domain is remembered with the gates.

use std::collections::BTreeMap;

use anser_base::{Address, Result, Text};
use serde::{Deserialize, Serialize};

use crate::Migrate;
use crate::gates::MxSeen;
use crate::model::{Home, State};
use crate::rows;
use crate::which::{Which, is_meant};

/// What became of a domain's newest letters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    /// From outside into a mailbox here.
    pub into: Tried,
    /// From here to an address elsewhere.
    pub out: Tried,
}

/// What became of one letter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tried {
    /// `right`, `wrong`, `waiting`.
    pub state: String,
    /// What happened, and what to do, in English.
    pub en: String,
    /// In Chinese.
    pub zh: String,
    /// The entry of the queue that is followed while it waits.
    pub entry: Option<u64>,
}

impl Tried {
    /// It went as it should.
    pub fn right(text: Text) -> Self {
        Self::of("right", text)
    }

    /// It did not.
    pub fn wrong(text: Text) -> Self {
        Self::of("wrong", text)
    }

    /// Nobody knows yet; the queue holds it as this entry.
    pub fn waiting(text: Text, entry: u64) -> Self {
        Self { entry: Some(entry), ..Self::of("waiting", text) }
    }

    fn of(state: &str, text: Text) -> Self {
        Self { state: state.to_owned(), en: text.en.into_owned(), zh: text.zh.into_owned(), entry: None }
    }

    fn is_right(&self) -> bool {
        self.state == "right"
    }
}

/// What keeps the gate open.
pub(crate) fn problem(probes: &BTreeMap<String, Probe>, seen: &[MxSeen]) -> Option<Text> {
    let (mut en, mut zh) = (Vec::new(), Vec::new());
    for domain in seen.iter().map(|one| &one.domain) {
        let Some(probe) = probes.get(domain) else {
            en.push(format!("{domain}: not tried, run `anser move cutover MOVE --probe`"));
            zh.push(format!("{domain}：尚未测试，请运行 anser move cutover MOVE --probe"));
            continue;
        };
        for tried in [&probe.into, &probe.out].into_iter().filter(|tried| !tried.is_right()) {
            en.push(format!("{domain}: {}", tried.en));
            zh.push(format!("{domain}：{}", tried.zh));
        }
    }
    (!en.is_empty()).then(|| Text::new(en.join("; "), zh.join("；")))
}

impl Migrate {
    /// A mailbox of each domain of a move to try it with: one that is named, else the first that lives here, else the first.
    pub async fn probe_mailboxes(&self, name: &str, which: &Which) -> Result<Vec<(String, Address)>> {
        let of = self.named(name).await?;
        let mut found: BTreeMap<String, (u8, Address)> = BTreeMap::new();
        for mailbox in self.all(of.id).await?.iter().filter(|mailbox| mailbox.state != State::Abandoned) {
            let Some(address) = Address::parse(&mailbox.address) else { continue };
            let is_named = !which.is_empty() && is_meant(mailbox, which);
            let rank = if is_named { 0 } else { 1 + u8::from(mailbox.home != Home::Here) };
            let best = found.entry(address.domain().to_lowercase()).or_insert_with(|| (rank, address.clone()));
            if rank < best.0 {
                *best = (rank, address);
            }
        }
        Ok(found.into_iter().map(|(domain, (_, address))| (domain, address)).collect())
    }

    /// What became of the newest letters, by domain.
    pub async fn probes(&self, name: &str) -> Result<BTreeMap<String, Probe>> {
        let of = self.named(name).await?;
        Ok(self.read(move |tx| rows::gates(tx, of.id)).await?.probes)
    }

    /// Remembers what became of a domain's newest letters.
    pub async fn remember_probe(&self, name: &str, domain: &str, probe: Probe) -> Result<()> {
        let (of, domain) = (self.named(name).await?, domain.to_owned());
        let remember = move |tx: &mut anser_db::Tx<'_>| {
            let (domain, probe) = (domain.clone(), probe.clone());
            rows::change_gates(tx, of.id, |gates| drop(gates.probes.insert(domain, probe))).map(drop)
        };
        self.write(remember).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_is_through_when_a_letter_came_in_and_one_went_out() {
        let seen = [MxSeen { domain: "a.test".into(), ..MxSeen::default() }];
        let text = |words: &'static str| Text::new(words, words);
        let mut probes = BTreeMap::new();
        assert!(problem(&probes, &seen).unwrap().en.contains("--probe"));
        let probe = Probe { into: Tried::right(text("here")), out: Tried::waiting(text("slow"), 7) };
        probes.insert("a.test".to_owned(), probe.clone());
        assert_eq!(problem(&probes, &seen).unwrap().en, "a.test: slow");
        probes.insert("a.test".to_owned(), Probe { out: Tried::right(text("there")), ..probe });
        assert_eq!(problem(&probes, &seen), None);
        assert_eq!(problem(&probes, &[]), None);
    }
}
