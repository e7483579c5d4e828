//! The target file that people begin with.

/// A target file with every key explained, ready to be filled in for an emulator or
/// for AWS.
pub const TEMPLATE: &str = include_str!("template.toml");

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::TEMPLATE;
    use crate::source::Source;
    use crate::target::{Target, TargetFile, load};

    fn read(text: &str) -> Target {
        let known = |name: &str| (!name.is_empty()).then(|| "from-the-environment".to_owned());
        load::from_text("t.toml", text, &known).unwrap_or_else(|error| panic!("{error}\n{text}"))
    }

    /// A setting that is switched off: `#` and no blank.
    fn switched_off(line: &str) -> Option<&str> {
        line.strip_prefix('#').filter(|rest| !rest.is_empty() && !rest.starts_with(' '))
    }

    /// The template with the settings switched on that begin with one of these, and
    /// without the lines that begin with one of those.
    fn altered(on: &[&str], without: &[&str]) -> String {
        let begins = |line: &str, with: &[&str]| with.iter().any(|start| line.starts_with(start));
        let lines = TEMPLATE.lines().filter(|line| !begins(line, without));
        let line = |line| switched_off(line).filter(|rest| begins(rest, on)).unwrap_or(line);
        lines.map(|text| format!("{}\n", line(text))).collect()
    }

    #[test]
    fn it_is_valid_as_it_is() {
        let target = read(TEMPLATE);
        assert!(target.developer.is_some() && target.pools.len() == 1 && target.pools[0].identities.len() == 1);
    }

    #[test]
    fn whatever_is_switched_off_is_a_setting() {
        let all: String = TEMPLATE.lines().map(|line| format!("{}\n", switched_off(line).unwrap_or(line))).collect();
        assert!(TEMPLATE.lines().filter_map(switched_off).count() > 20);
        Source::new("t.toml", &all).parse::<TargetFile>().expect("it parses");
    }

    const KEYS: [&str; 2] = ["access-key-id = \"${AWS", "secret-access-key = \"${AWS"];
    const IDENTITY: [&str; 5] =
        ["[[identity", "identity-id =", "access-key-id = \"${ID", "secret-access-key = \"${ID", "session-token"];

    #[rstest]
    #[case::plain(&["ca-file", "prefix", "requests-per-second", "snapshots", "session-token"], &[])]
    #[case::profile(&["profile"], &KEYS)]
    #[case::chain(&["source"], &KEYS)]
    #[case::cognito(&["[cognito-identity]", "endpoint", "identities = 4", "developer-provider"], &IDENTITY)]
    #[case::known_identities(&["[cognito-identity]", "endpoint", "identity-ids"], &IDENTITY)]
    #[case::resources(&["[kinesis", "stream-name", "[sns", "application-arn", "role-arn", "[lambda", "function", "scripted"], &[])]
    #[case::collaborators(&["[collaborators", "listen", "account-id", "time-scale"], &[])]
    #[case::more(&["[[pool", "identity-pool-id", "[pool.", "identities = 2", "[[known", "case", "reason", "link"], &[])]
    fn every_choice_is_valid(#[case] on: &[&str], #[case] without: &[&str]) {
        let text = altered(on, without);
        assert_ne!(text, TEMPLATE);
        read(&text);
    }

    #[test]
    fn every_key_of_a_target_file_is_explained() {
        let schema = schemars::schema_for!(TargetFile).to_value();
        let mut keys: Vec<String> = Vec::new();
        let definitions = schema["$defs"].as_object().into_iter().flat_map(|definitions| definitions.values());
        for object in definitions.chain([&schema]) {
            keys.extend(object["properties"].as_object().into_iter().flat_map(|object| object.keys().cloned()));
        }
        assert!(keys.len() > 25, "{keys:?}");
        for key in keys {
            let said = [format!("{key} = "), format!("[{key}]"), format!("[[{key}]]"), format!(".{key}]")];
            assert!(said.iter().any(|said| TEMPLATE.contains(said.as_str())), "{key} is missing");
        }
    }
}
