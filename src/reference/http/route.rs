//! Finds the operation that a method and a path name.

use serde_json::{Map, Value};

use super::canonical::decoded;
use super::refusal::Refusal;
use crate::reference::altered::{Switch, Switches};
use crate::spec::{Operation, Service};

/// The service's routes.
pub(super) struct Router {
    routes: Vec<Route>,
    switches: Switches,
}

struct Route {
    method: String,
    segments: Vec<Segment>,
    operation: String,
}

enum Segment {
    Literal(String),
    /// Wire name of the member that the segment is.
    Label(String),
}

/// An operation and what the path says for its labels, by wire name, decoded.
pub(super) struct Routed<'s> {
    pub(super) operation: &'s Operation,
    pub(super) labels: Vec<(String, String)>,
    pub(super) carried: Carried,
}

/// Where the members of an input travel.
#[derive(Clone)]
pub(super) enum Carried {
    /// Each where the description says.
    Apart,
    /// All in one object, under their API names; or why there is none.
    Together(Result<Map<String, Value>, Refusal>),
}

impl Router {
    pub(super) fn new(service: &Service, switches: Switches) -> Self {
        let routes = service.operations.iter().map(|(name, operation)| Route {
            method: operation.method.clone(),
            segments: operation.uri.split('/').map(Segment::of).collect(),
            operation: name.clone(),
        });
        Self { routes: routes.collect(), switches }
    }

    /// The operation behind a method and a raw path. Segments are told apart before
    /// they are decoded, so an encoded slash is part of a label; a label may be
    /// empty, which is then its constraints' business. Where several routes fit,
    /// the one with most literal segments is meant.
    pub(super) fn route<'s>(&self, service: &'s Service, method: &str, path: &str) -> Option<Routed<'s>> {
        if self.switches.has(Switch::LiteralColonUnrouted) && path.contains(':') {
            return None;
        }
        let segments: Vec<String> = path.split('/').map(|segment| self.decoded(segment)).collect();
        let any_method = self.switches.has(Switch::MethodIgnored);
        let fitting = self
            .routes
            .iter()
            .filter(|route| (route.method == method || any_method) && route.fits(&segments, &self.switches));
        let route = fitting.max_by_key(|route| (route.method == method, route.literals(), route.segments.len()))?;
        let labels = route.segments.iter().zip(segments).filter_map(|(segment, value)| match segment {
            Segment::Literal(_) => None,
            Segment::Label(name) => Some((name.clone(), value)),
        });
        Some(Routed {
            operation: service.operations.get(&route.operation)?,
            labels: labels.collect(),
            carried: Carried::Apart,
        })
    }

    fn decoded(&self, segment: &str) -> String {
        if self.switches.has(Switch::LabelsNotDecoded) {
            segment.to_owned()
        } else if self.switches.has(Switch::OnlyColonsDecoded) {
            segment.replace("%3A", ":")
        } else if self.switches.has(Switch::LabelsDecodedTwice) {
            decoded(&decoded(segment))
        } else {
            decoded(segment)
        }
    }
}

impl Routed<'_> {
    /// What the path says for a label.
    pub(super) fn label(&self, name: &str) -> Option<&str> {
        self.labels.iter().find(|(label, _)| label == name).map(|(_, value)| value.as_str())
    }
}

impl Route {
    fn fits(&self, segments: &[String], switches: &Switches) -> bool {
        let long_enough = switches.has(Switch::PathEndIgnored) && self.segments.len() < segments.len();
        (self.segments.len() == segments.len() || long_enough)
            && self.segments.iter().zip(segments).all(|(segment, sent)| match segment {
                Segment::Literal(text) if switches.has(Switch::PathCaseIgnored) => text.eq_ignore_ascii_case(sent),
                Segment::Literal(text) => text == sent,
                Segment::Label(_) => true,
            })
    }

    fn literals(&self) -> usize {
        self.segments.iter().filter(|segment| matches!(segment, Segment::Literal(_))).count()
    }
}

impl Segment {
    fn of(template: &str) -> Self {
        match template.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            Some(name) => Self::Label(name.to_owned()),
            None => Self::Literal(template.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::Router;
    use crate::reference::altered::Switches;
    use crate::spec::Service;

    #[rstest]
    #[case("GET", "/identitypools", "ListIdentityPoolUsage", &[])]
    #[case("GET", "/identitypools/", "DescribeIdentityPoolUsage", &[""])]
    #[case("GET", "/identitypools/r:1", "DescribeIdentityPoolUsage", &["r:1"])]
    #[case("GET", "/identitypools/r%3A1", "DescribeIdentityPoolUsage", &["r:1"])]
    #[case("GET", "/identitypools/a%2fb", "DescribeIdentityPoolUsage", &["a/b"])]
    #[case("GET", "/identitypools/%ff", "DescribeIdentityPoolUsage", &["\u{fffd}"])]
    #[case("GET", "/identitypools/p/identities//datasets", "ListDatasets", &["p", ""])]
    #[case("POST", "/identitypools/p/identity/i/device", "RegisterDevice", &["p", "i"])]
    #[case("DELETE", "/identitypools/p/identities/i/datasets/d/subscriptions/x", "UnsubscribeFromDataset",
        &["p", "i", "d", "x"])]
    fn routed(#[case] method: &str, #[case] path: &str, #[case] operation: &str, #[case] labels: &[&str]) {
        let service = Service::embedded();
        let routed = Router::new(service, Switches::default()).route(service, method, path).expect("there is a route");
        assert_eq!(routed.operation.name, operation);
        assert_eq!(routed.labels.iter().map(|(_, value)| value.as_str()).collect::<Vec<_>>(), labels);
    }

    #[rstest]
    #[case("GET", "/")]
    #[case("HEAD", "/identitypools")]
    #[case("get", "/identitypools")]
    #[case("GET", "identitypools")]
    #[case("GET", "*")]
    #[case("PUT", "/identitypools/p")]
    #[case("GET", "/identitypools/p/identities/i/datasets/d/records/")]
    #[case("GET", "/IdentityPools")]
    #[case("POST", "/")]
    fn unrouted(#[case] method: &str, #[case] path: &str) {
        let service = Service::embedded();
        assert!(Router::new(service, Switches::default()).route(service, method, path).is_none());
    }

    #[test]
    fn every_operation_has_a_route_of_its_own() {
        let service = Service::embedded();
        let router = Router::new(service, Switches::default());
        for (name, operation) in &service.operations {
            let routed = router.route(service, &operation.method, &operation.uri).expect("there is a route");
            assert_eq!(&routed.operation.name, name);
        }
    }
}
