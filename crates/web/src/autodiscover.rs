//! Outlook's Autodiscover: POX (MS-OXDSCLI) with IMAP, POP3 and SMTP, and the JSON that leads to it.

use std::fmt::Write;
use std::sync::Arc;

use anser_base::Class;
use anser_net::http::{Request, Response, escaped};
use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::Event;

use crate::offer::{Kind, Offer};
use crate::{Deps, domain};

/// Longest address that is read, in bytes (RFC 5321 §4.5.3.1.3 allows 256).
const ADDRESS: usize = 320;
/// The path of POX, as it is told by the JSON.
const POX: &str = "/autodiscover/autodiscover.xml";
/// The only schema whose answer we have.
const OUTLOOK: &str = "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a";

/// `POST /autodiscover/autodiscover.xml` (MS-OXDSCLI §2.2.3). The answer is the same for every address of a domain.
pub async fn pox(deps: Arc<Deps>, mut request: Request) -> Response {
    let body = match request.body().await {
        Ok(body) => body,
        Err(error) if error.class == Class::Limit => return crate::error_page(413, request.headers()),
        Err(_) => return crate::error_page(400, request.headers()),
    };
    let Some(asked) = Asked::read(&body) else { return xml(refusal(600, "Invalid Request")) };
    if asked.schema.is_some_and(|schema| schema != OUTLOOK) {
        return xml(refusal(601, "Requested schema version not supported"));
    }
    match domain::of_address(&deps.directory, &asked.address).await {
        Ok(Some(_)) => xml(settings(&asked.address, &deps.hostname, &deps.offers)),
        Ok(None) => xml(refusal(500, "The email address can't be found.")),
        Err(error) => crate::failed(&request, &error),
    }
}

/// `GET /autodiscover/autodiscover.json?Email=…&Protocol=…`: where the settings for a protocol are.
pub async fn json(deps: Arc<Deps>, request: Request) -> Response {
    let value = |names: [&str; 2]| names.iter().find_map(|name| request.query(name)).unwrap_or_default();
    let address = match request.parameter("address") {
        "" => value(["Email", "email"]),
        named => named.to_owned(),
    };
    let protocol = value(["Protocol", "protocol"]);
    match domain::of_address(&deps.directory, &address).await {
        Ok(Some(_)) if protocol.eq_ignore_ascii_case("AutodiscoverV1") => {
            let url = format!("https://{}{POX}", deps.hostname);
            Response::json(200, format!("{{\"Protocol\":\"AutodiscoverV1\",\"Url\":\"{url}\"}}\n"))
        }
        Ok(Some(_)) => {
            let why = "{\"ErrorCode\":\"ProtocolNotSupported\",\"ErrorMessage\":\"This protocol is not offered.\"}\n";
            Response::json(400, why)
        }
        Ok(None) => {
            let why = "{\"ErrorCode\":\"UserNotFound\",\"ErrorMessage\":\"The domain is not served here.\"}\n";
            Response::json(404, why)
        }
        Err(error) => crate::failed(&request, &error),
    }
}

/// What a request of POX asks for.
#[derive(Debug, Default, PartialEq, Eq)]
struct Asked {
    address: String,
    schema: Option<String>,
}

impl Asked {
    /// The first address and schema, whatever the namespaces; `None` when it is no XML or names no address. Entities of its own are
    /// not known, so that nothing grows.
    fn read(body: &[u8]) -> Option<Self> {
        let mut reader = Reader::from_str(std::str::from_utf8(body).ok()?);
        let (mut address, mut schema) = (None, None);
        let mut inside = String::new();
        let mut text = String::new();
        loop {
            match reader.read_event().ok()? {
                Event::Start(start) => {
                    inside = start.local_name().as_ref().to_owned();
                    text.clear();
                }
                Event::Text(part) => text.push_str(&part),
                Event::GeneralRef(entity) => match entity.resolve_char_ref().ok()? {
                    Some(char) => text.push(char),
                    None => text.push_str(resolve_predefined_entity(&entity)?),
                },
                Event::End(_) => {
                    let value = Some(text.trim().to_owned()).filter(|value| !value.is_empty());
                    match &*inside {
                        "EMailAddress" => address = address.or(value),
                        "AcceptableResponseSchema" => schema = schema.or(value),
                        _ => {}
                    }
                    inside.clear();
                }
                Event::DocType(_) => return None,
                Event::Eof => break,
                _ => {}
            }
        }
        let address = address.filter(|address: &String| address.len() <= ADDRESS)?;
        Some(Self { address, schema })
    }
}

fn xml(body: String) -> Response {
    Response::new(200, "application/xml; charset=utf-8", body)
}

/// MS-OXDSCLI §2.2.4.1.
fn settings(address: &str, hostname: &str, offers: &[Offer]) -> String {
    let (address, hostname) = (escaped(address), escaped(hostname));
    let mut all = String::new();
    for kind in [Kind::Imap, Kind::Pop3, Kind::Smtp] {
        // Outlook takes one of each.
        let Some(offer) = offers.iter().find(|offer| offer.kind == kind) else { continue };
        let name = match kind {
            Kind::Imap => "IMAP",
            Kind::Pop3 => "POP3",
            Kind::Smtp => "SMTP",
        };
        let (port, encryption) = (offer.port, if offer.tls_first { "SSL" } else { "TLS" });
        let _ = write!(
            all,
            "      <Protocol>\n        <Type>{name}</Type>\n        <Server>{hostname}</Server>\n        <Port>{port}</Port>\n        \
             <DomainRequired>off</DomainRequired>\n        <LoginName>{address}</LoginName>\n        <SPA>off</SPA>\n        \
             <SSL>on</SSL>\n        <Encryption>{encryption}</Encryption>\n        <AuthRequired>on</AuthRequired>\n      </Protocol>\n"
        );
    }
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n\
         <Autodiscover xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006\">\n  \
         <Response xmlns=\"{OUTLOOK}\">\n    <Account>\n      <AccountType>email</AccountType>\n      \
         <Action>settings</Action>\n{all}    </Account>\n  </Response>\n</Autodiscover>\n"
    )
}

/// MS-OXDSCLI §2.2.4.1.4.
fn refusal(code: u16, message: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n\
         <Autodiscover xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006\">\n  <Response>\n    \
         <Error Time=\"00:00:00.0000000\" Id=\"0\">\n      <ErrorCode>{code}</ErrorCode>\n      <Message>{message}</Message>\n      \
         <DebugData/>\n    </Error>\n  </Response>\n</Autodiscover>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_outlook_asks_is_read_and_nothing_else() {
        let asked = Asked::read(
            b"<?xml version=\"1.0\"?><Autodiscover xmlns=\"urn:x\"><Request><EMailAddress>a&amp;b@example.org</EMailAddress>\
              <AcceptableResponseSchema>urn:y</AcceptableResponseSchema></Request></Autodiscover>",
        );
        assert_eq!(asked, Some(Asked { address: "a&b@example.org".into(), schema: Some("urn:y".into()) }));
        for bad in [
            &b""[..],
            b"<a>",
            b"no xml",
            b"<EMailAddress/>",
            b"<EMailAddress>a@b</Other>",
            b"<EMailAddress>&own;@b</EMailAddress>",
            b"<!DOCTYPE x [<!ENTITY a \"aaaa\">]><EMailAddress>a@b</EMailAddress>",
            b"<EMailAddress>\xff@b</EMailAddress>",
        ] {
            assert_eq!(Asked::read(bad), None, "{:?}", String::from_utf8_lossy(bad));
        }
    }
}
