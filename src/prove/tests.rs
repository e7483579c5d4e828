//! The alterations hold together: names, requirements, and that each alters
//! something.

use std::collections::BTreeSet;

use super::{Kind, alterations};
use crate::reference::Switch;
use crate::spec::{Catalog, Service, Strength};

#[test]
fn names_are_unique_and_requirements_exist() {
    let mut seen = BTreeSet::new();
    for alteration in alterations(Service::embedded()) {
        assert!(seen.insert(alteration.name.clone()), "{} is there twice", alteration.name);
        assert!(alteration.about.ends_with('.'), "{}: {}", alteration.name, alteration.about);
        let (name, is_mutant) = (&alteration.name, alteration.kind == Kind::Mutant);
        assert!(!is_mutant || !alteration.requirements.is_empty(), "{name} breaks nothing");
        for id in &alteration.requirements {
            let requirement = Catalog::embedded().get(id);
            let requirement = requirement.unwrap_or_else(|| panic!("{name}: there is no requirement {id}"));
            let open = requirement.strength == Strength::Open;
            assert_eq!(open, !is_mutant, "{name}: what is open cannot be broken, and the rest not be chosen: {id}");
        }
    }
}

#[test]
fn every_alteration_alters_something() {
    let service = Service::embedded();
    let unaltered = format!("{service:?}");
    for alteration in alterations(service) {
        let departure = alteration.departure();
        let rewritten = departure.rewrite.is_some() || departure.retell.is_some();
        let departs = rewritten || Switch::ALL.iter().any(|switch| departure.switches.has(*switch));
        let described = format!("{:?}", alteration.service(service)) != unaltered;
        assert!(departs || described, "{} is the reference", alteration.name);
    }
}

#[test]
fn every_switch_is_thrown_by_somebody() {
    let all = alterations(Service::embedded());
    for switch in Switch::ALL {
        let thrown = all.iter().any(|alteration| alteration.departure().switches.has(*switch));
        assert!(thrown, "no mutant or variant throws {switch:?}");
    }
}
