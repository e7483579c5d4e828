//! Both paths over TLS, with a certificate made for the occasion.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rstest::rstest;
use rustls::pki_types::PrivateKeyDer;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::{Client, Endpoint, Limits};
use crate::reference::World;
use crate::target::Target;
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
    let endpoint = format!("https://localhost:{}", listen(served).await);
    let mut trusted = RootCertStore::empty();
    trusted.add(certificate).unwrap();
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    (Endpoint::parse(&endpoint).unwrap(), config.with_root_certificates(trusted).with_no_client_auth())
}

/// Answers every connection's first request; the port.
async fn listen(served: ServerConfig) -> u16 {
    let acceptor = TlsAcceptor::from(Arc::new(served));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
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
    port
}

fn limits() -> Limits {
    let long = Duration::from_secs(30);
    Limits { connect_timeout: long, response_timeout: long, max_response_bytes: 1_000 }
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

// ---- the certificates of a target ---------------------------------------------------

/// A server with this certificate, and a folder for files.
async fn serving(certificate: &rcgen::Certificate, key: &rcgen::KeyPair) -> (u16, tempfile::TempDir) {
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let served = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let served = served.with_no_client_auth().with_single_cert(vec![certificate.der().clone()], key).unwrap();
    (listen(served).await, tempfile::tempdir().unwrap())
}

fn pem(certificate: &rcgen::Certificate) -> String {
    let text = STANDARD.encode(certificate.der());
    format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
}

fn target(port: u16, ca_file: Option<std::path::PathBuf>) -> Target {
    let mut target = Target::embedded(&World::standard(1, 1), &format!("https://localhost:{port}"));
    target.ca_file = ca_file;
    target
}

/// What came of both paths to a target: a status each, or a failure's sentence.
async fn answers(target: &Target) -> Vec<Result<u16, String>> {
    let client = Client::to(target, Duration::from_secs(30)).unwrap();
    let mut answers = Vec::new();
    for path in ["/a", "/a/../b"] {
        let outcome = client.send(get(path)).await.outcome;
        answers.push(outcome.map(|response| response.status).map_err(|failure| failure.to_string()));
    }
    answers
}

fn params(name: &str, is_ca: rcgen::IsCa) -> rcgen::CertificateParams {
    let mut params = rcgen::CertificateParams::new([name.to_owned()]).unwrap();
    params.is_ca = is_ca;
    params
}

const AUTHORITY: rcgen::IsCa = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);

#[rstest]
#[case::as_a_server(rcgen::IsCa::NoCa)]
// As `openssl req -x509` makes them.
#[case::as_an_authority(AUTHORITY)]
#[tokio::test]
async fn a_certificate_that_signs_itself_is_trusted_when_the_target_names_it(#[case] is_ca: rcgen::IsCa) {
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = params("localhost", is_ca).self_signed(&key).unwrap();
    let (port, folder) = serving(&certificate, &key).await;
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, pem(&certificate)).unwrap();
    assert_eq!(answers(&target(port, Some(file.clone()))).await, [Ok(200), Ok(200)]);
    // Nobody vouches for it otherwise, and the message says what can be done.
    for answer in answers(&target(port, None)).await {
        let message = answer.unwrap_err();
        assert!(message.contains("`ca-file` in the target file"), "{message}");
    }
    // Its name counts.
    let mut elsewhere = target(port, Some(file));
    elsewhere.endpoint = format!("https://127.0.0.1:{port}");
    for answer in answers(&elsewhere).await {
        let message = answer.unwrap_err();
        assert!(message.contains("no TLS connection") && !message.contains("ca-file"), "{message}");
    }
}

#[tokio::test]
async fn an_authority_of_ones_own_is_trusted_and_nobody_else() {
    let (authority_key, key) = (rcgen::KeyPair::generate().unwrap(), rcgen::KeyPair::generate().unwrap());
    let authority = params("authority", AUTHORITY);
    let root = authority.self_signed(&authority_key).unwrap();
    let issuer = rcgen::Issuer::new(authority, authority_key);
    let certificate = params("localhost", rcgen::IsCa::NoCa).signed_by(&key, &issuer).unwrap();
    let (port, folder) = serving(&certificate, &key).await;
    let stranger_key = rcgen::KeyPair::generate().unwrap();
    let stranger = params("localhost", AUTHORITY).self_signed(&stranger_key).unwrap();
    let (right, wrong) = (folder.path().join("right.pem"), folder.path().join("wrong.pem"));
    std::fs::write(&right, pem(&stranger) + &pem(&root)).unwrap();
    std::fs::write(&wrong, pem(&stranger)).unwrap();
    assert_eq!(answers(&target(port, Some(right))).await, [Ok(200), Ok(200)]);
    for answer in answers(&target(port, Some(wrong))).await {
        let message = answer.unwrap_err();
        assert!(message.contains("`ca-file` in the target file"), "{message}");
    }
}

#[tokio::test]
async fn a_certificate_out_of_date_is_refused_also_when_it_is_named() {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut old = params("localhost", AUTHORITY);
    old.not_after = rcgen::date_time_ymd(2020, 1, 1);
    let certificate = old.self_signed(&key).unwrap();
    let (port, folder) = serving(&certificate, &key).await;
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, pem(&certificate)).unwrap();
    for answer in answers(&target(port, Some(file))).await {
        let message = answer.unwrap_err();
        assert!(message.contains("xpired") && !message.contains("ca-file"), "{message}");
    }
}

#[rstest]
#[case::missing(None, "cannot be read: ")]
#[case::empty(Some(""), "holds no certificate in PEM form")]
#[case::key(Some("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"), "holds a private key")]
#[case::der(Some("0\u{2}"), "holds no certificate")]
#[case::no_base64(
    Some("-----BEGIN CERTIFICATE-----\n*\n-----END CERTIFICATE-----\n"),
    "certificate 1 cannot be used: "
)]
#[case::no_certificate(
    Some("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
    "certificate 1 cannot be used: "
)]
#[case::cut(Some("-----BEGIN CERTIFICATE-----\nAAAA\n"), "certificate 1 cannot be used: ")]
#[test]
fn a_mistake_in_a_ca_file_says_file_and_mistake(#[case] text: Option<&str>, #[case] expected: &str) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mine.pem");
    if let Some(text) = text {
        std::fs::write(&file, text).unwrap();
    }
    let message = Client::to(&target(1, Some(file)), Duration::from_secs(1)).unwrap_err();
    assert!(message.starts_with("target embedded: the ca-file ") && message.contains("mine.pem"), "{message}");
    assert!(message.contains(expected), "{message}");
}
