//! How the values of a case file are read that may have several forms, and what
//! the JSON Schema says of them.
//!
//! `#[serde(untagged)]` would do with less code, and would answer a misspelt key
//! with no more than that nothing matched.

use std::fmt;

use indexmap::IndexMap;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{self, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::file::{Actor, Matcher, Node, OneOrMany, RawActor, RawMatch};

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a boolean, number, text, list or table")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Integer(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = list.next_element()? {
            entries.push(entry);
        }
        Ok(Node::List(entries))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut table: A) -> Result<Node, A::Error> {
        let mut entries = IndexMap::new();
        while let Some((key, value)) = table.next_entry()? {
            entries.insert(key, value);
        }
        Ok(Node::Table(entries))
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

impl JsonSchema for Node {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Value".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "description": "A boolean, number, text, list or table; text may hold placeholders." })
    }
}

impl<'de> Deserialize<'de> for RawActor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.starts_with('{') {
            return Ok(Self::Placeholder(text));
        }
        Actor::deserialize(de::value::StrDeserializer::new(&text)).map(Self::Named)
    }
}

impl JsonSchema for RawActor {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ActorOrPlaceholder".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let actor = generator.subschema_for::<Actor>();
        json_schema!({ "anyOf": [actor, { "type": "string", "pattern": "^\\{.*\\}$" }] })
    }
}

struct MatchVisitor;

impl<'de> Visitor<'de> for MatchVisitor {
    type Value = RawMatch;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value to be equal to, or a table with a matcher")
    }

    fn visit_bool<E>(self, value: bool) -> Result<RawMatch, E> {
        Ok(RawMatch::Value(Node::Bool(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<RawMatch, E> {
        Ok(RawMatch::Value(Node::Integer(value)))
    }

    fn visit_f64<E>(self, value: f64) -> Result<RawMatch, E> {
        Ok(RawMatch::Value(Node::Float(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<RawMatch, E> {
        Ok(RawMatch::Value(Node::Text(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<RawMatch, A::Error> {
        Node::deserialize(SeqAccessDeserializer::new(list)).map(RawMatch::Value)
    }

    fn visit_map<A: MapAccess<'de>>(self, table: A) -> Result<RawMatch, A::Error> {
        Matcher::deserialize(MapAccessDeserializer::new(table)).map(|matcher| RawMatch::Matcher(Box::new(matcher)))
    }
}

impl<'de> Deserialize<'de> for RawMatch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(MatchVisitor)
    }
}

impl JsonSchema for RawMatch {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Match".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let matcher = generator.subschema_for::<Matcher>();
        json_schema!({ "anyOf": [{ "type": ["boolean", "number", "string", "array"] }, matcher] })
    }
}

struct OneOrManyVisitor<T>(std::marker::PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for OneOrManyVisitor<T> {
    type Value = OneOrMany<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("one value or a list of them")
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Self::Value, E> {
        T::deserialize(de::value::I64Deserializer::new(value)).map(|one| OneOrMany(vec![one]))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Self::Value, E> {
        T::deserialize(de::value::StrDeserializer::new(value)).map(|one| OneOrMany(vec![one]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Self::Value, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(list)).map(OneOrMany)
    }

    fn visit_map<A: MapAccess<'de>>(self, table: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(table)).map(|one| OneOrMany(vec![one]))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OneOrManyVisitor(std::marker::PhantomData))
    }
}

impl<T: JsonSchema> JsonSchema for OneOrMany<T> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("OneOrMany{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let one = generator.subschema_for::<T>();
        json_schema!({ "anyOf": [one, { "type": "array", "items": one, "minItems": 1 }] })
    }
}
