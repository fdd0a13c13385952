//! Sender rewriting: mail that is sent on leaves with a sender of ours, so that SPF holds at the next server, and a bounce finds its way back
//! to the true sender (SRS0 and SRS1, as the Sender Rewriting Scheme has them).
//!
//! `SRS0=hash=day=domain=local@ours` stands for `local@domain`; `SRS1=hash=first==rest@ours` for `SRS0=rest@first`, a sender that another server
//! has rewritten. The hash is keyed, so that nobody else makes such addresses: they are no open relay. They hold for [`DAYS`].

use anser_base::{Address, Result};

use crate::Directory;

/// Days for which a rewritten sender takes bounces.
pub const DAYS: i64 = 21;
/// Characters of the hash, of 5 bits each.
const HASH: usize = 10;
/// The day is told modulo this: two characters of 5 bits.
const ROUND: i64 = 32 * 32;
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

impl Directory {
    /// The sender with which a message goes on from `via`, an address of ours. That of one of our own domains stays, and so does one that
    /// would become too long (RFC 5321 §4.5.3.1.1).
    pub async fn forwarding_sender(&self, sender: &Address, via: &Address) -> Result<Address> {
        if self.is_local_domain(sender.domain()).await? {
            return Ok(sender.clone());
        }
        let (key, today) = (self.secrets().await?.srs, self.today());
        Ok(rewritten(&key, sender, via.domain(), today).unwrap_or_else(|| sender.clone()))
    }

    /// The true sender that an address of ours stands for, if it is one that was made here lately.
    pub(crate) async fn rewritten_sender(&self, address: &Address) -> Result<Option<Address>> {
        let marked = address
            .local()
            .get(..5)
            .is_some_and(|mark| mark.eq_ignore_ascii_case("SRS0=") || mark.eq_ignore_ascii_case("SRS1="));
        if !marked {
            return Ok(None);
        }
        let key = self.secrets().await?.srs;
        Ok(original(&key, address.local(), self.today()))
    }

    fn today(&self) -> i64 {
        self.inner.deps.clock.now().secs().div_euclid(24 * 3600)
    }
}

fn rewritten(key: &[u8; 32], sender: &Address, ours: &str, today: i64) -> Option<Address> {
    let (local, domain) = (sender.local(), sender.domain());
    let marked = |mark: &str| local.get(..5).filter(|start| start.eq_ignore_ascii_case(mark)).map(|_| &local[5..]);
    let local = if let Some(rest) = marked("SRS1=") {
        // Only the first server that rewrote matters: the way back leads straight to it.
        let (_, rest) = rest.split_once('=')?;
        format!("SRS1={}={rest}", hash(key, rest))
    } else if let Some(rest) = marked("SRS0=") {
        let rest = format!("{domain}=={rest}");
        format!("SRS1={}={rest}", hash(key, &rest))
    } else {
        let rest = format!("{}={domain}={local}", day(today));
        format!("SRS0={}={rest}", hash(key, &rest))
    };
    Address::new(&local, ours)
}

fn original(key: &[u8; 32], local: &str, today: i64) -> Option<Address> {
    let (mark, rest) = (local.get(..4)?, local.get(5..)?);
    let (told, rest) = rest.split_once('=')?;
    // In constant time nothing is gained: whoever guesses asks over the network, and a hash opens one address for three weeks.
    if !told.eq_ignore_ascii_case(&hash(key, rest)) {
        return None;
    }
    if mark.eq_ignore_ascii_case("SRS1") {
        let (first, rest) = rest.split_once("==")?;
        return Address::new(&format!("SRS0={rest}"), first);
    }
    let mut parts = rest.splitn(3, '=');
    let (made, domain, local) = (number(parts.next()?)?, parts.next()?, parts.next()?);
    let age = (today - made).rem_euclid(ROUND);
    (age <= DAYS).then(|| Address::new(local, domain)).flatten()
}

/// Letter case may change on the way.
fn hash(key: &[u8; 32], text: &str) -> String {
    let hash = blake3::keyed_hash(key, text.to_lowercase().as_bytes());
    hash.as_bytes().iter().take(HASH).map(|byte| char::from(ALPHABET[usize::from(byte & 31)])).collect()
}

fn day(today: i64) -> String {
    let day = today.rem_euclid(ROUND) as usize;
    [day / 32, day % 32].map(|digit| char::from(ALPHABET[digit])).iter().collect()
}

fn number(text: &str) -> Option<i64> {
    let digit = |byte: u8| ALPHABET.iter().position(|one| *one == byte.to_ascii_lowercase());
    match text.as_bytes() {
        [high, low] => Some((digit(*high)? * 32 + digit(*low)?) as i64),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: [u8; 32] = [7; 32];

    fn address(text: &str) -> Address {
        Address::parse(text).unwrap()
    }

    #[test]
    fn a_bounce_finds_its_way_back_for_three_weeks() {
        for (sender, today) in
            [("Ann.B+x@far.example", 20_000), ("a=b=c@far.example", 1023), ("x@far.example", 1024 * 9)]
        {
            let ours = rewritten(&KEY, &address(sender), "our.example", today).unwrap();
            assert_eq!(ours.domain(), "our.example");
            for later in [0, 1, DAYS] {
                assert_eq!(original(&KEY, ours.local(), today + later), Some(address(sender)), "{ours}");
                let shouted = ours.local().to_uppercase();
                assert!(original(&KEY, &shouted, today + later).is_some(), "letter case may change on the way");
            }
            assert_eq!(original(&KEY, ours.local(), today + DAYS + 1), None);
            assert_eq!(original(&[8; 32], ours.local(), today), None);
            let other = ours.local().replace("far.example", "fur.example");
            assert_eq!(original(&KEY, &other, today), None);
        }
    }

    #[test]
    fn servers_in_a_row_lead_back_to_the_first() {
        let (second, third) = ([1; 32], [2; 32]);
        let first = rewritten(&KEY, &address("a@far.example"), "one.example", 5).unwrap();
        let at_two = rewritten(&second, &first, "two.example", 5).unwrap();
        let at_three = rewritten(&third, &at_two, "three.example", 5).unwrap();
        assert!(at_three.local().starts_with("SRS1=") && at_three.local().len() <= at_two.local().len());
        assert_eq!(original(&third, at_three.local(), 6), Some(first.clone()));
        assert_eq!(original(&second, at_two.local(), 6), Some(first.clone()));
        assert_eq!(original(&KEY, first.local(), 6), Some(address("a@far.example")));
    }

    #[test]
    fn what_is_too_long_or_made_up_is_nothing() {
        let long = address(&format!("{}@far.example", "a".repeat(60)));
        assert_eq!(rewritten(&KEY, &long, "our.example", 1), None);
        for local in ["SRS0=", "SRS0==", "SRS0=a=b", "SRS1=x=y==z", "SRS0=aaaaaaaaaa=aa=far.example=a", "SRS0"] {
            assert_eq!(original(&KEY, local, 1), None, "{local}");
        }
    }
}
