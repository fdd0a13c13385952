//! What mail programs are told to use: host, port and encryption of each service that is there.

/// A service that people's programs speak to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Reading, by IMAP.
    Imap,
    /// Reading, by POP3.
    Pop3,
    /// Sending, by submission.
    Smtp,
}

/// Services by their names in the boot file; better ones first. Those whose TLS begins at once come before those where it is asked
/// for (RFC 8314 §3.3).
const SERVICES: [(&str, Kind, bool); 6] = [
    ("imaps", Kind::Imap, true),
    ("imap", Kind::Imap, false),
    ("pop3s", Kind::Pop3, true),
    ("pop3", Kind::Pop3, false),
    ("submissions", Kind::Smtp, true),
    ("submission", Kind::Smtp, false),
];

/// One service as it is offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offer {
    /// What it is for.
    pub kind: Kind,
    /// Its port.
    pub port: u16,
    /// Whether TLS begins at once; otherwise by STARTTLS.
    pub tls_first: bool,
}

/// What is offered where these services, by name and port, are open. Others are passed over.
pub fn offers<'a>(open: impl IntoIterator<Item = (&'a str, u16)>) -> Vec<Offer> {
    let open: Vec<_> = open.into_iter().collect();
    let of = |(name, kind, tls_first): (&str, Kind, bool)| {
        let (_, port) = open.iter().find(|(service, _)| *service == name)?;
        Some(Offer { kind, port: *port, tls_first })
    };
    SERVICES.into_iter().filter_map(of).collect()
}
