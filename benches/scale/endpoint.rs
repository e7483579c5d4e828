//! An endpoint that gives everybody the same answer, and looks at nothing.

use std::convert::Infallible;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;

use crate::measure::this_program;

/// What makes this very program be the endpoint.
pub(crate) const NAME: &str = "endpoint";

/// One in a process of its own; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Endpoint {
    process: Child,
    pub(crate) address: String,
}

impl Endpoint {
    /// It answers so late, and this.
    pub(crate) fn start(latency: Duration, answer: &str) -> Self {
        let mut command = this_program();
        command.args([NAME, &latency.as_millis().to_string(), answer]).stdout(Stdio::piped());
        let mut process = command.spawn().expect("it starts");
        let mut address = String::new();
        BufReader::new(process.stdout.take().expect("a pipe")).read_line(&mut address).expect("its address");
        Self { process, address: address.trim_end().to_owned() }
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Serves for good; the arguments are those that [`Endpoint::start`] gives.
pub(crate) fn serve(latency: &str, answer: &str) {
    let latency = Duration::from_millis(latency.parse().expect("milliseconds"));
    let answer = Bytes::copy_from_slice(answer.as_bytes());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async move {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        #[expect(clippy::print_stdout, reason = "who started it reads the address")]
        {
            println!("http://{}", listener.local_addr().expect("an address"));
        }
        loop {
            let (stream, _) = listener.accept().await.expect("a connection");
            let _ = stream.set_nodelay(true);
            let answer = answer.clone();
            tokio::spawn(async move {
                let service = service_fn(move |request: http::Request<Incoming>| {
                    let answer = answer.clone();
                    async move {
                        let _ = request.into_body().collect().await;
                        if !latency.is_zero() {
                            tokio::time::sleep(latency).await;
                        }
                        let response = http::Response::builder().header("content-type", "application/json");
                        Ok::<_, Infallible>(response.body(Full::new(answer)).expect("a response"))
                    }
                });
                let mut server = hyper::server::conn::http1::Builder::new();
                let _ = server.timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
}
