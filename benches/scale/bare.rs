//! The bare loop: what remains of a harness when only the requests and the checks are
//! left. Files are read as they are needed, requests signed, sent with connections kept,
//! and three things of each answer compared.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use serde::Deserialize;
use serde_json::Value;
use tokio::task::JoinSet;

use crate::JOBS;
use crate::suites::{ACCESS_KEY_ID, SECRET_ACCESS_KEY};

#[derive(Deserialize)]
struct File {
    case: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    steps: Vec<Step>,
}

#[derive(Deserialize)]
struct Step {
    with: BTreeMap<String, String>,
    expect: Expect,
}

#[derive(Deserialize)]
struct Expect {
    status: u16,
    members: BTreeMap<String, String>,
}

/// Runs every case below a folder.
pub(crate) fn run(suite: &Path, endpoint: &str) {
    let mut files = Vec::new();
    collect(suite, &mut files);
    // The HTTP library asks for one, although nothing here is encrypted.
    rustls::crypto::ring::default_provider().install_default().expect("the first");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let (files, next) = (Arc::new(files), Arc::new(AtomicUsize::new(0)));
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        let mut workers = JoinSet::new();
        for _ in 0..JOBS {
            let (files, next) = (Arc::clone(&files), Arc::clone(&next));
            let (client, endpoint) = (client.clone(), endpoint.to_owned());
            workers.spawn(async move {
                while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                    one(&client, &endpoint, file).await;
                }
            });
        }
        workers.join_all().await;
    });
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let entry = entry.expect("an entry");
        if entry.file_type().expect("a type").is_dir() {
            collect(&entry.path(), files);
        } else if !entry.file_name().to_string_lossy().starts_with('_') {
            files.push(entry.path());
        }
    }
}

async fn one(client: &reqwest::Client, endpoint: &str, file: &Path) {
    let text = std::fs::read_to_string(file).expect("a file");
    let file: File = toml::from_str(&text).expect("a case file");
    for step in file.case.iter().flat_map(|case| &case.steps) {
        let pool = step.with["IdentityPoolId"].replace(':', "%3A");
        let request = signed(client, format!("{endpoint}/identitypools/{pool}/getBulkPublishDetails"));
        let response = client.execute(request).await.expect("an answer");
        assert_eq!(response.status().as_u16(), step.expect.status);
        let body = response.bytes().await.expect("a body");
        let body: Value = serde_json::from_slice(&body).expect("JSON");
        for (pointer, expected) in &step.expect.members {
            assert_eq!(body.pointer(pointer).and_then(Value::as_str), Some(expected.as_str()));
        }
    }
}

fn signed(client: &reqwest::Client, address: String) -> reqwest::Request {
    let mut request = client.post(address).build().expect("a request");
    let identity = Credentials::new(ACCESS_KEY_ID, SECRET_ACCESS_KEY, None, None, "bench").into();
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region("us-east-1")
        .name("cognito-sync")
        .time(SystemTime::now())
        .settings(SigningSettings::default())
        .build()
        .expect("parameters")
        .into();
    let signable = SignableRequest::new("POST", request.url().as_str(), std::iter::empty(), SignableBody::Bytes(b""));
    let (instructions, _) = sign(signable.expect("a request"), &parameters).expect("a signature").into_parts();
    for (name, value) in instructions.headers() {
        let name = http::HeaderName::from_bytes(name.as_bytes()).expect("a name");
        request.headers_mut().insert(name, value.parse().expect("a value"));
    }
    request
}
