//! The mutants of rules in prose, and the variants of open ones.

mod datasets;
mod listings;
mod outside;
mod pools;
mod records;
mod values;
mod wire;

use super::alteration::Alteration;

/// All of them.
pub(super) fn all() -> Vec<Alteration> {
    [records::all(), values::all(), listings::all(), datasets::all(), pools::all(), outside::all(), wire::all()]
        .into_iter()
        .flatten()
        .collect()
}
