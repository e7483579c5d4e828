//! Sync sessions: what ListRecords hands out and UpdateRecords uses up.
//!
//! A token carries everything about its session, signed, so that listing leaves
//! nothing behind on the server.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::state::DatasetPlace;
use super::timestamp::Timestamp;
use super::tracked::Tracked;
use crate::reference::altered::{Switch, Switches};

/// Names a session; random.
pub(super) type SessionId = [u8; 16];

/// How long a session may be used, in milliseconds.
pub(super) const SESSION_LIFE_MILLIS: i64 = 60 * 60 * 1_000;

/// Bytes of the signature, at the front of a token.
const SIGNATURE_BYTES: usize = 32;

/// A valid session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Session {
    pub(super) id: SessionId,
    pub(super) expires: Timestamp,
    /// The count that its dataset had when the token was handed out; only a server says it
    /// whose tokens a write makes void.
    pub(super) count: Option<i64>,
}

/// Sessions that were used up, until they would have expired anyway.
#[derive(Debug, Clone, Default)]
pub(super) struct Spent {
    expires: Tracked<SessionId, Timestamp>,
    /// The same, soonest first: forgetting costs what is forgotten.
    soonest: BTreeSet<(Timestamp, SessionId)>,
}

impl Spent {
    pub(super) fn contains_key(&self, session: &SessionId) -> bool {
        self.expires.contains_key(session)
    }

    pub(super) fn insert(&mut self, session: SessionId, expires: Timestamp) {
        self.expires.insert(session, expires);
        self.soonest.insert((expires, session));
    }

    pub(super) fn forget_expired(&mut self, now: Timestamp) {
        while let Some((_, session)) = self.soonest.first().copied().filter(|(expires, _)| *expires <= now) {
            self.soonest.pop_first();
            self.expires.remove(&session);
        }
    }

    pub(super) fn restore(&mut self, session: SessionId, expires: Timestamp) {
        self.expires.restore(session, expires);
        self.soonest.insert((expires, session));
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.expires.len()
    }

    #[cfg(test)]
    pub(super) fn touch_all(&mut self) {
        self.expires.touch_all();
    }

    pub(super) fn drain_touched(&mut self, each: impl FnMut(SessionId, Option<&mut Timestamp>)) {
        self.expires.drain_touched(each);
    }
}

/// What a token says below its signature.
#[derive(Serialize, Deserialize)]
struct Claims {
    session: SessionId,
    pool: String,
    identity: String,
    dataset: String,
    expires: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    count: Option<i64>,
}

/// Issues and reads tokens. The debug form hides the key.
#[derive(Clone)]
pub(super) struct Sessions {
    key: [u8; 32],
    switches: Switches,
}

impl std::fmt::Debug for Sessions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sessions")
    }
}

impl Sessions {
    pub(super) fn new(key: [u8; 32], switches: Switches) -> Self {
        Self { key, switches }
    }

    fn mac(&self, claims: &[u8]) -> Hmac<Sha256> {
        let mut mac = Hmac::new_from_slice(&self.key).expect("HMAC takes keys of any length");
        mac.update(claims);
        mac
    }

    /// A token for a new session on this dataset, whose count it is.
    pub(super) fn issue(&self, place: &DatasetPlace, id: SessionId, now: Timestamp, count: i64) -> String {
        let claims = Claims {
            session: id,
            pool: place.identity_pool_id.clone(),
            identity: place.identity_id.clone(),
            dataset: place.dataset_name.clone(),
            expires: now.plus_millis(SESSION_LIFE_MILLIS).millis(),
            count: self.switches.has(Switch::TokensVoidedByWrites).then_some(count),
        };
        let claims = serde_json::to_vec(&claims).expect("claims are plain JSON");
        let mut token = self.mac(&claims).finalize().into_bytes().to_vec();
        token.extend(claims);
        URL_SAFE_NO_PAD.encode(token)
    }

    /// The session of a token that was issued here for this dataset and has not
    /// expired.
    pub(super) fn read(&self, token: &str, place: &DatasetPlace, now: Timestamp) -> Option<Session> {
        let token = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (signature, claims) = token.split_at_checked(SIGNATURE_BYTES)?;
        self.mac(claims).verify_slice(signature).ok()?;
        let claims: Claims = serde_json::from_slice(claims).ok()?;
        let here = claims.pool == place.identity_pool_id
            && (claims.identity == place.identity_id || self.switches.has(Switch::ForeignTokenOfIdentity))
            && (claims.dataset == place.dataset_name || self.switches.has(Switch::ForeignTokenOfDataset));
        let expires = Timestamp::from_millis(claims.expires);
        (here && now < expires).then_some(Session { id: claims.session, expires, count: claims.count })
    }
}

#[cfg(test)]
mod tests {
    use super::{SESSION_LIFE_MILLIS, Sessions};
    use crate::reference::altered::Switches;
    use crate::reference::model::{DatasetPlace, Timestamp};

    fn place(dataset: &str) -> DatasetPlace {
        DatasetPlace {
            identity_pool_id: "us-east-1:a".to_owned(),
            identity_id: "us-east-1:b".to_owned(),
            dataset_name: dataset.to_owned(),
        }
    }

    #[test]
    fn a_token_is_good_for_its_dataset_and_time_only() {
        let sessions = |key| Sessions::new([key; 32], Switches::default());
        let (sessions, others) = (sessions(1), sessions(2));
        let now = Timestamp::from_millis(1_000);
        let token = sessions.issue(&place("d"), [7; 16], now, 0);
        assert_eq!(sessions.read(&token, &place("d"), now).map(|session| session.id), Some([7; 16]));
        assert_eq!(sessions.read(&token, &place("e"), now), None);
        assert_eq!(others.read(&token, &place("d"), now), None);
        assert!(sessions.read(&token, &place("d"), now.plus_millis(SESSION_LIFE_MILLIS - 1)).is_some());
        assert_eq!(sessions.read(&token, &place("d"), now.plus_millis(SESSION_LIFE_MILLIS)), None);
    }

    #[test]
    fn every_altered_character_spoils_a_token() {
        let sessions = Sessions::new([1; 32], Switches::default());
        let now = Timestamp::from_millis(0);
        let token = sessions.issue(&place("d"), [7; 16], now, 0);
        for at in 0..token.len() {
            let mut altered = token.clone().into_bytes();
            altered[at] = if altered[at] == b'A' { b'B' } else { b'A' };
            let altered = String::from_utf8(altered).expect("still ASCII");
            assert_eq!(sessions.read(&altered, &place("d"), now), None, "character {at}");
        }
        for made_up in ["", "x", "===", "é"] {
            assert_eq!(sessions.read(made_up, &place("d"), now), None, "{made_up}");
        }
    }
}
