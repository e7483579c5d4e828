//! Addresses that are signed.

use percent_encoding::percent_decode_str;

/// Parameters that open a signed address to whoever has it, by lower-case name: of the
/// signatures of today, and of those before them.
const SECRETS: [&str; 3] = ["x-amz-signature", "x-amz-security-token", "signature"];

/// What opens the signed addresses in a text to whoever has them, decoded. Of a text
/// without any, nothing.
pub fn signatures(text: &str) -> Vec<String> {
    // Long texts are mostly no addresses.
    if !text.contains("://") {
        return Vec::new();
    }
    let is_part = |c: char| c.is_ascii_alphanumeric() || "%+/=_.~-".contains(c);
    let pairs = text.split(['?', '&']).filter_map(|pair| {
        // As it stands in markup.
        let (name, value) = pair.strip_prefix("amp;").unwrap_or(pair).split_once('=')?;
        let value = &value[..value.find(|c| !is_part(c)).unwrap_or(value.len())];
        (SECRETS.contains(&name.to_ascii_lowercase().as_str()) && !value.is_empty()).then_some(value)
    });
    pairs.map(|value| percent_decode_str(value).decode_utf8_lossy().into_owned()).collect()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::signatures;

    #[rstest]
    #[case::of_today("https://h/b/k?X-Amz-Date=1&X-Amz-Signature=ab12&X-Amz-Security-Token=t%2B%2F", &["ab12", "t+/"])]
    #[case::of_before("https://h/b/k?AWSAccessKeyId=A&Expires=1&Signature=a%2Bb%3D", &["a+b="])]
    #[case::in_other_text("see (https://h/k?x-amz-signature=ab), or \"https://h/l?X-Amz-Signature=cd\"", &["ab", "cd"])]
    #[case::in_markup("https://h/k?a=1&amp;X-Amz-Signature=ab&amp;b=2", &["ab"])]
    #[case::none("https://h/k?X-Amz-Signature=&MySignature=ab&Signatures=cd", &[])]
    #[case::no_address("Credential=A, Signature=ab&X-Amz-Signature=cd", &[])]
    fn what_opens_an_address_is_found(#[case] text: &str, #[case] expected: &[&str]) {
        assert_eq!(signatures(text), expected);
    }
}
