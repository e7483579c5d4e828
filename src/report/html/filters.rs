//! What templates do with text beyond what askama has.

#![expect(unreachable_pub, reason = "the macro makes something public of a filter")]

use std::fmt::Display;

use askama::filters::Safe;
use askama::{Values, filter_fn};

/// Text that stands between tags. Only in attributes would quotes have to be escaped;
/// JSON is half quotes, and each would take five characters.
#[filter_fn]
pub(in crate::report) fn text(value: impl Display, _: &dyn Values) -> askama::Result<Safe<String>> {
    Ok(Safe(escaped(&value.to_string())))
}

/// The same with what stands between backticks as code.
#[filter_fn]
pub(in crate::report) fn words(value: impl Display, _: &dyn Values) -> askama::Result<Safe<String>> {
    Ok(Safe(code(&escaped(&value.to_string()))))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A backtick without another is none.
fn code(text: &str) -> String {
    let mut parts = text.split('`').enumerate().peekable();
    let mut html = String::new();
    while let Some((index, part)) = parts.next() {
        match (index % 2 == 1, parts.peek().is_some()) {
            (true, true) => html.extend(["<code>", part, "</code>"]),
            (true, false) => html.extend(["`", part]),
            (false, _) => html.push_str(part),
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::{code, escaped};

    #[rstest]
    #[case("`a` is <b>", "<code>a</code> is &lt;b&gt;")]
    #[case("`<a>`, `b`", "<code>&lt;a&gt;</code>, <code>b</code>")]
    #[case("one ` alone", "one ` alone")]
    #[case("`a` and `b", "<code>a</code> and `b")]
    fn backticks_become_code(#[case] text: &str, #[case] html: &str) {
        assert_eq!(code(&escaped(text)), html);
    }
}
