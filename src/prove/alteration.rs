//! The reference server, altered in one respect.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use serde_json::Value;

use crate::reference::{Departure, Race, Retell, Rewrite, Server, Setup, StartError, Switch, Told, World};
use crate::source::selects;
use crate::spec::Service;
use crate::wire::{Request, Response};

/// Whether an alteration breaks something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The named requirements do not hold.
    Mutant,
    /// The server is as right as the reference, and merely decides otherwise.
    Variant,
}

/// One way in which a server can depart from the reference.
#[derive(Clone)]
pub struct Alteration {
    /// Whether it breaks something.
    pub kind: Kind,
    /// What it is called on the command line, such as `count-per-patch`, or for a
    /// derived one the requirement's id and a word:
    /// `ListRecords/input/DatasetName/max-length/off-by-one`.
    pub name: String,
    /// What such a server does, in one sentence.
    pub about: String,
    /// Ids of the requirements that a mutant breaks. Of a variant, the open ones
    /// that it answers otherwise than the reference; may be empty.
    pub requirements: Vec<String>,
    /// What such a server does not offer, although the reference does.
    pub withdrawn: Vec<&'static str>,
    change: Change,
}

#[derive(Clone)]
enum Change {
    Nothing,
    Description(Arc<dyn Fn(&mut Service) + Send + Sync>),
    Departure(Departure),
    Several(Vec<Change>),
}

impl Change {
    fn alter(&self, service: &mut Service) {
        match self {
            Self::Nothing | Self::Departure(_) => {}
            Self::Description(alter) => alter(service),
            Self::Several(changes) => changes.iter().for_each(|change| change.alter(service)),
        }
    }

    fn departure(&self) -> Departure {
        match self {
            Self::Nothing | Self::Description(_) => Departure::default(),
            Self::Departure(departure) => departure.clone(),
            Self::Several(changes) => {
                let all: Vec<Departure> = changes.iter().map(Self::departure).collect();
                let thrown = |switch: &Switch| all.iter().any(|departure| departure.switches.has(*switch));
                let switches: Vec<Switch> = Switch::ALL.iter().copied().filter(thrown).collect();
                let retells: Vec<Retell> = all.iter().filter_map(|departure| departure.retell.clone()).collect();
                let retell: Retell = Arc::new(move |told, value: &mut Value| {
                    retells.iter().for_each(|retell| retell(told, value));
                });
                let rewrites: Vec<Rewrite> = all.into_iter().filter_map(|departure| departure.rewrite).collect();
                let rewrite: Rewrite = Arc::new(move |operation, request, response: &mut Response| {
                    rewrites.iter().for_each(|rewrite| rewrite(operation, request, response));
                });
                Departure {
                    switches: switches.into(),
                    rewrite: Some(rewrite),
                    retell: Some(retell),
                    ..Departure::default()
                }
            }
        }
    }
}

impl Alteration {
    /// The control: nothing is altered.
    pub fn control() -> Self {
        Self {
            kind: Kind::Variant,
            name: "control".to_owned(),
            about: "The reference server as it is.".to_owned(),
            requirements: Vec::new(),
            withdrawn: Vec::new(),
            change: Change::Nothing,
        }
    }

    /// All of these in one server. Descriptions are altered, and answers rewritten,
    /// in the order given.
    pub fn together(name: &str, about: &str, all: &[Self]) -> Self {
        let mutant = all.iter().any(|alteration| alteration.kind == Kind::Mutant);
        let requirements = all.iter().flat_map(|alteration| alteration.requirements.iter().map(String::as_str));
        let requirements: Vec<&str> = requirements.collect();
        let changes = all.iter().map(|alteration| alteration.change.clone()).collect();
        let kind = if mutant { Kind::Mutant } else { Kind::Variant };
        let withdrawn = all.iter().flat_map(|alteration| alteration.withdrawn.iter().copied()).collect();
        Self { withdrawn, ..Self::new(kind, name, about, &requirements, Change::Several(changes)) }
    }

    fn new(kind: Kind, name: &str, about: &str, requirements: &[&str], change: Change) -> Self {
        let requirements = requirements.iter().map(|id| (*id).to_owned()).collect();
        Self { kind, name: name.to_owned(), about: about.to_owned(), requirements, withdrawn: Vec::new(), change }
    }

    /// A mutant by a switch.
    pub(super) fn mutant(name: &str, about: &str, requirements: &[&str], switch: Switch) -> Self {
        Self::new(Kind::Mutant, name, about, requirements, Change::Departure(switch.into()))
    }

    /// A mutant by a race. Only several clients at once can show it.
    pub(super) fn racing(name: &str, about: &str, requirements: &[&str], race: Race) -> Self {
        let departure = Departure { race: Some(race), ..Departure::default() };
        Self::new(Kind::Mutant, name, about, requirements, Change::Departure(departure))
    }

    /// A variant by a switch.
    pub(super) fn variant(name: &str, about: &str, requirements: &[&str], switch: Switch) -> Self {
        Self::new(Kind::Variant, name, about, requirements, Change::Departure(switch.into()))
    }

    /// A mutant by another description of the service.
    pub(super) fn described(
        name: &str,
        about: &str,
        requirements: &[&str],
        alter: impl Fn(&mut Service) + Send + Sync + 'static,
    ) -> Self {
        Self::new(Kind::Mutant, name, about, requirements, Change::Description(Arc::new(alter)))
    }

    /// A mutant by rewriting answers. Given: the operation, if the path leads to
    /// one, the request, and the reference's answer.
    pub(super) fn rewritten(
        name: &str,
        about: &str,
        requirements: &[&str],
        rewrite: impl Fn(Option<&str>, &Request, &mut Response) + Send + Sync + 'static,
    ) -> Self {
        let rewrite: Rewrite = Arc::new(rewrite);
        let departure = Departure { rewrite: Some(rewrite), ..Departure::default() };
        Self::new(Kind::Mutant, name, about, requirements, Change::Departure(departure))
    }

    /// A mutant by telling other services something else, or nothing: null.
    pub(super) fn retold(
        name: &str,
        about: &str,
        requirements: &[&str],
        retell: impl Fn(Told<'_>, &mut Value) + Send + Sync + 'static,
    ) -> Self {
        let retell: Retell = Arc::new(retell);
        let departure = Departure { retell: Some(retell), ..Departure::default() };
        Self::new(Kind::Mutant, name, about, requirements, Change::Departure(departure))
    }

    /// The same alteration, with another description of the service beside it.
    pub(super) fn and_described(mut self, alter: impl Fn(&mut Service) + Send + Sync + 'static) -> Self {
        self.change = Change::Several(vec![self.change, Change::Description(Arc::new(alter))]);
        self
    }

    /// The same alteration, of which it is known that it breaks nothing.
    pub(super) fn legal(mut self) -> Self {
        self.kind = Kind::Variant;
        self
    }

    /// The same alteration, of which it is known that such a server does not offer this.
    pub(super) fn without(mut self, offer: &'static str) -> Self {
        self.withdrawn.push(offer);
        self
    }

    /// Whether a filter that somebody typed selects it, by its name or by a requirement.
    pub fn is_meant(&self, filter: &str) -> bool {
        selects(filter, &self.name) || self.requirements.iter().any(|id| selects(filter, id))
    }

    /// Whether it is several alterations in one.
    pub fn is_several(&self) -> bool {
        matches!(self.change, Change::Several(_))
    }

    /// The description that the altered server is made from.
    pub fn service(&self, unaltered: &Service) -> Service {
        let mut service = unaltered.clone();
        self.change.alter(&mut service);
        service
    }

    /// The altered server, listening, with what `world` holds and no data.
    ///
    /// # Errors
    ///
    /// As for [`Server::start`].
    pub async fn serve(&self, listen: SocketAddr, world: World) -> io::Result<Server> {
        let service = Arc::new(self.service(Service::embedded()));
        Server::start_altered(listen, service, world, self.departure()).await
    }

    /// Several accounts' altered server, with what else a server may have. How `setup`
    /// departs from the reference is replaced.
    ///
    /// # Errors
    ///
    /// As for [`Server::start_with`].
    pub async fn serve_with(&self, listen: SocketAddr, worlds: &[World], setup: Setup) -> Result<Server, StartError> {
        let service = Arc::new(self.service(Service::embedded()));
        Server::start_with(listen, service, worlds, Setup { departure: self.departure(), ..setup }).await
    }

    /// How the altered server departs from what its description says.
    pub fn departure(&self) -> Departure {
        self.change.departure()
    }
}

impl fmt::Debug for Alteration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Alteration");
        shown.field("kind", &self.kind).field("name", &self.name).field("requirements", &self.requirements);
        shown.finish_non_exhaustive()
    }
}
