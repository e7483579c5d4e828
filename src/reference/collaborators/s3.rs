//! S3, for what is too large for a stream: PutObject, and an address to read it at.

use std::time::Duration;

use reqwest::Method;

use super::send::{Answer, Outgoing, Sender, refused};
use super::sns::tag;

/// Most bytes of an answer that are read.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// How long an address is good for.
const READABLE: Duration = Duration::from_secs(24 * 60 * 60);

/// S3 at an endpoint.
#[derive(Debug)]
pub(super) struct S3 {
    pub(super) endpoint: String,
    pub(super) bucket: String,
}

impl S3 {
    /// Keeps `body` and gives an address to read it at. Fails with a sentence.
    pub(super) async fn keep(&self, sender: &Sender, body: Vec<u8>, limit: Duration) -> Result<String, String> {
        let mut name = [0; 16];
        getrandom::fill(&mut name).map_err(|error| format!("No random bytes for the name of an object: {error}"))?;
        let name = format!("{:032x}.json", u128::from_be_bytes(name));
        let object = format!("{}/{}/{name}", self.endpoint, self.bucket);
        let mut answer = self.put(sender, &object, body.clone(), limit).await?;
        if tag(&answer.text(), "Code").as_deref() == Some("NoSuchBucket") {
            let bucket = format!("{}/{}", self.endpoint, self.bucket);
            taken(&self.put(sender, &bucket, Vec::new(), limit).await?)?;
            answer = self.put(sender, &object, body, limit).await?;
        }
        taken(&answer)?;
        sender.signer.presigned("s3", &object, READABLE)
    }

    async fn put(&self, sender: &Sender, url: &str, body: Vec<u8>, limit: Duration) -> Result<Answer, String> {
        let answer = sender.send(Outgoing {
            service: "s3",
            method: Method::PUT,
            url: url.to_owned(),
            headers: &[("content-type", "application/json")],
            body,
            limit,
            most: ANSWER_BYTES_MAX,
        });
        answer.await.map_err(|lost| format!("S3 {}", lost.in_words()))
    }
}

fn taken(answer: &Answer) -> Result<(), String> {
    if answer.is_ok() {
        return Ok(());
    }
    let part = |name| tag(&answer.text(), name).unwrap_or_default();
    Err(format!("S3 {}", refused(answer.status, &part("Code"), &part("Message"))))
}
