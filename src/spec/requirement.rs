//! Requirements: atomic statements about the service, derived from its data.
//!
//! An id reads `<operation>/<kind>/<what>`: `ListRecords/route`,
//! `ListRecords/input/DatasetName/max-length`, `ListRecords/output/Records/Key`,
//! `DeleteDataset/error/ResourceNotFoundException`,
//! `RegisterDevice/credentials/developer-refused`,
//! `UpdateRecords/limit/datasets-per-identity`, `ListRecords/rule/tombstone`.
//! Requirements of the service as a whole begin with `service/`.

use std::sync::{Arc, LazyLock};

use indexmap::IndexMap;
use indexmap::map::Entry;
use serde::Serialize;

use super::service::{
    Credentials, Location, Member, Operation, OutputKind, Service, ShapeKind, Strength, StringConstraints,
};

/// One atomic statement about the service that a case can prove or refute.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Requirement {
    /// Stable, readable id.
    pub id: String,
    /// What sort of statement it is.
    pub kind: RequirementKind,
    /// The operation it speaks of; none for the service as a whole.
    pub operation: Option<String>,
    /// The statement in plain words.
    pub statement: String,
    /// How sure the sources make us; decides the level of a finding.
    pub strength: Strength,
    /// Descriptions of the sources, for people.
    pub sources: Arc<[String]>,
    /// Id of the dispute that concerns it, if any.
    pub dispute: Option<String>,
}

/// The sorts of requirement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RequirementKind {
    /// Method and path of an operation.
    Route,
    /// Where an input member travels and under which name.
    Binding,
    /// A constraint of an input member: required, a length, a pattern, …
    Constraint,
    /// Presence-independent form of an output member: its type on the wire.
    Output,
    /// An error that an operation declares, with its status.
    Error,
    /// An error that the documentation lists for every action.
    CommonError,
    /// Which credentials an operation accepts or refuses.
    Credentials,
    /// A quota.
    Limit,
    /// A rule stated in prose.
    Rule,
}

impl RequirementKind {
    /// Every kind, in the order in which the catalogue of an operation has them.
    pub const ALL: [Self; 9] = [
        Self::Route,
        Self::Binding,
        Self::Constraint,
        Self::Output,
        Self::Error,
        Self::CommonError,
        Self::Credentials,
        Self::Limit,
        Self::Rule,
    ];

    /// Its name in documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::Route => "route",
            Self::Binding => "binding",
            Self::Constraint => "constraint",
            Self::Output => "output",
            Self::Error => "error",
            Self::CommonError => "common-error",
            Self::Credentials => "credentials",
            Self::Limit => "limit",
            Self::Rule => "rule",
        }
    }
}

/// Room for the requirements of the service as shipped, so that none are moved while they
/// are added.
const ABOUT_AS_MANY: usize = 1_000;

/// All requirements of a service, in the order of its data.
#[derive(Debug, Clone)]
pub struct Catalog {
    by_id: IndexMap<String, Requirement>,
    duplicate: Option<String>,
}

impl Catalog {
    /// The requirements of the service as shipped.
    pub fn embedded() -> &'static Self {
        static CATALOG: LazyLock<Catalog> = LazyLock::new(|| Catalog::of(Service::embedded()));
        &CATALOG
    }

    /// Derives the requirements of `service`.
    pub fn of(service: &Service) -> Self {
        let catalog = Self { by_id: IndexMap::with_capacity(ABOUT_AS_MANY), duplicate: None };
        let mut builder = Builder { service, catalog, sources: Arc::default() };
        builder.whole_service();
        for operation in service.operations.values() {
            builder.operation(operation);
        }
        builder.disputes();
        builder.catalog
    }

    /// The requirement with this id.
    pub fn get(&self, id: &str) -> Option<&Requirement> {
        self.by_id.get(id)
    }

    /// All requirements, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Requirement> {
        self.by_id.values()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// An id that two requirements share, which makes the data unusable.
    pub(super) fn duplicate(&self) -> Option<&str> {
        self.duplicate.as_deref()
    }
}

struct Builder<'s> {
    service: &'s Service,
    catalog: Catalog,
    /// Sources of the requirements being added.
    sources: Arc<[String]>,
}

impl Builder<'_> {
    fn add(&mut self, id: String, kind: RequirementKind, strength: Strength, statement: String) {
        let operation = id.split('/').next().filter(|first| *first != "service").map(str::to_owned);
        let requirement = Requirement {
            id: id.clone(),
            kind,
            operation,
            statement,
            strength,
            sources: Arc::clone(&self.sources),
            dispute: None,
        };
        match self.catalog.by_id.entry(id) {
            Entry::Occupied(entry) => self.catalog.duplicate = Some(entry.key().clone()),
            Entry::Vacant(entry) => {
                entry.insert(requirement);
            }
        }
    }

    fn documented(&mut self, id: String, kind: RequirementKind, statement: String) {
        self.add(id, kind, Strength::Documented, statement);
    }

    /// Makes `keys` the sources of what is added next.
    fn citing(&mut self, keys: &[impl AsRef<str>]) {
        self.sources = keys.iter().map(|key| self.service.sources[key.as_ref()].clone()).collect();
    }

    fn whole_service(&mut self) {
        self.citing(&["model"]);
        for (name, member) in &self.service.error_members {
            let kind = type_name(self.service, member);
            self.documented(
                format!("service/error/{name}"),
                RequirementKind::Output,
                format!("The body of every error that an operation declares carries `{name}`, {kind}."),
            );
        }
        self.citing(&["reference"]);
        for (name, status) in &self.service.common_errors {
            // The list comes from a page shared by all of AWS.
            self.add(
                format!("service/common-error/{name}"),
                RequirementKind::CommonError,
                Strength::Inferred,
                format!("Any action may answer `{name}` with HTTP status {status}."),
            );
        }
        self.rules(None);
    }

    fn operation(&mut self, operation: &Operation) {
        let name = &operation.name;
        self.citing(&["model", "reference"]);
        self.documented(
            format!("{name}/route"),
            RequirementKind::Route,
            format!("`{name}` is called with {} {}.", operation.method, operation.uri),
        );
        for (member, definition) in &operation.input {
            self.binding(name, member, definition);
            self.input(&format!("{name}/input/{member}"), member, definition, &mut Vec::new());
        }
        self.outputs(operation);
        for error in &operation.errors {
            let kind = &self.service.errors[error];
            let source: &[&str] = if kind.in_model { &["model", "reference"] } else { &["reference"] };
            let statement = format!("When `{name}` answers `{error}`, the HTTP status is {}.", kind.status);
            self.citing(source);
            self.documented(format!("{name}/error/{error}"), RequirementKind::Error, statement);
        }
        self.credentials(operation);
        for limit in self.service.limits.iter().filter(|limit| limit.operation == *name) {
            self.citing(&limit.sources);
            self.add(
                format!("{name}/limit/{}", limit.id),
                RequirementKind::Limit,
                limit.strength,
                limit.statement.clone(),
            );
        }
        self.rules(Some(name));
    }

    fn binding(&mut self, operation: &str, member: &str, definition: &Member) {
        let wire = &definition.wire_name;
        let place = match definition.location {
            Location::Label => format!("as the path segment `{{{wire}}}`, percent-encoded"),
            Location::Query => format!("as the query parameter `{wire}`"),
            Location::Header => format!("in the header `{wire}`"),
            Location::Body => format!("in the JSON body as `{wire}`"),
        };
        self.documented(
            format!("{operation}/input/{member}/binding"),
            RequirementKind::Binding,
            format!("`{member}` of `{operation}` travels {place}."),
        );
    }

    /// Constraints of an input member and of everything below it. `enclosing`
    /// holds the shapes on the way down, so that a recursive model would end.
    fn input(&mut self, id: &str, name: &str, member: &Member, enclosing: &mut Vec<String>) {
        if member.required {
            self.constraint(id, "required", format!("`{name}` is required: a request without it is refused."));
        }
        let own = &member.constraints;
        self.text_constraints(id, name, own);
        if enclosing.contains(&member.shape) {
            return;
        }
        enclosing.push(member.shape.clone());
        let is_text = matches!(self.service.shape(&member.shape).kind, ShapeKind::String(_));
        // Whatever stands in a path, a query or a header is a text.
        if member.location == Location::Body || !is_text {
            self.value_type(id, name, &member.shape);
        }
        self.shape_constraints(id, name, &member.shape, enclosing);
        enclosing.pop();
    }

    /// That a value of another type is refused is not said by the sources checked;
    /// other services of AWS do so.
    fn value_type(&mut self, id: &str, name: &str, shape: &str) {
        let needed = type_phrase(&self.service.shape(shape).kind);
        let statement = format!("`{name}` is {needed}; a value of another type is refused.");
        self.add(format!("{id}/type"), RequirementKind::Constraint, Strength::Inferred, statement);
    }

    fn shape_constraints(&mut self, id: &str, name: &str, shape: &str, enclosing: &mut Vec<String>) {
        match &self.service.shape(shape).kind {
            ShapeKind::String(constraints) => self.text_constraints(id, name, constraints),
            ShapeKind::List { member } => self.entries(id, &format!("an entry of {name}"), member, enclosing),
            ShapeKind::Map { key, value, max_entries } => {
                if let Some(most) = max_entries {
                    self.constraint(id, "max-entries", format!("`{name}` holds at most {most} entries."));
                }
                self.shape_constraints(&format!("{id}/key"), &format!("a key of {name}"), key, enclosing);
                let (id, name) = (format!("{id}/value"), format!("a value of {name}"));
                self.value_type(&id, &name, value);
                self.shape_constraints(&id, &name, value, enclosing);
            }
            ShapeKind::Structure { members } => {
                for (below, member) in members {
                    self.input(&format!("{id}/{below}"), below, member, enclosing);
                }
            }
            ShapeKind::Integer | ShapeKind::Long | ShapeKind::Boolean | ShapeKind::Timestamp => {}
        }
    }

    /// A list's entries carry its id: `…/RecordPatches/Key`, not `…/0/Key`. Only
    /// an entry that is no structure needs a segment of its own.
    fn entries(&mut self, id: &str, name: &str, shape: &str, enclosing: &mut Vec<String>) {
        let is_structure = matches!(self.service.shape(shape).kind, ShapeKind::Structure { .. });
        match &self.service.shape(shape).kind {
            ShapeKind::Structure { members } if is_structure => {
                for (below, member) in members {
                    self.input(&format!("{id}/{below}"), below, member, enclosing);
                }
            }
            _ => {
                let id = format!("{id}/entry");
                self.value_type(&id, name, shape);
                self.shape_constraints(&id, name, shape, enclosing);
            }
        }
    }

    fn text_constraints(&mut self, id: &str, name: &str, text: &StringConstraints) {
        if let Some(fewest) = text.min_length {
            self.constraint(id, "min-length", format!("`{name}` has at least {fewest} characters."));
        }
        if let Some(most) = text.max_length {
            self.constraint(id, "max-length", format!("`{name}` has at most {most} characters."));
        }
        if let Some(pattern) = &text.pattern {
            self.constraint(id, "pattern", format!("`{name}` as a whole matches `{pattern}`."));
        }
        if !text.allowed.is_empty() {
            let values = text.allowed.join("`, `");
            self.constraint(id, "enum", format!("`{name}` is one of `{values}`, in this case."));
        }
    }

    fn constraint(&mut self, id: &str, constraint: &str, statement: String) {
        self.documented(format!("{id}/{constraint}"), RequirementKind::Constraint, statement);
    }

    fn outputs(&mut self, operation: &Operation) {
        let name = &operation.name;
        if operation.output_kind != OutputKind::Structure {
            self.documented(
                format!("{name}/output"),
                RequirementKind::Output,
                format!("`{name}` succeeds with an empty body or an empty object."),
            );
        }
        for (member, definition) in &operation.output {
            self.output(&format!("{name}/output/{member}"), member, definition, &mut Vec::new());
        }
    }

    fn output(&mut self, id: &str, name: &str, member: &Member, enclosing: &mut Vec<String>) {
        let phrase = type_name(self.service, member);
        self.documented(
            id.to_owned(),
            RequirementKind::Output,
            format!("`{name}` in the answer is {phrase}; null is like absent."),
        );
        if enclosing.contains(&member.shape) {
            return;
        }
        enclosing.push(member.shape.clone());
        let mut shape = &self.service.shape(&member.shape).kind;
        while let ShapeKind::List { member } = shape {
            shape = &self.service.shape(member).kind;
        }
        if let ShapeKind::Structure { members } = shape {
            for (below, member) in members {
                self.output(&format!("{id}/{below}"), below, member, enclosing);
            }
        }
        enclosing.pop();
    }

    fn credentials(&mut self, operation: &Operation) {
        let name = &operation.name;
        self.citing(&["reference"]);
        let mut say = |what: &str, statement: String| {
            self.documented(format!("{name}/credentials/{what}"), RequirementKind::Credentials, statement);
        };
        let developer = operation.credentials != Credentials::IdentityOnly;
        let identity = operation.credentials != Credentials::DeveloperOnly;
        say(
            if developer { "developer-accepted" } else { "developer-refused" },
            format!("`{name}` {} developer credentials.", if developer { "accepts" } else { "refuses" }),
        );
        say(
            if identity { "identity-accepted" } else { "identity-refused" },
            format!("`{name}` {} an identity's own credentials.", if identity { "accepts" } else { "refuses" }),
        );
        if identity {
            say("other-identity-refused", format!("`{name}` refuses one identity's credentials for another identity."));
        }
        say("none-refused", format!("`{name}` refuses a request that is not signed."));
    }

    fn rules(&mut self, operation: Option<&str>) {
        let service = self.service;
        for rule in service.rules.iter().filter(|rule| rule.operation.as_deref() == operation) {
            self.citing(&rule.sources);
            let scope = operation.unwrap_or("service");
            self.add(format!("{scope}/rule/{}", rule.id), RequirementKind::Rule, rule.strength, rule.statement.clone());
        }
    }

    fn disputes(&mut self) {
        for dispute in &self.service.disputes {
            for id in &dispute.requirements {
                // An unknown id is reported by the loader.
                if let Some(requirement) = self.catalog.by_id.get_mut(id) {
                    requirement.dispute = Some(dispute.id.clone());
                    requirement.strength = dispute.strength.unwrap_or(requirement.strength);
                }
            }
        }
    }
}

fn type_name(service: &Service, member: &Member) -> &'static str {
    type_phrase(&service.shape(&member.shape).kind)
}

/// A shape's type as JSON shows it, with its article.
fn type_phrase(kind: &ShapeKind) -> &'static str {
    match kind {
        ShapeKind::String(_) => "a string",
        ShapeKind::Integer => "a whole number",
        ShapeKind::Long => "a whole number",
        ShapeKind::Boolean => "true or false",
        ShapeKind::Timestamp => "a number of seconds since the epoch",
        ShapeKind::List { .. } => "a list",
        ShapeKind::Map { .. } => "an object",
        ShapeKind::Structure { .. } => "an object",
    }
}
