//! What all texts for people share: styles, and how values, counts and times
//! are written.

use std::borrow::Cow;
use std::fmt::Display;

use anstyle::{AnsiColor, Style};

use crate::judge::Verdict;

/// Of a function: what a target file says with `scripted`.
pub(super) const SCRIPTED: &str = "follows the scripts of the cases, as the target file says";

/// For headings.
pub(super) const BOLD: Style = Style::new().bold();
/// For what one needs only at a second look.
pub(super) const DIM: Style = Style::new().dimmed();
/// For what was expected.
pub(super) const GOOD: Style = AnsiColor::Green.on_default();
/// For what came instead.
pub(super) const BAD: Style = AnsiColor::Red.on_default();

/// Text within the codes that switch a style on and off.
pub(super) fn styled(style: Style, text: impl Display) -> String {
    format!("{style}{text}{style:#}")
}

/// The colour of a verdict.
pub(super) fn verdict_style(verdict: Verdict) -> Style {
    match verdict {
        Verdict::Pass => GOOD,
        Verdict::Warn | Verdict::ExpectedFail => AnsiColor::Yellow.on_default(),
        Verdict::Fail | Verdict::UnexpectedPass => BAD,
        Verdict::Skipped => AnsiColor::Cyan.on_default(),
        Verdict::NotTestable | Verdict::Indeterminate => AnsiColor::Magenta.on_default(),
    }
}

/// Text of an endpoint made safe to show: control characters, which could drive
/// a terminal or break an XML document, and marks that reorder text appear as
/// escapes. Line ends and tabs stay.
pub(super) fn printable(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let escape = |c: char| if is_unsafe(c) { c.escape_unicode().to_string() } else { c.to_string() };
    Cow::Owned(text.chars().map(escape).collect())
}

fn is_unsafe(c: char) -> bool {
    (c.is_control() && !matches!(c, '\n' | '\t'))
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        || matches!(c, '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

/// A time given in microseconds, in the unit that reads best.
pub fn duration(us: u64) -> String {
    match us {
        0..1_000 => format!("{us} µs"),
        1_000..100_000 => format!("{:.1} ms", tenths(us, 1_000)),
        100_000..60_000_000 => format!("{:.1} s", tenths(us, 1_000_000)),
        _ => format!("{} min {} s", us / 60_000_000, us / 1_000_000 % 60),
    }
}

/// `us` in `unit`s; exact enough for one digit after the point.
fn tenths(us: u64, unit: u32) -> f64 {
    u32::try_from(us).map_or(f64::INFINITY, f64::from) / f64::from(unit)
}

/// A count and its noun: `1 case`, `12 cases`.
pub fn count(number: usize, noun: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{} {noun}{ending}", grouped(number as u64))
}

/// A number with commas between thousands.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A time of a record, which is RFC 3339 in UTC, as people write it.
pub(super) fn moment(time: &str) -> String {
    printable(time).replacen('T', " ", 1).replace('Z', " UTC")
}

/// Puts `by` before every line that is not empty.
pub(super) fn indent(text: &str, by: &str) -> String {
    let line = |line: &str| if line.is_empty() { String::from("\n") } else { format!("{by}{line}\n") };
    text.lines().map(line).collect()
}

/// Prose on lines of at most `width` characters, each behind `by`, broken at blanks. A
/// longer word stands whole: somebody may want to copy it.
pub fn wrapped(text: &str, width: usize, by: &str) -> String {
    hanging(text, width, by, by)
}

/// The same with something else before the very first line, of the same length or less.
pub fn hanging(text: &str, width: usize, first: &str, by: &str) -> String {
    let room = width.saturating_sub(by.chars().count());
    let mut lines = String::new();
    for line in text.lines() {
        let mut column = 0;
        for word in line.split(' ').filter(|word| !word.is_empty()) {
            let length = word.chars().count();
            if column > 0 && column + 1 + length > room && length <= room {
                lines.push('\n');
                column = 0;
            }
            lines.push_str(match column {
                0 if lines.is_empty() => first,
                0 => by,
                _ => " ",
            });
            lines.push_str(word);
            column += length + usize::from(column > 0);
        }
        lines.push('\n');
    }
    lines
}

/// At most `most` characters of one line, beginning near character `around`,
/// with a note of how long it really is.
pub(super) fn excerpt(line: &str, most: usize, around: usize) -> String {
    let length = line.chars().count();
    if length <= most {
        return line.to_owned();
    }
    let context = most / 4;
    let start = if around < most - context { 0 } else { (around - context).min(length - most) };
    let shown: String = line.chars().skip(start).take(most).collect();
    let before = if start > 0 { "…" } else { "" };
    let after = if start + most < length { "…" } else { "" };
    format!("{before}{shown}{after} ({} characters)", grouped(length as u64))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::{count, duration, excerpt, printable, wrapped};

    #[rstest]
    #[case(0, "0 µs")]
    #[case(812, "812 µs")]
    #[case(12_345, "12.3 ms")]
    #[case(800_000, "0.8 s")]
    #[case(59_900_000, "59.9 s")]
    #[case(754_000_000, "12 min 34 s")]
    #[case(u64::MAX, "307445734561 min 49 s")]
    fn times_read_well(#[case] us: u64, #[case] text: &str) {
        assert_eq!(duration(us), text);
    }

    #[rstest]
    #[case(1, "1 case")]
    #[case(0, "0 cases")]
    #[case(1_048_576, "1,048,576 cases")]
    fn counts_have_their_noun(#[case] number: usize, #[case] text: &str) {
        assert_eq!(count(number, "case"), text);
    }

    #[test]
    fn what_drives_a_terminal_is_shown_and_not_sent() {
        assert_eq!(printable("a\u{1b}[2J\r\n\tb\u{202e}\u{ffff}"), "a\\u{1b}[2J\\u{d}\n\tb\\u{202e}\\u{ffff}");
        assert_eq!(printable("größer\n"), "größer\n");
    }

    #[rstest]
    #[case(9, "  aa bb\n  cc dd\n")]
    #[case(7, "  aa bb\n  cc dd\n")]
    #[case(6, "  aa\n  bb\n  cc\n  dd\n")]
    #[case(usize::MAX, "  aa bb cc dd\n")]
    fn prose_fits_its_width(#[case] width: usize, #[case] text: &str) {
        assert_eq!(wrapped("aa bb  cc dd", width, "  "), text);
        assert_eq!(wrapped("a-word-that-is-longer", width, ""), "a-word-that-is-longer\n");
    }

    #[rstest]
    #[case("short", 0, "short")]
    #[case("abcdefghijklmnop", 0, "abcdefgh… (16 characters)")]
    #[case("abcdefghijklmnop", 8, "…ghijklmn… (16 characters)")]
    #[case("abcdefghijklmnop", 15, "…ijklmnop (16 characters)")]
    #[case("äöüäöüäöüäöü", 0, "äöüäöüäö… (12 characters)")]
    fn long_lines_are_shown_where_it_matters(#[case] line: &str, #[case] around: usize, #[case] text: &str) {
        assert_eq!(excerpt(line, 8, around), text);
    }
}
