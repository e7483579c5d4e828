//! What a plan will do, as text.

use std::fmt::Write as _;

use super::text::{BOLD, count, duration, grouped, hanging, styled, wrapped};
use crate::plan::{Estimate, Forecast, Made, Part};
use crate::run::TargetSummary;

/// What a plan will do to a target, for a terminal, on lines of at most `width`
/// characters. Nothing was sent to know it.
pub fn forecast(forecast: &Forecast, target: &TargetSummary, width: usize) -> String {
    let skipped: usize = forecast.skipped.values().map(Vec::len).sum();
    let cases = count(forecast.cases.len(), "case");
    let (name, endpoint, skipped) = (&target.name, &target.endpoint, grouped(skipped as u64));
    let first = format!("{cases} would run on {name} ({endpoint}), {skipped} skipped; nothing was sent");
    let mut text = wrapped(&first, width, "").replacen(&cases, &styled(BOLD, &cases), 1);
    if let Some(part) = &forecast.part {
        text += &wrapped(&part_of(part), width, "");
    }
    let section = |text: &mut String, title: &str, lines| section(text, title, lines, width);
    let skips = forecast.skipped.iter().map(|(reason, cases)| (cases.len(), reason.clone()));
    section(&mut text, "skipped:", skips.collect());
    let requests = forecast.requests.iter().map(|(operation, requests)| {
        let repeated = if requests.repeated > 0 { " (more while an answer is waited for)" } else { "" };
        (requests.at_least, format!("{operation}{repeated}"))
    });
    let title = format!("requests, at least {} in all:", grouped(forecast.requests_in_all() as u64));
    section(&mut text, &title, requests.collect());
    section(&mut text, "made on the target, at most:", forecast.made.iter().map(made).collect());
    let calls = |calls: &indexmap::IndexMap<String, usize>| {
        calls.iter().map(|(operation, calls)| (*calls, operation.clone())).collect()
    };
    let title = "change how a pool behaves, for every user of it; what was set is put back:";
    section(&mut text, title, calls(&forecast.pool_changes));
    section(&mut text, "can be called once a day for a pool:", calls(&forecast.once_a_day));
    if let Some(place) = &target.collaborators {
        let title = format!("cases that meet a service which the harness plays on {place} meanwhile:");
        section(&mut text, &title, calls(&forecast.played));
    }
    text + "\n" + &wrapped(&time(forecast.time), width, "")
}

fn part_of(part: &Part) -> String {
    let Part { index, count: parts, selected, pools } = part;
    let pools = pools.as_ref().map_or_else(String::new, |pools| {
        format!("; of the target's pools it uses {}, and other parts use others", pools.join(", "))
    });
    format!("part {index} of {parts} of a run of {}{pools}", count(*selected, "case"))
}

fn section(text: &mut String, title: &str, lines: Vec<(usize, String)>, width: usize) {
    if lines.is_empty() {
        return;
    }
    let digits = lines.iter().map(|(number, _)| grouped(*number as u64).len()).max().unwrap_or(0);
    // Writing to a `String` cannot fail.
    let _ = writeln!(text, "\n{}", styled(BOLD, wrapped(title, width, "").trim_end()));
    for (number, line) in lines {
        let first = format!("  {:>digits$}  ", grouped(number as u64));
        text.push_str(&hanging(&line, width, &first, &" ".repeat(first.len())));
    }
}

fn made(made: &Made) -> (usize, String) {
    let noun = if made.count == 1 { made.what.clone() } else { format!("{}s", made.what) };
    let after = match &made.taken_back_by {
        Some(operation) => format!("taken back by {operation} after each case"),
        None => "which the service has no way to remove".to_owned(),
    };
    (made.count, format!("{noun}, {after}"))
}

fn time(Estimate { seconds, requests_per_second, assumed_latency_ms }: Estimate) -> String {
    let least = duration(seconds.max(1).saturating_mul(1_000_000));
    let rate = match requests_per_second {
        Some(rate) => {
            format!("at most {} per second", count(usize::try_from(rate.get()).unwrap_or(usize::MAX), "request"))
        }
        None => "no bound on requests per second".to_owned(),
    };
    format!("takes at least {least}: {rate}, assuming that each takes {assumed_latency_ms} ms")
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use anstream::adapter::strip_str;

    use super::super::samples;
    use super::forecast;
    use crate::plan::{Estimate, Forecast, Made, Part, Requests};
    use crate::run::TargetSummary;

    #[test]
    fn a_forecast_reads_well() {
        let requests = |at_least, repeated| Requests { at_least, repeated };
        let made = |what: &str, count, by: Option<&str>| Made {
            what: what.to_owned(),
            count,
            taken_back_by: by.map(str::to_owned),
        };
        let told = Forecast {
            cases: vec!["a/b".to_owned(), "a/c".to_owned()],
            skipped: [("the target lacks lambda".to_owned(), vec!["a/d".to_owned()])].into_iter().collect(),
            requests: [("PutItem".to_owned(), requests(1200, 3)), ("GetItem".to_owned(), requests(4, 0))].into(),
            made: vec![made("item", 1, Some("DeleteItem")), made("table", 12, None)],
            pool_changes: [("SetTable".to_owned(), 2)].into(),
            once_a_day: [("Export".to_owned(), 1)].into(),
            played: [("function".to_owned(), 3)].into(),
            time: Estimate { seconds: 121, requests_per_second: NonZeroU32::new(10), assumed_latency_ms: 50 },
            part: Some(Part {
                index: 2,
                count: 8,
                selected: 1076,
                pools: Some(vec!["p-2".to_owned(), "p-10".to_owned()]),
            }),
        };
        let target = TargetSummary { collaborators: Some("127.0.0.1:4600".to_owned()), ..samples::target() };
        let narrow = strip_str(&forecast(&told, &target, 40)).to_string();
        assert!(narrow.lines().all(|line| line.chars().count() <= 40), "{narrow}");
        insta::assert_snapshot!(strip_str(&forecast(&told, &target, 120)).to_string(), @r#"
        2 cases would run on my-emulator (http://127.0.0.1:4566), 1 skipped; nothing was sent
        part 2 of 8 of a run of 1,076 cases; of the target's pools it uses p-2, p-10, and other parts use others

        skipped:
          1  the target lacks lambda

        requests, at least 1,204 in all:
          1,200  PutItem (more while an answer is waited for)
              4  GetItem

        made on the target, at most:
           1  item, taken back by DeleteItem after each case
          12  tables, which the service has no way to remove

        change how a pool behaves, for every user of it; what was set is put back:
          2  SetTable

        can be called once a day for a pool:
          1  Export

        cases that meet a service which the harness plays on 127.0.0.1:4600 meanwhile:
          3  function

        takes at least 2 min 1 s: at most 10 requests per second, assuming that each takes 50 ms
        "#);
    }
}
