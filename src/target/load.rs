//! From a target file to a [`Target`]: environment variables filled in, every
//! mistake reported by line and column.

use std::cell::RefCell;
use std::fs;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use indexmap::IndexMap;
use toml::Spanned;

use super::credentials::Secret;
use super::file::{KnownFailuresFile, RawLack, TargetFile};
use super::{DEFAULT_PREFIX, KnownFailure, Lack, MadeIdentities, Shortfalls, Target};
use crate::source::{Problem, Source};

/// Longest prefix of names, in characters: with what follows it, a name stays well
/// below the 128 that a dataset's may have.
const LONGEST_PREFIX: usize = 32;

/// Domains of the real service's endpoints.
const AWS_DOMAINS: [&str; 3] = [".amazonaws.com", ".amazonaws.com.cn", ".api.aws"];

/// Most requests per second to the real service, if the target file does not say:
/// no source tells its limits, and other users of the account have a right to them.
const AWS_REQUESTS_PER_SECOND: Option<NonZeroU32> = NonZeroU32::new(10);

/// Why a target file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// It cannot be read.
    #[error("cannot read target file {path}: {source}")]
    Unreadable {
        /// The file.
        path: String,
        /// Why not.
        source: std::io::Error,
    },
    /// It has mistakes, all of which are listed.
    #[error("{}", .0.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n"))]
    Mistakes(Vec<Problem>),
}

/// Looks environment variables up.
pub(super) type Environment<'e> = &'e dyn Fn(&str) -> Option<String>;

pub(super) fn from_file(path: &Path, environment: Environment<'_>) -> Result<Target, TargetError> {
    let shown = path.display().to_string();
    let text = fs::read_to_string(path).map_err(|source| TargetError::Unreadable { path: shown.clone(), source })?;
    from_text(&shown, &text, environment)
}

pub(super) fn from_text(path: &str, text: &str, environment: Environment<'_>) -> Result<Target, TargetError> {
    let source = Source::new(path, text);
    let file: TargetFile = source.parse_discreetly().map_err(|problem| TargetError::Mistakes(vec![problem]))?;
    let loader = Loader { source: &source, environment, problems: RefCell::default() };
    let target = loader.target(&file);
    let mut problems = loader.problems.into_inner();
    // As a reader comes across them; what another file has comes after this one.
    problems.sort_by_cached_key(|problem| (*problem.origin.file != *path, problem.origin.clone()));
    if problems.is_empty() { Ok(target) } else { Err(TargetError::Mistakes(problems)) }
}

pub(super) struct Loader<'l> {
    source: &'l Source<'l>,
    environment: Environment<'l>,
    problems: RefCell<Vec<Problem>>,
}

impl Loader<'_> {
    pub(super) fn problem<T>(&self, at: &Spanned<T>, message: impl Into<String>) {
        self.problems.borrow_mut().push(self.source.problem(&at.span(), message));
    }

    /// Text, or what the environment variable that it names holds.
    pub(super) fn text(&self, raw: &Spanned<String>) -> String {
        let text = raw.get_ref();
        let Some(name) = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')) else {
            if text.is_empty() {
                self.problem(raw, "this must not be empty");
            } else if text.contains("${") {
                self.problem(raw, "an environment variable stands alone: `\"${NAME}\"`, with nothing before or after");
            }
            return text.clone();
        };
        (self.environment)(name).filter(|value| !value.is_empty()).unwrap_or_else(|| {
            self.problem(raw, format!("the environment variable {name} is not set"));
            String::new()
        })
    }

    pub(super) fn secret(&self, raw: &Spanned<String>) -> Secret {
        Secret::new(self.text(raw))
    }

    fn target(&self, file: &TargetFile) -> Target {
        let endpoint = self.text(&file.endpoint).trim_end_matches('/').to_owned();
        let region = self.text(&file.region);
        Target {
            name: self.name(&file.name),
            ca_file: file.ca_file.as_ref().map(|file| self.beside(file)),
            prefix: file.prefix.as_ref().map_or_else(|| DEFAULT_PREFIX.to_owned(), |prefix| self.prefix(prefix)),
            requests_per_second: self.requests_per_second(file, &endpoint),
            endpoint,
            pools: self.pools(file),
            developer: self.developer(file, &region),
            region,
            lacks: file.lacks.iter().map(|lack| self.lack(lack)).collect(),
            offers: self.offers(file),
            resources: self.resources(file),
            scripted_function: file.lambda.as_ref().is_some_and(|lambda| lambda.scripted),
            collaborators: self.collaborators(file),
            known_failures: self.known_failures(file),
            snapshots: file.snapshots.as_ref().map(|set| self.name(set)),
            shortfalls: Shortfalls::default(),
            made: MadeIdentities::default(),
        }
    }

    fn offers(&self, file: &TargetFile) -> Vec<String> {
        let lacks = |name: &str| file.lacks.iter().any(|lack| lack.get_ref().need() == name);
        let offered = file.offers.iter().map(|raw| {
            let name = self.text(raw);
            if lacks(&name) {
                self.problem(raw, format!("`{name}` stands in `lacks` too"));
            }
            name
        });
        offered.collect()
    }

    /// A path that is relative to the target file's folder.
    fn beside(&self, raw: &Spanned<String>) -> PathBuf {
        let path = PathBuf::from(self.text(raw));
        Path::new(&**self.source.path()).parent().map_or(path.clone(), |folder| folder.join(path))
    }

    fn prefix(&self, raw: &Spanned<String>) -> String {
        let prefix = self.text(raw);
        let usable = prefix.starts_with(|c: char| c.is_ascii_alphanumeric())
            && prefix.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
            && prefix.len() <= LONGEST_PREFIX;
        // That it is missing was said already.
        if !usable && !prefix.is_empty() {
            let form = format!("1 to {LONGEST_PREFIX} letters and digits, `-` between them");
            self.problem(raw, format!("`{prefix}` begins names of datasets: {form}"));
        }
        prefix
    }

    fn requests_per_second(&self, file: &TargetFile, endpoint: &str) -> Option<NonZeroU32> {
        if let Some(raw) = &file.requests_per_second {
            let rate = NonZeroU32::new(*raw.get_ref());
            if rate.is_none() {
                self.problem(raw, "at least one request per second, or the run would never end");
            }
            return rate;
        }
        let (_, rest) = endpoint.split_once("://")?;
        let host = rest.split(['/', ':']).next().unwrap_or_default();
        AWS_DOMAINS.iter().any(|domain| host.ends_with(domain)).then_some(AWS_REQUESTS_PER_SECOND).flatten()
    }

    /// A name that is used as the name of a folder.
    fn name(&self, raw: &Spanned<String>) -> String {
        let name = self.text(raw);
        let usable =
            name.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.')) && !name.starts_with('.');
        if !usable {
            self.problem(raw, format!("`{name}` names a folder too: letters, digits, `-`, `_` and `.` only"));
        }
        name
    }

    fn resources(&self, file: &TargetFile) -> IndexMap<String, String> {
        let mut resources = IndexMap::new();
        let mut add = |name: &str, value: String| resources.insert(name.to_owned(), value);
        if let Some(kinesis) = &file.kinesis {
            add("stream-name", self.text(&kinesis.stream_name));
            add("stream-role-arn", self.text(&kinesis.role_arn));
        }
        if let Some(sns) = &file.sns {
            let application = self.text(&sns.application_arn);
            let platform = self.platform(&sns.application_arn, &application);
            add("application-arn", application);
            add("push-role-arn", self.text(&sns.role_arn));
            add("platform", platform);
        }
        if let Some(lambda) = &file.lambda {
            add("function-arn", self.text(&lambda.function_arn));
        }
        resources
    }

    /// The platform in the ARN of a platform application.
    fn platform(&self, raw: &Spanned<String>, arn: &str) -> String {
        let named = arn.rsplit_once(":app/").and_then(|(_, rest)| rest.split_once('/')).map(|(platform, _)| platform);
        // That it is missing was said already.
        if named.is_none() && !arn.is_empty() {
            let form = "arn:aws:sns:REGION:ACCOUNT:app/PLATFORM/NAME";
            self.problem(raw, format!("this is no ARN of a platform application: {form}"));
        }
        named.unwrap_or_default().to_owned()
    }

    fn lack(&self, raw: &Spanned<RawLack>) -> Lack {
        match raw.get_ref() {
            RawLack::Need(need) => {
                Lack { need: self.text(&Spanned::new(raw.span(), need.clone())), reason: None, link: None }
            }
            RawLack::Reasoned(lack) => Lack {
                need: self.text(&lack.need),
                reason: Some(self.text(&lack.reason)),
                link: lack.link.as_ref().map(|link| self.text(link)),
            },
        }
    }

    /// Those of the target file, then those of the file that it names.
    fn known_failures(&self, file: &TargetFile) -> Vec<KnownFailure> {
        let mut known: Vec<_> = file.known_failure.iter().map(|raw| self.known_failure(raw)).collect();
        if let Some(raw) = &file.known_failures_file {
            let path = self.beside(raw);
            match fs::read_to_string(&path) {
                Ok(text) => known.extend(self.known_failures_in(&path, &text)),
                Err(error) => self.problem(raw, format!("cannot read {}: {error}", path.display())),
            }
        }
        known
    }

    /// The entries of a file of their own; mistakes are told by its lines.
    fn known_failures_in(&self, path: &Path, text: &str) -> Vec<KnownFailure> {
        let source = Source::new(path.display().to_string(), text);
        let loader = Loader { source: &source, environment: self.environment, problems: RefCell::default() };
        let known = match source.parse::<KnownFailuresFile>() {
            Ok(file) => file.known_failure.iter().map(|raw| loader.known_failure(raw)).collect(),
            Err(problem) => {
                loader.problems.borrow_mut().push(problem);
                Vec::new()
            }
        };
        self.problems.borrow_mut().extend(loader.problems.into_inner());
        known
    }

    fn known_failure(&self, raw: &super::file::RawKnownFailure) -> KnownFailure {
        KnownFailure {
            pattern: self.text(&raw.case),
            reason: self.text(&raw.reason),
            link: raw.link.as_ref().map(|link| self.text(link)),
            origin: Some(self.source.origin(&raw.case.span())),
        }
    }
}
