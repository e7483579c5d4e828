//! Paging: opaque tokens that name the last entry of a page.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::error::ServiceError;

/// Which page of a listing is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PageRequest {
    /// What the page before gave; none for the first page.
    pub next_token: Option<String>,
    /// Most entries wanted.
    pub max_results: Option<i64>,
}

impl PageRequest {
    /// Entries to put on the page: what is asked for, from 1 to `max`.
    ///
    /// # Errors
    ///
    /// When less than one entry is asked for.
    pub(super) fn size(&self, max: usize) -> Result<usize, ServiceError> {
        match self.max_results {
            None => Ok(max),
            Some(asked) if asked < 1 => Err(ServiceError::invalid_parameter("MaxResults must be greater than 0")),
            Some(asked) => Ok(usize::try_from(asked).map_or(max, |asked| asked.min(max))),
        }
    }

    /// The entry that the page before ended with. `listing` is what the token must
    /// have been made for.
    pub(super) fn after(&self, listing: &[&str]) -> Result<Option<String>, ServiceError> {
        let Some(token) = self.next_token.as_deref() else { return Ok(None) };
        let read = || {
            let mut parts: Vec<String> = serde_json::from_slice(&STANDARD.decode(token).ok()?).ok()?;
            let last = parts.pop()?;
            (parts == listing).then_some(last)
        };
        read().map(Some).ok_or_else(invalid_token)
    }
}

pub(super) fn invalid_token() -> ServiceError {
    ServiceError::invalid_parameter("NextToken is not valid for these inputs")
}

/// The token of a page that ends with `last`.
pub(super) fn token(listing: &[&str], last: &str) -> String {
    let parts: Vec<&str> = listing.iter().copied().chain([last]).collect();
    STANDARD.encode(serde_json::to_vec(&parts).expect("texts are plain JSON"))
}

/// Takes one page off an iterator; tells whether more follows.
pub(super) fn take<T>(entries: impl Iterator<Item = T>, size: usize) -> (Vec<T>, bool) {
    let mut entries = entries.fuse();
    let page = entries.by_ref().take(size).collect();
    (page, entries.next().is_some())
}
