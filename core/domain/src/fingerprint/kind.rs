//! What kinds of values the scanner recognises, and how they print.

use serde::{Deserialize, Serialize};

/// The type of a masked value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A decimal number, signed or not, a version, a list of numbers.
    Num,
    /// `0x…`, or hexadecimal digits with letters among them.
    Hex,
    /// A UUID, a key, a token, a base64 blob.
    Id,
    /// An IPv4, IPv6 or hardware address.
    Ip,
    /// An address or host with a port.
    Socket,
    /// A domain name.
    Host,
    /// `scheme://…`
    Url,
    /// A file, Unix or Windows.
    Path,
    /// `name@host`
    Email,
    /// A date, a time of day, or both.
    Time,
    /// `12 ms`, `<1 sec`
    Duration,
    /// `1.13 KB`
    Size,
    /// `true` or `false` as a value.
    Bool,
    /// A word that is not the same in every message of its shape, or values of several kinds.
    Any,
}

impl Kind {
    /// As it stands in a template.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Num => "<num>",
            Self::Hex => "<hex>",
            Self::Id => "<id>",
            Self::Ip => "<ip>",
            Self::Socket => "<ip>:<num>",
            Self::Host => "<host>",
            Self::Url => "<url>",
            Self::Path => "<path>",
            Self::Email => "<email>",
            Self::Time => "<time>",
            Self::Duration => "<duration>",
            Self::Size => "<size>",
            Self::Bool => "<bool>",
            Self::Any => "<*>",
        }
    }

    /// The narrowest kind that covers both.
    #[must_use]
    pub fn join(self, other: Self) -> Self {
        match (self, other) {
            (a, b) if a == b => a,
            (Self::Num, Self::Hex) | (Self::Hex, Self::Num) => Self::Hex,
            (Self::Ip, Self::Host) | (Self::Host, Self::Ip) => Self::Host,
            (Self::Num | Self::Hex, Self::Id) | (Self::Id, Self::Num | Self::Hex) => Self::Id,
            _ => Self::Any,
        }
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
