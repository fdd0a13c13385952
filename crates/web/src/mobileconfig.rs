//! A profile by which iPhone, iPad and Mac set up an account (Apple's Configuration Profile, payload `com.apple.mail.managed`).

use std::sync::Arc;

use anser_net::http::{HeaderValue, Request, Response, escaped, header};
use sha2::{Digest, Sha256};

use crate::offer::{Kind, Offer};
use crate::{Deps, domain};

/// `/mail.mobileconfig?email=…`. The same is said for every address of a domain; the password is asked for by the device.
pub async fn serve(deps: Arc<Deps>, request: Request) -> Response {
    let address = request.query("email").unwrap_or_default();
    match domain::of_address(&deps.directory, &address).await {
        Ok(Some(domain)) => match profile(&address, &domain, &deps.hostname, &deps.offers) {
            Some(profile) => Response::new(200, "application/x-apple-aspen-config", profile).with(
                header::CONTENT_DISPOSITION,
                HeaderValue::from_static("attachment; filename=\"mail.mobileconfig\""),
            ),
            None => crate::nothing(&request),
        },
        Ok(None) => crate::nothing(&request),
        Err(error) => crate::failed(&request, &error),
    }
}

/// `None` where there is nothing to read or to send with.
fn profile(address: &str, domain: &str, hostname: &str, offers: &[Offer]) -> Option<String> {
    let incoming = offers.iter().find(|offer| offer.kind != Kind::Smtp)?;
    let outgoing = offers.iter().find(|offer| offer.kind == Kind::Smtp)?;
    let kind = if incoming.kind == Kind::Imap { "EmailTypeIMAP" } else { "EmailTypePOP" };
    let (payload, whole) = (uuid(address, "mail"), uuid(address, "profile"));
    let (address, domain, hostname) = (escaped(address), escaped(domain), escaped(hostname));
    let (incoming, outgoing) = (incoming.port, outgoing.port);
    Some(format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>PayloadType</key><string>Configuration</string>
  <key>PayloadVersion</key><integer>1</integer>
  <key>PayloadIdentifier</key><string>{hostname}.{whole}</string>
  <key>PayloadUUID</key><string>{whole}</string>
  <key>PayloadDisplayName</key><string>{address}</string>
  <key>PayloadOrganization</key><string>{domain}</string>
  <key>PayloadContent</key>
  <array>
    <dict>
      <key>PayloadType</key><string>com.apple.mail.managed</string>
      <key>PayloadVersion</key><integer>1</integer>
      <key>PayloadIdentifier</key><string>{hostname}.{payload}</string>
      <key>PayloadUUID</key><string>{payload}</string>
      <key>PayloadDisplayName</key><string>{address}</string>
      <key>EmailAccountDescription</key><string>{address}</string>
      <key>EmailAccountType</key><string>{kind}</string>
      <key>EmailAddress</key><string>{address}</string>
      <key>IncomingMailServerAuthentication</key><string>EmailAuthPassword</string>
      <key>IncomingMailServerHostName</key><string>{hostname}</string>
      <key>IncomingMailServerPortNumber</key><integer>{incoming}</integer>
      <key>IncomingMailServerUseSSL</key><true/>
      <key>IncomingMailServerUsername</key><string>{address}</string>
      <key>OutgoingMailServerAuthentication</key><string>EmailAuthPassword</string>
      <key>OutgoingMailServerHostName</key><string>{hostname}</string>
      <key>OutgoingMailServerPortNumber</key><integer>{outgoing}</integer>
      <key>OutgoingMailServerUseSSL</key><true/>
      <key>OutgoingMailServerUsername</key><string>{address}</string>
      <key>OutgoingPasswordSameAsIncomingPassword</key><true/>
    </dict>
  </array>
</dict>
</plist>
"#
    ))
}

/// An identifier that stays for the address, so that a second profile takes the place of the first (RFC 9562 §5.8).
fn uuid(address: &str, what: &str) -> String {
    let hash = Sha256::digest(format!("{what}\n{}", address.to_lowercase()));
    let mut bytes: [u8; 16] = std::array::from_fn(|at| hash[at]);
    bytes[6] = bytes[6] & 0x0f | 0x80;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}
