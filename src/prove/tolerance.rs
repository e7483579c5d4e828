//! What servers may decide otherwise than the reference, and which case says so.

use std::fmt::Write as _;

use super::alteration::{Alteration, Kind};
use crate::cases::Suite;
use crate::spec::Catalog;

/// A page on every variant, in Markdown.
pub fn tolerance(catalog: &Catalog, suite: &Suite, alterations: &[Alteration]) -> String {
    let mut page = String::from(INTRODUCTION);
    let variants = || alterations.iter().filter(|alteration| alteration.kind == Kind::Variant);
    // Writing to a `String` cannot fail.
    for requirement in catalog.iter() {
        let mut answers =
            variants().filter(|variant| is_plain(variant) && variant.requirements.contains(&requirement.id));
        let Some(first) = answers.next() else { continue };
        let _ = writeln!(page, "### `{}`\n\n{}\n", requirement.id, requirement.statement);
        for variant in std::iter::once(first).chain(answers) {
            let _ = writeln!(page, "- `{}`: {}", variant.name, variant.about);
        }
        let asks = suite.cases.iter().filter(|case| case.proves.contains(&requirement.id));
        let asks: Vec<String> = asks.map(|case| format!("`{}`", case.id)).collect();
        let _ = writeln!(page, "\nNoted by {}.\n", asks.join(", "));
    }
    let _ = writeln!(page, "## Forms\n\nThese change the form of answers only; no case may mind.\n");
    for variant in variants().filter(|variant| is_plain(variant) && variant.requirements.is_empty()) {
        let _ = writeln!(page, "- `{}`: {}", variant.name, variant.about);
    }
    let _ = writeln!(page, "\n## Strangers\n\nServers that decide otherwise wherever they may, all at once.\n");
    for variant in variants().filter(|variant| variant.is_several()) {
        let _ = writeln!(page, "- `{}`: {}", variant.name, variant.about);
    }
    page
}

fn is_plain(alteration: &Alteration) -> bool {
    !alteration.is_several()
}

const INTRODUCTION: &str = "\
# What a correct server may do otherwise

<!-- Made by `syncspec spec tolerance`; a test compares. -->

Where no source says how the service behaves, the reference server had to choose. So
may everybody else. Each choice that somebody else could make as well is a *variant*
of the reference server: `syncspec serve --mutant NAME` serves it, and `syncspec
prove` runs the whole suite against it. No case may fail or warn because of it, and
the case that asks the open question must note the other answer.

## Open questions

";
