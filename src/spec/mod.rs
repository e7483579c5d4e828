//! The service as data: operations, shapes, errors, rules, limits and disputes.
//!
//! One file, `service.toml`, says everything that the harness knows of the
//! service. [`Service`] is that file parsed and checked; [`Catalog`] is the list
//! of [`Requirement`]s derived from it, each with a stable, readable id such as
//! `ListRecords/input/DatasetName/max-length`.
//!
//! A [`Service`] is plain data that can be cloned and altered; the reference
//! server is built from whichever one it is given. The catalogue is always that
//! of the unaltered service. [`Drift`] is how far it is from a model of AWS's.
//!
//! Deliberately absent: IO, HTTP, and anything that says *how* a requirement is
//! tested.

mod drift;
mod load;
mod protocol;
mod requirement;
mod route;
mod service;
#[cfg(test)]
mod tests;

pub use drift::{Difference, Drift, ModelError, ModelFile};
pub use load::SpecError;
pub use protocol::{Protocol, Rpc};
pub use requirement::{Catalog, Requirement, RequirementKind};
pub use service::{
    Credentials, Dispute, ErrorKind, Limit, Location, Member, ModelDiffers, Operation, OutputKind, Reading, Rule,
    Service, Shape, ShapeKind, Strength, StringConstraints,
};
