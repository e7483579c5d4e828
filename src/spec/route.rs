//! Which operation a request reaches.

use percent_encoding::percent_decode_str;

use super::{Operation, Service};

impl Service {
    /// The operation whose method and path a request has, with the values of the
    /// path's labels by their wire names, decoded. `target` is path and query
    /// without the endpoint's base path; one slash too many at its end is
    /// overlooked, as some servers do.
    pub fn routed(&self, method: &str, target: &str) -> Option<(&Operation, Vec<(&str, String)>)> {
        let path = target.split(['?', '#']).next().unwrap_or_default();
        let path = path.strip_suffix('/').unwrap_or(path);
        self.operations
            .values()
            .filter(|operation| operation.method.eq_ignore_ascii_case(method))
            .find_map(|operation| Some((operation, labels(&operation.uri, path)?)))
    }
}

/// The values of a path's labels, if it has the form of `uri`.
fn labels<'u>(uri: &'u str, path: &str) -> Option<Vec<(&'u str, String)>> {
    let (mut wanted, mut given) = (uri.split('/'), path.split('/'));
    let mut labels = Vec::new();
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return Some(labels),
            (Some(wanted), Some(given)) => match wanted.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
                Some(name) if !given.is_empty() => {
                    labels.push((name, percent_decode_str(given).decode_utf8_lossy().into_owned()));
                }
                None if wanted == given => {}
                _ => return None,
            },
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use crate::spec::Service;

    #[rstest]
    #[case("GET", "/identitypools", Some("ListIdentityPoolUsage"))]
    #[case("get", "/identitypools/a%3Ab/configuration/?x=/y", Some("GetIdentityPoolConfiguration"))]
    #[case("POST", "/identitypools/p/identities/i/datasets/d", Some("UpdateRecords"))]
    #[case("POST", "/identitypools/p/identities/i/datasets/d/e", None)]
    #[case("POST", "/identitypools/p/identities//datasets/d", None)]
    #[case("PUT", "/identitypools", None)]
    #[case("POST", "", None)]
    fn a_request_is_routed_by_method_and_path(
        #[case] method: &str,
        #[case] target: &str,
        #[case] expected: Option<&str>,
    ) {
        let routed = Service::embedded().routed(method, target);
        assert_eq!(routed.map(|(operation, _)| operation.name.as_str()), expected);
    }

    #[test]
    fn labels_are_decoded() {
        let (_, labels) = Service::embedded().routed("GET", "/identitypools/us-east-1%3A1").expect("a route");
        assert_eq!(labels, [("IdentityPoolId", "us-east-1:1".to_owned())]);
    }
}
