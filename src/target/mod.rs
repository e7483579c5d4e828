//! Endpoints: where to send, with which credentials, and what is lacking.
//!
//! A [`Target`] comes from a file, or is the embedded reference server. Secrets
//! are held as [`Secret`], which has no text form.
//!
//! Reading a target file asks nobody. [`Target::resolve`] then asks those who are to
//! give credentials, and says what could not be had; a [`Provider`] asks again
//! before they run out. They are asked through AWS's own library.
//!
//! Deliberately absent: connections to the endpoint. A target says where to send;
//! sending is the client's.

mod chain;
mod cognito;
mod collaborators;
mod credentials;
mod embedded;
mod file;
mod load;
mod load_credentials;
mod provider;
mod redactor;
mod resolve;
#[cfg(test)]
mod resolve_tests;
mod sdk;
mod template;
mod world;

/// Begins the names that a run makes on a target which asks for no other.
pub const DEFAULT_PREFIX: &str = "syncspec";

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use indexmap::IndexMap;

use crate::source::{Origin, matches};
pub use cognito::CognitoIdentity;
pub use collaborators::{Collaborators, calling};

pub use credentials::{Credentials, Secret};
pub use embedded::{EMBEDDED_IDENTITIES, EMBEDDED_POOLS, EMBEDDED_SNAPSHOTS, embedded_world, to_file};
pub use file::{KnownFailuresFile, TargetFile};
pub use load::TargetError;
pub use provider::{CredentialsError, Provider, Valid};
pub use redactor::{MOST_SEARCHED, REDACTED, Redactor, SHORTEST_SECRET, is_secret_name};
pub use resolve::{MadeIdentities, MadeIdentity, Making, ResolveError, Shortfalls};
pub use template::TEMPLATE;
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
    pub developer: Option<Provider>,
    /// What the target says it lacks.
    pub lacks: Vec<Lack>,
    /// What the target has although not every such endpoint does, by the names that
    /// cases need it by.
    pub offers: Vec<String>,
    /// What the target names beside its endpoint, by placeholder name, such as
    /// `stream-name`.
    pub resources: IndexMap<String, String>,
    /// Whether the function among them is the one that the suite ships, which follows the
    /// scripts of cases.
    pub scripted_function: bool,
    /// How the harness plays the services that the target's server calls; none when it
    /// does not.
    pub collaborators: Option<Collaborators>,
    /// Cases that are known to fail.
    pub known_failures: Vec<KnownFailure>,
    /// The set of snapshots that answers must equal, if there is one.
    pub snapshots: Option<String>,
    /// What could not be had when credentials were asked for; filled in by
    /// [`Target::resolve`].
    pub shortfalls: Shortfalls,
    /// What was made to have it; filled in by [`Target::resolve`].
    pub made: MadeIdentities,
}

/// An identity pool.
#[derive(Debug, Clone)]
pub struct Pool {
    /// Its id.
    pub id: String,
    /// Identities with credentials. Of a pool with `cognito`, they are filled in by
    /// [`Target::resolve`].
    pub identities: Vec<Identity>,
    /// How identities are had from Cognito Identity; none when the target file names
    /// them with their keys.
    pub cognito: Option<CognitoIdentity>,
    /// Whether somebody else uses it: no case gets it, but its id may be named.
    pub is_taken: bool,
}

/// An identity with its credentials.
#[derive(Debug, Clone)]
pub struct Identity {
    /// Its id.
    pub id: String,
    /// Its temporary credentials.
    pub credentials: Provider,
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
    /// Where the entry stands; none for one that no file holds.
    pub origin: Option<Origin>,
}

impl KnownFailure {
    /// Whether the entry speaks of this case.
    pub fn matches(&self, case: &str) -> bool {
        matches(&self.pattern, case)
    }

    /// The pattern, and where it stands: `list-records/* (t.toml:16:8)`.
    pub fn place(&self) -> String {
        let origin = self.origin.as_ref().map(|origin| format!(" ({origin})")).unwrap_or_default();
        format!("{}{origin}", self.pattern)
    }
}

/// Something that a target lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lack {
    /// What it is, by the name that cases need it by.
    pub need: String,
    /// Why the target lacks it.
    pub reason: Option<String>,
    /// Where that is tracked.
    pub link: Option<String>,
}

impl From<&str> for Lack {
    /// A lack without a reason.
    fn from(need: &str) -> Self {
        Self { need: need.to_owned(), reason: None, link: None }
    }
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

    /// The pools that cases may be given.
    pub fn own_pools(&self) -> impl Iterator<Item = &Pool> {
        self.pools.iter().filter(|pool| !pool.is_taken)
    }

    /// The same target with only those pools to be given to cases whose place in the
    /// target file, from 0, is wanted. To be called before credentials are asked for:
    /// nobody needs those of the others.
    #[must_use]
    pub fn with_pools(mut self, is_wanted: impl Fn(usize) -> bool) -> Self {
        for (_, pool) in self.pools.iter_mut().enumerate().filter(|(place, _)| !is_wanted(*place)) {
            *pool = Pool { id: std::mem::take(&mut pool.id), identities: Vec::new(), cognito: None, is_taken: true };
        }
        self
    }

    /// Every secret that the target's credentials hold or held, as far as they were
    /// fetched, for removal from what is recorded.
    pub fn secrets(&self) -> impl Iterator<Item = Secret> {
        self.providers().flat_map(Provider::secrets)
    }

    /// The secrets of credentials that change in the course of a run.
    pub fn changing_secrets(&self) -> impl Iterator<Item = Secret> {
        self.providers().filter(|provider| !provider.is_fixed()).flat_map(Provider::secrets)
    }

    fn providers(&self) -> impl Iterator<Item = &Provider> {
        let identities = self.pools.iter().flat_map(|pool| &pool.identities).map(|identity| &identity.credentials);
        self.developer.iter().chain(identities)
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;
    use std::path::Path;

    use rstest::rstest;

    use super::{Lack, Target, TargetError, load};

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
        let secrets: Vec<_> = target.secrets().map(|secret| secret.expose().to_owned()).collect();
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
    #[case("[\"lambda\"]", "[{ need = \"lambda\" }]", "t.toml:6:10: missing field `reason`")]
    #[case(
        "[\"lambda\"]",
        "[\"sns\", { need = \"lambda\", reason = \"${NOT_SET}\" }]",
        "t.toml:6:45: the environment variable NOT_SET is not set"
    )]
    #[case("[\"lambda\"]", "[{ need = \"lambda\", raeson = \"r\" }]", "did you mean `reason`?")]
    #[case("[\"lambda\"]", "[1]", "expected a name, or `{ need = ")]
    #[case("lacks =", "known-failures-file = \"gone.toml\"\nlacks =", "t.toml:6:23: cannot read gone.toml: ")]
    #[case("\"AKID\"", "\"A${SECRET}\"", "t.toml:8:17: an environment variable stands alone")]
    #[case("\"not built yet\"", "\"\"", "t.toml:17:10: this must not be empty")]
    #[case("reason = \"not built yet\"", "", "t.toml:15:1: missing field `reason`")]
    #[case("[developer]", "[collaborators]\n[developer]", "t.toml:7:1: missing field `listen`")]
    #[case("[developer]", "[collaborators]\nlisten = \"4600\"\n[developer]", "t.toml:8:10: `4600` is no ADDRESS:PORT")]
    #[case(
        "[developer]",
        "[collaborators]\nlisten = \"127.0.0.1:1\"\naccount-id = \"12\"\ntime-scale = 0\n[developer]",
        "t.toml:9:14: `12` is no account, which has 12 digits\nt.toml:10:14: a time scale is a whole number from 1 to 1000"
    )]
    #[case(
        "[developer]",
        "[collaborators]\nlisten = \"127.0.0.1:1\"\n[lambda]\nfunction-arn = \"f\"\n[developer]",
        "t.toml:7:1: the harness plays what [lambda] names: leave one of the two out"
    )]
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
        "t.toml:16:20: the pool has no `[[identity]]` and no `[cognito-identity]`"
    )]
    #[case("access-key-id = \"AKID\"", "profile = \"p\"", "t.toml:7:1: [developer] says more than one of these")]
    #[case("access-key-id = \"AKID\"", "", "t.toml:7:1: [developer] has keys, but no `access-key-id`")]
    #[case("secret-access-key = \"${SECRET}\"", "", "t.toml:7:1: [developer] has keys, but no `secret-access-key`")]
    #[case("access-key-id = \"AKID\"\nsecret-access-key = \"${SECRET}\"", "", "t.toml:7:1: [developer] is empty: give")]
    #[case(
        "access-key-id = \"AKID\"\nsecret-access-key = \"${SECRET}\"",
        "source = \"chain\"",
        "t.toml:8:10: there is no source `chain`; the only one is `default-chain`"
    )]
    #[case(
        "access-key-id = \"AKID\"\nsecret-access-key = \"${SECRET}\"",
        "profile = \"\"",
        "t.toml:8:11: this must not be empty"
    )]
    #[case(
        "[[known-failure]]",
        "[cognito-identity]\n[[known-failure]]",
        "t.toml:15:1: the pool has `[[identity]]` entries"
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
    fn what_is_lacking_may_have_a_reason() {
        let lacks = "[\"sns\", { need = \"lambda\", reason = \"no runtime\", link = \"https://example.org/1\" }]";
        let target = load(&VALID.replace("[\"lambda\"]", lacks)).expect("valid");
        let reasoned = Lack {
            need: "lambda".to_owned(),
            reason: Some("no runtime".to_owned()),
            link: Some("https://example.org/1".to_owned()),
        };
        assert_eq!(target.lacks, [Lack::from("sns"), reasoned]);
    }

    #[test]
    fn known_failures_may_stand_in_a_file_of_their_own() {
        let folder = tempfile::tempdir().expect("a folder");
        let (path, list) = (folder.path().join("t.toml"), folder.path().join("known.toml"));
        let text = VALID.replace("lacks =", "known-failures-file = \"known.toml\"\nlacks =").replace("${SECRET}", "s");
        std::fs::write(&path, text).expect("written");
        let entry = "# a list\n[[known-failure]]\ncase = \"a/*\"\nreason = \"r\"\n";
        std::fs::write(&list, entry).expect("written");
        let target = Target::from_file(&path).expect("valid");
        let known: Vec<_> = target.known_failures.iter().map(|known| known.pattern.as_str()).collect();
        assert_eq!(known, ["list-records/*", "a/*"]);
        assert_eq!(target.known_failures[1].place(), format!("a/* ({}:3:8)", list.display()));
        for (from, to, expected) in [
            ("reason", "raeson", "known.toml:4:1: unknown field `raeson`"),
            ("\"r\"", "\"\"", "known.toml:4:10: this must not be empty"),
            ("# a list", "name = \"x\"", "known.toml:1:1: unknown field `name`"),
            ("# a list", "[", "known.toml:1:"),
        ] {
            std::fs::write(&list, entry.replacen(from, to, 1)).expect("written");
            let error = Target::from_file(&path).expect_err("invalid").to_string();
            assert!(error.contains(expected) && error.lines().all(|line| !line.contains("t.toml:")), "{error}");
        }
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

    const COGNITO: &str =
        "name = \"t\"\nendpoint = \"http://h\"\nregion = \"r\"\nidentity-pool-id = \"p\"\n[cognito-identity]\n";

    #[rstest]
    #[case("identities = 0", "t.toml:6:14: a pool takes 1 to 100 identities")]
    #[case("identities = 101", "t.toml:6:14: a pool takes 1 to 100 identities")]
    #[case("identities = 1\nidentity-ids = [\"a\"]", "t.toml:6:14: `identity-ids` says already how many")]
    #[case("identity-ids = [\"a\", \"a\"]", "t.toml:6:22: this identity is named twice")]
    #[case("identity-ids = [\"\"]", "t.toml:6:17: this must not be empty")]
    #[case("endpoint = \"ftp://h\"", "t.toml:6:12: this is no address")]
    #[case("endpoint = \"http://me:hush@h\"", "t.toml:6:12: this is no address")]
    #[case("endpoint = \"h:80\"", "t.toml:6:12: this is no address")]
    #[case("developer-provider = \"login.my.app\"", "t.toml:6:22: users of a developer provider are signed in by")]
    #[case("identites = 1", "did you mean `identities`?")]
    fn a_mistake_about_cognito_identity_is_shown_where_it_is(#[case] line: &str, #[case] expected: &str) {
        let error = load(&format!("{COGNITO}{line}\n")).expect_err("invalid").to_string();
        assert!(error.contains(expected) && !error.contains("hush"), "{error}");
    }

    #[test]
    fn cognito_identity_needs_no_more_than_its_name() {
        let target = load(COGNITO).expect("valid");
        let cognito = target.pools[0].cognito.as_ref().expect("there");
        assert_eq!((cognito.identities, &cognito.endpoint), (4, &None));
        assert!(cognito.makes_identities() && target.pools[0].identities.is_empty());
        let error = load(&COGNITO.replace("identity-pool-id = \"p\"", "")).expect_err("invalid").to_string();
        assert!(error.contains("[cognito-identity] needs a pool: name it in `identity-pool-id`"), "{error}");
    }

    #[test]
    fn developer_credentials_come_from_one_place() {
        let keys = "access-key-id = \"AKID\"\nsecret-access-key = \"${SECRET}\"";
        let places = [
            (keys, "keys"),
            ("profile = \"mine\"", "profile `mine`"),
            ("source = \"default-chain\"", "the default provider chain"),
        ];
        for (text, place) in places {
            let target = load(&VALID.replace(keys, text)).expect("valid");
            assert_eq!(target.developer.expect("named").describe(), place);
        }
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
[[pool]]
identity-pool-id = "${X}"
[pool.cognito-identity]
endpoint = "${URL}"
identity-ids = ["${X}"]
developer-provider = "${X}"
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
            "V" | "W" | "X" => Some("value".to_owned()),
            "URL" => Some("http://h".to_owned()),
            "ARN" => Some("arn:aws:sns:us-east-1:123456789012:app/APNS/x".to_owned()),
            _ => None,
        };
        let target = load::from_text("t.toml", text, &known).expect("valid");
        assert_eq!(target.pools.len(), 3);
        assert_eq!(target.pools[1].identities[0].id, "value");
        assert_eq!(target.resources["platform"], "APNS");
        assert_eq!(target.secrets().map(|secret| secret.expose().to_owned()).collect::<Vec<_>>(), ["value"; 6]);
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
