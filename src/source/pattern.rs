//! Patterns over ids: of cases, of requirements.

/// Whether `text` as a whole matches `pattern`, in which `*` stands for any
/// text, also none.
pub fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    // `split` yields at least one part.
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// Whether a filter that somebody typed is meant for `text`: as a pattern of the whole
/// when it holds a `*`, else as a part.
pub fn selects(filter: &str, text: &str) -> bool {
    if filter.contains('*') { matches(filter, text) } else { text.contains(filter) }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::matches;

    #[rstest]
    #[case("a/b", "a/b", true)]
    #[case("a/b", "a/b/c", false)]
    #[case("a/*", "a/b/c", true)]
    #[case("*/c", "a/b/c", true)]
    #[case("*b*", "a/b/c", true)]
    #[case("a*c", "ac", true)]
    #[case("a*b*c", "a-c", false)]
    #[case("ab*ba", "aba", false)]
    #[case("*", "", true)]
    #[case("", "a", false)]
    fn a_star_stands_for_any_text(#[case] pattern: &str, #[case] text: &str, #[case] expected: bool) {
        assert_eq!(matches(pattern, text), expected);
    }
}
