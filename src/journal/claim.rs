//! Who of this machine's processes may use which pool of a target.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::Path;

use sha2::{Digest as _, Sha256};

use crate::client::Endpoint;

/// The folder of the locks, below that of all journals.
const FOLDER: &str = "claims";

/// What a process has to itself on this machine, as long as this lives and however the
/// process ends. Cases change how a whole pool behaves and count what an identity has:
/// two runs that used a pool at the same time would judge each other's doings, and each
/// would bring back what the other had set.
///
/// A lock is an empty file, one for each thing that was ever claimed. It stays: who
/// removed it could remove one that somebody has just locked.
#[derive(Debug)]
pub struct Claims {
    _locked: Vec<File>,
}

impl Claims {
    /// Takes all of these things of a target, or none: nothing when another process has
    /// one of them. `folder` is that of [`state_folder`](super::state_folder), `things`
    /// are ids of pools or other names that all processes use.
    ///
    /// # Errors
    ///
    /// When the locks cannot be written.
    pub fn take<'t>(
        folder: &Path,
        endpoint: &str,
        things: impl IntoIterator<Item = &'t str>,
    ) -> io::Result<Option<Self>> {
        let folder = folder.join(FOLDER);
        fs::create_dir_all(&folder)?;
        // In one order, so that of two processes one gets them all; and once, since a lock
        // keeps out whoever has it too.
        let names: BTreeSet<String> = things.into_iter().map(|thing| name(endpoint, thing)).collect();
        let mut locked = Vec::new();
        for name in names {
            let file = open(&folder.join(name))?;
            match file.try_lock() {
                Ok(()) => locked.push(file),
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
        Ok(Some(Self { _locked: locked }))
    }
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// An endpoint in one of the ways in which it can be written. All names of this machine
/// are taken for one: that two servers listen on one port of several of its addresses is
/// rarer than that one is called by several names.
fn spelt(endpoint: &str) -> String {
    match Endpoint::parse(endpoint) {
        Ok(endpoint) if endpoint.is_loopback() => format!("loopback:{}{}", endpoint.port(), endpoint.base()),
        Ok(endpoint) => endpoint.to_string(),
        Err(_) => endpoint.to_owned(),
    }
}

/// The name of a file for a thing that may have any characters in its own.
fn name(endpoint: &str, thing: &str) -> String {
    let hash = Sha256::new().chain_update(spelt(endpoint)).chain_update("\n").chain_update(thing).finalize();
    let digits: String = hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("{digits}.lock")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::Claims;

    #[rstest]
    #[case::names("http://127.0.0.1:4580", "http://localhost:4580", true)]
    #[case::other_addresses("http://127.0.0.1:4580", "http://127.0.0.2:4580", true)]
    #[case::ipv6("http://LOCALHOST:4580/", "http://[::1]:4580", true)]
    #[case::default_port("http://127.0.0.1", "http://localhost:80/", true)]
    #[case::default_port_elsewhere("https://Sync.example.com:443/", "https://sync.example.com", true)]
    #[case::other_port("http://127.0.0.1:4580", "http://localhost:4581", false)]
    #[case::other_base("http://127.0.0.1:4580/a", "http://localhost:4580/b", false)]
    #[case::other_host("http://h:4580", "http://localhost:4580", false)]
    #[case::no_address("no address", "none either", false)]
    fn a_server_has_one_name_for_all_who_call_it(#[case] one: &str, #[case] other: &str, #[case] same: bool) {
        let room = tempfile::tempdir().expect("a folder");
        let take = |endpoint| Claims::take(room.path(), endpoint, ["pool"]).expect("locks can be written");
        let _first = take(one).expect("nobody has it");
        assert_eq!(take(other).is_none(), same);
    }

    #[test]
    fn what_one_has_no_other_gets() {
        let room = tempfile::tempdir().expect("a folder");
        let take = |endpoint, things: &[&str]| {
            Claims::take(room.path(), endpoint, things.iter().copied()).expect("locks can be written")
        };
        let first = take("http://h", &["a", "b", "a"]).expect("nobody has them");
        assert!(take("http://h", &["c", "b"]).is_none());
        let other = take("http://h", &["c"]).expect("what was not wholly had was given back");
        assert!(take("http://other", &["a"]).is_some(), "another server's pool");
        drop(first);
        assert!(take("http://h", &["a", "b"]).is_some());
        drop(other);
    }
}
