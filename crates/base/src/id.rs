//! Identifiers. Each kind is its own type, so that a mailbox number never stands where a message number belongs.

use std::fmt;

macro_rules! number_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
        pub struct $name(pub u64);

        impl $name {
            /// The form in which the databases hold it.
            pub fn to_sql(self) -> i64 {
                self.0 as i64
            }

            /// The inverse of [`Self::to_sql`].
            pub fn from_sql(value: i64) -> Self {
                Self(value as u64)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

number_id!(
    /// An organisation that shares nothing with its neighbours.
    TenantId
);
number_id!(
    /// A domain of a tenant.
    DomainId
);
number_id!(
    /// An account: one person's or department's mail. Unique in the whole system, never used twice.
    AccountId
);
number_id!(
    /// A mailbox (folder) of an account. Unique within the account, never used twice (RFC 8474 MAILBOXID).
    MailboxId
);
number_id!(
    /// A message of an account, in however many mailboxes. Unique within the account, never used twice (RFC 8474 EMAILID).
    MessageId
);
number_id!(
    /// A conversation of an account (RFC 8474 THREADID).
    ThreadId
);
number_id!(
    /// An entry of the queue: one message under way to one or more recipients. Unique in the whole system; also the
    /// idempotence key of its local deliveries.
    EntryId
);

/// The content address of a body: BLAKE3 of its bytes, uncompressed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlobId(pub [u8; 32]);

impl BlobId {
    /// The address of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }

    /// Reads the 32 bytes that a database column holds; `None` for any other length.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// 64 lower-case hexadecimal digits.
    pub fn to_hex(self) -> String {
        blake3::Hash::from_bytes(self.0).to_hex().to_string()
    }

    /// The inverse of [`Self::to_hex`]; `None` unless it is 64 hexadecimal digits.
    pub fn from_hex(text: &str) -> Option<Self> {
        blake3::Hash::from_hex(text).ok().map(|hash| Self(*hash.as_bytes()))
    }
}

impl fmt::Display for BlobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_hex())
    }
}

impl fmt::Debug for BlobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BlobId({self})")
    }
}
