//! Signed calls, one by one, as a client without a library of its own makes them.

use std::time::SystemTime;

use serde_json::{Value, json};
use syncspec::client::{Client, Endpoint, Limits, SignedPayload, Signing, SigningForm, bind, sign};
use syncspec::spec::Service;
use syncspec::target::{Credentials, Identity, Provider};
use syncspec::wire::{Request, Response};

/// Somebody with keys.
#[derive(Clone)]
pub(crate) struct Caller {
    client: Client,
    region: String,
    credentials: Credentials,
    /// What goes with every call.
    place: Value,
}

impl Caller {
    /// The pool's and the caller's own names go with every call.
    pub(crate) fn identity(client: &Client, region: &str, pool: &str, identity: &Identity) -> Self {
        let place = json!({ "IdentityPoolId": pool, "IdentityId": identity.id });
        Self { client: client.clone(), region: region.to_owned(), credentials: fixed(&identity.credentials), place }
    }

    /// The pool's name goes with every call.
    pub(crate) fn developer(client: &Client, region: &str, pool: &str, credentials: &Provider) -> Self {
        let place = json!({ "IdentityPoolId": pool });
        Self { client: client.clone(), region: region.to_owned(), credentials: fixed(credentials), place }
    }

    /// The answer to a call; a sentence when none came.
    pub(crate) async fn call(&self, operation: &str, input: &Value) -> Result<Response, String> {
        self.client.send(self.signed(operation, input)).await.outcome.map_err(|failure| failure.to_string())
    }

    /// The request of a call, signed now.
    pub(crate) fn signed(&self, operation: &str, input: &Value) -> Request {
        let service = Service::embedded();
        let known = &service.operations[operation];
        let all = self.place.as_object().into_iter().chain(input.as_object()).flatten();
        let input = all
            .filter(|(name, _)| known.input.contains_key(*name))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        let mut request = bind(known, &input).expect("it can be put on the wire");
        let endpoint = self.client.endpoint();
        endpoint.address(&mut request);
        let signing = Signing {
            credentials: &self.credentials,
            region: &self.region,
            service: &service.signing_name,
            time: SystemTime::now(),
            form: SigningForm::Header,
            payload: SignedPayload::Hashed,
            without_headers: &[],
        };
        sign(&mut request, &endpoint.host_header(), &signing).expect("it can be signed");
        request
    }

    /// The members of a result.
    #[track_caller]
    pub(crate) fn result(response: &Response) -> Value {
        let body = String::from_utf8_lossy(&response.body);
        assert_eq!(response.status, 200, "{body}");
        serde_json::from_slice(&response.body).unwrap_or_else(|error| panic!("{error}: {body}"))
    }
}

/// Keys that stand in a file.
fn fixed(provider: &Provider) -> Credentials {
    provider.last().expect("nobody is asked for them")
}

/// A client for an address.
pub(crate) fn client(endpoint: &str) -> Client {
    Client::new(Endpoint::parse(endpoint).expect("an endpoint"), Limits::default()).expect("a client")
}
