//! What a run came to, in one sentence.

use super::summary::{Summary, Tally};
use super::text::{count, duration, grouped};
use crate::judge::Verdict;
use crate::run::{FailOn, Header, Partition};

/// One sentence without styles and without full stop. It never says that all is
/// well unless the run is whole and nothing went wrong.
pub(super) fn sentence(summary: &Summary) -> String {
    let Some(header) = &summary.header else { return "nothing was run".to_owned() };
    let place = format!("on {} ({})", header.target.name, header.target.endpoint);
    let total = &summary.total;
    let bad = bad(total, summary.not_run, header.fail_on);
    let finished = grouped((total.cases() - summary.not_run) as u64);
    let selected = count(header.selected, "case");
    let text = match &summary.footer {
        None => format!("the run is partial: {finished} of {selected} came to an end {place}{}", and(&bad)),
        Some(footer) => match &footer.stopped {
            Some(reason) => format!("stopped after {finished} of {selected} {place}{}: {reason}", and(&bad)),
            None if header.is_empty_part() => {
                format!("no case is in this part, so that nothing was to be judged {place}")
            }
            None if total.cases() == 0 => format!("nothing was judged {place}: no case was selected"),
            None if bad.is_empty() && total.judged() == 0 => {
                format!("nothing was judged {place}: {} skipped", all_were(total.cases()))
            }
            None => judged(total, &bad, header.fail_on, &format!("{place} in {}", duration(footer.duration_us))),
        },
    };
    text + &part(header) + &unmatched(summary)
}

fn part(header: &Header) -> String {
    let Some(Partition { index, count: parts, selected, .. }) = &header.partition else { return String::new() };
    format!("; part {index} of {parts} of a run of {}", count(*selected, "case"))
}

/// A number of cases and what they did.
type Clause = (usize, &'static str);

/// What leads to an exit code other than 0, worst first. Cases that a stopped run
/// did not begin are told apart.
fn bad(total: &Tally, not_run: usize, fail_on: FailOn) -> Vec<Clause> {
    let unjudged = total.of(Verdict::NotTestable) + total.of(Verdict::Indeterminate) - not_run;
    let unexpected = if fail_on == FailOn::Any { unexpected(total) } else { (0, "") };
    occurring([(total.of(Verdict::Fail), "failed"), unexpected, (unjudged, "could not be judged")])
}

fn unexpected(total: &Tally) -> Clause {
    (total.of(Verdict::UnexpectedPass), "passed against a known failure")
}

fn occurring<const N: usize>(clauses: [Clause; N]) -> Vec<Clause> {
    clauses.into_iter().filter(|(number, _)| *number > 0).collect()
}

fn and(clauses: &[Clause]) -> String {
    clauses.iter().map(|(number, what)| format!(", {} {what}", grouped(*number as u64))).collect()
}

fn judged(total: &Tally, bad: &[Clause], fail_on: FailOn, place_and_time: &str) -> String {
    let cases = count(total.cases(), "case");
    if let Some(((number, what), rest)) = bad.split_first() {
        let told = if fail_on == FailOn::New { and(&occurring([unexpected(total)])) } else { String::new() };
        return format!("{} of {cases} {what} {place_and_time}{}{told}", grouped(*number as u64), and(rest));
    }
    let passed = total.of(Verdict::Pass) + total.of(Verdict::Warn);
    let others = occurring([
        (total.of(Verdict::Warn), "with warnings"),
        unexpected(total),
        (total.of(Verdict::ExpectedFail), "failed as expected"),
        (total.of(Verdict::Skipped), "skipped"),
    ]);
    let number = if passed == total.cases() { all(passed) } else { format!("{} of {cases}", grouped(passed as u64)) };
    format!("{number} passed {place_and_time}{}", and(&others))
}

fn all(cases: usize) -> String {
    if cases == 1 { "the only case".to_owned() } else { format!("all {}", count(cases, "case")) }
}

fn all_were(cases: usize) -> String {
    format!("{} {}", all(cases), if cases == 1 { "was" } else { "were" })
}

fn unmatched(summary: &Summary) -> String {
    match summary.footer.as_ref().map_or(0, |footer| footer.unmatched_known_failures.len()) {
        0 => String::new(),
        1 => "; 1 known failure matches no case".to_owned(),
        more => format!("; {} match no case", count(more, "known failure")),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::super::samples;
    use super::super::summary::Summary;
    use crate::judge::Verdict::{
        self, ExpectedFail, Fail, Indeterminate, NotTestable, Pass, Skipped, UnexpectedPass, Warn,
    };
    use crate::run::{Event, FailOn, Partition};

    const PLACE: &str = "on my-emulator (http://127.0.0.1:4566)";

    #[rstest]
    #[case(&[], "nothing was judged PLACE: no case was selected")]
    #[case(&[Skipped], "nothing was judged PLACE: the only case was skipped")]
    #[case(&[Skipped, Skipped], "nothing was judged PLACE: all 2 cases were skipped")]
    #[case(&[Pass], "the only case passed PLACE in 0.8 s")]
    #[case(&[Pass, Pass], "all 2 cases passed PLACE in 0.8 s")]
    #[case(
        &[Pass, Warn, ExpectedFail, Skipped],
        "2 of 4 cases passed PLACE in 0.8 s, 1 with warnings, 1 failed as expected, 1 skipped"
    )]
    #[case(&[Warn], "the only case passed PLACE in 0.8 s, 1 with warnings")]
    #[case(&[Fail, Pass, Fail], "2 of 3 cases failed PLACE in 0.8 s")]
    #[case(
        &[Fail, UnexpectedPass, NotTestable, Indeterminate],
        "1 of 4 cases failed PLACE in 0.8 s, 1 passed against a known failure, 2 could not be judged"
    )]
    #[case(&[Pass, UnexpectedPass], "1 of 2 cases passed against a known failure PLACE in 0.8 s")]
    #[case(&[Pass, NotTestable], "1 of 2 cases could not be judged PLACE in 0.8 s")]
    #[case(&[Skipped, Indeterminate], "1 of 2 cases could not be judged PLACE in 0.8 s")]
    fn whole_runs(#[case] verdicts: &[Verdict], #[case] sentence: &str) {
        let summary = Summary::of(&samples::events(verdicts));
        assert_eq!(summary.sentence(), sentence.replace("PLACE", PLACE));
    }

    #[rstest]
    #[case(&[Pass, UnexpectedPass, ExpectedFail], "1 of 3 cases passed PLACE in 0.8 s, 1 passed against a known failure, 1 failed as expected")]
    #[case(&[Fail, UnexpectedPass], "1 of 2 cases failed PLACE in 0.8 s, 1 passed against a known failure")]
    #[case(&[UnexpectedPass], "0 of 1 case passed PLACE in 0.8 s, 1 passed against a known failure")]
    fn a_ratchet_tells_what_it_lets_through(#[case] verdicts: &[Verdict], #[case] sentence: &str) {
        let mut events = samples::events(verdicts);
        let Some(Event::Header(header)) = events.first_mut() else { unreachable!() };
        header.fail_on = FailOn::New;
        assert_eq!(Summary::of(&events).sentence(), sentence.replace("PLACE", PLACE));
    }

    #[test]
    fn a_run_that_did_not_end_well_never_looks_green() {
        let mut events = samples::events(&[Pass, Fail]);
        let Some(Event::Footer(footer)) = events.last_mut() else { unreachable!() };
        footer.unmatched_known_failures = vec!["gone/*".to_owned()];
        let sentence = |events: &[Event]| Summary::of(events).sentence().replace(PLACE, "PLACE");
        assert_eq!(sentence(&events), "1 of 2 cases failed PLACE in 0.8 s; 1 known failure matches no case");
        let Some(Event::Footer(footer)) = events.last_mut() else { unreachable!() };
        footer.unmatched_known_failures.clear();
        footer.stopped = Some("interrupted".to_owned());
        assert_eq!(sentence(&events), "stopped after 2 of 2 cases PLACE, 1 failed: interrupted");
        assert_eq!(sentence(&events[..2]), "the run is partial: 1 of 2 cases came to an end PLACE");
        assert_eq!(sentence(&[]), "nothing was run");
    }

    #[test]
    fn a_part_says_of_what() {
        let of = |verdicts: &[Verdict], selected| {
            let mut events = samples::events(verdicts);
            let selection_digest = String::new();
            let Some(Event::Header(header)) = events.first_mut() else { unreachable!() };
            header.partition = Some(Partition { index: 2, count: 8, selected, selection_digest });
            Summary::of(&events).sentence().replace(PLACE, "PLACE")
        };
        assert_eq!(of(&[Pass], 5), "the only case passed PLACE in 0.8 s; part 2 of 8 of a run of 5 cases");
        let empty = "no case is in this part, so that nothing was to be judged PLACE; part 2 of 8 of a run of 5 cases";
        assert_eq!(of(&[], 5), empty);
        assert!(of(&[], 0).starts_with("nothing was judged PLACE: no case was selected; part 2 of 8"));
    }

    #[test]
    fn a_stopped_run_says_how_far_it_came() {
        let mut events = samples::events(&[Pass, Fail, Indeterminate, Indeterminate, Indeterminate]);
        for event in &mut events[4..6] {
            let Event::Result(result) = event else { unreachable!() };
            (result.exchanges, result.duration_us) = (Vec::new(), 0);
        }
        let Some(Event::Footer(footer)) = events.last_mut() else { unreachable!() };
        footer.stopped = Some("interrupted".to_owned());
        let sentence = "stopped after 3 of 5 cases PLACE, 1 failed, 1 could not be judged: interrupted";
        assert_eq!(Summary::of(&events).sentence().replace(PLACE, "PLACE"), sentence);
    }
}
