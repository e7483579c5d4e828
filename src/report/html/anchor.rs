//! Addresses within a page.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What an id keeps as it is in an address.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// `#case/ID` or `#rule/ID`: where a page tells of it.
pub(in crate::report) fn anchor(sort: &str, id: &str) -> String {
    format!("#{sort}/{}", utf8_percent_encode(id, ENCODED))
}

#[cfg(test)]
mod tests {
    use super::anchor;

    #[test]
    fn an_id_cannot_leave_its_address() {
        assert_eq!(anchor("case", "a-b/c_1"), "#case/a-b/c_1");
        assert_eq!(anchor("rule", "a\" onclick=#"), "#rule/a%22%20onclick%3D%23");
    }
}
