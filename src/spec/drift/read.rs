//! Bytes to a model, whichever format they are of.

use std::borrow::Cow;
use std::io::Read as _;

use flate2::read::GzDecoder;
use serde_json::Value;

use super::model::{Kind, Member, Model};
use super::{botocore, smithy};

/// Most bytes that a packed model may unpack to; real ones of the largest
/// services have less than a tenth of it.
const MOST_BYTES: u64 = 256 << 20;

/// What a file must be.
const EXPECTED: &str = "expected is a service-2.json of botocore, packed with gzip or not, or a Smithy model as JSON (`\"smithy\": \"2.0\"`)";

/// Why a file is not a model that can be compared.
#[derive(Debug, thiserror::Error)]
#[error("this is {what}; {EXPECTED}")]
pub struct ModelError {
    /// What the file is instead.
    what: String,
}

impl ModelError {
    pub(super) fn new(what: impl Into<String>) -> Self {
        Self { what: what.into() }
    }
}

/// A model that was read.
#[derive(Debug)]
pub struct ModelFile {
    /// The format: `botocore` or `smithy`.
    pub format: &'static str,
    pub(super) model: Model,
}

impl ModelFile {
    /// Reads a model of either format.
    ///
    /// # Errors
    ///
    /// When the bytes are no model of a format that is understood.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ModelError> {
        let text = unpacked(bytes)?;
        let json: Value =
            serde_json::from_slice(&text).map_err(|error| ModelError::new(format!("no JSON ({error})")))?;
        let Value::Object(object) = &json else {
            return Err(ModelError::new("JSON, but no object"));
        };
        let has = |key: &str| object.contains_key(key);
        let (format, model) = if has("smithy") {
            ("smithy", smithy::read(&json)?)
        } else if has("metadata") && has("operations") && has("shapes") {
            ("botocore", botocore::read(&json)?)
        } else {
            let keys: Vec<_> = object.keys().take(5).map(|key| format!("`{key}`")).collect();
            let holding = if keys.is_empty() { "nothing".to_owned() } else { keys.join(", ") };
            return Err(ModelError::new(format!("a JSON object that holds {holding}")));
        };
        whole(&model, format)?;
        Ok(Self { format, model })
    }

    /// What the model says of itself: its service's name and version.
    pub fn title(&self) -> String {
        format!("{} {}", self.model.name, self.model.api_version)
    }

    /// How many operations it has.
    pub fn operations(&self) -> usize {
        self.model.operations.len()
    }
}

fn unpacked(bytes: &[u8]) -> Result<Cow<'_, [u8]>, ModelError> {
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Ok(Cow::Borrowed(bytes));
    }
    let mut text = Vec::new();
    let read = GzDecoder::new(bytes).take(MOST_BYTES).read_to_end(&mut text);
    read.map_err(|error| ModelError::new(format!("a damaged gzip file ({error})")))?;
    if text.len() as u64 == MOST_BYTES {
        return Err(ModelError::new("a gzip file of more than 256 MiB"));
    }
    Ok(Cow::Owned(text))
}

/// Every shape that is named is there: nothing would be said of one that is not.
fn whole(model: &Model, format: &str) -> Result<(), ModelError> {
    let of_operations = model.operations.values().flat_map(|operation| {
        let errors = operation.errors.values().flat_map(|error| error.members.values());
        operation.input.values().chain(operation.output.iter().flat_map(|output| output.values())).chain(errors)
    });
    let of_shapes = model.shapes.values().flat_map(|shape| match &shape.kind {
        Kind::Scalar(_) => Vec::new(),
        Kind::List(entry) => vec![entry],
        Kind::Map(key, value) => vec![key, value],
        Kind::Structure(_, members) => members.values().map(|member| &member.shape).collect(),
    });
    let named = of_operations.map(|Member { shape, .. }| shape).chain(of_shapes);
    match named.into_iter().find(|shape| !model.shapes.contains_key(*shape)) {
        Some(missing) => {
            Err(ModelError::new(format!("a {format} model that names the shape `{missing}` and lacks it")))
        }
        None => Ok(()),
    }
}
