//! Patterns over ids: of cases, of requirements.

/// A pattern over ids, in which `*` stands for any text, also none; read once for many
/// texts.
#[derive(Debug, Clone)]
pub struct Glob<'p> {
    /// What a text begins with.
    first: &'p str,
    /// What stands between stars, and what a text ends with; none without a star.
    rest: Option<(Vec<&'p str>, &'p str)>,
}

impl<'p> Glob<'p> {
    /// The pattern as somebody wrote it.
    pub fn new(pattern: &'p str) -> Self {
        let Some((first, rest)) = pattern.split_once('*') else { return Self { first: pattern, rest: None } };
        let (between, last) =
            rest.rsplit_once('*').map_or((Vec::new(), rest), |(between, last)| (between.split('*').collect(), last));
        Self { first, rest: Some((between, last)) }
    }

    /// Whether a text as a whole matches.
    pub fn matches(&self, text: &str) -> bool {
        let Some(mut text) = text.strip_prefix(self.first) else { return false };
        let Some((between, last)) = &self.rest else { return text.is_empty() };
        for part in between {
            match text.find(part) {
                Some(at) => text = &text[at + part.len()..],
                None => return false,
            }
        }
        text.ends_with(last)
    }
}

/// Whether `text` as a whole matches `pattern`, in which `*` stands for any
/// text, also none.
pub fn matches(pattern: &str, text: &str) -> bool {
    Glob::new(pattern).matches(text)
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
