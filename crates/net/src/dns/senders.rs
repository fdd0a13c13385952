//! The resolver as the checks of senders want it.

use anser_senderauth::dns::{Answer, Asking, Kind, Record, Trouble};

use super::{Data, RecordType, Resolver, Status};

impl anser_senderauth::Resolver for Resolver {
    fn ask<'a>(&'a self, name: &'a str, kind: Kind) -> Asking<'a> {
        Box::pin(async move {
            match self.lookup(name, record_type(kind)).await.status {
                Status::Found(all) => {
                    Ok(Answer { records: all.into_iter().filter_map(record).collect(), exists: true })
                }
                Status::NoData => Ok(Answer { records: Vec::new(), exists: true }),
                Status::NxDomain => Ok(Answer::default()),
                Status::Failed(why) => Err(Trouble(why)),
            }
        })
    }
}

fn record_type(kind: Kind) -> RecordType {
    match kind {
        Kind::A => RecordType::A,
        Kind::Aaaa => RecordType::Aaaa,
        Kind::Mx => RecordType::Mx,
        Kind::Ptr => RecordType::Ptr,
        Kind::Txt => RecordType::Txt,
    }
}

fn record(data: Data) -> Option<Record> {
    match data {
        Data::A(ip) => Some(ip.into()),
        Data::Aaaa(ip) => Some(ip.into()),
        Data::Mx { preference, exchange } => Some(Record::Mx(preference, exchange)),
        Data::Ptr(name) => Some(Record::Ptr(name)),
        Data::Txt(text) => Some(Record::Txt(text)),
        _ => None,
    }
}
