//! From a world file to worlds: environment variables filled in, what is not given made,
//! every mistake reported by line and column.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use toml::Spanned;

use super::Worlds;
use super::file::{RawAccount, RawDeveloper, RawWorldIdentity, RawWorldPool, WorldFile};
use super::make::Names;
use crate::reference::{Collaborators, Keys, World, WorldIdentity, WorldPool};
use crate::source::{Problem, Source};
use crate::target::load::Environment;

const DEFAULT_REGION: &str = "us-east-1";

/// Digits of an account's id.
const ACCOUNT_DIGITS: usize = 12;

/// Longest id of a pool or an identity, in characters, as the service has it.
const LONGEST_ID: usize = 55;

/// Most identities that are made in a pool.
const MADE_MAX: u32 = 100_000;

/// Why a world file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    /// It cannot be read.
    #[error("cannot read world file {path}: {source}")]
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

pub(super) fn from_file(path: &Path, environment: Environment<'_>) -> Result<Worlds, WorldError> {
    let shown = path.display().to_string();
    let text = fs::read_to_string(path).map_err(|source| WorldError::Unreadable { path: shown.clone(), source })?;
    from_text(&shown, &text, environment)
}

pub(super) fn from_text(path: &str, text: &str, environment: Environment<'_>) -> Result<Worlds, WorldError> {
    let source = Source::new(path, text);
    let file: WorldFile = source.parse_discreetly().map_err(|problem| WorldError::Mistakes(vec![problem]))?;
    let loader = Loader { source: &source, environment, found: RefCell::default() };
    let seed = file.seed.as_ref().map(|seed| loader.text(seed)).unwrap_or_default();
    let accounts: Vec<World> = file.account.iter().map(|account| loader.account(account, &seed)).collect();
    if accounts.is_empty() {
        loader.found.borrow_mut().problems.push(source.problem(&(0..0), "the world has no `[[account]]`"));
    }
    let Found { mut problems, references, given, .. } = loader.found.into_inner();
    // As a reader comes across them.
    problems.sort_by_cached_key(|problem| problem.origin.clone());
    if problems.is_empty() { Ok(Worlds { accounts, references, given }) } else { Err(WorldError::Mistakes(problems)) }
}

/// What was found on the way.
#[derive(Default)]
struct Found {
    problems: Vec<Problem>,
    references: BTreeMap<String, String>,
    given: BTreeSet<String>,
    /// Each kind of name with what bears it: none is borne twice.
    taken: BTreeSet<(&'static str, String)>,
}

struct Loader<'l> {
    source: &'l Source<'l>,
    environment: Environment<'l>,
    found: RefCell<Found>,
}

impl Loader<'_> {
    fn problem<T>(&self, at: &Spanned<T>, message: impl Into<String>) {
        self.found.borrow_mut().problems.push(self.source.problem(&at.span(), message));
    }

    /// Text, or what the environment variable that it names holds.
    fn text(&self, raw: &Spanned<String>) -> String {
        let text = raw.get_ref();
        let Some(name) = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')) else {
            if text.is_empty() {
                self.problem(raw, "this must not be empty");
            } else if text.contains("${") {
                self.problem(raw, "an environment variable stands alone: `\"${NAME}\"`, with nothing before or after");
            }
            return text.clone();
        };
        let value = (self.environment)(name).filter(|value| !value.is_empty());
        if value.is_none() {
            self.problem(raw, format!("the environment variable {name} is not set"));
        }
        value.unwrap_or_default()
    }

    /// A text that stays in the environment, if that is where it comes from.
    fn secret(&self, raw: &Spanned<String>) -> String {
        let text = self.text(raw);
        if text != *raw.get_ref() && !text.is_empty() {
            self.found.borrow_mut().references.insert(text.clone(), raw.get_ref().clone());
        }
        text
    }

    /// Complains when something of this kind has the name already.
    fn take<T>(&self, at: &Spanned<T>, kind: &'static str, name: &str) {
        // That it is missing was said already.
        let is_new = name.is_empty() || self.found.borrow_mut().taken.insert((kind, name.to_owned()));
        if !is_new {
            self.problem(at, format!("{kind} {name} is there twice"));
        }
    }

    fn account(&self, raw: &RawAccount, seed: &str) -> World {
        let account_id = self.text(&raw.id);
        let is_id = account_id.len() == ACCOUNT_DIGITS && account_id.chars().all(|digit| digit.is_ascii_digit());
        if !is_id && !account_id.is_empty() {
            self.problem(&raw.id, format!("`{account_id}` is no account: its id has {ACCOUNT_DIGITS} digits"));
        }
        self.take(&raw.id, "account", &account_id);
        let region = raw.region.as_ref().map_or_else(|| DEFAULT_REGION.to_owned(), |region| self.region(region));
        let names = Names::new(seed).within("account", &account_id);
        let developer = raw.developer.as_ref().map_or_else(|| names.developer(), |keys| self.developer(keys));
        let pools = raw.pool.iter().map(|pool| self.pool(pool, raw, &names, &region)).collect();
        World { region, account_id, developer, pools, collaborators: Collaborators::default() }
    }

    fn region(&self, raw: &Spanned<String>) -> String {
        let region = self.text(raw);
        let usable = region.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        if !usable {
            self.problem(raw, format!("`{region}` is no region: lower-case letters, digits and `-`"));
        }
        region
    }

    fn developer(&self, raw: &RawDeveloper) -> Keys {
        self.keys(&raw.access_key_id, &raw.secret_access_key, raw.session_token.as_ref())
    }

    fn keys(&self, id: &Spanned<String>, secret: &Spanned<String>, token: Option<&Spanned<String>>) -> Keys {
        let access_key_id = self.text(id);
        self.take(id, "access key", &access_key_id);
        self.found.borrow_mut().given.insert(access_key_id.clone());
        Keys {
            access_key_id,
            secret_access_key: self.secret(secret),
            session_token: token.map(|token| self.secret(token)),
        }
    }

    fn pool(&self, raw: &RawWorldPool, account: &RawAccount, names: &Names, region: &str) -> WorldPool {
        let Some((at, name)) = self.name(raw.name.as_ref(), raw.identity_pool_id.as_ref()) else {
            self.problem(&account.id, "a `[[account.pool]]` has neither a `name` nor an `identity-pool-id`");
            return WorldPool { identity_pool_id: String::new(), identities: Vec::new() };
        };
        let names = names.within("pool", &name);
        let identity_pool_id = self.id(raw.identity_pool_id.as_ref(), region).unwrap_or_else(|| names.id(region));
        self.take(at, "pool", &identity_pool_id);
        let made = raw.identities.as_ref().map_or(0, |made| {
            if *made.get_ref() > MADE_MAX {
                self.problem(made, format!("at most {MADE_MAX} identities are made in a pool"));
            }
            (*made.get_ref()).min(MADE_MAX)
        });
        let named = raw.identity.iter().filter_map(|identity| self.identity(identity, at, &names, region));
        let mut identities: Vec<WorldIdentity> = named.collect();
        for number in 0..made {
            let names = names.within("made identity", &number.to_string());
            let identity = WorldIdentity { identity_id: names.id(region), keys: names.identity() };
            self.take(at, "identity", &identity.identity_id);
            identities.push(identity);
        }
        WorldPool { identity_pool_id, identities }
    }

    fn identity(
        &self,
        raw: &RawWorldIdentity,
        pool: &Spanned<String>,
        names: &Names,
        region: &str,
    ) -> Option<WorldIdentity> {
        let Some((at, name)) = self.name(raw.name.as_ref(), raw.identity_id.as_ref()) else {
            self.problem(pool, "an identity of this pool has neither a `name` nor an `identity-id`");
            return None;
        };
        let names = names.within("identity", &name);
        let identity_id = self.id(raw.identity_id.as_ref(), region).unwrap_or_else(|| names.id(region));
        self.take(at, "identity", &identity_id);
        let keys = match (&raw.access_key_id, &raw.secret_access_key, &raw.session_token) {
            (Some(id), Some(secret), token) => self.keys(id, secret, token.as_ref()),
            (None, None, None) => names.identity(),
            (id, secret, token) => {
                let there = id.as_ref().or(secret.as_ref()).or(token.as_ref()).unwrap_or(at);
                self.problem(there, "keys are `access-key-id` and `secret-access-key`, or none at all");
                return None;
            }
        };
        Some(WorldIdentity { identity_id, keys })
    }

    /// What something is made from, and where that stands: its name, else its id.
    fn name<'r>(
        &self,
        name: Option<&'r Spanned<String>>,
        id: Option<&'r Spanned<String>>,
    ) -> Option<(&'r Spanned<String>, String)> {
        let raw = name.or(id)?;
        Some((id.unwrap_or(raw), self.text(raw)))
    }

    /// An id that the file gives.
    fn id(&self, raw: Option<&Spanned<String>>, region: &str) -> Option<String> {
        let raw = raw?;
        let id = self.text(raw);
        let rest = id.strip_prefix(region).and_then(|rest| rest.strip_prefix(':'));
        let is_hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c) || c == '-';
        let usable = rest.is_some_and(|rest| !rest.is_empty() && rest.chars().all(is_hex)) && id.len() <= LONGEST_ID;
        if !usable && !id.is_empty() {
            self.problem(raw, format!("`{id}` is no id of this account: `{region}:` and a UUID in lower case"));
        }
        Some(id)
    }
}
