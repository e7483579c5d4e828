use anstream::adapter::strip_str;

use super::super::jsonl::{Partial, write_event};
use super::super::samples;
use super::{Columns, Matrix, badge, matrix_html, matrix_json, matrix_markdown, matrix_text};
use crate::judge::Verdict::{self, Fail, Pass, Skipped, Warn};
use crate::run::Event;
use crate::spec::Protocol;

const GROWS: &str = "PutItem/rule/version-grows";

/// Adds a run of the target `name`; the last of its cases is on the disputed rule too.
fn add(columns: &mut Columns, name: &str, verdicts: &[Verdict], whole: bool) {
    let mut events = samples::events(verdicts);
    let last = events.len() - 2;
    if let Event::Result(result) = &mut events[last] {
        result.requirements.push(GROWS.to_owned());
    }
    let Event::Header(header) = &mut events[0] else { unreachable!() };
    header.target.name = name.to_owned();
    let mut file = Vec::new();
    events[..events.len() - usize::from(!whole)].iter().for_each(|event| write_event(event, &mut file).unwrap());
    columns.read(None, &file[..], Partial::Allow, &samples::catalog(), &samples::service().disputes).unwrap();
}

fn of(columns: Columns) -> Matrix {
    Matrix::of(columns, &samples::catalog(), &samples::service().disputes)
}

fn matrix() -> Matrix {
    let mut columns = Columns::default();
    add(&mut columns, "good", &[Pass, Pass], true);
    add(&mut columns, "bad", &[Fail, Skipped], true);
    add(&mut columns, "good", &[Pass, Warn], true);
    of(columns)
}

#[test]
fn what_targets_stand_differently_on_comes_first() {
    insta::assert_snapshot!(strip_str(&matrix_text(&matrix())).to_string(), @r#"
    1  good: 2 of 2 judged conform (100 %), 18.1 % of 11 requirements could be judged
    2  bad: 0 of 1 judged conform (0 %), 9 % of 11 requirements could be judged
    3  good 2026-01-01T00:00:00Z: 1 of 2 judged conform (50 %), 18.1 % of 11 requirements could be judged

    B broken  D in doubt  n noted  + holds  ? not judged  · not asked
      1  2  3

    PutItem, rule
      +  B  +  PutItem/rule/stale
      +  ?  D  PutItem/rule/version-grows

    0 requirements conform wherever they were judged

    where the sources disagree
    do versions grow by one?
      1 yes
      2 not shown
      3 another answer: 200

    3 targets on 2 requirements: they differ on 2; 1 broken by at least one
    "#);
    insta::assert_snapshot!(matrix_markdown(&matrix()), @r#"
    ### 3 targets on 2 requirements: they differ on 2; 1 broken by at least one

    | | target | conforms, of what was judged | could be judged, of all |
    |---|---|---|---|
    | 1 | good | 100 % (2 of 2) | 18.1 % (2 of 11) |
    | 2 | bad | 0 % (0 of 1) | 9 % (1 of 11) |
    | 3 | good 2026-01-01T00:00:00Z | 50 % (1 of 2) | 18.1 % (2 of 11) |

    <details open><summary>PutItem, rule: 2 requirements</summary>

    | requirement | good | bad | good 2026-01-01T00:00:00Z |
    |---|---|---|---|
    | `PutItem/rule/stale` | holds | broken | holds |
    | `PutItem/rule/version-grows` | holds | not judged | in doubt |

    </details>

    0 requirements conform wherever they were judged.

    <details><summary>Where the sources disagree</summary>

    | question | good | bad | good 2026-01-01T00:00:00Z |
    |---|---|---|---|
    | do versions grow by one? | yes | not shown | another answer: 200 |

    </details>
    "#);
}

#[test]
fn every_cell_leads_to_its_evidence() {
    let page = matrix_html(&matrix(), "syncspec run").unwrap();
    assert!(page.contains("<a href=\"#evidence/PutItem/rule/stale\" title=\"bad: broken, a/0\">"), "{page}");
    assert!(page.contains("id=\"evidence/PutItem/rule/stale\""));
    assert!(page.contains("syncspec run a/0"));
    let mut columns = Columns::default();
    add(&mut columns, "bad", &[Fail], true);
    columns.0[0].page = Some("runs/bad.html".to_owned());
    let page = matrix_html(&of(columns), "syncspec run").unwrap();
    assert!(page.contains("<a href=\"runs/bad.html#case/a/0\"") && !page.contains("id=\"evidence"), "{page}");
}

#[test]
fn a_column_is_named_where_there_is_no_room_for_its_head() {
    let mut columns = Columns::default();
    add(&mut columns, "a\"}</style>é", &[Pass], true);
    let page = matrix_html(&of(columns), "syncspec run").unwrap();
    let rule = ".labelled td:nth-child(2)::before{content:\"a\\22 \\7d \\3c \\2f style\\3e \\e9 \"}";
    assert!(page.contains(rule), "{page}");
    assert_eq!(page.matches("</style>").count(), 1);
}

#[test]
fn commands_lead_to_the_target_of_the_column() {
    let mut columns = Columns::default();
    add(&mut columns, "one", &[Fail], true);
    add(&mut columns, "two", &[Fail], true);
    columns.0[0].header.rerun = Some("syncspec run --target one.toml".to_owned());
    columns.0[1].header.rerun = None;
    let page = matrix_html(&of(columns), "syncspec run").unwrap();
    assert!(page.contains(">syncspec run --target one.toml a/0<") && page.contains(">syncspec run a/0<"), "{page}");
}

#[test]
fn columns_are_called_apart() {
    let labels: Vec<_> = matrix().columns.iter().map(|column| column.label.clone()).collect();
    assert_eq!(labels, ["good", "bad", "good 2026-01-01T00:00:00Z"]);
}

#[test]
fn programs_get_the_same() {
    let json = matrix_json(&matrix());
    assert_eq!(json["requirements"][0]["id"], "PutItem/rule/stale");
    assert_eq!(json["requirements"][0]["standings"], serde_json::json!(["holds", "broken", "holds"]));
    assert_eq!(json["requirements"][0]["cases"][1], "a/0");
    assert_eq!(json["disputes"][0]["answers"], serde_json::json!(["yes", null, "another answer: 200"]));
}

#[test]
fn a_badge_has_two_honest_numbers() {
    let svg = |verdicts: &[Verdict], whole| {
        let mut columns = Columns::default();
        add(&mut columns, "t", verdicts, whole);
        badge(&columns.0[0], "Item <Store>")
    };
    insta::assert_snapshot!(svg(&[Pass, Fail], true), @r##"
    <svg xmlns="http://www.w3.org/2000/svg" width="263" height="20" viewBox="0 0 263 20" role="img" aria-label="Item &lt;Store&gt;: of the requirements that were judged, 0 % of 1 conform; of all requirements, 9 % of 11 were judged">
    <title>Item &lt;Store&gt;: of the requirements that were judged, 0 % of 1 conform; of all requirements, 9 % of 11 were judged</title>
    <clipPath id="r"><rect width="263" height="20" rx="3"/></clipPath>
    <g clip-path="url(#r)" fill="#fff" font-family="Verdana,DejaVu Sans,Geneva,sans-serif" font-size="11">
    <rect x="0" width="92" height="20" fill="#3b4252"/><text x="6" y="14" textLength="80">Item &lt;Store&gt;</text>
    <rect x="92" width="92" height="20" fill="#b3203a"/><text x="98" y="14" textLength="80">conforms 0 %</text>
    <rect x="184" width="79" height="20" fill="#5c6370"/><text x="190" y="14" textLength="67">judged 9 %</text>
    </g>
    </svg>
    "##);
    for (svg, says) in [
        (svg(&[Pass], false), "run not finished"),
        (svg(&[Skipped], true), "nothing judged"),
        (svg(&[Pass], true), "conforms 100 %"),
    ] {
        assert!(svg.contains(&format!(">{says}</text>")), "{svg}");
        assert!(svg.contains("<title>Item &lt;Store&gt;: "), "{svg}");
    }
}

#[test]
fn a_run_that_is_no_whole_one_is_told_of() {
    let mut columns = Columns::default();
    add(&mut columns, "one", &[Pass], false);
    columns.0[0].header.strict = true;
    add(&mut columns, "two", &[Pass], true);
    columns.0[1].header.suite_digest = "other".to_owned();
    columns.0[1].header.protocol = Protocol::LegacyRpc;
    let text = strip_str(&matrix_text(&of(columns))).to_string();
    for expected in [
        "The run of one is partial",
        "different suites",
        "Some runs are strict",
        "one over rest-json, two over legacy-rpc.",
    ] {
        assert!(text.contains(expected), "no {expected} in {text}");
    }
}
