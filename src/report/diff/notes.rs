//! What keeps two runs from being compared case by case.

use crate::report::skim::Skim;
use crate::run::Header;

/// Sentences, without full stop.
pub(super) fn notes(old: &Skim, new: &Skim) -> Vec<String> {
    let (before, after) = (&old.header, &new.header);
    let notes = [
        swapped(before, after),
        target(before, after),
        suite(before, after),
        protocol(before, after),
        lacks(before, after),
        strictness(before, after),
        whole("old", old),
        whole("new", new),
    ];
    notes.into_iter().flatten().collect()
}

fn swapped(old: &Header, new: &Header) -> Option<String> {
    // Both are RFC 3339 in UTC, to the second: they sort as text.
    (old.started > new.started).then(|| "the old run began after the new one; are they swapped?".to_owned())
}

fn target(old: &Header, new: &Header) -> Option<String> {
    let (old, new) = (&old.target, &new.target);
    let differs = |what: &str, old: &str, new: &str| Some(format!("{what}: {old}, now {new}"));
    if old.name != new.name {
        return differs("the targets differ, so this is no history of one", &old.name, &new.name);
    }
    if old.region != new.region {
        return differs("the target is in another region", &old.region, &new.region);
    }
    None
}

fn suite(old: &Header, new: &Header) -> Option<String> {
    if old.suite_digest != new.suite_digest {
        let named = |header: &Header| format!("{} {:.8}", header.suite_version, header.suite_digest);
        return Some(format!(
            "the suites differ ({}, now {}): what changed may be the cases, and not the target",
            named(old),
            named(new)
        ));
    }
    (old.selection_digest != new.selection_digest).then(|| {
        let (before, after) = (old.selected, new.selected);
        format!("other cases of the same suite were selected ({before}, now {after})")
    })
}

fn protocol(old: &Header, new: &Header) -> Option<String> {
    let (old, new) = (old.protocol, new.protocol);
    (old != new).then(|| format!("the target was called over another protocol: {old}, now {new}"))
}

fn lacks(old: &Header, new: &Header) -> Option<String> {
    let (old, new) = (&old.target.lacks, &new.target.lacks);
    let named = |lacks: &[String]| if lacks.is_empty() { "nothing".to_owned() } else { lacks.join(", ") };
    (old != new).then(|| format!("what the target lacks has changed: {}, now {}", named(old), named(new)))
}

fn strictness(old: &Header, new: &Header) -> Option<String> {
    let named = |strict: bool| if strict { "strict" } else { "not strict" };
    (old.strict != new.strict).then(|| {
        format!("one run was strict on inferred requirements: {}, now {}", named(old.strict), named(new.strict))
    })
}

fn whole(which: &str, skim: &Skim) -> Option<String> {
    match &skim.footer {
        None => {
            let (results, selected) = (skim.results(), skim.header.selected);
            Some(format!("the {which} run is partial: {results} of {selected} cases have a result"))
        }
        Some(footer) => footer.stopped.as_ref().map(|reason| format!("the {which} run was stopped: {reason}")),
    }
}
