//! What the formats have in common, in the words of none of them.

use std::collections::{BTreeMap, BTreeSet};

/// An API as a model describes it.
#[derive(Debug, Default)]
pub(super) struct Model {
    /// Full name, for people.
    pub(super) name: String,
    /// A date such as `2014-06-30`.
    pub(super) api_version: String,
    /// Service name in the SigV4 credential scope.
    pub(super) signing_name: String,
    /// Every protocol that the service speaks.
    pub(super) protocols: BTreeSet<String>,
    /// Operations by name.
    pub(super) operations: BTreeMap<String, Operation>,
    /// Shapes by whatever the format calls them; members refer to them.
    pub(super) shapes: BTreeMap<String, Shape>,
}

/// One operation.
#[derive(Debug)]
pub(super) struct Operation {
    /// HTTP method and URI.
    pub(super) route: String,
    /// Status of a successful response.
    pub(super) success_status: u16,
    /// Whether requests are signed.
    pub(super) is_signed: bool,
    /// Input members by API name.
    pub(super) input: Members,
    /// Output members by API name; none when there is no output at all.
    pub(super) output: Option<Members>,
    /// The errors that it declares, by name.
    pub(super) errors: BTreeMap<String, Error>,
}

/// An error that an operation declares.
#[derive(Debug, Clone)]
pub(super) struct Error {
    /// HTTP status.
    pub(super) status: u16,
    /// The server is at fault, not the caller.
    pub(super) is_servers_fault: bool,
    /// Members of its body.
    pub(super) members: Members,
}

/// Members by API name.
pub(super) type Members = BTreeMap<String, Member>;

/// Kind of constraint, as in a requirement's id, to its value.
pub(super) type Constraints = BTreeMap<&'static str, String>;

/// A member of an input, an output, an error or a structure.
#[derive(Debug, Clone)]
pub(super) struct Member {
    /// Key of its shape.
    pub(super) shape: String,
    /// Where it travels, and under which name.
    pub(super) binding: String,
    /// Whether it must be there.
    pub(super) is_required: bool,
    /// Constraints of this member; they win over its shape's.
    pub(super) constraints: Constraints,
}

/// A named type.
#[derive(Debug)]
pub(super) struct Shape {
    /// What it is.
    pub(super) kind: Kind,
    /// What constrains its values.
    pub(super) constraints: Constraints,
}

/// The kinds of shape.
#[derive(Debug)]
pub(super) enum Kind {
    /// A value without parts: `string`, `integer`, `timestamp`, ….
    Scalar(String),
    /// A list of this shape.
    List(String),
    /// A map from the first shape to the second.
    Map(String, String),
    /// Named members; a word for what it is, such as `structure` or `union`.
    Structure(String, Members),
}

impl Kind {
    /// The type in one word.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Scalar(name) | Self::Structure(name, _) => name,
            Self::List(_) => "list",
            Self::Map(..) => "map",
        }
    }
}

/// The words for a member's place on the wire.
pub(super) fn binding(place: &str, name: &str) -> String {
    format!("{place} {name}")
}

/// The status of an error that says none.
pub(super) fn default_status(is_servers_fault: bool) -> u16 {
    if is_servers_fault { 500 } else { 400 }
}

/// Constraints as every format may state them. What excludes nothing, such as
/// a least length of 0, is none.
#[derive(Debug, Default)]
pub(super) struct Stated<'m> {
    /// Least and greatest length or number of entries or number.
    pub(super) bounds: [Option<String>; 2],
    /// A regular expression.
    pub(super) pattern: Option<&'m str>,
    /// The allowed values.
    pub(super) allowed: BTreeSet<&'m str>,
}

impl Stated<'_> {
    /// The constraints of a shape of this type.
    pub(super) fn of(self, kind: &str) -> Constraints {
        let names = match kind {
            "list" | "map" => ["min-entries", "max-entries"],
            "string" | "blob" => ["min-length", "max-length"],
            _ => ["minimum", "maximum"],
        };
        let [least, most] = self.bounds;
        let least = least.filter(|least| least != "0" || names[0] == "minimum");
        let allowed: Vec<_> = self.allowed.into_iter().collect();
        [
            (names[0], least),
            (names[1], most),
            ("pattern", self.pattern.map(whole)),
            ("enum", (!allowed.is_empty()).then(|| allowed.join(", "))),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
    }
}

/// A pattern without the anchors that one format writes and the other leaves out:
/// both mean the whole value. Between alternatives an anchor means something else.
fn whole(pattern: &str) -> String {
    let inner = pattern.strip_prefix('^').and_then(|rest| rest.strip_suffix('$'));
    inner.filter(|inner| !inner.contains('|') && !inner.ends_with('\\')).unwrap_or(pattern).to_owned()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::whole;

    #[rstest]
    #[case("^[a-z]+$", "[a-z]+")]
    #[case("[a-z]+", "[a-z]+")]
    #[case("^[a-z]+", "^[a-z]+")]
    #[case("^a|b$", "^a|b$")]
    #[case(r"^a\$", r"^a\$")]
    fn anchors_are_taken_off_where_they_change_nothing(#[case] pattern: &str, #[case] expected: &str) {
        assert_eq!(whole(pattern), expected);
    }
}
