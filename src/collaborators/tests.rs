//! The listener as its callers see it.

use std::net::SocketAddr;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{FunctionAnswer, Listener, Mailbox, Payload, PushAnswer, PushCall, Refusal, Role, Scripts, StreamAnswer};

const FREE: ([u8; 4], u16) = ([127, 0, 0, 1], 0);

struct Stage {
    listener: Listener,
    mailbox: Mailbox,
}

impl Stage {
    async fn set(scripts: Scripts) -> Self {
        let listener = Listener::start(FREE.into()).await.expect("a free port");
        let mailbox = listener.open("mine", scripts);
        Self { listener, mailbox }
    }

    async fn send(&self, head: &str, body: &str) -> String {
        exchange(self.listener.address(), head, body).await
    }

    async fn invoke(&self, function: &str, event: &str) -> String {
        self.send(&format!("POST /2015-03-31/functions/{function}/invocations HTTP/1.1"), event).await
    }

    async fn kinesis(&self, operation: &str, body: &Value) -> String {
        self.send(&format!("POST / HTTP/1.1\r\nx-amz-target: Kinesis_20131202.{operation}"), &body.to_string()).await
    }

    async fn sns(&self, form: &str) -> String {
        self.send("POST / HTTP/1.1\r\ncontent-type: application/x-www-form-urlencoded", form).await
    }
}

/// Status, headers and body, as text.
async fn exchange(address: SocketAddr, head: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    let length = body.len();
    let request = format!("{head}\r\nhost: h\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}");
    stream.write_all(request.as_bytes()).await.expect("it reads");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.expect("it answers");
    String::from_utf8(answer).expect("text")
}

fn body(answer: &str) -> Value {
    serde_json::from_str(answer.split_once("\r\n\r\n").expect("a body").1).expect("JSON")
}

fn refusal(error: &str) -> Option<Refusal> {
    Some(Refusal { error: error.to_owned(), status: None, message: None })
}

#[tokio::test]
async fn a_function_answers_as_its_script_says_one_call_after_the_other() {
    let changed = Payload::Event { set: vec![("/b".to_owned(), json!(2))], remove: vec!["/a".to_owned()] };
    let function = vec![
        FunctionAnswer { refusal: refusal("TooManyRequestsException"), ..FunctionAnswer::default() },
        FunctionAnswer { function_error: Some("Unhandled".to_owned()), ..FunctionAnswer::default() },
        FunctionAnswer { payload: changed, ..FunctionAnswer::default() },
    ];
    let stage = Stage::set(Scripts { function, ..Scripts::default() }).await;
    let throttled = stage.invoke("arn%3Aaws%3Alambda%3Ar%3A1%3Afunction%3Amine", r#"{"a":1}"#).await;
    assert!(throttled.starts_with("HTTP/1.1 429 ") && throttled.contains("TooManyRequestsException"), "{throttled}");
    let failed = stage.invoke("mine", r#"{"a":2}"#).await;
    assert!(failed.starts_with("HTTP/1.1 200 ") && failed.contains("x-amz-function-error: Unhandled"), "{failed}");
    for _ in 0..2 {
        assert_eq!(body(&stage.invoke("mine", r#"{"a":3}"#).await), json!({ "b": 2 }));
    }
    let observed = stage.mailbox.observation(Role::Function);
    assert_eq!(observed["count"], 4);
    assert_eq!(observed["events"], json!([{ "a": 1 }, { "a": 2 }, { "a": 3 }, { "a": 3 }]));
    assert_eq!(observed["invocations"][0]["function"], "arn:aws:lambda:r:1:function:mine");
    assert_eq!(stage.listener.strays(), []);
}

#[tokio::test]
async fn who_hangs_up_is_evidence_too() {
    let function = vec![FunctionAnswer { delay: Duration::from_secs(60), ..FunctionAnswer::default() }];
    let stage = Stage::set(Scripts { function, ..Scripts::default() }).await;
    stage.mailbox.at(3);
    let outcome = || Some(stage.mailbox.heard().first()?.exchange.outcome.as_ref().expect_err("no answer").to_string());
    let until = async |holds: &dyn Fn(String) -> bool| {
        while !outcome().is_some_and(holds) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        answer = stage.invoke("mine", "{}") => panic!("it takes long: {answer}"),
        () = until(&|_| true) => {}
    }
    let hung_up = until(&|outcome| outcome.contains("the caller hung up after "));
    tokio::time::timeout(Duration::from_secs(30), hung_up).await.expect("it is noticed");
    assert_eq!(stage.mailbox.heard()[0].step, 3);
}

#[tokio::test]
async fn who_is_slow_for_a_case_is_so_no_longer_than_the_case() {
    let function = vec![FunctionAnswer { delay: Duration::from_secs(600), ..FunctionAnswer::default() }];
    let Stage { listener, mailbox } = Stage::set(Scripts { function, ..Scripts::default() }).await;
    let stage = Stage { mailbox: listener.open("other", Scripts::default()), listener };
    let over = async {
        while mailbox.heard().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        drop(mailbox);
    };
    let both = async { tokio::join!(stage.invoke("mine", r#"{"a":1}"#), over).0 };
    let answer = tokio::time::timeout(Duration::from_secs(60), both).await.expect("nobody waits ten minutes");
    assert_eq!(body(&answer), json!({ "a": 1 }));
}

#[tokio::test]
async fn a_stream_takes_records_unless_its_script_refuses_them() {
    let throttled =
        StreamAnswer { refusal: refusal("ProvisionedThroughputExceededException"), ..StreamAnswer::default() };
    let stage = Stage::set(Scripts { stream: vec![throttled, StreamAnswer::default()], ..Scripts::default() }).await;
    let data = |value: Value| STANDARD.encode(value.to_string());
    let url = format!("{}/bucket/a%3Ab?X-Amz-Signature=secret", stage.listener.endpoint());
    let one = json!({ "StreamName": "mine", "PartitionKey": "p", "Data": data(json!({ "at": url })) });
    let refused = stage.kinesis("PutRecord", &one).await;
    assert!(refused.starts_with("HTTP/1.1 400 ") && refused.contains("ProvisionedThroughputExceeded"), "{refused}");
    assert!(stage.kinesis("PutRecord", &one).await.contains("SequenceNumber"));
    let records = json!([{ "PartitionKey": "q", "Data": data(json!(1)) }, { "PartitionKey": "r", "Data": "bm8=" }]);
    let two = json!({ "StreamARN": "arn:aws:kinesis:r:1:stream/mine", "Records": records });
    assert_eq!(body(&stage.kinesis("PutRecords", &two).await)["FailedRecordCount"], 0);
    assert!(stage.send("PUT /bucket/a%3Ab HTTP/1.1", "[1]").await.starts_with("HTTP/1.1 200 "));
    assert_eq!(body(&stage.send("GET /bucket/a%3Ab?X-Amz-Signature=s HTTP/1.1", "").await), json!([1]));
    let observed = stage.mailbox.observation(Role::Stream);
    assert_eq!((&observed["count"], &observed["refused"]), (&json!(3), &json!(1)));
    assert_eq!(observed["records"], json!([{ "at": url }, 1, null]));
    assert_eq!(observed["objects"], json!([[1], null, null]));
    assert_eq!(observed["puts"][0], json!({ "stream": "mine", "partition-key": "p" }));
    assert_eq!(stage.mailbox.secrets(), ["secret"]);
    let shown = String::from_utf8_lossy(&stage.mailbox.heard()[0].exchange.request.body).into_owned();
    assert!(shown.contains(r#""Data":{"at":"http://"#), "{shown}");
}

#[tokio::test]
async fn sns_makes_one_endpoint_for_a_token_and_takes_messages_to_it() {
    let push =
        vec![PushAnswer { on: Some(PushCall::Publish), refusal: refusal("EndpointDisabled"), ..PushAnswer::default() }];
    let stage = Stage::set(Scripts {
        push: [push, vec![PushAnswer { on: Some(PushCall::Publish), ..PushAnswer::default() }]].concat(),
        ..Scripts::default()
    })
    .await;
    let create = "Action=CreatePlatformEndpoint&PlatformApplicationArn=arn%3Aaws%3Asns%3Ar%3A1%3Aapp%2FGCM%2Fmine&Token=device+token";
    let created = stage.sns(create).await;
    assert!(created.contains("<EndpointArn>arn:aws:sns:r:1:endpoint/GCM/mine/"), "{created}");
    let arn = created.split_once("<EndpointArn>").and_then(|(_, rest)| rest.split_once('<')).expect("an ARN").0;
    assert!(stage.sns(create).await.contains(arn));
    let message = "%7B%22GCM%22%3A%22%7B%5C%22a%5C%22%3A1%7D%22%7D";
    let publish = |arn: &str| format!("Action=Publish&TargetArn={arn}&MessageStructure=json&Message={message}");
    assert!(stage.sns(&publish(arn)).await.contains("<Code>EndpointDisabled</Code>"));
    assert!(stage.sns(&publish(arn)).await.contains("<MessageId>"));
    assert!(stage.sns(&publish(&format!("{arn}9"))).await.contains("<Code>InvalidParameter</Code>"));
    let attributes = stage.sns(&format!("Action=GetEndpointAttributes&EndpointArn={arn}")).await;
    assert!(attributes.contains("<key>Token</key><value>device token</value>"), "{attributes}");
    let observed = stage.mailbox.observation(Role::Push);
    let application = "arn:aws:sns:r:1:app/GCM/mine";
    let endpoint = json!([{ "application": application, "token": "device token", "endpoint": arn }]);
    assert_eq!(observed["endpoints"], endpoint);
    let message = json!([{ "target": arn, "message-structure": "json", "message": { "GCM": { "a": 1 } } }]);
    assert_eq!((&observed["messages"], &observed["refused"]), (&message, &json!(2)));
    assert_eq!(stage.mailbox.secrets(), ["device token"]);
}

#[tokio::test]
async fn what_is_secret_of_a_device_that_is_refused_is_known_too() {
    let push = vec![PushAnswer { refusal: refusal("InvalidParameter"), ..PushAnswer::default() }];
    let stage = Stage::set(Scripts { push, ..Scripts::default() }).await;
    let application = "arn%3Aaws%3Asns%3Ar%3A1%3Aapp%2FGCM%2Fmine";
    let create = format!("Action=CreatePlatformEndpoint&PlatformApplicationArn={application}&Token=device+token");
    assert!(stage.sns(&create).await.contains("<Code>InvalidParameter</Code>"));
    assert_eq!(stage.mailbox.observation(Role::Push)["endpoints"], json!([]));
    assert_eq!(stage.mailbox.secrets(), ["device token"]);
}

#[tokio::test]
async fn what_comes_for_nobody_is_refused_and_told_and_what_comes_late_is_not() {
    let Stage { listener, mailbox } = Stage::set(Scripts::default()).await;
    drop(mailbox);
    let stage = Stage { mailbox: listener.open("other", Scripts::default()), listener };
    assert_eq!(body(&stage.invoke("mine", "{}").await), json!({}));
    let data = json!({ "StreamName": "mine", "PartitionKey": "p", "Data": "MQ==" });
    assert!(stage.kinesis("PutRecord", &data).await.contains("SequenceNumber"));
    assert!(stage.invoke("yours", "{}").await.starts_with("HTTP/1.1 404 "));
    assert!(stage.invoke("yours", "{}").await.contains("ResourceNotFoundException"));
    let data = json!({ "StreamName": "yours", "PartitionKey": "p", "Data": "MQ==" });
    assert!(stage.kinesis("PutRecord", &data).await.contains("ResourceNotFoundException"));
    assert!(stage.kinesis("MergeShards", &data).await.contains("UnknownOperationException"));
    assert!(
        stage.sns("Action=Publish&TargetArn=arn:aws:sns:r:1:endpoint/GCM/yours/1").await.contains("<Code>NotFound<")
    );
    assert!(stage.send("POST /x HTTP/1.1", "").await.starts_with("HTTP/1.1 404 "));
    let cbor =
        "POST / HTTP/1.1\r\nx-amz-target: Kinesis_20131202.PutRecord\r\ncontent-type: application/x-amz-cbor-1.1";
    assert!(stage.send(cbor, "").await.contains("AWS_CBOR_DISABLE"));
    let told: Vec<_> = stage.listener.strays().iter().map(|stray| format!("{} {}", stray.times, stray.what)).collect();
    insta::assert_snapshot!(told.join("\n"), @r"
    2 the function `yours`
    1 the stream `yours`
    1 MergeShards of a stream, which is not played
    1 Publish of SNS with `arn:aws:sns:r:1:endpoint/GCM/yours/1`
    1 POST /x, which is no call of Lambda, Kinesis, SNS or S3 that is played
    1 a stream in CBOR, which is not spoken here; Java's SDKs speak JSON with AWS_CBOR_DISABLE=true or CBOR_ENABLED=false
    ");
}

#[tokio::test]
async fn a_mailbox_holds_so_much_and_counts_the_rest() {
    let stage = Stage::set(Scripts::default()).await;
    let large = format!("\"{}\"", "x".repeat(7_000_000));
    for _ in 0..6 {
        assert!(stage.invoke("mine", &large).await.starts_with("HTTP/1.1 200 "));
    }
    let observed = stage.mailbox.observation(Role::Function);
    assert_eq!((&observed["count"], &observed["left-out"]), (&json!(6), &json!(4)));
    assert_eq!(observed["events"].as_array().map(Vec::len), Some(2));
    let too_large = "x".repeat(8 * 1024 * 1024 + 1);
    let answer = exchange_all(stage.listener.address(), &too_large).await;
    assert!(answer.starts_with("HTTP/1.1 413 ") || answer.is_empty(), "{answer}");
    let told = stage.listener.strays().into_iter().next().map(|stray| stray.what).unwrap_or_default();
    assert!(told.starts_with("POST /2015-03-31/functions/mine/invocations, with a body"), "{told}");
}

/// Like [`exchange`], for an answer that may come, or be lost, before all was sent.
async fn exchange_all(address: SocketAddr, body: &str) -> String {
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    let length = body.len();
    let head = format!(
        "POST /2015-03-31/functions/mine/invocations?X-Amz-Signature=s HTTP/1.1\r\nhost: h\r\ncontent-length: {length}\r\n\r\n"
    );
    let _early = stream.write_all(head.as_bytes()).await;
    let _early = stream.write_all(body.as_bytes()).await;
    let mut answer = Vec::new();
    let _lost = stream.read_to_end(&mut answer).await;
    String::from_utf8(answer).expect("text")
}
