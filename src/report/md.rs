//! Markdown as GitHub and GitLab show it, of text that anybody may have written, within
//! the size that they take.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::text::{count, printable};

/// Largest page, in bytes. GitHub takes 1 MiB for the summary of a step, and shows
/// nothing of a larger one.
pub(super) const MOST_BYTES: usize = 1_000_000;

/// Room kept for what closes a page.
const FOR_THE_END: usize = 2_000;

/// Room that a list leaves to what follows it.
const FOR_THE_REST: usize = 100_000;

/// A page under way.
pub(super) struct Page {
    text: String,
    /// What found no room.
    left_out: usize,
}

impl Page {
    /// A page with this sentence as its title.
    pub(super) fn new(title: &str) -> Self {
        Self { text: format!("### {}\n", prose(title)), left_out: 0 }
    }

    /// Adds a block, unless there is no room for it.
    pub(super) fn add(&mut self, block: &str) -> bool {
        let fits = self.text.len() + block.len() + FOR_THE_END <= MOST_BYTES;
        if fits {
            self.text.push('\n');
            self.text.push_str(block);
        } else {
            self.left_out += 1;
        }
        fits
    }

    /// Adds lines that can be folded away; `untold` more are counted.
    pub(super) fn list(&mut self, title: &str, open: bool, lines: impl Iterator<Item = String>, untold: usize) {
        let mut block = folded(title, open);
        let mut left_out = untold;
        for line in lines {
            if self.text.len() + block.len() + line.len() + FOR_THE_REST > MOST_BYTES {
                left_out += 1;
            } else {
                block += &line;
            }
        }
        if left_out > 0 {
            // Writing to a string cannot fail.
            let _ = writeln!(block, "- … {}", count(left_out, "more case"));
        }
        self.text.push('\n');
        self.text.push_str(&block);
        self.text.push_str("\n</details>\n");
    }

    /// The text.
    pub(super) fn finish(mut self) -> String {
        if self.left_out > 0 {
            let left_out = count(self.left_out, "section");
            let _ = writeln!(
                self.text,
                "\n{left_out} found no room here; `syncspec report html` makes a page of them all."
            );
        }
        self.text
    }
}

/// The beginning of a block that can be folded away.
pub(super) fn folded(title: &str, open: bool) -> String {
    let open = if open { " open" } else { "" };
    format!("<details{open}><summary>{}</summary>\n\n", markup(title))
}

/// Text in HTML.
pub(super) fn markup(text: &str) -> String {
    printable(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('\n', " ")
}

/// Text between words: nothing in it is taken for a mark, an address of somebody, or
/// the end of a line.
pub(super) fn prose(text: &str) -> String {
    let text = printable(text).replace('\n', " ");
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            // A name after it would be told of the page.
            '@' => escaped.push_str("&#64;&#8203;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '#' | '>' | '!' => escaped.extend(['\\', c]),
            c => escaped.push(c),
        }
    }
    escaped
}

/// Text as it is, on one line.
pub(super) fn code(text: &str) -> String {
    let text = printable(text).replace('\n', " ");
    let ticks = "`".repeat(longest_run(&text) + 1);
    let apart = if text.starts_with('`') || text.ends_with('`') || text.is_empty() { " " } else { "" };
    format!("{ticks}{apart}{text}{apart}{ticks}")
}

/// The same in a table, where a bar would begin the next cell.
pub(super) fn cell(text: &str) -> String {
    code(text).replace('|', "\\|")
}

/// Text as it is, on lines of its own.
pub(super) fn fence(text: &str) -> String {
    let text: Cow<'_, str> = printable(text);
    let ticks = "`".repeat(longest_run(&text).max(2) + 1);
    format!("{ticks}text\n{}\n{ticks}\n", text.trim_end_matches('\n'))
}

/// How many backticks stand together at most.
fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::{MOST_BYTES, Page, cell, code, fence, markup, prose};

    #[rstest]
    #[case("a", "`a`")]
    #[case("", "`  `")]
    #[case("a `b` c", "``a `b` c``")]
    #[case("`", "`` ` ``")]
    #[case("a\n\n# b", "`a  # b`")]
    fn code_cannot_be_left(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(code(text), expected);
    }

    #[test]
    fn text_is_no_markup() {
        assert_eq!(
            prose("<b> *a* [x](y) @team #1 | ~~"),
            "&lt;b\\> \\*a\\* \\[x\\](y) &#64;&#8203;team \\#1 \\| \\~\\~"
        );
        assert_eq!(markup("</summary> & \u{1b}"), "&lt;/summary&gt; &amp; \\u{1b}");
        assert_eq!(cell("a|b"), "`a\\|b`");
        assert_eq!(fence("a\n```\nb\n"), "````text\na\n```\nb\n````\n");
    }

    #[test]
    fn a_page_has_a_bound_and_says_what_it_leaves_out() {
        let mut page = Page::new("title");
        page.list("many", false, (0..100_000).map(|number| format!("- a line of some length, {number}\n")), 5);
        assert!(!page.add(&"x".repeat(MOST_BYTES)));
        assert!(page.add("short\n"));
        let text = page.finish();
        assert!(text.len() <= MOST_BYTES, "{}", text.len());
        assert!(text.contains("more cases\n\n</details>") && text.contains("short"), "{}", &text[text.len() - 400..]);
        assert!(text.contains("1 section found no room here"));
    }
}
