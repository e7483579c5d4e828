//! Two sets of statements against each other.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::super::service::Service;
use super::read::ModelFile;
use super::statements::{Statements, statements};
use super::{model, ours};

/// One place at which the suite's data and the model say different things.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Difference {
    /// Where, much like the id of a requirement.
    pub place: String,
    /// What the suite's data says there, if anything.
    pub ours: Option<String>,
    /// What the model says there, if anything. When both say the same, the
    /// dispute that speaks of a difference is settled.
    pub theirs: Option<String>,
    /// The dispute that speaks of this place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dispute: Option<String>,
}

/// How far the suite's data and a model are apart.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Drift {
    /// What nobody recorded: the API, or the data, has changed.
    pub differences: Vec<Difference>,
    /// What a dispute accounts for.
    pub known_disputes: Vec<Difference>,
}

impl Drift {
    /// Compares the data with a model, in the order of places.
    pub fn between(service: &Service, file: &ModelFile) -> Self {
        Self::of(service, &file.model)
    }

    fn of(service: &Service, model: &model::Model) -> Self {
        compare(service, &statements(&ours::model(service)), &statements(model))
    }
}

fn compare(service: &Service, ours: &Statements, theirs: &Statements) -> Drift {
    let recorded: BTreeMap<&str, (Option<&String>, &str)> = (service.disputes.iter())
        .flat_map(|dispute| dispute.model_differs.iter().map(move |place| (dispute, place)))
        .map(|(dispute, place)| (place.at.as_str(), (place.model.as_ref(), dispute.id.as_str())))
        .collect();
    let places: BTreeSet<&str> =
        ours.keys().chain(theirs.keys()).map(String::as_str).chain(recorded.keys().copied()).collect();
    // Below what only one side has, everything differs.
    let one_sided = |place: &str| ours.contains_key(place) != theirs.contains_key(place);
    let mut drift = Drift::default();
    for place in places {
        if parents(place).any(one_sided) {
            continue;
        }
        let (here, there) = (ours.get(place), theirs.get(place));
        let accounted = recorded.get(place);
        if accounted.is_none() && here == there {
            continue;
        }
        let concerns = service.disputes.iter().find(|dispute| dispute.requirements.iter().any(|id| id == place));
        let dispute = accounted.map(|(_, id)| *id).or_else(|| concerns.map(|dispute| dispute.id.as_str()));
        let difference = Difference {
            place: place.to_owned(),
            ours: here.cloned(),
            theirs: there.cloned(),
            dispute: dispute.map(str::to_owned),
        };
        if here != there && accounted.is_some_and(|(model, _)| *model == there) {
            drift.known_disputes.push(difference);
        } else {
            drift.differences.push(difference);
        }
    }
    drift
}

/// The places that a place is below.
fn parents(place: &str) -> impl Iterator<Item = &str> {
    place.match_indices('/').map(|(at, _)| &place[..at])
}
