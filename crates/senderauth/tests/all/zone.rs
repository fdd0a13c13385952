//! A zone in memory that answers as the DNS would.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Mutex;

use anser_senderauth::dns::{Answer, Asking, Kind, Record, Resolver, Trouble};

/// Aliases that are followed.
const ALIASES: usize = 8;

#[derive(Default)]
pub struct Zone {
    names: HashMap<String, Vec<Data>>,
    /// Every name that was asked for, in order.
    pub asked: Mutex<Vec<String>>,
}

#[derive(Clone)]
enum Data {
    Record(Kind, Record),
    Alias(String),
    /// No answer for what was not found before it; for one kind, or all.
    Silence(Option<Kind>),
}

impl Zone {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn text(self, name: &str, text: impl AsRef<[u8]>) -> Self {
        self.with(name, Data::Record(Kind::Txt, Record::Txt(text.as_ref().to_vec())))
    }

    pub fn address(self, name: &str, ip: &str) -> Self {
        let ip: IpAddr = ip.parse().unwrap();
        let kind = if ip.is_ipv4() { Kind::A } else { Kind::Aaaa };
        self.with(name, Data::Record(kind, Record::Address(ip)))
    }

    pub fn exchanger(self, name: &str, preference: u16, host: &str) -> Self {
        self.with(name, Data::Record(Kind::Mx, Record::Mx(preference, host.trim_end_matches('.').to_owned())))
    }

    pub fn pointer(self, name: &str, target: &str) -> Self {
        self.with(name, Data::Record(Kind::Ptr, Record::Ptr(target.trim_end_matches('.').to_owned())))
    }

    pub fn alias(self, name: &str, target: &str) -> Self {
        self.with(name, Data::Alias(target.to_lowercase()))
    }

    pub fn silence(self, name: &str, kind: Option<Kind>) -> Self {
        self.with(name, Data::Silence(kind))
    }

    fn with(mut self, name: &str, data: Data) -> Self {
        self.names.entry(name.trim_end_matches('.').to_lowercase()).or_default().push(data);
        self
    }

    fn answer(&self, name: &str, kind: Kind) -> Result<Answer, Trouble> {
        let mut name = name.to_owned();
        for _ in 0..ALIASES {
            let Some(all) = self.names.get(&name) else {
                let silent = name.starts_with("error.");
                return if silent { Err(Trouble("silence".into())) } else { Ok(Answer::default()) };
            };
            let mut answer = Answer { records: Vec::new(), exists: true };
            let mut alias = None;
            for data in all {
                match data {
                    Data::Record(of, record) if *of == kind => answer.records.push(record.clone()),
                    Data::Silence(of) if answer.records.is_empty() && of.is_none_or(|of| of == kind) => {
                        return Err(Trouble("silence".into()));
                    }
                    Data::Alias(target) => alias = Some(target.clone()),
                    _ => {}
                }
            }
            match alias {
                Some(target) if answer.records.is_empty() => name = target,
                _ => return Ok(answer),
            }
        }
        Err(Trouble("a loop of aliases".into()))
    }
}

impl Resolver for Zone {
    fn ask<'a>(&'a self, name: &'a str, kind: Kind) -> Asking<'a> {
        self.asked.lock().unwrap().push(name.to_owned());
        Box::pin(async move { self.answer(name, kind) })
    }
}
