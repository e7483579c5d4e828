//! The placeholders that a case need not capture itself.

/// What a lease binds.
pub const LEASE: [&str; 5] = ["identity-pool-id", IDENTITY, OTHER_IDENTITY, OTHER_POOL, "region"];

/// The placeholder of the case's own identity.
pub const IDENTITY: &str = "identity-id";

/// The second identity's placeholder; a case that uses it needs a lease of two.
pub const OTHER_IDENTITY: &str = "other-identity-id";

/// Another pool's placeholder; a case that uses it needs a target with two.
pub const OTHER_POOL: &str = "other-identity-pool-id";

/// What a target may name beside its endpoint, and the need that it fulfils.
pub const RESOURCES: [(&str, &str); 6] = [
    ("stream-name", "kinesis"),
    ("stream-role-arn", "kinesis"),
    ("application-arn", "sns"),
    ("push-role-arn", "sns"),
    ("platform", "sns"),
    ("function-arn", "lambda"),
];

/// What a case may name in `needs` and a target in `lacks`.
pub const NEEDS: [&str; 9] = [
    "kinesis",
    "sns",
    "lambda",
    "legacy-rpc",
    // A bulk publish that lasts long enough for a second request to meet it.
    "lasting-bulk-publish",
    // The quotas that every account begins with; they can be raised on request.
    "default-quotas",
    TWO_POOLS,
    TWO_IDENTITIES,
    COLLABORATORS,
];

/// What a target has only if it says so: beside being named in `needs`, it is named in
/// the target's `offers`.
pub const OFFERS: [&str; 1] = ["legacy-rpc"];

/// A second identity in a pool; a case that uses one needs it without saying so.
pub const TWO_IDENTITIES: &str = "two-identities";

/// A second pool; a target with one pool lacks it without saying so.
pub const TWO_POOLS: &str = "two-pools";

/// The harness as the services that the server calls; a case that scripts or observes
/// one needs it without saying so.
pub const COLLABORATORS: &str = "collaborators";

/// Stands for the event within a function's script, as JSON text.
pub const EVENT: &str = "event";

/// The placeholder of a fresh dataset name.
pub const DATASET: &str = "dataset";

/// Whether a placeholder stands for a fresh dataset name.
pub fn is_dataset(name: &str) -> bool {
    is_numbered(name, DATASET)
}

/// Whether a placeholder stands for fresh text.
pub fn is_fresh(name: &str) -> bool {
    is_numbered(name, "fresh")
}

/// `stem`, or `stem-2`, `stem-3`, ….
fn is_numbered(name: &str, stem: &str) -> bool {
    let Some(rest) = name.strip_prefix(stem) else { return false };
    rest.is_empty() || rest.strip_prefix('-').is_some_and(|number| number.parse::<u16>().is_ok_and(|number| number > 1))
}

/// Whether a placeholder is bound before the first step.
pub(super) fn is_given(name: &str) -> bool {
    LEASE.contains(&name) || RESOURCES.iter().any(|(known, _)| *known == name) || is_dataset(name) || is_fresh(name)
}

#[cfg(test)]
mod tests {
    use super::{is_dataset, is_fresh};

    #[test]
    fn fresh_names_are_numbered_from_two() {
        assert!(is_dataset("dataset") && is_dataset("dataset-2") && is_dataset("dataset-21"));
        assert!(!is_dataset("dataset-1") && !is_dataset("dataset-x") && !is_dataset("datasets"));
        assert!(is_fresh("fresh") && !is_fresh("fresh-"));
    }
}
