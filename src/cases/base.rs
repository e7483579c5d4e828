//! `_base.toml` resolved: the valid request of each operation, what it makes or
//! changes, and how that is taken back.

use indexmap::IndexMap;
use serde_json::{Map, Value};
use toml::Spanned;

use super::base_file::{BaseFile, RawBase, RawSave, RawSavedMember, RawSweep, RawUndo};
use super::check;
use super::file::{Actor, Effect, Node};
use super::scope::Scope;
use super::template::{Bindings, Template};
use crate::spec::{Location, Service};

/// What `_base.toml` says.
#[derive(Debug, Clone, Default)]
pub struct Bases {
    /// The valid request of each operation, by the operation's name.
    pub operations: IndexMap<String, Base>,
    /// How to find what earlier runs have left.
    pub sweep: Option<Sweep>,
}

/// An operation's valid request, and what comes of it.
#[derive(Debug, Clone)]
pub struct Base {
    /// Who signs it.
    pub credentials: Actor,
    /// Its input members.
    pub input: Vec<(String, Template)>,
    /// The request that takes back what a successful call made.
    pub undo: Option<Undo>,
    /// What is kept before a call, and brought back once the run is over.
    pub save: Option<Save>,
    /// What a call does beyond the data of one identity.
    pub effect: Option<Effect>,
    /// What a successful call leaves on the target: a noun for people.
    pub makes: Option<String>,
}

/// The request that takes back what another one made.
#[derive(Debug, Clone)]
pub struct Undo {
    /// The operation to call.
    pub operation: String,
    /// Input members to take over from the request that is undone; labels of its path.
    pub same: Vec<String>,
    /// Input members beside those.
    pub with: Map<String, Value>,
    /// Errors that say that there is nothing to take back.
    pub gone: Vec<String>,
}

/// How what a call replaces is kept.
#[derive(Debug, Clone)]
pub struct Save {
    /// The operation that reads it.
    pub operation: String,
    /// Input members that say what it belongs to; labels of both paths.
    pub same: Vec<String>,
    /// What is kept, by member.
    pub members: IndexMap<String, SavedMember>,
}

/// A member that is kept, and what it is set to when it was not there before.
#[derive(Debug, Clone, Default)]
pub struct SavedMember {
    /// What the member as a whole is set to; none to leave it as it is.
    pub absent: Option<Value>,
    /// Members of it that stay as they are found then.
    pub keeps: Vec<String>,
    /// For a map: what each entry is set to that was not there before.
    pub absent_entry: Option<Value>,
    /// What setting it to `absent` does not bring back.
    pub note: Option<String>,
}

/// How what earlier runs have left on an identity is found and removed.
#[derive(Debug, Clone)]
pub struct Sweep {
    /// The operation that lists what is there.
    pub operation: String,
    /// Its input members, with placeholders for pool and identity.
    pub input: Vec<(String, Template)>,
    /// JSON pointer to the list in its answer.
    pub entries: String,
    /// JSON pointer to the name in an entry.
    pub name: String,
    /// JSON pointer to the time of the last change in an entry, in seconds since 1970.
    pub changed: String,
    /// JSON pointer to what names the next page.
    pub next: String,
    /// The input member that it is sent in.
    pub page: String,
    /// The operation that removes an entry.
    pub remove: String,
    /// Its input members that are the listing's.
    pub same: Vec<String>,
    /// Its input member that the name is sent in.
    pub remove_name: String,
}

/// Resolves a file, and reports its mistakes to `scope`.
pub(super) fn resolve(service: &Service, scope: &Scope<'_>, file: &BaseFile) -> Bases {
    let reader = Reader { service, scope };
    let base = |(name, raw): (&Spanned<String>, &RawBase)| {
        let operation = scope.string(name);
        check::operation(service, scope, &name.span(), &operation);
        let input = scope.members(&raw.with);
        check::input_members(service, scope, &operation, raw.with.keys());
        let base = Base {
            credentials: raw.credentials,
            input,
            undo: raw.undo.as_ref().map(|undo| reader.undo(&operation, undo)),
            save: raw.save.as_ref().map(|save| reader.save(&operation, save)),
            effect: raw.effect,
            makes: raw.makes.clone(),
        };
        (operation, base)
    };
    Bases {
        operations: file.operation.iter().map(base).collect(),
        sweep: file.sweep.as_ref().map(|sweep| reader.sweep(sweep)),
    }
}

struct Reader<'r, 's> {
    service: &'r Service,
    scope: &'r Scope<'s>,
}

impl Reader<'_, '_> {
    /// The name of an operation that there is.
    fn operation(&self, raw: &Spanned<String>) -> String {
        let name = self.scope.string(raw);
        check::operation(self.service, self.scope, &raw.span(), &name);
        name
    }

    /// Names of members of an operation's input.
    fn members<'m>(&self, operation: &str, raw: impl IntoIterator<Item = &'m Spanned<String>> + Clone) -> Vec<String> {
        check::input_members(self.service, self.scope, operation, raw.clone());
        raw.into_iter().map(|name| self.scope.string(name)).collect()
    }

    /// Members that a request can be told by: labels of the operation's path.
    fn labels(&self, operation: &str, raw: &[Spanned<String>]) -> Vec<String> {
        let members = self.members(operation, raw);
        let Some(known) = self.service.operations.get(operation) else { return members };
        for (name, raw) in members.iter().zip(raw) {
            if known.input.get(name).is_some_and(|member| member.location != Location::Label) {
                let message = format!("`{name}` is no part of the path of {operation}, which is all that is looked at");
                self.scope.problem(&raw.span(), message);
            }
        }
        members
    }

    fn undo(&self, undone: &str, raw: &RawUndo) -> Undo {
        let operation = self.operation(&raw.call);
        self.members(&operation, raw.with.keys().chain(&raw.same).collect::<Vec<_>>());
        for error in &raw.gone {
            check::error_names(self.service, self.scope, &error.span(), std::slice::from_ref(error.get_ref()));
        }
        Undo {
            operation,
            same: self.labels(undone, &raw.same),
            with: raw.with.iter().map(|(name, value)| (self.scope.string(name), self.value(value))).collect(),
            gone: raw.gone.iter().map(|error| error.get_ref().clone()).collect(),
        }
    }

    fn save(&self, changed: &str, raw: &RawSave) -> Save {
        let operation = self.operation(&raw.call);
        self.labels(&operation, &raw.same);
        let names = self.members(changed, raw.members.keys().collect::<Vec<_>>());
        let member = |raw: &RawSavedMember| SavedMember {
            absent: raw.absent.as_ref().map(|value| self.value(value)),
            keeps: raw.keeps.clone(),
            absent_entry: raw.absent_entry.as_ref().map(|value| self.value(value)),
            note: raw.note.clone(),
        };
        let members = names.into_iter().zip(raw.members.values().map(member)).collect();
        Save { operation, same: self.labels(changed, &raw.same), members }
    }

    fn sweep(&self, raw: &RawSweep) -> Sweep {
        let operation = self.operation(&raw.call);
        let remove = self.operation(&raw.remove.call);
        self.members(&operation, raw.with.keys().chain([&raw.page]).collect::<Vec<_>>());
        self.members(&remove, [&raw.remove.name]);
        self.labels(&operation, &raw.remove.same);
        Sweep {
            operation,
            input: self.scope.members(&raw.with),
            entries: raw.entries.clone(),
            name: raw.name.clone(),
            changed: raw.changed.clone(),
            next: raw.next.clone(),
            page: raw.page.get_ref().clone(),
            same: self.members(&remove, &raw.remove.same),
            remove,
            remove_name: raw.remove.name.get_ref().clone(),
        }
    }

    /// A value without placeholders: when it is sent, no case is there to fill them in.
    fn value(&self, raw: &Spanned<Node>) -> Value {
        self.scope.at(&raw.span());
        let value = Template::parse(raw.get_ref())
            .and_then(|template| template.render(&Bindings::new()).map_err(|error| error.to_string()));
        value.unwrap_or_else(|problem| {
            self.scope.problem(&raw.span(), format!("{problem}; a request that takes something back has no case"));
            Value::Null
        })
    }
}
