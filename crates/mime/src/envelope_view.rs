//! An envelope read in place from its stored form: for long lists, where building an [`Envelope`] for each line would cost more than
//! writing it.

use crate::address::Address;
#[cfg(doc)]
use crate::address::MAX_ADDRESSES;
use crate::codec::Reader;
use crate::envelope::{Envelope, VERSION};

/// The fields of [`Envelope`], borrowed from [`Envelope::to_bytes`].
#[derive(Debug, Clone, Copy)]
pub struct EnvelopeView<'a> {
    /// `Date`.
    pub date: Option<&'a [u8]>,
    /// `Subject`.
    pub subject: Option<&'a [u8]>,
    /// `From`.
    pub from: AddressesView<'a>,
    /// `Sender`, or `from`.
    pub sender: AddressesView<'a>,
    /// `Reply-To`, or `from`.
    pub reply_to: AddressesView<'a>,
    /// `To`.
    pub to: AddressesView<'a>,
    /// `Cc`.
    pub cc: AddressesView<'a>,
    /// `Bcc`.
    pub bcc: AddressesView<'a>,
    /// `In-Reply-To`.
    pub in_reply_to: Option<&'a [u8]>,
    /// `Message-ID`.
    pub message_id: Option<&'a [u8]>,
}

/// The parts of an address in the order of [`Address`]: name, route, mailbox, host.
pub type AddressParts<'a> = [Option<&'a [u8]>; 4];

/// A list of addresses in its stored form, at most [`MAX_ADDRESSES`].
#[derive(Debug, Clone, Copy)]
pub struct AddressesView<'a> {
    count: usize,
    bytes: &'a [u8],
}

impl<'a> EnvelopeView<'a> {
    /// Reads [`Envelope::to_bytes`]; `None` for another version or for bytes it did not write.
    pub fn from_bytes(bytes: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        if reader.byte()? != VERSION {
            return None;
        }
        let envelope = Self::read(&mut reader)?;
        (reader.left() == 0).then_some(envelope)
    }

    pub(crate) fn read(reader: &mut Reader<'a>) -> Option<Self> {
        let same = reader.byte().filter(|flags| *flags < 4)?;
        let (date, subject) = (read_option(reader)?, read_option(reader)?);
        let (in_reply_to, message_id) = (read_option(reader)?, read_option(reader)?);
        let from = AddressesView::read(reader)?;
        let to = AddressesView::read(reader)?;
        let cc = AddressesView::read(reader)?;
        let bcc = AddressesView::read(reader)?;
        let sender = if same & 1 == 0 { AddressesView::read(reader)? } else { from };
        let reply_to = if same & 2 == 0 { AddressesView::read(reader)? } else { from };
        Some(Self { date, subject, from, sender, reply_to, to, cc, bcc, in_reply_to, message_id })
    }

    /// An envelope of its own.
    pub fn to_envelope(self) -> Envelope {
        let text = |text: Option<&[u8]>| text.map(<[u8]>::to_vec);
        Envelope {
            date: text(self.date),
            subject: text(self.subject),
            from: self.from.to_list(),
            sender: self.sender.to_list(),
            reply_to: self.reply_to.to_list(),
            to: self.to.to_list(),
            cc: self.cc.to_list(),
            bcc: self.bcc.to_list(),
            in_reply_to: text(self.in_reply_to),
            message_id: text(self.message_id),
        }
    }
}

impl<'a> AddressesView<'a> {
    fn read(reader: &mut Reader<'a>) -> Option<Self> {
        let count = reader.count()?;
        let start = reader.rest();
        for _ in 0..count * 4 {
            read_option(reader)?;
        }
        Some(Self { count, bytes: &start[..start.len() - reader.left()] })
    }

    /// Whether the list has none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The addresses, in order.
    pub fn iter(&self) -> impl Iterator<Item = AddressParts<'a>> + use<'a> {
        let mut reader = Reader::new(self.bytes);
        (0..self.count).map_while(move |_| {
            let mut part = || read_option(&mut reader);
            Some([part()?, part()?, part()?, part()?])
        })
    }

    fn to_list(self) -> Vec<Address> {
        let text = |text: Option<&[u8]>| text.map(<[u8]>::to_vec);
        let address = |[name, route, mailbox, host]: AddressParts<'_>| Address {
            name: text(name),
            route: text(route),
            mailbox: text(mailbox),
            host: text(host),
        };
        self.iter().map(address).collect()
    }
}

fn read_option<'a>(reader: &mut Reader<'a>) -> Option<Option<&'a [u8]>> {
    match reader.number()? {
        0 => Some(None),
        length => reader.take(usize::try_from(length - 1).ok()?).map(Some),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_view_shows_what_the_envelope_holds(block in "((From|Sender|To|Reply-To|Cc|Subject|Date): [a-z@<>,\" ]{0,30}\r\n){0,8}") {
            let envelope = Envelope::parse(block.as_bytes());
            let bytes = envelope.to_bytes();
            prop_assert_eq!(EnvelopeView::from_bytes(&bytes).map(EnvelopeView::to_envelope), Some(envelope));
        }

        #[test]
        fn foreign_bytes_are_refused_or_read_to_their_end(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            if let Some(view) = EnvelopeView::from_bytes(&bytes) {
                let _ = view.to_envelope();
            }
        }
    }
}
