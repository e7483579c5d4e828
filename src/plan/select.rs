//! Which cases of a suite run on a target, and why the others do not.

use std::sync::Arc;

use super::lease::Demand;
use super::protocol::not_offered;
use super::reach::Reach;
use super::share::Share;
use crate::cases::{Bases, Case, Collaborator, Effect, FunctionScript, Isolation, Suite, names};
use crate::source::{did_you_mean, matches};
use crate::spec::Catalog;
use crate::target::{KnownFailure, Lack, Target};

/// What is to become of the cases of a suite on a target.
#[derive(Debug)]
pub struct Plan {
    /// The selected cases, in the order of the suite.
    pub cases: Vec<Planned>,
    /// How what the cases make is taken back.
    pub bases: Arc<Bases>,
    /// Known failures of the target that match none of the suite's cases.
    pub unmatched_known_failures: Vec<KnownFailure>,
}

/// A selected case.
#[derive(Debug, Clone)]
pub struct Planned {
    /// The case.
    pub case: Arc<Case>,
    /// What is to become of it.
    pub decision: Decision,
    /// How what it makes is taken back.
    pub bases: Arc<Bases>,
    /// The entries of the target file that say it fails, in their order.
    pub known_failures: Vec<KnownFailure>,
}

/// Whether a case runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It runs.
    Run(Demand),
    /// The target lacks what it needs.
    Skip {
        /// What, for people.
        reason: String,
    },
}

/// Why nothing can be planned.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum PlanError {
    /// A filter selects nothing.
    #[error("no case matches `{filter}`, see `syncspec list`{hint}")]
    NothingMatches {
        /// The filter.
        filter: String,
        /// A suggestion, or nothing.
        hint: String,
    },
    /// The target lacks something that no case can need: a slip of the pen would
    /// otherwise go unnoticed.
    #[error("target {target} lacks `{lack}`, which is nothing that a case can need{hint}")]
    UnknownLack {
        /// Name of the target.
        target: String,
        /// What it says it lacks.
        lack: String,
        /// A suggestion, or nothing.
        hint: String,
    },
    /// The target offers something that no case can need.
    #[error("target {target} offers `{offer}`, which is nothing that a target can offer{hint}")]
    UnknownOffer {
        /// Name of the target.
        target: String,
        /// What it says it offers.
        offer: String,
        /// A suggestion, or nothing.
        hint: String,
    },
}

impl Plan {
    /// Selects the cases that match any of `filters` (all, if there are none)
    /// and decides which of them the target can serve.
    ///
    /// A filter matches a case whose id contains it; with `*` in it, a case whose
    /// id or one of whose requirements as a whole matches it; else also a case
    /// that proves a requirement which begins with it.
    ///
    /// # Errors
    ///
    /// When a filter matches no case, or the target lacks or offers what nothing needs.
    pub fn new(suite: &Suite, filters: &[String], target: &Target) -> Result<Self, PlanError> {
        Self::dealt(suite, filters, target, None)
    }

    /// The same for a target whose other pools are those of other parts of the run: what
    /// can be had once from each pool is had by the cases of `share` alone.
    ///
    /// # Errors
    ///
    /// As for [`Plan::new`].
    pub fn dealt(suite: &Suite, filters: &[String], target: &Target, share: Option<Share>) -> Result<Self, PlanError> {
        for filter in filters {
            if !suite.cases.iter().any(|case| selects(filter, case)) {
                let ids = suite.cases.iter().map(|case| case.id.as_str());
                let operations = suite.cases.iter().flat_map(|case| case.operations());
                let hint = did_you_mean(filter, ids.chain(operations)).unwrap_or_default();
                return Err(PlanError::NothingMatches { filter: filter.clone(), hint });
            }
        }
        if let Some(Lack { need, .. }) = target.lacks.iter().find(|lack| !names::NEEDS.contains(&lack.need.as_str())) {
            let hint = did_you_mean(need, names::NEEDS).unwrap_or_default();
            return Err(PlanError::UnknownLack { target: target.name.clone(), lack: need.clone(), hint });
        }
        if let Some(offer) = target.offers.iter().find(|offer| !names::OFFERS.contains(&offer.as_str())) {
            let hint = did_you_mean(offer, names::OFFERS).unwrap_or_default();
            return Err(PlanError::UnknownOffer { target: target.name.clone(), offer: offer.clone(), hint });
        }
        // Where no pool has identities, a case that uses one is skipped before this counts.
        let serving = target.own_pools().filter(|pool| !pool.identities.is_empty()).count();
        let mut fresh_pools = if serving == 0 { target.own_pools().count() } else { serving };
        let selected = |case: &&Arc<Case>| filters.is_empty() || filters.iter().any(|filter| selects(filter, case));
        let is_elsewhere = |case: &Case| share.is_some_and(|share| !share.holds(&case.id));
        let planned = |case: &Arc<Case>| {
            // Its own part has a count of its own.
            let mut elsewhere = 1;
            let fresh_pools = if is_elsewhere(case) { &mut elsewhere } else { &mut fresh_pools };
            Planned {
                decision: decide(case, target, fresh_pools),
                known_failures: target.known_failures.iter().filter(|known| known.matches(&case.id)).cloned().collect(),
                case: Arc::clone(case),
                bases: Arc::clone(&suite.bases),
            }
        };
        let unmatched = |known: &&KnownFailure| !suite.cases.iter().any(|case| known.matches(&case.id));
        Ok(Self {
            unmatched_known_failures: target.known_failures.iter().filter(unmatched).cloned().collect(),
            bases: Arc::clone(&suite.bases),
            cases: suite.cases.iter().filter(selected).map(planned).collect(),
        })
    }

    /// Skips the cases that may have an effect which nobody has allowed. `how` says
    /// what allows the effects of these names.
    pub fn withhold(&mut self, reach: &Reach<'_>, allowed: &[Effect], how: impl Fn(&[&str]) -> String) {
        for planned in &mut self.cases {
            if !matches!(planned.decision, Decision::Run(_)) {
                continue;
            }
            let effects: Vec<_> =
                reach.effects(&planned.case).into_iter().filter(|effect| !allowed.contains(effect)).collect();
            let deeds: Vec<_> = effects.iter().map(|effect| effect.deed()).collect();
            let names: Vec<_> = effects.iter().map(|effect| effect.name()).collect();
            if !effects.is_empty() {
                let reason = format!("{}; allow it with {}", deeds.join(" and "), how(&names));
                planned.decision = Decision::Skip { reason };
            }
        }
    }

    /// Keeps only the cases of one part of the run. What becomes of them was decided for
    /// all cases before.
    pub fn keep(&mut self, share: Share) {
        self.cases.retain(|planned| share.holds(&planned.case.id));
    }

    /// Whether a case that runs has to do with a service that the server calls.
    pub fn meets_collaborators(&self) -> bool {
        let mut running = self.cases.iter().filter(|planned| matches!(planned.decision, Decision::Run(_)));
        running.any(|planned| Collaborator::ALL.into_iter().any(|one| planned.case.meets(one)))
    }

    /// Known failures of the target that match cases of the suite, but none that
    /// runs: of those nothing can be said.
    pub fn idle_known_failures<'t>(&self, target: &'t Target) -> Vec<&'t KnownFailure> {
        let runs = |known: &KnownFailure| {
            let mut running = self.cases.iter().filter(|planned| matches!(planned.decision, Decision::Run(_)));
            running.any(|planned| known.matches(&planned.case.id))
        };
        let unmatched =
            |known: &KnownFailure| self.unmatched_known_failures.iter().any(|other| other.pattern == known.pattern);
        target.known_failures.iter().filter(|known| !unmatched(known) && !runs(known)).collect()
    }
}

/// Whether a filter could select a case of the file with this path (without its ending):
/// certainly not, when the filter is as long as the id of a case and leads to another
/// file. Requirements that begin with the filter are left out of account, see
/// [`names_a_case`].
pub fn could_select(filter: &str, stem: &str) -> bool {
    let mut words = filter.splitn(3, '/');
    let (Some(area), Some(topic), Some(rest)) = (words.next(), words.next(), words.next()) else { return true };
    // The id of a row has a part more, so the filter may begin with the topic.
    let in_topic = !rest.contains('/') && stem.ends_with(area);
    filter.contains('*') || in_topic || stem.ends_with(&format!("{area}/{topic}"))
}

/// Whether a filter is as long as the id of a case, and no requirement begins with it.
pub fn names_a_case(filter: &str, catalog: &Catalog) -> bool {
    let is_long = filter.matches('/').count() >= 2 && !filter.contains('*');
    is_long && !catalog.iter().any(|requirement| requirement.id.starts_with(filter))
}

/// Whether a filter selects a case, see [`Plan::new`].
pub fn selects(filter: &str, case: &Case) -> bool {
    if filter.contains('*') {
        return matches(filter, &case.id) || case.proves.iter().any(|requirement| matches(filter, requirement));
    }
    case.id.contains(filter) || case.proves.iter().any(|requirement| requirement.starts_with(filter))
}

/// The script that the function which the suite ships follows for a case; none where it
/// does not stand, or has nothing to do with the case.
pub fn function_script(case: &Case, target: &Target) -> Option<FunctionScript> {
    by_function(case, target)?.ok()
}

/// The same, with the reason why the case needs the harness all the same.
fn by_function(case: &Case, target: &Target) -> Option<Result<FunctionScript, &'static str>> {
    let stands = target.scripted_function && target.collaborators.is_none();
    let asked = case.needs.iter().any(|need| need == names::COLLABORATORS);
    (stands && asked).then(|| case.function_script())
}

/// Whether the target can serve the case. `fresh_pools` counts down.
fn decide(case: &Case, target: &Target, fresh_pools: &mut usize) -> Decision {
    let skip = |reason: String| Decision::Skip { reason };
    let by_function = by_function(case, target);
    let met = |need: &&String| *need == names::COLLABORATORS && matches!(by_function, Some(Ok(_)));
    let mut unmet = case.needs.iter().filter(|need| !met(need));
    if let Some(lack) = unmet.find_map(|need| target.lacks.iter().find(|lack| lack.need == *need)) {
        return skip(lacking(lack));
    }
    let offered = |need: &String| !names::OFFERS.contains(&need.as_str()) || target.offers.contains(need);
    if let Some(need) = case.needs.iter().find(|need| !offered(need)) {
        return skip(not_offered(need));
    }
    if target.pools.len() < 2 && case.needs.iter().any(|need| need == names::TWO_POOLS) {
        return skip("needs two pools, and the target file names one".to_owned());
    }
    if target.collaborators.is_none() && case.needs.iter().any(|need| need == names::COLLABORATORS) {
        match by_function {
            Some(Ok(_)) => {}
            Some(Err(why)) => return skip(format!("the target file has no [collaborators] table, and {why}")),
            None => return skip("the target file has no [collaborators] table".to_owned()),
        }
    }
    let unnamed = |(name, need): &&(&str, &str)| {
        case.needs.iter().any(|wanted| wanted == need) && !target.resources.contains_key(*name)
    };
    // What the harness plays has a name for each case.
    let unnamed = |resource: &&(&str, &str)| target.collaborators.is_none() && unnamed(resource);
    if let Some((_, need)) = names::RESOURCES.iter().find(unnamed) {
        return skip(format!("the target file has no [{need}] table"));
    }
    let demand = Demand::of(case);
    if demand.developer && target.developer.is_none() {
        return skip(match &target.shortfalls.developer {
            Some(why) => format!("no developer credentials: {why}"),
            None => "the target file has no [developer] credentials".to_owned(),
        });
    }
    let most = target.pools.iter().map(|pool| pool.identities.len()).max().unwrap_or(0);
    if demand.identities > most {
        return skip(too_few_identities(target, demand.identities, most));
    }
    if case.isolation == Isolation::FreshPool {
        let Some(left) = fresh_pools.checked_sub(1) else {
            let (own, all) = (target.own_pools().count(), target.pools.len());
            let few = match own == all {
                true => format!("the target file names only {all}"),
                false => format!("this part of the run has only {own} of the target's {all}"),
            };
            return skip(format!("needs a pool that no other such case has used, and {few}"));
        };
        *fresh_pools = left;
    }
    Decision::Run(demand)
}

/// Why there are fewer identities in each pool than a case needs.
fn too_few_identities(target: &Target, needed: usize, most: usize) -> String {
    let few = if needed == 1 { "identity" } else { "identities" };
    match target.shortfalls.identities.as_slice() {
        [] => format!("needs {needed} {few} in one pool, and the target file names {most}"),
        reasons => format!("needs {needed} {few} in one pool, and there are {most}: {}", reasons.join("; ")),
    }
}

fn lacking(Lack { need, reason, link }: &Lack) -> String {
    let reason = reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    let link = link.as_ref().map(|link| format!(" ({link})")).unwrap_or_default();
    format!("the target lacks {need}{reason}{link}")
}

#[cfg(test)]
mod tests {
    use indexmap::IndexMap;
    use rstest::rstest;

    use super::super::share::Share;
    use super::{Decision, Plan, PlanError, could_select, function_script, names_a_case, selects};
    use crate::cases::Suite;
    use crate::reference::World;
    use crate::spec::{Catalog, Service};
    use crate::target::Target;

    fn suite(more: &str, step: &str) -> Suite {
        let case = format!(
            "[[case]]\nname = \"c\"\nproves = [\"ListRecords/route\"]\n{more}\nsteps = [\n\
             {{ send = {{ method = \"GET\", target = \"/{step}\" }}, expect = {{ status = 200 }} }}]\n"
        );
        Suite::from_texts(Service::embedded(), Catalog::embedded(), &[("a/t.toml", &case)]).expect("no mistakes")
    }

    fn target() -> Target {
        let mut target = Target::embedded(&World::standard(1, 1), "http://127.0.0.1:1");
        target.lacks = vec!["sns".into()];
        target.developer = None;
        target.resources = IndexMap::new();
        target
    }

    /// Whatever a filter selects is found in the files that it could select from.
    #[test]
    fn a_filter_that_names_a_case_leads_to_its_file() {
        let catalog = Catalog::embedded();
        let suite = Suite::shipped(Service::embedded(), catalog).expect("no mistakes");
        for filter in suite.cases.iter().map(|case| &case.id) {
            assert!(names_a_case(filter, catalog), "{filter}");
            let selected = suite.cases.iter().filter(|case| selects(filter, case));
            for stem in selected.map(|case| case.id.splitn(3, '/').take(2).collect::<Vec<_>>().join("/")) {
                assert!(could_select(filter, &stem), "{filter} selects a case of {stem}");
            }
        }
    }

    #[rstest]
    #[case("area/topic/name", "area/topic", true)]
    #[case("area/topic/na", "area/topic", true)]
    #[case("area/topic/name/row", "area/topic", true)]
    #[case("area/topic/name", "area/other", false)]
    #[case("area/topic/name", "other/topic", false)]
    // The end of an area, and the topic of a case with rows, are parts of ids too.
    #[case("area/topic/name", "my-area/topic", true)]
    #[case("topic/name/row", "area/topic", true)]
    #[case("topic/name/row/more", "area/topic", false)]
    #[case("area/topic", "other/topic", true)]
    #[case("area/*/name", "other/topic", true)]
    fn files_that_a_filter_could_select_from(#[case] filter: &str, #[case] stem: &str, #[case] could: bool) {
        assert_eq!(could_select(filter, stem), could);
    }

    #[rstest]
    #[case("area/topic/name", true)]
    #[case("area/topic", false)]
    #[case("area/topic/*", false)]
    #[case("ListRecords/input/MaxResults", false)]
    fn filters_as_long_as_an_id(#[case] filter: &str, #[case] is_long: bool) {
        assert_eq!(names_a_case(filter, Catalog::embedded()), is_long);
    }

    #[rstest]
    #[case("", "", None)]
    #[case("needs = [\"sns\"]", "", Some("the target lacks sns"))]
    #[case("", "{application-arn}", Some("the target lacks sns"))]
    #[case("", "{stream-name}", Some("the target file has no [kinesis] table"))]
    #[case("needs = [\"lambda\"]", "", Some("the target file has no [lambda] table"))]
    #[case("credentials = \"developer\"", "", Some("the target file has no [developer] credentials"))]
    #[case("credentials = \"other-identity\"", "", Some("needs 2 identities in one pool, and the target file names 1"))]
    #[case("", "{other-identity-id}", Some("needs 2 identities in one pool, and the target file names 1"))]
    fn what_a_target_cannot_serve_is_skipped(#[case] more: &str, #[case] step: &str, #[case] reason: Option<&str>) {
        let plan = Plan::new(&suite(more, step), &[], &target()).expect("it is selected");
        let skipped = match &plan.cases[0].decision {
            Decision::Run(_) => None,
            Decision::Skip { reason } => Some(reason.as_str()),
        };
        assert_eq!(skipped, reason);
    }

    #[rstest]
    #[case::plays("function = {}", "", &[], None)]
    #[case::declared("function = {}", "", &["collaborators"], None)]
    #[case::lambda("function = {}", "", &["lambda"], Some("the target lacks lambda"))]
    #[case::refuses(
        "function = { refuse = \"ServiceException\" }", "", &[],
        Some("the target file has no [collaborators] table, and a function cannot have Lambda refuse to call it")
    )]
    #[case::observes(
        "", "{ observe = \"function\", expect = { members = { \"/count\" = 1 } } }", &[],
        Some("the target file has no [collaborators] table, and the case looks at what the server told another service")
    )]
    #[case::stream("stream = {}", "", &["kinesis"], Some("the target lacks kinesis"))]
    fn the_shipped_function_plays_what_it_can(
        #[case] more: &str,
        #[case] step: &str,
        #[case] lacks: &[&str],
        #[case] reason: Option<&str>,
    ) {
        let case = format!(
            "[[case]]\nname = \"c\"\nproves = [\"ListRecords/route\"]\n{more}\nsteps = [\n\
             {{ send = {{ method = \"GET\", target = \"/\" }}, expect = {{ status = 200 }} }}, {step}]\n"
        );
        let suite =
            Suite::from_texts(Service::embedded(), Catalog::embedded(), &[("a/t.toml", &case)]).expect("no mistakes");
        let mut target = Target { scripted_function: true, ..target() };
        target.lacks = lacks.iter().map(|lack| (*lack).into()).collect();
        target.resources.insert("function-arn".to_owned(), "arn".to_owned());
        let planned = |target: &Target| Plan::new(&suite, &[], target).expect("it is selected").cases.remove(0);
        let skipped = match planned(&target).decision {
            Decision::Run(_) => None,
            Decision::Skip { reason } => Some(reason),
        };
        assert_eq!(skipped.as_deref(), reason);
        assert_eq!(function_script(&suite.cases[0], &target).is_some(), suite.cases[0].function_script().is_ok());
        // Of another function, nothing is known.
        target.scripted_function = false;
        assert!(matches!(planned(&target).decision, Decision::Skip { .. }));
        assert_eq!(function_script(&suite.cases[0], &target), None);
    }

    #[test]
    fn parts_with_pools_of_their_own_have_what_is_fresh_there() {
        let case = |number: usize| {
            format!(
                "[[case]]\nname = \"c{number}\"\nproves = [\"ListRecords/route\"]\nisolation = \"fresh-pool\"\n\
                 steps = [{{ send = {{ method = \"GET\", target = \"/\" }}, as = \"identity\", expect = {{ status = 200 }} }}]\n"
            )
        };
        let cases: String = (0..8).map(case).collect();
        let suite = Suite::from_texts(Service::embedded(), Catalog::embedded(), &[("a/t.toml", &cases)]);
        let (suite, target) = (suite.expect("no mistakes"), Target::embedded(&World::standard(4, 1), "https://h"));
        for index in 1..=2 {
            let share = Share::new(index, 2).expect("there is one");
            let target = target.clone().with_pools(|place| share.is_dealt(place));
            let mut plan = Plan::dealt(&suite, &[], &target, Some(share)).expect("all are selected");
            plan.keep(share);
            let run = plan.cases.iter().filter(|planned| matches!(planned.decision, Decision::Run(_))).count();
            assert_eq!(run, plan.cases.len().min(2), "of {} cases in part {index}", plan.cases.len());
        }
    }

    #[test]
    fn what_could_not_be_had_is_the_reason() {
        let mut target = target();
        target.shortfalls.developer = Some("profile `p`: not there".to_owned());
        target.shortfalls.identities = vec!["Cognito Identity: refused".to_owned()];
        let reason = |more: &str, target: &Target| match Plan::new(&suite(more, ""), &[], target)
            .expect("it is selected")
            .cases
            .remove(0)
            .decision
        {
            Decision::Run(demand) => format!("runs with {}", demand.identities),
            Decision::Skip { reason } => reason,
        };
        let developer = "credentials = \"developer\"";
        assert_eq!(reason(developer, &target), "no developer credentials: profile `p`: not there");
        let other = "needs 2 identities in one pool, and there are 1: Cognito Identity: refused";
        assert_eq!(reason("credentials = \"other-identity\"", &target), other);
        target.pools[0].identities.clear();
        let own = "needs 1 identity in one pool, and there are 0: Cognito Identity: refused";
        assert_eq!(reason("credentials = \"identity\"", &target), own);
        // Who uses no identity needs none.
        assert_eq!(reason("credentials = \"none\"", &target), "runs with 0");
    }

    #[rstest]
    #[case("a/t", true)]
    #[case("a/*/c", true)]
    #[case("ListRecords", true)]
    #[case("ListRecords/*", true)]
    #[case("*/route", true)]
    #[case("Records/route", false)]
    #[case("a/*/d", false)]
    #[case("a/t/C", false)]
    fn a_filter_selects_by_id_or_requirement(#[case] filter: &str, #[case] selects: bool) {
        let plan = Plan::new(&suite("", ""), &[filter.to_owned()], &target());
        assert_eq!(plan.is_ok(), selects, "{plan:?}");
    }

    #[test]
    fn what_selects_or_lacks_nothing_is_an_error() {
        let error = |filter: &str, lack: &str| {
            let target = Target { lacks: vec![lack.into()], name: "mine".to_owned(), ..target() };
            Plan::new(&suite("", ""), &[filter.to_owned()], &target).expect_err("an error")
        };
        let nothing = error("a/t/d", "sns");
        assert!(matches!(nothing, PlanError::NothingMatches { .. }), "{nothing}");
        assert!(
            nothing.to_string().contains("no case matches `a/t/d`, see `syncspec list`; did you mean `a/t/c`?"),
            "{nothing}"
        );
        let expected = "target mine lacks `lamda`, which is nothing that a case can need; did you mean `lambda`?";
        assert_eq!(error("a/t", "lamda").to_string(), expected);
    }
}
