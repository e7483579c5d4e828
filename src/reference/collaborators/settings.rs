//! Where the other services are, and how long they are waited for.

use std::time::Duration;

use reqwest::Url;

use crate::reference::world::Keys;

/// Variables that name endpoints, as AWS's own tools read them.
const LAMBDA: &str = "AWS_ENDPOINT_URL_LAMBDA";
const KINESIS: &str = "AWS_ENDPOINT_URL_KINESIS";
const SNS: &str = "AWS_ENDPOINT_URL_SNS";
const S3: &str = "AWS_ENDPOINT_URL_S3";

/// Other services that the server calls. By default none: what concerns them is then
/// stored and answered, and nothing is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collaborators {
    /// Where Lambda is, such as `http://127.0.0.1:9001`.
    pub lambda: Option<String>,
    /// Where Kinesis is.
    pub kinesis: Option<String>,
    /// Where SNS is.
    pub sns: Option<String>,
    /// Where S3 is: records that are too large for a stream go there.
    pub s3: Option<String>,
    /// Name of the bucket for these; it is made when there is none.
    pub bucket: String,
    /// What calls are signed with.
    pub keys: Keys,
    /// How long calls may take.
    pub times: Times,
}

/// How long calls may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// From calling a function until all of its answer is there.
    pub function: Duration,
    /// Any other call.
    pub call: Duration,
    /// The pause before a stream's record is sent again; each further pause is twice
    /// as long.
    pub pause: Duration,
}

impl Default for Times {
    /// 5 s, which is what the service gives a function, for each call, and 100 ms.
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { function: seconds(5), call: seconds(5), pause: Duration::from_millis(100) }
    }
}

impl Default for Collaborators {
    fn default() -> Self {
        Self {
            lambda: None,
            kinesis: None,
            sns: None,
            s3: None,
            bucket: "syncspec-streams".to_owned(),
            // Emulators want a signature, but do not look at it.
            keys: Keys {
                access_key_id: "AKIASYNCSPECOUTSIDE0".to_owned(),
                secret_access_key: "public+example/collaborators/no+secret00".to_owned(),
                session_token: None,
            },
            times: Times::default(),
        }
    }
}

impl Collaborators {
    /// Those that environment variables name, which `variable` reads:
    /// `AWS_ENDPOINT_URL_LAMBDA`, `_KINESIS`, `_SNS` and `_S3`, unless
    /// `AWS_IGNORE_CONFIGURED_ENDPOINT_URLS` is `true`, and the keys
    /// `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`. Without
    /// keys, public ones are taken. `AWS_ENDPOINT_URL` is not read: it is how clients
    /// are pointed at this server.
    ///
    /// # Errors
    ///
    /// When a variable holds no usable address, or there is one half of a key pair.
    pub fn from_environment(variable: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let mut found = Self::default();
        if set("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
            return Ok(found);
        }
        let places =
            [(LAMBDA, &mut found.lambda), (KINESIS, &mut found.kinesis), (SNS, &mut found.sns), (S3, &mut found.s3)];
        for (name, place) in places {
            *place = set(name);
            if let Some(value) = place {
                endpoint(value).map_err(|problem| format!("{name} is `{value}`: {problem}"))?;
            }
        }
        match (set("AWS_ACCESS_KEY_ID"), set("AWS_SECRET_ACCESS_KEY")) {
            (Some(access_key_id), Some(secret_access_key)) => {
                found.keys = Keys { access_key_id, secret_access_key, session_token: set("AWS_SESSION_TOKEN") };
            }
            (None, None) => {}
            _ if !found.are_any() => {}
            _ => return Err("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY go together; one is missing".to_owned()),
        }
        Ok(found)
    }

    /// Whether any is named.
    pub fn are_any(&self) -> bool {
        self.named().next().is_some()
    }

    /// Each that is named: what it is called, and where it is.
    pub fn named(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let all = [("Lambda", &self.lambda), ("Kinesis", &self.kinesis), ("SNS", &self.sns), ("S3", &self.s3)];
        all.into_iter().filter_map(|(name, endpoint)| Some((name, endpoint.as_deref()?)))
    }
}

/// An address without a slash at its end, for a path to follow.
pub(super) fn endpoint(text: &str) -> Result<String, String> {
    let wanted = "name an address like http://127.0.0.1:9001";
    let url = Url::parse(text).map_err(|error| format!("{error}; {wanted}"))?;
    let plain = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    if !matches!(url.scheme(), "http" | "https") || !plain || url.password().is_some() {
        return Err(wanted.to_owned());
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::{Collaborators, endpoint};

    fn from(variables: &[(&str, &str)]) -> Result<Collaborators, String> {
        let find = |name: &str| variables.iter().find(|(known, _)| *known == name);
        Collaborators::from_environment(|name| find(name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn the_environment_names_them() {
        let none = from(&[("AWS_ENDPOINT_URL", "http://a"), ("AWS_ENDPOINT_URL_SNS", ""), ("AWS_ACCESS_KEY_ID", "A")]);
        assert_eq!(none, Ok(Collaborators::default()));
        let keys = [("AWS_ACCESS_KEY_ID", "A"), ("AWS_SECRET_ACCESS_KEY", "S"), ("AWS_SESSION_TOKEN", "T")];
        let kinesis = ("AWS_ENDPOINT_URL_KINESIS", "http://127.0.0.1:1/");
        let found = from(&[kinesis, keys[0], keys[1], keys[2]]).unwrap();
        assert_eq!(found.named().collect::<Vec<_>>(), [("Kinesis", "http://127.0.0.1:1/")]);
        assert_eq!((found.keys.access_key_id.as_str(), found.keys.session_token.as_deref()), ("A", Some("T")));
        assert!(!format!("{found:?}").contains("\"S\""));
        assert_eq!(from(&[kinesis]).unwrap().keys, Collaborators::default().keys);
        assert!(from(&[kinesis, keys[0]]).unwrap_err().contains("one is missing"));
        let ignored = from(&[kinesis, ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "True")]).unwrap();
        assert!(!ignored.are_any());
        let wrong = from(&[("AWS_ENDPOINT_URL_LAMBDA", "localhost:1")]).unwrap_err();
        assert!(wrong.starts_with("AWS_ENDPOINT_URL_LAMBDA is `localhost:1`: name an address like"), "{wrong}");
    }

    #[rstest]
    #[case("http://h", Some("http://h"))]
    #[case("https://H:443/a/", Some("https://h/a"))]
    #[case("http://h/?q", None)]
    #[case("http://u:p@h", None)]
    #[case("ftp://h", None)]
    #[case("h", None)]
    fn an_endpoint_is_a_plain_address(#[case] text: &str, #[case] expected: Option<&str>) {
        assert_eq!(endpoint(text).ok().as_deref(), expected);
    }
}
