//! Endpoints: where to send, with which credentials, and what is lacking.
//!
//! A [`Target`] comes from a file, or is the embedded reference server. Secrets
//! are held as [`Secret`], which has no text form.
//!
//! Deliberately absent: connections. A target says where to send; sending is the
//! client's.

mod credentials;
mod embedded;
mod file;
mod load;
mod world;

/// Begins the names that a run makes on a target which asks for no other.
pub const DEFAULT_PREFIX: &str = "syncspec";

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use indexmap::IndexMap;

pub use credentials::{Credentials, Secret};
pub use embedded::{EMBEDDED_IDENTITIES, EMBEDDED_POOLS, EMBEDDED_SNAPSHOTS, embedded_world, to_file};
pub use file::TargetFile;
pub use load::TargetError;
pub use world::{WorldError, WorldFile, Worlds};

/// An endpoint with credentials, and what is known of it.
#[derive(Debug, Clone)]
pub struct Target {
    /// Name in reports.
    pub name: String,
    /// Address without a slash at the end.
    pub endpoint: String,
    /// AWS region that requests are signed for.
    pub region: String,
    /// Certificates in PEM form that are trusted instead of the platform's.
    pub ca_file: Option<PathBuf>,
    /// Begins every name that a run makes.
    pub prefix: String,
    /// Most requests per second; none for as many as the target answers.
    pub requests_per_second: Option<NonZeroU32>,
    /// The pools that cases may use; never empty.
    pub pools: Vec<Pool>,
    /// The account's own credentials.
    pub developer: Option<Credentials>,
    /// What the target says it lacks.
    pub lacks: Vec<String>,
    /// What the target names beside its endpoint, by placeholder name, such as
    /// `stream-name`.
    pub resources: IndexMap<String, String>,
    /// Cases that are known to fail.
    pub known_failures: Vec<KnownFailure>,
    /// The set of snapshots that answers must equal, if there is one.
    pub snapshots: Option<String>,
}

/// An identity pool.
#[derive(Debug, Clone)]
pub struct Pool {
    /// Its id.
    pub id: String,
    /// Identities with credentials.
    pub identities: Vec<Identity>,
}

/// An identity with its credentials.
#[derive(Debug, Clone)]
pub struct Identity {
    /// Its id.
    pub id: String,
    /// Its temporary credentials.
    pub credentials: Credentials,
}

/// Cases that are known to fail on a target.
#[derive(Debug, Clone)]
pub struct KnownFailure {
    /// A case's id, or a pattern in which `*` stands for any text.
    pub pattern: String,
    /// Why it fails.
    pub reason: String,
    /// Where the failure is tracked.
    pub link: Option<String>,
}

impl Target {
    /// Reads a target file; `"${NAME}"` is looked up in the environment.
    ///
    /// # Errors
    ///
    /// When the file cannot be read or has mistakes; all of them are listed.
    pub fn from_file(path: &Path) -> Result<Self, TargetError> {
        load::from_file(path, &|name| std::env::var(name).ok())
    }

    /// Every secret that the target's credentials hold, for removal from what is
    /// recorded.
    pub fn secrets(&self) -> impl Iterator<Item = &Secret> {
        let identities = self.pools.iter().flat_map(|pool| &pool.identities).map(|identity| &identity.credentials);
        self.developer
            .iter()
            .chain(identities)
            .flat_map(|keys| std::iter::once(&keys.secret_access_key).chain(&keys.session_token))
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;
    use std::path::Path;

    use rstest::rstest;

    use super::{Target, TargetError, load};

    const VALID: &str = r#"
name = "mine"
endpoint = "http://127.0.0.1:4566/"
region = "us-east-1"
identity-pool-id = "us-east-1:1"
lacks = ["lambda"]
[developer]
access-key-id = "AKID"
secret-access-key = "${SECRET}"
[[identity]]
identity-id = "us-east-1:2"
access-key-id = "ASIA"
secret-access-key = "s"
session-token = "t"
[[known-failure]]
case = "list-records/*"
reason = "not built yet"
"#;

    fn load(text: &str) -> Result<Target, TargetError> {
        load::from_text("t.toml", text, &|name| (name == "SECRET").then(|| "hush".to_owned()))
    }

    #[test]
    fn a_target_is_read_with_its_environment() {
        let target = load(VALID).expect("valid");
        assert_eq!(target.endpoint, "http://127.0.0.1:4566");
        let secrets: Vec<_> = target.secrets().map(super::Secret::expose).collect();
        assert_eq!(secrets, ["hush", "s", "t"]);
        assert_eq!(target.pools[0].identities[0].id, "us-east-1:2");
        assert_eq!(target.known_failures[0].pattern, "list-records/*");
        assert!(!format!("{target:?}").contains("hush"));
    }

    #[rstest]
    #[case("endpoint", "endpiont", "t.toml:3:1: unknown field `endpiont`")]
    #[case("endpoint", "endpiont", "did you mean `endpoint`?")]
    #[case("${SECRET}", "${NOT_SET}", "t.toml:9:21: the environment variable NOT_SET is not set")]
    #[case("name = \"mine\"", "name = \"../up\"", "t.toml:2:8: `../up` names a folder too")]
    #[case("identity-pool-id = \"us-east-1:1\"", "", "name it in `identity-pool-id`")]
    #[case("\"us-east-1\"", "\"\"", "t.toml:4:10: this must not be empty")]
    #[case("lacks =", "prefix = \"-a b\"\nlacks =", "t.toml:6:10: `-a b` begins names of datasets")]
    #[case("lacks =", "requests-per-second = 0\nlacks =", "t.toml:6:23: at least one request per second")]
    #[case("\"AKID\"", "\"A${SECRET}\"", "t.toml:8:17: an environment variable stands alone")]
    #[case("\"not built yet\"", "\"\"", "t.toml:17:10: this must not be empty")]
    #[case("reason = \"not built yet\"", "", "t.toml:15:1: missing field `reason`")]
    #[case("reason", "raeson", "did you mean `reason`?")]
    #[case(
        "[[known-failure]]",
        "[[identity]]\nidentity-id = \"us-east-1:2\"\naccess-key-id = \"A\"\nsecret-access-key = \"s\"\n[[known-failure]]",
        "t.toml:16:15: this identity is named twice"
    )]
    #[case(
        "[[known-failure]]",
        "[[pool]]\nidentity-pool-id = \"us-east-1:1\"\n[[known-failure]]",
        "t.toml:16:20: this pool is named twice"
    )]
    #[case(
        "[[known-failure]]",
        "[[pool]]\nidentity-pool-id = \"us-east-1:3\"\n[[known-failure]]",
        "t.toml:16:20: the pool has no `[[identity]]`"
    )]
    fn a_mistake_is_shown_where_it_is(#[case] from: &str, #[case] to: &str, #[case] expected: &str) {
        let error = load(&VALID.replace(from, to)).expect_err("invalid").to_string();
        assert!(error.contains(expected), "{error}");
    }

    #[rstest]
    #[case::aws("https://cognito-sync.us-east-1.amazonaws.com", "", Some(10))]
    #[case::china("https://cognito-sync.cn-north-1.amazonaws.com.cn", "", Some(10))]
    #[case::said("https://cognito-sync.us-east-1.amazonaws.com", "requests-per-second = 3", Some(3))]
    #[case::somebody_else("https://amazonaws.com.example.org", "", None)]
    #[case::emulator("http://127.0.0.1:4566/amazonaws.com", "", None)]
    fn aws_is_asked_slowly(#[case] endpoint: &str, #[case] more: &str, #[case] expected: Option<u32>) {
        let text = VALID.replace("http://127.0.0.1:4566/", endpoint).replace("lacks =", &format!("{more}\nlacks ="));
        assert_eq!(load(&text).expect("valid").requests_per_second.map(NonZeroU32::get), expected);
    }

    #[test]
    fn a_certificate_stands_beside_the_target_file() {
        let target = load(&VALID.replace("lacks =", "ca-file = \"certs/ca.pem\"\nlacks =")).expect("valid");
        assert_eq!(target.ca_file.as_deref(), Some(Path::new("certs/ca.pem")));
        let text = VALID.replace("lacks =", "ca-file = \"ca.pem\"\nlacks =").replace("${SECRET}", "s");
        let below = load::from_text("below/t.toml", &text, &|_| None).expect("valid");
        assert_eq!(below.ca_file.as_deref(), Some(Path::new("below/ca.pem")));
        assert_eq!(below.prefix, "syncspec");
    }

    #[test]
    fn every_text_may_come_from_the_environment() {
        let text = r#"
name = "${V}"
endpoint = "${V}"
region = "${V}"
identity-pool-id = "${V}"
lacks = ["${V}"]
snapshots = "${V}"
ca-file = "${V}"
prefix = "${V}"
[developer]
access-key-id = "${V}"
secret-access-key = "${V}"
session-token = "${V}"
[[identity]]
identity-id = "${V}"
access-key-id = "${V}"
secret-access-key = "${V}"
session-token = "${V}"
[[pool]]
identity-pool-id = "${W}"
[[pool.identity]]
identity-id = "${W}"
access-key-id = "${W}"
secret-access-key = "${W}"
session-token = "${W}"
[kinesis]
stream-name = "${V}"
role-arn = "${V}"
[sns]
application-arn = "${ARN}"
role-arn = "${V}"
[lambda]
function-arn = "${V}"
[[known-failure]]
case = "${V}"
reason = "${V}"
link = "${V}"
"#;
        let known = |name: &str| match name {
            "V" | "W" => Some("value".to_owned()),
            "ARN" => Some("arn:aws:sns:us-east-1:123456789012:app/APNS/x".to_owned()),
            _ => None,
        };
        let target = load::from_text("t.toml", text, &known).expect("valid");
        assert_eq!(target.pools.len(), 2);
        assert_eq!(target.pools[1].identities[0].id, "value");
        assert_eq!(target.resources["platform"], "APNS");
        assert_eq!(target.secrets().map(super::Secret::expose).collect::<Vec<_>>(), ["value"; 6]);
        assert!(!format!("{target:?}").contains("${"), "{target:?}");
        // None of them goes by unnoticed when it is not set.
        let error = load::from_text("t.toml", text, &|_| None).expect_err("nothing is set").to_string();
        assert_eq!(error.lines().count(), text.matches("${").count(), "{error}");
    }

    #[test]
    fn pools_keep_their_order_and_identities() {
        let more = "[[pool]]\nidentity-pool-id = \"us-east-1:3\"\n[[pool.identity]]\nidentity-id = \"us-east-1:4\"\n\
                    access-key-id = \"A\"\nsecret-access-key = \"s2\"\n[[known-failure]]";
        let target = load(&VALID.replace("[[known-failure]]", more)).expect("valid");
        let pools: Vec<_> = target.pools.iter().map(|pool| (&*pool.id, &*pool.identities[0].id)).collect();
        assert_eq!(pools, [("us-east-1:1", "us-east-1:2"), ("us-east-1:3", "us-east-1:4")]);
        let alone = VALID.replace("identity-pool-id = \"us-east-1:1\"", "");
        let alone = alone.replace("[[identity]]", "[[pool]]\nidentity-pool-id = \"us-east-1:1\"\n[[pool.identity]]");
        assert_eq!(load(&alone).expect("valid").pools.len(), 1);
    }
}
