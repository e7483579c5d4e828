//! Paging: opaque tokens that name the last entry of a page.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::error::ServiceError;
use crate::reference::altered::{Switch, Switches};

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
    pub(super) fn size(&self, max: usize, switches: &Switches) -> Result<usize, ServiceError> {
        let default = if switches.has(Switch::DefaultPageOfOne) { 1 } else { max };
        let max = if switches.has(Switch::PagesOf100) { max.min(100) } else { max };
        let size = match self.max_results {
            None => default,
            Some(asked) if asked < 1 && switches.has(Switch::BadPageSizeIgnored) => default,
            Some(asked) if asked < 1 => {
                return Err(ServiceError::invalid_parameter("MaxResults must be greater than 0"));
            }
            Some(asked) if asked > 100 && switches.has(Switch::LargePagesRefused) => return Err(too_large()),
            Some(asked) if asked > 1024 && switches.has(Switch::HugePagesRefused) => return Err(too_large()),
            Some(asked) => usize::try_from(asked).map_or(max, |asked| asked.min(max)),
        };
        Ok(if switches.has(Switch::PagesOneTooLarge) { size + 1 } else { size })
    }

    /// The entry that the page before ended with. `listing` is what the token must
    /// have been made for.
    pub(super) fn after(&self, listing: &[&str], switches: &Switches) -> Result<Option<String>, ServiceError> {
        let Some(token) = self.next_token.as_deref() else { return Ok(None) };
        let read = || {
            let mut parts: Vec<String> = serde_json::from_slice(&STANDARD.decode(token).ok()?).ok()?;
            let last = parts.pop()?;
            (parts == listing).then_some(last)
        };
        match read() {
            None if switches.has(Switch::BadNextTokenIgnored) => Ok(None),
            after => after.map(Some).ok_or_else(invalid_token),
        }
    }
}

fn too_large() -> ServiceError {
    ServiceError::invalid_parameter("MaxResults is too large")
}

pub(super) fn invalid_token() -> ServiceError {
    ServiceError::invalid_parameter("NextToken is not valid for these inputs")
}

/// The token of a page that ends with `last`.
pub(super) fn token(listing: &[&str], last: &str) -> String {
    let parts: Vec<&str> = listing.iter().copied().chain([last]).collect();
    STANDARD.encode(serde_json::to_vec(&parts).expect("texts are plain JSON"))
}

/// Whether an entry comes after the one that the page before ended with.
pub(super) fn follows(key: &str, after: Option<&String>, switches: &Switches) -> bool {
    let repeated = |after: &String| switches.has(Switch::PagesRepeatLast) && key == after;
    after.is_none_or(|after| key > after.as_str() || repeated(after))
}

/// Takes one page off an iterator. Gives also the entry that the next page comes
/// after, if there is one.
pub(super) fn take<T: Clone>(
    entries: impl Iterator<Item = T>,
    size: usize,
    switches: &Switches,
) -> (Vec<T>, Option<T>) {
    let mut entries = entries.fuse();
    let page: Vec<T> = entries.by_ref().take(size).collect();
    let follower = entries.next();
    let another = switches.has(Switch::LastPageOftenEmpty) && page.len() == size;
    let last = match follower {
        Some(follower) if switches.has(Switch::PagesSkipOne) => Some(follower),
        Some(_) => page.last().cloned(),
        None => page.last().filter(|_| another).cloned(),
    };
    (page, last)
}
