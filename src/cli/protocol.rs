//! The `--protocol` of commands that call operations.

use clap::ValueEnum;

use crate::spec::Protocol;

/// A wire protocol.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum ProtocolArg {
    /// The service's own: method and path say what is called
    #[default]
    RestJson,
    /// That of the documentation's samples: `POST /` with `X-Amz-Target`
    LegacyRpc,
}

impl From<ProtocolArg> for Protocol {
    fn from(protocol: ProtocolArg) -> Self {
        match protocol {
            ProtocolArg::RestJson => Self::RestJson,
            ProtocolArg::LegacyRpc => Self::LegacyRpc,
        }
    }
}
