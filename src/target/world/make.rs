//! Ids and keys from names: the same names make the same ones, and an entry that is
//! added changes no other. Whoever knows the names can make them too, so that made
//! keys are public.

use sha2::{Digest, Sha256};

use crate::reference::Keys;

const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// What something is made from: the names on the way to it, the file's seed first.
#[derive(Debug, Clone)]
pub(super) struct Names(Vec<String>);

impl Names {
    pub(super) fn new(seed: &str) -> Self {
        Self(vec![seed.to_owned()])
    }

    /// The names on the way to something within.
    pub(super) fn within(&self, kind: &str, name: &str) -> Self {
        Self(self.0.iter().cloned().chain([kind.to_owned(), name.to_owned()]).collect())
    }

    fn digest(&self, what: &str) -> [u8; 32] {
        let mut digest = Sha256::new();
        for part in self.0.iter().map(String::as_str).chain([what]) {
            // Lengths keep `a`, `bc` from being `ab`, `c`.
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part);
        }
        digest.finalize().into()
    }

    /// An id of the form `REGION:<uuid>`.
    pub(super) fn id(&self, region: &str) -> String {
        let mut uuid = self.digest("id");
        uuid[6] = uuid[6] & 0x0f | 0x40;
        uuid[8] = uuid[8] & 0x3f | 0x80;
        let hex: String = uuid[..16].iter().map(|byte| format!("{byte:02x}")).collect();
        let uuid = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-");
        format!("{region}:{uuid}")
    }

    /// Keys of an account.
    pub(super) fn developer(&self) -> Keys {
        Keys {
            access_key_id: format!("AKIA{}", self.text("key", 16)),
            secret_access_key: format!("public+example/developer/{}", self.text("secret", 15)),
            session_token: None,
        }
    }

    /// Temporary keys of an identity.
    pub(super) fn identity(&self) -> Keys {
        Keys {
            access_key_id: format!("ASIA{}", self.text("key", 16)),
            secret_access_key: format!("public+example/identity/{}", self.text("secret", 16)),
            // The special characters check that clients encode them.
            session_token: Some(format!("public+example/session/token/{}==", self.text("token", 26))),
        }
    }

    /// At most 32 letters and digits.
    fn text(&self, what: &str, length: usize) -> String {
        let digest = self.digest(what);
        digest.iter().take(length).map(|byte| char::from(BASE32[usize::from(byte & 31)])).collect()
    }
}
