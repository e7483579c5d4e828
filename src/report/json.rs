//! JSON laid out for reading, token by token: duplicate keys, the order of keys
//! and the spelling of numbers stay as they crossed the wire.

use serde::de::IgnoredAny;

/// The text with line breaks and indentation, or nothing when it is no JSON
/// object or array.
pub(super) fn pretty(text: &str) -> Option<String> {
    let text = text.trim();
    if !text.starts_with(['{', '[']) || serde_json::from_str::<IgnoredAny>(text).is_err() {
        return None;
    }
    let mut out = String::with_capacity(text.len() * 2);
    let mut depth = 0_usize;
    let mut chars = text.chars().filter(outside_strings()).peekable();
    let mut in_string = false;
    let mut escaped = false;
    while let Some(c) = chars.next() {
        if in_string {
            out.push(c);
            in_string = escaped || c != '"';
            escaped = c == '\\' && !escaped;
            continue;
        }
        match c {
            '{' | '[' => {
                out.push(c);
                if let Some(close) = chars.next_if(|next| matches!(next, '}' | ']')) {
                    out.push(close);
                } else {
                    depth += 1;
                    break_line(&mut out, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                break_line(&mut out, depth);
                out.push(c);
            }
            ',' => {
                out.push(c);
                break_line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            c => {
                in_string = c == '"';
                out.push(c);
            }
        }
    }
    Some(out)
}

/// Lets through all but the white space between tokens.
fn outside_strings() -> impl FnMut(&char) -> bool {
    let (mut in_string, mut escaped) = (false, false);
    move |c| {
        if in_string {
            in_string = escaped || *c != '"';
            escaped = *c == '\\' && !escaped;
            return true;
        }
        in_string = *c == '"';
        !matches!(c, ' ' | '\t' | '\n' | '\r')
    }
}

fn break_line(out: &mut String, depth: usize) {
    out.push('\n');
    out.extend(std::iter::repeat_n("  ", depth));
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::pretty;

    #[test]
    fn nothing_is_lost() {
        insta::assert_snapshot!(
            pretty(r#" {"b":1.0,"a":[ ],"b":{"x":"{, \"[:\\"} ,"n":[null,1e400]} "#).unwrap(),
            @r#"
        {
          "b": 1.0,
          "a": [],
          "b": {
            "x": "{, \"[:\\"
          },
          "n": [
            null,
            1e400
          ]
        }
        "#
        );
    }

    #[rstest]
    #[case("")]
    #[case("\"text\"")]
    #[case("{\"a\":}")]
    #[case("<html>")]
    fn other_text_is_left_alone(#[case] text: &str) {
        assert_eq!(pretty(text), None);
    }
}
