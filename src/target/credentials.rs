//! Keys to sign with. They are kept from logs and reports by having no text form.

use std::fmt;

/// Text that must not reach disk, logs or reports: its debug form hides it, and
/// it can be neither displayed nor serialised.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for signing and for removing it from what is recorded.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// One set of AWS credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// Access key id; it names the key and is no secret.
    pub access_key_id: String,
    /// Secret access key.
    pub secret_access_key: Secret,
    /// Session token of temporary credentials.
    pub session_token: Option<Secret>,
}

impl Credentials {
    /// What of them is secret.
    pub fn secrets(&self) -> impl Iterator<Item = &Secret> {
        std::iter::once(&self.secret_access_key).chain(&self.session_token)
    }

    /// The access key id in part, enough to tell keys apart: `AKIA…MPLE`.
    pub fn shown_id(&self) -> String {
        let id: Vec<char> = self.access_key_id.chars().collect();
        match id.len() {
            0..12 => "…".to_owned(),
            length => id[..4].iter().chain(&['…']).chain(&id[length - 4..]).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Credentials, Secret};

    #[test]
    fn the_debug_form_shows_no_secret() {
        let credentials = Credentials {
            access_key_id: "AKID".to_owned(),
            secret_access_key: Secret::new("hush-1"),
            session_token: Some(Secret::new("hush-2")),
        };
        let shown = format!("{credentials:?}");
        assert!(shown.contains("AKID") && !shown.contains("hush"), "{shown}");
    }
}
