//! The canonical form of a request, which is what a signature covers; and the
//! percent-decoding that routing shares with it.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode, percent_encode};

use crate::wire::Headers;

/// Everything but letters, digits and `-_.~` is encoded.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// As [`ENCODED`], but paths keep their slashes.
const ENCODED_IN_PATH: &AsciiSet = &ENCODED.remove(b'/');

/// The path as it may have been signed, once or twice: as sent, and without dot
/// segments and empty segments, which signers take out while requests keep them.
/// Either is encoded once more, so `%3A` becomes `%253A`, and `:` becomes `%3A`.
pub(super) fn paths(raw: &str) -> Vec<String> {
    let encode = |path: &str| percent_encode(path.as_bytes(), ENCODED_IN_PATH).to_string();
    let normal = normalized(raw);
    if normal == raw { vec![encode(raw)] } else { vec![encode(&normal), encode(raw)] }
}

fn normalized(raw: &str) -> String {
    let mut segments: Vec<&str> = Vec::new();
    for segment in raw.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            other => segments.push(other),
        }
    }
    let directory = ["/", "/.", "/.."].iter().any(|end| raw.ends_with(end));
    let end = if directory && !segments.is_empty() { "/" } else { "" };
    format!("/{}{end}", segments.join("/"))
}

/// Name and value of each parameter, decoded, in order. A `+` is a blank, as in
/// forms; an escape that is none stands for itself.
pub(super) fn pairs(raw: &str) -> impl Iterator<Item = (Vec<u8>, Vec<u8>)> {
    raw.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let decode = |text: &str| percent_decode(text.replace('+', " ").as_bytes()).collect();
        (decode(name), decode(value))
    })
}

/// The sorted query; without the signature itself when that travels there.
pub(super) fn query(raw: &str, presigned: bool) -> String {
    let encode = |bytes: &[u8]| percent_encode(bytes, ENCODED).to_string();
    let mut parameters: Vec<(String, String)> = pairs(raw)
        .filter(|(name, _)| !(presigned && name == b"X-Amz-Signature"))
        .map(|(name, value)| (encode(&name), encode(&value)))
        .collect();
    parameters.sort();
    let parameters: Vec<String> = parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
    parameters.join("&")
}

/// One line for each signed header: values trimmed, runs of blanks folded, values
/// of one name joined. None when a header is listed but not there, or not text.
pub(super) fn headers(headers: &Headers, signed: &[String]) -> Option<String> {
    let mut lines = String::new();
    for name in signed {
        let values: Vec<String> =
            headers.get_all(name).map(|value| std::str::from_utf8(value).ok().map(fold)).collect::<Option<_>>()?;
        if values.is_empty() {
            return None;
        }
        lines.extend([name, ":", &values.join(","), "\n"]);
    }
    Some(lines)
}

fn fold(value: &str) -> String {
    value.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// A path segment or parameter as text; what is not UTF-8 is replaced, and so
/// matches nothing that exists.
pub(super) fn decoded(raw: &str) -> String {
    percent_decode(raw.as_bytes()).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::{headers, paths, query};
    use crate::wire::Headers;

    #[rstest]
    #[case::colon("/a:b", &["/a%3Ab"])]
    #[case::escaped_colon("/a%3Ab", &["/a%253Ab"])]
    #[case::empty_segment("/a//b", &["/a/b", "/a//b"])]
    #[case::trailing_slash("/a/", &["/a/"])]
    #[case::dots("/a/./b/../c", &["/a/c", "/a/./b/../c"])]
    #[case::above_the_root("/../a", &["/a", "/../a"])]
    #[case::root("/", &["/"])]
    #[case::unreserved("/a-_.~z", &["/a-_.~z"])]
    fn a_path_is_encoded_once_more(#[case] raw: &str, #[case] expected: &[&str]) {
        assert_eq!(paths(raw), expected);
    }

    #[rstest]
    #[case::sorted("b=2&a=1", "a=1&b=2")]
    #[case::same_name_sorts_by_value("a=2&a=1", "a=1&a=2")]
    #[case::no_value("a", "a=")]
    #[case::encoded_anew("a=x+y%2fz:", "a=x%20y%2Fz%3A")]
    #[case::not_an_escape("a=%zz", "a=%25zz")]
    #[case::not_utf8("a=%ff", "a=%FF")]
    #[case::empty_pairs("&a=1&&", "a=1")]
    #[case::signature_stays_in_header_form("X-Amz-Signature=1", "X-Amz-Signature=1")]
    fn a_query_is_sorted_and_encoded(#[case] raw: &str, #[case] expected: &str) {
        assert_eq!(query(raw, false), expected);
    }

    #[test]
    fn the_signature_is_not_part_of_a_presigned_query() {
        assert_eq!(query("X-Amz-Signature=1&a=1", true), "a=1");
    }

    #[test]
    fn header_values_are_folded_and_joined() {
        let sent: Headers = [("X-A", "  1   2 "), ("x-b", "3"), ("x-a", "4")].into_iter().collect();
        assert_eq!(headers(&sent, &["x-a".to_owned()]).as_deref(), Some("x-a:1 2,4\n"));
        assert_eq!(headers(&sent, &["x-c".to_owned()]), None);
    }
}
