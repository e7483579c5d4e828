//! How a finding reads and looks.

use super::story::Story;
use crate::fuzz::history::{History, Part, Verdict, check, in_words, timeline};

fn wrong(story: Story) -> (History, Part) {
    match check(&story.history, 1_000) {
        Verdict::Inconsistent(part) => (story.history, part),
        verdict => panic!("{verdict:?}"),
    }
}

/// Two devices that both write on count 1, while others read, write and get lost.
fn lost_update() -> (History, Part) {
    let story = Story::default().wrote(0, 0..2, &[("high score", 0, "10")], 1);
    let story = story.wrote(0, 10..14, &[("high score", 1, "11"), ("level", 0, "2")], 2);
    let story = story.wrote(1, 11..15, &[("high score", 1, "12")], 3);
    let story =
        story.listed(2, 3..12, 0, 1, &[("high score", 1, "10")]).lost(3, 13..90, &[("name", 0, "<Ann & \"Bo\">")]);
    wrong(story.conflicted(2, 13..20, &[("high score", 0, "13")], Some(1)).call(
        4,
        9..11,
        crate::fuzz::history::Call::List { since: 1 },
        crate::fuzz::history::Outcome::Unknown,
    ))
}

#[test]
fn a_lost_update_reads_well() {
    let (history, part) = lost_update();
    insta::assert_snapshot!(in_words(&history, &part));
}

#[test]
fn a_lost_update_looks_well() {
    let (history, part) = lost_update();
    insta::assert_snapshot!(timeline(&history, &part));
}

#[test]
fn hostile_text_stays_text() {
    let long = "x".repeat(1000);
    let key: &'static str = "</text><script>alert('\u{0}\u{1b}')</script>&\"\u{ffff}";
    let value: &'static str = Box::leak(long.into_boxed_str());
    let story = Story::default().wrote(0, 0..2, &[(key, 0, value)], 1).wrote(1, 1..3, &[(key, 0, "y")], 2);
    let (history, part) = wrong(story);
    let svg = timeline(&history, &part);
    assert!(!svg.contains("<script") && svg.contains("&lt;/text&gt;&lt;script"), "{svg}");
    assert!(svg.chars().all(|c| c == '\n' || !c.is_control()), "{svg}");
    assert!(!svg.contains(&"x".repeat(100)), "{svg}");
    assert_eq!(svg.matches("<text").count(), svg.matches("</text>").count());
    assert!(in_words(&history, &part).chars().all(|c| c == '\n' || !c.is_control()));
}
