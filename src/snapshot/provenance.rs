//! What a set of snapshots was recorded from.

use std::fmt;
use std::net::IpAddr;

use serde::Deserialize;

/// The sort of server that a set was recorded from. Which one it was exactly is not
/// kept: addresses may name accounts and people's machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The reference server of syncspec.
    Reference,
    /// The real service.
    Aws,
    /// A server on the machine that recorded it.
    Loopback,
    /// Any other server.
    Elsewhere,
}

impl Kind {
    /// The kind of the server at a host name or address, with or without a port. The
    /// reference server cannot be told from others so.
    pub fn of_host(host: &str) -> Self {
        let name = match host.strip_prefix('[') {
            Some(rest) => rest.split(']').next().unwrap_or_default(),
            None => host.rsplit_once(':').map_or(host, |(name, _)| name),
        };
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        let is_loopback = name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        if [".amazonaws.com", ".amazonaws.com.cn"].iter().any(|domain| name.ends_with(domain)) {
            Self::Aws
        } else if is_loopback || name == "localhost" || name.ends_with(".localhost") {
            Self::Loopback
        } else {
            Self::Elsewhere
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Reference => "reference",
            Self::Aws => "aws",
            Self::Loopback => "loopback",
            Self::Elsewhere => "elsewhere",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Reference => "the syncspec reference server",
            Self::Aws => "AWS",
            Self::Loopback => "a server on loopback",
            Self::Elsewhere => "a server that is neither AWS nor on loopback",
        })
    }
}

/// What a set was recorded from, and when it was renewed last: `_recorded.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Provenance {
    /// The sort of server. A set has one source only.
    pub from: Kind,
    /// Date of the last renewal in UTC, as `2026-11-21`; none for the shipped set,
    /// which the tests hold to be what this version's server answers.
    #[serde(default)]
    pub renewed: Option<String>,
    /// Version of syncspec that renewed it last.
    #[serde(default)]
    pub suite_version: Option<String>,
}

impl Provenance {
    /// The sentence in the header of a snapshot's file that says where its text comes
    /// from: since that day the answer is the same.
    pub fn description(&self) -> String {
        let renewed = self.renewed.as_ref().map(|date| format!(" on {date}")).unwrap_or_default();
        let version = self.suite_version.as_ref().map(|version| format!(" by syncspec {version}")).unwrap_or_default();
        format!("recorded from {}{renewed}{version}", self.from)
    }

    /// The text of `_recorded.toml`.
    pub fn file(&self) -> String {
        let line = |key: &str, value: &Option<String>| {
            value.as_ref().map(|value| format!("{key} = {value:?}\n")).unwrap_or_default()
        };
        format!(
            "# What the snapshots of this folder were recorded from; written by `syncspec record`.\n\
             # The header of each file says since when the answer is the same.\n\
             from = {:?}\n{}{}",
            self.from.name(),
            line("renewed", &self.renewed),
            line("suite-version", &self.suite_version),
        )
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::{Kind, Provenance};

    #[rstest]
    #[case("cognito-sync.us-east-1.amazonaws.com", Kind::Aws)]
    #[case("cognito-sync.us-east-1.amazonaws.com.:443", Kind::Aws)]
    #[case("cognito-sync.cn-north-1.AMAZONAWS.com.cn", Kind::Aws)]
    #[case("amazonaws.com.example.org", Kind::Elsewhere)]
    #[case("notamazonaws.com", Kind::Elsewhere)]
    #[case("127.0.0.1:4566", Kind::Loopback)]
    #[case("127.9.9.9", Kind::Loopback)]
    #[case("[::1]:80", Kind::Loopback)]
    #[case("localhost:4566", Kind::Loopback)]
    #[case("localhost.example.org", Kind::Elsewhere)]
    #[case("192.168.0.1:80", Kind::Elsewhere)]
    fn a_host_has_a_kind(#[case] host: &str, #[case] expected: Kind) {
        assert_eq!(Kind::of_host(host), expected);
    }

    #[test]
    fn what_is_written_is_read_again() {
        for kind in [Kind::Reference, Kind::Aws, Kind::Loopback, Kind::Elsewhere] {
            let text = |text: &str| Some(text.to_owned());
            let provenance = Provenance { from: kind, renewed: text("2026-11-21"), suite_version: text("0.1.0") };
            assert_eq!(toml::from_str(&provenance.file()), Ok(provenance));
            let bare = Provenance { from: kind, renewed: None, suite_version: None };
            assert_eq!(toml::from_str(&bare.file()), Ok(bare));
        }
    }
}
