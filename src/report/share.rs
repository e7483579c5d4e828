//! A number of a whole, in per cent.

/// Per cent with one digit after the point if it says something; never rounded up to
/// all, nor down to nothing. A dash when the whole is nothing.
pub(super) fn percent(part: usize, whole: usize) -> String {
    let Some(tenths) = (part * 1000).checked_div(whole) else { return "–".to_owned() };
    let tenths = if part > 0 { tenths.max(1) } else { tenths };
    if tenths.is_multiple_of(10) { format!("{} %", tenths / 10) } else { format!("{}.{} %", tenths / 10, tenths % 10) }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::percent;

    #[rstest]
    #[case(0, 0, "–")]
    #[case(0, 7, "0 %")]
    #[case(1, 100_000, "0.1 %")]
    #[case(99_999, 100_000, "99.9 %")]
    #[case(7, 7, "100 %")]
    #[case(1, 2, "50 %")]
    fn nothing_is_rounded_to_all_or_to_nothing(#[case] part: usize, #[case] whole: usize, #[case] text: &str) {
        assert_eq!(percent(part, whole), text);
    }
}
