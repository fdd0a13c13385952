//! Thunderbird's autoconfiguration, which many other programs read too (`config-v1.1.xml`).

use std::fmt::Write;
use std::sync::Arc;

use anser_net::http::{Request, Response, escaped};

use crate::offer::{Kind, Offer};
use crate::{Deps, domain};

/// `/mail/config-v1.1.xml` of `autoconfig.<domain>`, `/.well-known/autoconfig/mail/config-v1.1.xml` of the domain. The same is said for
/// every address of a domain, whether anybody has it or not.
pub async fn serve(deps: Arc<Deps>, request: Request) -> Response {
    let found = match request.query("emailaddress") {
        Some(address) => domain::of_address(&deps.directory, &address).await,
        None => domain::of_host(&deps.directory, &request).await,
    };
    match found {
        Ok(Some(domain)) => {
            Response::new(200, "text/xml; charset=utf-8", config(&domain, &deps.hostname, &deps.offers))
        }
        Ok(None) => crate::nothing(&request),
        Err(error) => crate::failed(&request, &error),
    }
}

fn config(domain: &str, hostname: &str, offers: &[Offer]) -> String {
    let (domain, hostname) = (escaped(domain), escaped(hostname));
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<clientConfig version=\"1.1\">\n  <emailProvider id=\"{domain}\">\n    \
         <domain>{domain}</domain>\n    <displayName>{domain}</displayName>\n    <displayShortName>{domain}</displayShortName>\n"
    );
    for offer in offers {
        let (element, kind) = match offer.kind {
            Kind::Imap => ("incomingServer", "imap"),
            Kind::Pop3 => ("incomingServer", "pop3"),
            Kind::Smtp => ("outgoingServer", "smtp"),
        };
        let (port, socket) = (offer.port, if offer.tls_first { "SSL" } else { "STARTTLS" });
        let _ = write!(
            xml,
            "    <{element} type=\"{kind}\">\n      <hostname>{hostname}</hostname>\n      <port>{port}</port>\n      \
             <socketType>{socket}</socketType>\n      <authentication>password-cleartext</authentication>\n      \
             <username>%EMAILADDRESS%</username>\n    </{element}>\n"
        );
    }
    xml + "  </emailProvider>\n</clientConfig>\n"
}
