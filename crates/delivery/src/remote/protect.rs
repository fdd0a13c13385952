//! How a connection to a mail exchange is protected: opportunistic TLS (RFC 7435), DANE (RFC 7672).

use anser_net::Association;
use anser_net::dns::{RecordType, Resolver, Security, Status};

use super::exchange::Reach;
use super::stop::Stop;

/// What the TLSA records of a host ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Dane {
    /// Nothing: there are none, or nobody vouches for them.
    None,
    /// TLS, with whatever certificate: none of the records can be used (RFC 7672 §2.2).
    Encrypted,
    /// TLS with a certificate that they vouch for.
    Verified {
        /// The usable records.
        associations: Vec<Association>,
        /// The name that they are under, for SNI (RFC 7672 §8.1).
        base: String,
    },
}

/// The TLSA records of a host whose name and addresses DNSSEC vouches for (RFC 7672 §2.2.2). Trouble in looking them up means that
/// the host cannot be used at present, else whoever makes trouble could switch DANE off (§2.1.2).
pub(super) async fn dane(resolver: &Resolver, host: &str, reach: &Reach, port: u16) -> Result<Dane, Stop> {
    if !reach.is_secure {
        return Ok(Dane::None);
    }
    let bases = match reach.canonical == host {
        true => vec![host],
        false => vec![reach.canonical.as_str(), host],
    };
    for base in bases {
        let answer = resolver.lookup(&format!("_{port}._tcp.{base}"), RecordType::Tlsa).await;
        match (&answer.status, answer.security) {
            (Status::Failed(why), _) => {
                return Err(Stop::later(format!("4.7.5 the TLSA records of {base} cannot be looked up: {why}")));
            }
            (Status::Found(records), Security::Secure) => {
                let associations = Association::usable_of(records);
                return Ok(match associations.is_empty() {
                    true => Dane::Encrypted,
                    false => Dane::Verified { associations, base: base.to_owned() },
                });
            }
            _ => {}
        }
    }
    Ok(Dane::None)
}

#[cfg(test)]
mod tests {
    use anser_net::dns::{Data, Zone};

    use super::*;

    fn zone() -> Zone {
        let zone = Zone::new();
        zone.secure("", Security::Secure);
        zone
    }

    async fn of(zone: Zone, canonical: &str, is_secure: bool) -> Result<Dane, Stop> {
        let reach = Reach { addresses: Vec::new(), is_secure, canonical: canonical.into() };
        dane(&Resolver::zone(zone), "mx.test", &reach, 25).await
    }

    fn record(usage: u8) -> Data {
        Data::Tlsa { usage, selector: 1, matching: 1, data: vec![1; 32] }
    }

    #[tokio::test]
    async fn secure_records_are_binding() {
        let zone = zone();
        zone.add("_25._tcp.mx.test", record(3));
        let found = of(zone.clone(), "mx.test", true).await.unwrap();
        assert!(matches!(found, Dane::Verified { associations, base } if associations.len() == 1 && base == "mx.test"));
        assert_eq!(of(zone.clone(), "mx.test", false).await.unwrap(), Dane::None, "insecure addresses");
        zone.secure("_tcp.mx.test", Security::Insecure);
        assert_eq!(of(zone, "mx.test", true).await.unwrap(), Dane::None, "insecure records");
    }

    #[tokio::test]
    async fn unusable_records_ask_for_encryption() {
        let zone = zone();
        zone.add("_25._tcp.mx.test", record(1));
        assert_eq!(of(zone, "mx.test", true).await.unwrap(), Dane::Encrypted);
    }

    #[tokio::test]
    async fn trouble_does_not_switch_dane_off() {
        let zone = zone();
        zone.fail("_25._tcp.mx.test", RecordType::Tlsa);
        assert!(of(zone.clone(), "mx.test", true).await.unwrap_err().why().starts_with("4.7.5 "));
        zone.mend();
        assert_eq!(of(zone.clone(), "mx.test", true).await.unwrap(), Dane::None);
        zone.secure("_25._tcp.mx.test", Security::Bogus);
        assert!(of(zone, "mx.test", true).await.is_err());
    }

    #[tokio::test]
    async fn the_end_of_the_aliases_is_asked_first() {
        let zone = zone();
        zone.add("_25._tcp.mx.test", record(3));
        let base = |found| match found {
            Ok(Dane::Verified { base, .. }) => base,
            other => panic!("{other:?}"),
        };
        assert_eq!(base(of(zone.clone(), "real.test", true).await), "mx.test");
        zone.add("_25._tcp.real.test", record(3));
        assert_eq!(base(of(zone, "real.test", true).await), "real.test");
    }
}
