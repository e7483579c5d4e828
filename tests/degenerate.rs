//! Servers that know nothing of the service: whatever they answer, or if they do
//! not answer at all, the suite is not fooled. A negative case that such a server
//! passes would prove nothing.

use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use rstest::rstest;
use syncspec::cases::Suite;
use syncspec::collaborators::Listener;
use syncspec::judge::Verdict;
use syncspec::plan::Plan;
use syncspec::run::{self, CaseResult, Session, Settings};
use syncspec::spec::{Catalog, Service};
use syncspec::target::{Target, embedded_world};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A server that answers every request alike, or drops every connection once it
/// was asked something.
struct Degenerate {
    address: SocketAddr,
    accepting: JoinHandle<()>,
}

impl Degenerate {
    async fn start(answer: Option<String>) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let answer = answer.clone();
                // A connection that breaks is the client's to notice.
                tokio::spawn(async move { serve(stream, answer.as_deref()).await });
            }
        });
        Ok(Self { address, accepting })
    }
}

impl Drop for Degenerate {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn serve(stream: TcpStream, answer: Option<&str>) -> io::Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut reader = BufReader::new(reader);
    loop {
        let (mut length, mut line) = (0, String::new());
        while line != "\r\n" {
            line.clear();
            if reader.read_line(&mut line).await? == 0 {
                return Ok(());
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().unwrap_or(0);
            }
        }
        tokio::io::copy(&mut (&mut reader).take(length), &mut tokio::io::sink()).await?;
        let Some(answer) = answer else { return Ok(()) };
        writer.write_all(answer.as_bytes()).await?;
    }
}

fn answer(status: u16, error: &str) -> String {
    let (name, body) = match error {
        "" => (String::new(), "{}".to_owned()),
        name => (
            format!("x-amzn-ErrorType: {name}\r\n"),
            r#"{"message":"1 validation error detected: Value 'x' at 'identityPoolId' failed"}"#.to_owned(),
        ),
    };
    format!(
        "HTTP/1.1 {status} Whatever\r\n{name}content-type: application/json\r\nx-amzn-RequestId: 1\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// Runs the whole suite against a server that answers so.
async fn results(answer: Option<String>) -> Vec<CaseResult> {
    let suite = Suite::shipped(Service::embedded(), Catalog::embedded()).expect("the case files are valid");
    let server = Degenerate::start(answer).await.expect("a free port");
    let played = Listener::start(([127, 0, 0, 1], 0).into()).await.expect("the other services are played");
    let (world, endpoint) = (embedded_world(), format!("http://{}", server.address));
    let mut target = Target::embedded(&world, &endpoint).called_back(&world, played.address());
    target.snapshots = None;
    let plan = Plan::new(&suite, &[], &target).expect("a plan without filters");
    let session = Session::connect(target, Duration::from_secs(5), false, "degenerate".to_owned())
        .expect("a session")
        .playing(played);
    let settings = Settings { jobs: 8, fail_fast: false, datasets_per_identity: 20 };
    run::results(&session, plan, &suite.digest, settings).await
}

fn with(results: &[CaseResult], verdicts: &[Verdict]) -> BTreeSet<String> {
    let wanted = results.iter().filter(|result| verdicts.contains(&result.verdict));
    wanted.map(|result| result.case.clone()).collect()
}

#[rstest]
#[case(400, "InvalidParameterException")]
#[case(400, "ValidationException")]
#[case(400, "SerializationException")]
#[case(403, "AccessDeniedException")]
#[case(403, "NotAuthorizedException")]
#[case(403, "MissingAuthenticationTokenException")]
#[case(403, "InvalidSignatureException")]
#[case(404, "ResourceNotFoundException")]
#[case(404, "UnknownOperationException")]
#[case(409, "ResourceConflictException")]
#[case(500, "InternalErrorException")]
#[tokio::test]
async fn who_refuses_everything_passes_nothing(#[case] status: u16, #[case] error: &str) {
    let results = results(Some(answer(status, error))).await;
    let passed = with(&results, &[Verdict::Pass, Verdict::Warn]);
    assert!(passed.is_empty(), "{} of {} cases: {passed:#?}", passed.len(), results.len());
}

#[tokio::test]
async fn who_drops_every_connection_passes_nothing() {
    let results = results(None).await;
    let judged = with(&results, &[Verdict::Pass, Verdict::Warn, Verdict::Fail]);
    assert!(judged.is_empty(), "{judged:#?}");
}

/// Nothing but `{}` is a good answer now and then: for an operation that answers
/// nothing, or where all members may be null. Where only an inferred or open
/// requirement asks for a refusal, there is at least a finding.
#[tokio::test]
async fn who_accepts_everything_is_noticed_nearly_everywhere() {
    let results = results(Some(answer(200, ""))).await;
    let unnoticed = results.iter().filter(|result| result.verdict == Verdict::Pass && result.findings.is_empty());
    let unnoticed: Vec<&str> = unnoticed.map(|result| result.case.as_str()).collect();
    assert!(unnoticed.len() * 20 < results.len(), "{} of {} cases: {unnoticed:#?}", unnoticed.len(), results.len());
}
