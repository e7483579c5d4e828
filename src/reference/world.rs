//! What exists when a server starts: pools, identities and everybody's keys.

use std::fmt;

use super::collaborators::Collaborators;

/// Pools, identities and keys that exist from the start. None can be added later:
/// the service's own API cannot make any either.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct World {
    /// Region that requests must be signed for, such as `us-east-1`.
    pub region: String,
    /// Account that owns the pools, 12 digits.
    pub account_id: String,
    /// The account's own keys.
    pub developer: Keys,
    /// Identity pools, each id once.
    pub pools: Vec<WorldPool>,
    /// Other services that the server calls; none by default.
    pub collaborators: Collaborators,
}

/// An identity pool that exists from the start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorldPool {
    /// Id of the form `us-east-1:<uuid>`, lower case.
    pub identity_pool_id: String,
    /// Its identities, each id once.
    pub identities: Vec<WorldIdentity>,
}

/// An identity that exists from the start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorldIdentity {
    /// Id of the form `us-east-1:<uuid>`, lower case.
    pub identity_id: String,
    /// Its temporary keys. The server never lets them expire.
    pub keys: Keys,
}

/// Keys to sign with. The debug form names the access key and hides the rest.
#[derive(Clone, PartialEq, Eq)]
pub struct Keys {
    /// Names the keys; no secret.
    pub access_key_id: String,
    /// What signatures are made with.
    pub secret_access_key: String,
    /// Travels with every request when there is one.
    pub session_token: Option<String>,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").field("access_key_id", &self.access_key_id).finish_non_exhaustive()
    }
}

impl World {
    /// A world with so many pools, and so many identities in each.
    ///
    /// Everything in it is made from counters, hence the same every time. The
    /// keys are public and open nothing but this server: they are no secrets.
    pub fn standard(pools: usize, identities: usize) -> Self {
        Self {
            region: "us-east-1".to_owned(),
            account_id: "123456789012".to_owned(),
            developer: Keys {
                access_key_id: "AKIASYNCSPECEXAMPLE0".to_owned(),
                secret_access_key: "public+example/developer/no+secret+00000".to_owned(),
                session_token: None,
            },
            pools: (0..pools).map(|pool| WorldPool::standard(pool, identities)).collect(),
            collaborators: Collaborators::default(),
        }
    }
}

impl WorldPool {
    fn standard(pool: usize, identities: usize) -> Self {
        Self {
            identity_pool_id: format!("us-east-1:9001c0de-0000-4000-8000-{pool:012x}"),
            identities: (0..identities).map(|identity| WorldIdentity::standard(pool, identity)).collect(),
        }
    }
}

impl WorldIdentity {
    fn standard(pool: usize, identity: usize) -> Self {
        Self {
            identity_id: format!("us-east-1:1dc0de00-0000-4000-8000-{pool:04x}{identity:08x}"),
            keys: Keys {
                access_key_id: format!("ASIA{pool:06X}{identity:010X}"),
                secret_access_key: format!("public+example/identity/{pool:06x}{identity:010x}"),
                // The special characters check that clients encode them.
                session_token: Some(format!("public+example/session/token/{pool:06x}{identity:010x}==")),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::World;
    use crate::spec::{Service, ShapeKind};

    #[test]
    fn ids_and_keys_are_distinct_and_well_formed() {
        let world = World::standard(3, 300);
        let ShapeKind::String(constraints) = &Service::embedded().shape("IdentityId").kind else {
            panic!("an identity id is text");
        };
        let pattern = format!("^(?:{})$", constraints.pattern.as_deref().expect("identity ids have a pattern"));
        let pattern = regex::Regex::new(&pattern).expect("the pattern compiles");
        let mut seen = BTreeSet::from([world.developer.access_key_id.clone()]);
        for pool in &world.pools {
            assert!(pattern.is_match(&pool.identity_pool_id) && seen.insert(pool.identity_pool_id.clone()));
            for identity in &pool.identities {
                assert!(pattern.is_match(&identity.identity_id) && seen.insert(identity.identity_id.clone()));
                assert_eq!(identity.keys.access_key_id.len(), 20);
                assert_eq!(identity.keys.secret_access_key.len(), 40);
                assert!(seen.insert(identity.keys.access_key_id.clone()));
            }
        }
        assert_eq!(world.developer.access_key_id.len(), 20);
        assert_eq!(world.developer.secret_access_key.len(), 40);
        assert_eq!(world, World::standard(3, 300));
    }

    #[test]
    fn the_debug_form_shows_no_secret() {
        let shown = format!("{:?}", World::standard(1, 1));
        assert!(shown.contains("AKIASYNCSPECEXAMPLE0"), "{shown}");
        assert!(!shown.contains("public+example"), "{shown}");
    }
}
