//! A server that is not finished: some operations are those of a reference server,
//! all others are answered with 501, as their author would leave them.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use syncspec::reference::Server;
use syncspec::spec::Service;
use syncspec::target::embedded_world;
use syncspec::wire::{Headers, Request, Response};

use crate::proxy::Proxy;

/// It serves until it is dropped.
pub(crate) struct HalfBuilt {
    runtime: tokio::runtime::Runtime,
    parts: Option<(Server, Proxy)>,
    built: Arc<Mutex<BTreeSet<String>>>,
    pub(crate) endpoint: String,
}

impl HalfBuilt {
    /// All operations that read are built, and nothing else.
    pub(crate) fn reads() -> Self {
        let operations = Service::embedded().operations.values();
        Self::with(operations.filter(|operation| operation.method == "GET").map(|operation| operation.name.clone()))
    }

    /// These operations are built, and nothing else.
    pub(crate) fn with(operations: impl IntoIterator<Item = String>) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
        let built = Arc::new(Mutex::new(operations.into_iter().collect::<BTreeSet<_>>()));
        let known = Arc::clone(&built);
        let parts = runtime.block_on(async {
            let service = Service::embedded_shared();
            let server = Server::start(([127, 0, 0, 1], 0).into(), service, embedded_world()).await;
            let server = server.expect("the server starts");
            let intercept = move |request: &Request| {
                let routed = Service::embedded().routed(&request.method, &request.target);
                let is_built =
                    routed.is_some_and(|(operation, _)| known.lock().expect("unharmed").contains(&operation.name));
                (!is_built).then(|| not_built(request))
            };
            let proxy = Proxy::start_before(server.address(), intercept, |_, _| {}).await;
            (server, proxy.expect("the proxy starts"))
        });
        let endpoint = parts.1.endpoint();
        Self { runtime, parts: Some(parts), built, endpoint }
    }

    /// From now on this operation works too.
    pub(crate) fn build(&self, operation: &str) {
        assert!(Service::embedded().operations.contains_key(operation), "{operation}");
        self.built.lock().expect("unharmed").insert(operation.to_owned());
    }
}

/// In JSON for some, in plain text for others: authors differ.
fn not_built(request: &Request) -> Response {
    let (kind, body) = match request.method.as_str() {
        "DELETE" => ("text/plain", "not built yet"),
        _ => ("application/json", r#"{"message":"not built yet"}"#),
    };
    Response { status: 501, headers: [("content-type", kind)].into_iter().collect::<Headers>(), body: body.into() }
}

impl Drop for HalfBuilt {
    fn drop(&mut self) {
        let _guard = self.runtime.enter();
        self.parts.take();
    }
}
