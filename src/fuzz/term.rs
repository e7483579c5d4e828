//! Values of requests and expectations that remember where they come from, so that
//! the same step can be sent now and be written down as a case for later.

use serde_json::{Map, Value, json};

use super::operation::{Place, Who};

/// A value that an earlier answer of the same attempt showed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Source {
    /// Index of the request.
    pub(super) step: usize,
    /// Where in its answer.
    pub(super) pointer: String,
}

/// A sync count, and where it was seen, if anywhere: at `source`, so much less.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) value: i64,
    pub(super) source: Option<(Source, i64)>,
}

impl Count {
    /// A number that nobody showed.
    pub(super) fn plain(value: i64) -> Self {
        Self { value, source: None }
    }

    /// A number that an answer showed.
    pub(super) fn seen(value: i64, step: usize, pointer: String) -> Self {
        Self { value, source: Some((Source { step, pointer }, 0)) }
    }

    /// The same, moved.
    pub(super) fn plus(&self, by: i64) -> Self {
        let source = self.source.clone().map(|(source, plus)| (source, plus + by));
        Self { value: self.value + by, source }
    }
}

/// A token, and where it was handed out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Handed {
    pub(super) text: String,
    pub(super) source: Source,
}

/// A value of a request or of an expectation.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Term {
    Text(String),
    Integer(i64),
    Float(f64),
    Bool(bool),
    Count(Count),
    Handed(Handed),
    Dataset(u8),
    Identity(Who),
    Pool,
    /// Texts and counts put together.
    Words(Vec<Term>),
    List(Vec<Term>),
    Table(Vec<(&'static str, Term)>),
}

impl From<&str> for Term {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<&Count> for Term {
    fn from(count: &Count) -> Self {
        Self::Count(count.clone())
    }
}

/// What ids and names are in one attempt.
#[derive(Debug, Clone)]
pub(super) struct Names {
    pub(super) pool: String,
    pub(super) identities: [String; 2],
    /// Begins each name of a dataset; different for each attempt.
    pub(super) prefix: String,
}

impl Names {
    pub(super) fn identity(&self, who: Who) -> &str {
        match who {
            Who::Own => &self.identities[0],
            Who::Other => &self.identities[1],
        }
    }

    pub(super) fn dataset(&self, dataset: u8) -> String {
        format!("{}-{}", self.prefix, dataset + 1)
    }
}

impl Term {
    /// The value as it is sent and compared.
    pub(super) fn value(&self, names: &Names) -> Value {
        match self {
            Self::Text(text) => json!(text),
            Self::Integer(number) => json!(number),
            Self::Float(number) => json!(number),
            Self::Bool(value) => json!(value),
            Self::Count(count) => json!(count.value),
            Self::Handed(handed) => json!(handed.text),
            Self::Dataset(dataset) => json!(names.dataset(*dataset)),
            Self::Identity(who) => json!(names.identity(*who)),
            Self::Pool => json!(names.pool),
            Self::Words(words) => {
                let text = |word: &Self| match word.value(names) {
                    Value::String(text) => text,
                    other => other.to_string(),
                };
                json!(words.iter().map(text).collect::<String>())
            }
            Self::List(list) => list.iter().map(|term| term.value(names)).collect(),
            Self::Table(table) => {
                let members = table.iter().map(|(name, term)| ((*name).to_owned(), term.value(names)));
                Value::Object(members.collect())
            }
        }
    }

    /// Calls `visit` with every source that the term draws from.
    pub(super) fn sources(&self, visit: &mut dyn FnMut(&Source)) {
        match self {
            Self::Count(Count { source: Some((source, _)), .. }) => visit(source),
            Self::Handed(handed) => visit(&handed.source),
            Self::Words(terms) | Self::List(terms) => terms.iter().for_each(|term| term.sources(visit)),
            Self::Table(table) => table.iter().for_each(|(_, term)| term.sources(visit)),
            _ => {}
        }
    }
}

/// A request's input: members by their API names.
pub(super) type Input = Vec<(&'static str, Term)>;

/// The input as it is sent.
pub(super) fn literal(input: &Input, names: &Names) -> Map<String, Value> {
    input.iter().map(|(name, term)| ((*name).to_owned(), term.value(names))).collect()
}

/// The members that say where.
pub(super) fn at(place: Place) -> Input {
    let mut input = of(place.who);
    input.push(("DatasetName", Term::Dataset(place.dataset)));
    input
}

/// The members that say whose.
pub(super) fn of(who: Who) -> Input {
    vec![("IdentityPoolId", Term::Pool), ("IdentityId", Term::Identity(who))]
}
