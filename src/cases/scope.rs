//! Fills a table row's entries into what a case file says, and collects the
//! mistakes found on the way.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use indexmap::IndexMap;
use regex::Regex;
use regex_syntax::Parser;
use toml::Spanned;

use super::condition::{Condition, Match, Pattern};
use super::file::{Actor, Matcher, Node, OneOrMany, RawActor, RawMatch};
use super::reading::Reading;
use super::template::{Piece, Template, Text, pieces, split_offset};
use crate::source::{Origin, Problem, Source, with_suggestion};

/// One file (and one row of a table, if any) in whose light text is read.
pub(super) struct Scope<'f> {
    source: &'f Source<'f>,
    row: IndexMap<&'f str, &'f Node>,
    used: RefCell<BTreeSet<String>>,
    reading: &'f Reading,
    /// The place that a mistake is reported at when what is read has none.
    here: Cell<(usize, usize)>,
}

impl<'f> Scope<'f> {
    pub(super) fn new(source: &'f Source<'f>, reading: &'f Reading) -> Self {
        Self { source, row: IndexMap::new(), used: RefCell::default(), reading, here: Cell::new((0, 0)) }
    }

    /// The same file, with a row's entries as placeholders.
    pub(super) fn with_row(mut self, row: &'f IndexMap<Spanned<String>, Spanned<Node>>) -> Self {
        self.row = row.iter().map(|(key, value)| (key.get_ref().as_str(), value.get_ref())).collect();
        self
    }

    /// From here on, mistakes without a place of their own are reported here.
    pub(super) fn at(&self, span: &Range<usize>) {
        self.here.set((span.start, span.end));
    }

    pub(super) fn origin(&self, span: &Range<usize>) -> Origin {
        self.source.origin(span)
    }

    pub(super) fn problem(&self, span: &Range<usize>, message: impl Into<String>) {
        self.reading.problem(self.source.problem(span, message));
    }

    /// A mistake at the place last named with [`Scope::at`].
    pub(super) fn problem_here(&self, message: impl Into<String>) {
        let (start, end) = self.here.get();
        self.problem(&(start..end), message);
    }

    /// A mistake at a place that was turned into lines and columns already.
    pub(super) fn problem_at(&self, origin: Origin, message: String) {
        self.reading.problem(Problem { origin, message });
    }

    /// Whether this is an entry of the row.
    pub(super) fn is_entry(&self, name: &str) -> bool {
        self.row.contains_key(name)
    }

    /// Whether nothing has asked for this entry of the row; its name needs nobody
    /// to.
    pub(super) fn is_unused(&self, entry: &str) -> bool {
        entry != "name" && !self.used.borrow().contains(entry)
    }

    /// The entry that a placeholder stands for, moved as it says.
    fn entry(&self, placeholder: &str) -> Option<Node> {
        let (name, plus) = split_offset(placeholder);
        let entry = *self.row.get(name)?;
        self.used.borrow_mut().insert(name.to_owned());
        match entry {
            entry if plus == 0 => Some(entry.clone()),
            Node::Integer(number) => Some(Node::Integer(number.saturating_add(plus))),
            _ => {
                self.problem_here(format!("`{name}` is no whole number in this row, so nothing can be added to it"));
                None
            }
        }
    }

    /// Whether a text has no place for the row's entries, as most have none.
    fn leaves(&self, text: &str) -> bool {
        self.row.is_empty() || !text.contains('{')
    }

    /// Text with the row's entries filled in; other placeholders stay.
    pub(super) fn fill(&self, text: &str) -> String {
        if self.leaves(text) {
            return text.to_owned();
        }
        let mut filled = String::with_capacity(text.len());
        for piece in pieces(text) {
            match piece {
                Piece::Literal(literal) => filled.push_str(literal),
                Piece::Escaped(literal) => {
                    filled.push('{');
                    filled.push_str(literal);
                }
                Piece::Placeholder(inner) => match self.entry(inner) {
                    Some(node) => filled.push_str(&self.as_text(inner, &node)),
                    None => {
                        filled.push('{');
                        filled.push_str(inner);
                        filled.push('}');
                    }
                },
            }
        }
        filled
    }

    fn as_text(&self, name: &str, node: &Node) -> String {
        match node {
            Node::Text(text) => text.clone(),
            Node::Integer(number) => number.to_string(),
            Node::Float(number) => number.to_string(),
            Node::Bool(value) => value.to_string(),
            Node::List(_) | Node::Table(_) => {
                self.problem_here(format!("`{{{name}}}` is a list or table in this row and cannot stand within text"));
                String::new()
            }
        }
    }

    /// A value with the row's entries filled in. Text that is nothing but the
    /// name of an entry becomes that entry, whatever its type.
    pub(super) fn fill_node(&self, node: &Node) -> Node {
        match node {
            Node::Text(text) if self.leaves(text) => node.clone(),
            Node::Text(text) => match pieces(text).as_slice() {
                [Piece::Placeholder(inner)] => match self.entry(inner) {
                    Some(entry) => entry,
                    None => node.clone(),
                },
                _ => Node::Text(self.fill(text)),
            },
            Node::List(list) => Node::List(list.iter().map(|entry| self.fill_node(entry)).collect()),
            Node::Table(table) => {
                Node::Table(table.iter().map(|(key, value)| (self.fill(key), self.fill_node(value))).collect())
            }
            Node::Bool(_) | Node::Integer(_) | Node::Float(_) => node.clone(),
        }
    }

    pub(super) fn string(&self, text: &Spanned<String>) -> String {
        self.at(&text.span());
        self.fill(text.get_ref())
    }

    pub(super) fn text(&self, text: &Spanned<String>) -> Text {
        self.at(&text.span());
        self.parse_text(text.get_ref())
    }

    /// Text without a place of its own.
    pub(super) fn parse_text(&self, text: &str) -> Text {
        Text::parse(&self.fill(text)).unwrap_or_else(|problem| {
            self.problem_here(problem);
            Text::empty()
        })
    }

    pub(super) fn template(&self, node: &Spanned<Node>) -> Template {
        self.at(&node.span());
        self.parse_template(node.get_ref())
    }

    fn parse_template(&self, node: &Node) -> Template {
        Template::parse(&self.fill_node(node)).unwrap_or_else(|problem| {
            self.problem_here(problem);
            Template::Fixed(serde_json::Value::Null)
        })
    }

    pub(super) fn members(&self, members: &IndexMap<Spanned<String>, Spanned<Node>>) -> Vec<(String, Template)> {
        members.iter().map(|(name, value)| (self.string(name), self.template(value))).collect()
    }

    pub(super) fn actor(&self, actor: &Spanned<RawActor>) -> Option<Actor> {
        self.at(&actor.span());
        match actor.get_ref() {
            RawActor::Named(actor) => Some(*actor),
            RawActor::Placeholder(text) => {
                let name = self.fill(text);
                if name.starts_with('{') {
                    self.problem_here(format!("`{name}` stands for nothing here: who signs, only a row can fill in"));
                    return None;
                }
                let parsed: Result<Actor, serde::de::value::Error> =
                    serde::Deserialize::deserialize(serde::de::value::StrDeserializer::new(&name));
                parsed.map_err(|error| self.problem_here(with_suggestion(&error.to_string()))).ok()
            }
        }
    }

    /// Numbers, any of which may be filled in by the row.
    pub(super) fn statuses(&self, statuses: &Spanned<OneOrMany<Node>>) -> Vec<u16> {
        self.at(&statuses.span());
        let nodes = flatten(statuses.get_ref().0.iter().map(|node| self.fill_node(node)));
        let status = |node| match node {
            Node::Integer(status) if (100..600).contains(&status) => u16::try_from(status).ok(),
            _ => {
                self.problem_here("a status is a whole number from 100 to 599");
                None
            }
        };
        nodes.into_iter().filter_map(status).collect()
    }

    /// Texts, any of which may be filled in by the row, also with a list.
    pub(super) fn strings(&self, texts: &Spanned<OneOrMany<String>>) -> Vec<String> {
        self.at(&texts.span());
        let nodes = flatten(texts.get_ref().0.iter().map(|text| self.fill_node(&Node::Text(text.clone()))));
        let text = |node| match node {
            Node::Text(text) => Some(text),
            _ => {
                self.problem_here("text is needed here");
                None
            }
        };
        nodes.into_iter().filter_map(text).collect()
    }

    pub(super) fn condition(&self, raw: &Spanned<RawMatch>) -> Match {
        self.at(&raw.span());
        match raw.get_ref() {
            RawMatch::Value(node) => match self.fill_node(node) {
                // A row may fill in a whole matcher.
                Node::Table(table) if matches!(node, Node::Text(_)) => self.filled_matcher(table),
                node => Condition::Equals(self.parse_template(&node)).into(),
            },
            RawMatch::Matcher(matcher) => self.matcher(matcher),
        }
    }

    fn filled_matcher(&self, table: IndexMap<String, Node>) -> Match {
        let value = toml_value(Node::Table(table));
        match value.try_into::<Matcher>() {
            Ok(matcher) => self.matcher(&matcher),
            Err(error) => {
                self.problem_here(format!("the matcher that the row gives: {}", with_suggestion(error.message())));
                Match::default()
            }
        }
    }

    fn matcher(&self, matcher: &Matcher) -> Match {
        let one = |of: fn(Template) -> Condition, node: &Option<Node>| {
            node.as_ref().map(|node| of(self.parse_template(node)))
        };
        let list = |of: fn(Vec<Template>) -> Condition, nodes: &Option<Vec<Node>>| {
            nodes.as_ref().map(|nodes| of(nodes.iter().map(|node| self.parse_template(node)).collect()))
        };
        if *matcher == Matcher::default() {
            self.problem_here("the matcher asks for nothing; say what must hold");
        }
        if matcher.within.is_some() && matcher.equals.is_none() {
            self.problem_here("`within` says how far a number may be from `equals`, and there is none");
        }
        let equals = one(Condition::Equals, &matcher.equals).map(|equals| match (equals, matcher.within) {
            (Condition::Equals(value), Some(distance)) => Condition::Near(value, distance),
            (equals, _) => equals,
        });
        let pattern = matcher.pattern.as_ref().and_then(|pattern| self.pattern(&self.fill(pattern)));
        let parts = [
            equals,
            one(Condition::Not, &matcher.not),
            list(Condition::OneOf, &matcher.one_of),
            matcher.r#type.map(Condition::Type),
            one(Condition::Min, &matcher.min),
            one(Condition::Max, &matcher.max),
            pattern.map(Condition::Pattern),
            one(Condition::Contains, &matcher.contains),
            matcher.length.map(Condition::Length),
            list(Condition::Unordered, &matcher.unordered),
            one(Condition::HasEntry, &matcher.has_entry),
            one(Condition::HasNoEntry, &matcher.has_no_entry),
            list(Condition::HasAny, &matcher.has_any),
        ];
        let mut parts: Vec<Condition> = parts.into_iter().flatten().collect();
        parts.shrink_to_fit();
        Match { parts }
    }

    fn pattern(&self, pattern: &str) -> Option<Pattern> {
        // On its own first: `a)|(b` would be one only within parentheses.
        let alone = Parser::new().parse(pattern).map_err(|error| self.no_pattern(pattern, &error));
        alone.ok().and_then(|_| self.compiled(&Pattern::whole(pattern), pattern)).map(Pattern)
    }

    /// A pattern that need not match as a whole.
    pub(super) fn plain_pattern(&self, pattern: &str) -> Option<Arc<Regex>> {
        self.compiled(pattern, pattern)
    }

    fn compiled(&self, pattern: &str, written: &str) -> Option<Arc<Regex>> {
        self.reading.pattern(pattern).map_err(|error| self.no_pattern(written, &error)).ok()
    }

    fn no_pattern(&self, pattern: &str, error: &dyn std::error::Error) {
        let error = error.to_string();
        let because = error.lines().last().unwrap_or_default().trim_start_matches("error: ");
        self.problem_here(format!("`{pattern}` is no regular expression: {because}"));
    }
}

fn flatten(nodes: impl Iterator<Item = Node>) -> Vec<Node> {
    let mut flat = Vec::new();
    for node in nodes {
        match node {
            Node::List(list) => flat.extend(list),
            node => flat.push(node),
        }
    }
    flat
}

fn toml_value(node: Node) -> toml::Value {
    match node {
        Node::Bool(value) => toml::Value::Boolean(value),
        Node::Integer(value) => toml::Value::Integer(value),
        Node::Float(value) => toml::Value::Float(value),
        Node::Text(value) => toml::Value::String(value),
        Node::List(list) => toml::Value::Array(list.into_iter().map(toml_value).collect()),
        Node::Table(table) => {
            toml::Value::Table(table.into_iter().map(|(key, value)| (key, toml_value(value))).collect())
        }
    }
}
