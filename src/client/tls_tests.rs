//! Both paths over TLS, with a certificate made for the occasion.

use std::sync::Arc;
use std::time::Duration;

use rstest::rstest;
use rustls::pki_types::PrivateKeyDer;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::{Client, Endpoint, Limits};
use crate::wire::{FailureKind, Headers, Request};

/// A server for `localhost` that answers every connection's first request, and
/// the configuration of a client that trusts it.
async fn server() -> (Endpoint, ClientConfig) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let certificate = made.cert.der().clone();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let served = ServerConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions().unwrap();
    let served = served.with_no_client_auth().with_single_cert(vec![certificate.clone()], key).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(served));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut head = [0; 4096];
            if stream.read(&mut head).await.is_ok() {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi").await;
                let _ = stream.shutdown().await;
            }
        }
    });
    let mut trusted = RootCertStore::empty();
    trusted.add(certificate).unwrap();
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    (Endpoint::parse(&endpoint).unwrap(), config.with_root_certificates(trusted).with_no_client_auth())
}

fn limits() -> Limits {
    let second = Duration::from_secs(2);
    Limits { connect_timeout: second, response_timeout: second, max_response_bytes: 1_000 }
}

/// `/a` takes the pooled path, `/a/../b` the exact one.
fn get(target: &str) -> Request {
    Request { method: "GET".to_owned(), target: target.to_owned(), headers: Headers::new(), body: bytes::Bytes::new() }
}

#[rstest]
#[case::pooled("/a")]
#[case::exact("/a/../b")]
#[tokio::test]
async fn a_trusted_server_is_spoken_to(#[case] target: &str) {
    let (endpoint, trusting) = server().await;
    let client = Client::with_tls(endpoint, limits(), trusting, super::pace::Pace::new(None)).unwrap();
    client.probe().await.unwrap();
    let answer = client.send(get(target)).await.outcome.unwrap();
    assert_eq!((answer.status, &answer.body[..]), (200, &b"hi"[..]));
}

#[rstest]
#[case::pooled("/a")]
#[case::exact("/a/../b")]
#[tokio::test]
async fn an_untrusted_server_gets_no_request(#[case] target: &str) {
    let (endpoint, _) = server().await;
    let client = Client::new(endpoint, limits()).unwrap();
    assert_eq!(client.probe().await.unwrap_err().kind, FailureKind::Tls);
    assert_eq!(client.send(get(target)).await.outcome.unwrap_err().kind, FailureKind::Tls);
}
