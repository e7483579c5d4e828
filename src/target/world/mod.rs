//! World files: which accounts, pools and identities a reference server has.

mod file;
mod load;
mod make;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

pub use self::file::WorldFile;
pub use self::load::WorldError;
use super::embedded::embedded_world;
use crate::reference::World;

/// The accounts of a reference server, and where their keys came from.
#[derive(Clone)]
pub struct Worlds {
    /// One for each account, as in the file; never empty.
    pub accounts: Vec<World>,
    /// Secrets that came from the environment, and how the file names them.
    references: BTreeMap<String, String>,
    /// Ids of access keys that the file gives.
    given: BTreeSet<String>,
}

impl Worlds {
    /// The standard world, which is the embedded server's too.
    pub fn standard() -> Self {
        Self { accounts: vec![embedded_world()], references: BTreeMap::new(), given: BTreeSet::new() }
    }

    /// Reads a world file. Texts of the form `"${NAME}"` come from the environment.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or has mistakes, all of which are named.
    pub fn from_file(path: &Path) -> Result<Self, WorldError> {
        load::from_file(path, &|name| std::env::var(name).ok())
    }

    /// Whether anybody can know the secret of these keys: it was made here.
    pub fn is_public(&self, access_key_id: &str) -> bool {
        !self.given.contains(access_key_id)
    }

    /// A secret as a file may hold it: what came from the environment stays there.
    pub(super) fn written<'s>(&'s self, secret: &'s str) -> &'s str {
        self.references.get(secret).map_or(secret, String::as_str)
    }
}

impl From<World> for Worlds {
    fn from(world: World) -> Self {
        Self { accounts: vec![world], references: BTreeMap::new(), given: BTreeSet::new() }
    }
}

impl fmt::Debug for Worlds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worlds").field("accounts", &self.accounts).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
