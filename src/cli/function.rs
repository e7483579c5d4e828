//! `syncspec target function`: the function that follows the scripts of cases where the
//! harness cannot be called.

use std::fmt::Write as _;

use indexmap::IndexMap;

use super::args::FunctionArgs;
use super::output::Output;
use super::{Exit, open};
use crate::cases::{FunctionScript, Suite};

/// The function without scripts.
const MODULE: &str = include_str!("function.mjs");

/// Where the scripts stand in it.
const TABLE: &str = "  // SCRIPTS\n";

pub(super) fn function(args: &FunctionArgs, output: &Output) -> Result<u8, Exit> {
    let suite = open::suite(&args.suite)?;
    output.text(&module(&suite));
    Ok(0)
}

fn module(suite: &Suite) -> String {
    MODULE.replace(TABLE, &table(suite))
}

/// An entry for each script, under the cases that have it.
fn table(suite: &Suite) -> String {
    let mut scripts: IndexMap<String, (FunctionScript, Vec<&str>)> = IndexMap::new();
    for case in &suite.cases {
        if let Ok(script) = case.function_script() {
            let (_, cases) = scripts.entry(script.digest()).or_insert_with(|| (script, Vec::new()));
            cases.push(&case.id);
        }
    }
    let mut table = String::new();
    for (digest, (script, cases)) in &scripts {
        for case in cases {
            // Writing to a `String` cannot fail.
            let _ = writeln!(table, "  // {case}");
        }
        let _ = writeln!(table, "  [\"{digest}\", {}],", script.json());
    }
    table
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{MODULE, TABLE, module};
    use crate::cases::Suite;
    use crate::spec::{Catalog, Service};

    #[test]
    fn every_script_that_a_function_can_follow_is_in_it() {
        let suite = Suite::shipped(Service::embedded(), Catalog::embedded()).expect("it has no mistakes");
        let scripts: Vec<_> = suite.cases.iter().filter_map(|case| case.function_script().ok()).collect();
        let jsons: BTreeSet<_> = scripts.iter().map(|script| script.json()).collect();
        let digests: BTreeSet<_> = scripts.iter().map(|script| script.digest()).collect();
        assert!(jsons.len() > 10 && jsons.len() == digests.len(), "{jsons:?}");
        assert_eq!(MODULE.matches(TABLE).count(), 1);
        let module = module(&suite);
        assert!(
            scripts
                .iter()
                .all(|script| { module.contains(&format!("[\"{}\", {}],\n", script.digest(), script.json())) })
        );
    }
}
