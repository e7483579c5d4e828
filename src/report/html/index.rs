//! The list of all cases, as data for the page's script: names that repeat stand
//! once, and cases refer to them by number.

use indexmap::IndexSet;
use serde::Serialize;

use crate::judge::Verdict;
use crate::report::failure::{severity, short};
use crate::run::CaseResult;

#[derive(Serialize)]
struct Index<'r> {
    /// Command that a case's id is added to in order to run it alone.
    rerun: &'r str,
    verdicts: Vec<&'static str>,
    actions: IndexSet<&'r str>,
    requirements: IndexSet<&'r str>,
    cases: Vec<Case<'r>>,
}

/// Id, number of the verdict, number of the action, microseconds, numbers of the
/// requirements, what the case shows, what came of it.
#[derive(Serialize)]
struct Case<'r>(&'r str, usize, usize, u64, Vec<usize>, &'r str, String);

/// The list as JSON that can stand in a `script` element.
pub(super) fn index<'r>(results: &'r [CaseResult], rerun: &'r str) -> String {
    let mut index = Index {
        rerun,
        verdicts: Verdict::ALL.map(Verdict::name).to_vec(),
        actions: IndexSet::new(),
        requirements: IndexSet::new(),
        cases: Vec::with_capacity(results.len()),
    };
    for result in results {
        let (action, _) = index.actions.insert_full(&result.action);
        let requirements = result.requirements.iter().map(|id| index.requirements.insert_full(id).0).collect();
        let verdict = Verdict::ALL.iter().position(|verdict| *verdict == result.verdict).unwrap_or_default();
        let about = result.about.as_deref().unwrap_or_default();
        let came = if result.verdict == Verdict::Pass { String::new() } else { short(result) };
        index.cases.push(Case(&result.case, verdict, action, result.duration_us, requirements, about, came));
    }
    // What calls for attention comes first.
    let rank = |case: &Case<'_>| Verdict::ALL.get(case.1).and_then(|verdict| severity(*verdict)).unwrap_or(u8::MAX);
    index.cases.sort_by(|a, b| (rank(a), a.0).cmp(&(rank(b), b.0)));
    // Such an index holds nothing that could not be written.
    let json = serde_json::to_string(&index).unwrap_or_default();
    // Nothing in it may end the element, or begin a comment.
    json.replace('<', "\\u003c")
}

#[cfg(test)]
mod tests {
    use super::index;
    use crate::judge::Verdict;
    use crate::report::samples;

    #[test]
    fn nothing_in_the_list_can_end_its_element() {
        let mut result = samples::result("a/</script><!--", Verdict::Fail);
        result.findings[0].actual = "</script>".to_owned();
        let json = index(&[result], "syncspec run");
        assert!(!json.contains('<'), "{json}");
        let read: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(read["cases"][0][0], "a/</script><!--");
        assert_eq!(read["verdicts"][2], "fail");
    }
}
