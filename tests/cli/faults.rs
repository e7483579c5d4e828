//! `syncspec serve` that fails on purpose, and that has another time.

use std::time::{Duration, Instant};

use regex::Regex;
use serde_json::{Value, json};
use syncspec::target::Target;

use crate::calls::{Caller, client};
use crate::check;
use crate::command::{Room, settled};
use crate::serve::{exchange, get, serve, target, without_times};

fn user(target: &Target) -> Caller {
    let pool = &target.pools[0];
    Caller::identity(&client(&target.endpoint), &target.region, &pool.id, &pool.identities[0])
}

/// An update with a token that was just fetched.
async fn update(caller: &Caller) -> Result<syncspec::wire::Response, String> {
    let listed = caller.call("ListRecords", &json!({ "DatasetName": "d" })).await?;
    let listed = Caller::result(&listed);
    let count = &listed["DatasetSyncCount"];
    let patch = json!({ "Op": "replace", "Key": "k", "Value": "v", "SyncCount": count });
    let token = &listed["SyncSessionToken"];
    let input = json!({ "DatasetName": "d", "SyncSessionToken": token, "RecordPatches": [patch] });
    caller.call("UpdateRecords", &input).await
}

fn request(method: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "{method} /_syncspec/faults HTTP/1.1\r\nhost: h\r\nconnection: close\r\n{headers}content-length: {length}\r\n\r\n{body}"
    )
}

/// Status line and body of an answer.
fn told(answer: &str) -> String {
    let status = answer.lines().next().unwrap_or_default();
    let body = answer.split("\r\n\r\n").nth(1).unwrap_or_default();
    format!("{status}\n{body}")
}

#[test]
fn wrong_usage() {
    let room = Room::new();
    let wrong = [
        "--fault TooManyRequestException",
        "--fault cut-before:UpdateRecord",
        "--fault TooManyRequestsException:BulkPublish",
        "--fault cut-before:0/3",
        "--fault delay=2",
        "--fault cut-before --mutant count-per-patch",
        "--clock-offset soon",
        "--clock-offset 4000d",
    ];
    let told: Vec<String> = wrong.iter().map(|args| room.run(&format!("serve {args}")).exits(2).to_string()).collect();
    check("serve-fault-wrong", &told.join("\n"));
}

#[tokio::test]
async fn requests_meet_what_was_asked_for() {
    let room = Room::new();
    let faults = "--fault TooManyRequestsException:UpdateRecords:1 --fault InternalErrorException:UpdateRecords:1 \
                  --fault cut-before:UpdateRecords:1 --fault cut-after:UpdateRecords:1 \
                  --fault cut-after:ListIdentityPoolUsage";
    let server = serve(&room, &format!("--log short {faults}"), 5);
    let target = target(&room);
    let user = user(&target);
    let mut came = Vec::new();
    for _ in 0..5 {
        came.push(update(&user).await.map(|answer| (answer.status, answer.error_name())).ok());
    }
    let name = |name: &str| Some(name.to_owned());
    let refused = [Some((429, name("TooManyRequestsException"))), Some((500, name("InternalErrorException")))];
    assert_eq!(came, [&refused[..], &[None, None, Some((200, None))]].concat());
    // Of the two whose connection was cut, the second took effect.
    let listed = user.call("ListRecords", &json!({ "DatasetName": "d" })).await.expect("it answers");
    assert_eq!(Caller::result(&listed)["DatasetSyncCount"], 2);
    // Whose key it names is not who sent it.
    let forged = "GET /identitypools HTTP/1.1\r\nhost: h\r\nx-amz-date: 20260101T000000Z\r\nauthorization: \
                  AWS4-HMAC-SHA256 Credential=AKIASYNCSPECEXAMPLE0/20260101/us-east-1/cognito-sync/aws4_request, \
                  SignedHeaders=host;x-amz-date, Signature=00\r\n\r\n";
    assert_eq!(exchange(&target.endpoint, forged), "");
    // A read-only look is always there; a change must have been allowed.
    check("serve-faults", &told(&get(&target.endpoint, "/_syncspec/faults")));
    let refused = exchange(&target.endpoint, &request("DELETE", "", ""));
    check("serve-faults-refused", &told(&refused));
    server.signal("TERM");
    let ended = without_times(&settled(&server.end().exits(0).to_string()));
    check("serve-faults-log", &ended);
}

#[tokio::test]
async fn faults_change_while_it_serves() {
    let room = Room::new();
    let server = serve(&room, "--log off --fault cut-before --fault-control", 6);
    let target = target(&room);
    let user = user(&target);
    let put = |headers: &str, body: &str| told(&exchange(&target.endpoint, &request("PUT", headers, body)));
    let list = async || user.call("ListDatasets", &json!({})).await;
    list().await.expect_err("it is cut");
    // What is written wrongly changes nothing.
    let too_many = json!(vec!["cut-before"; 101]).to_string();
    let wrong = ["", "{}", "[1]", r#"["delay=1s", "cut"]"#, &too_many].map(|body| put("", body));
    check("serve-faults-wrong", &wrong.join(""));
    // Nor does what pages in browsers want.
    let page = put("origin: https://page.example\r\n", "[]");
    assert!(page.starts_with("HTTP/1.1 403"), "{page}");
    list().await.expect_err("it is still cut");

    let delayed = put("", r#"["delay=300ms:ListDatasets:1"]"#);
    assert!(delayed.ends_with("{\"faults\":[{\"fault\":\"delay=300ms:ListDatasets:1\",\"requests\":0,\"met\":0}]}\n"));
    let begun = Instant::now();
    assert_eq!(list().await.expect("it answers").status, 200);
    assert!(begun.elapsed() >= Duration::from_millis(300));
    list().await.expect("it answers");
    let shown = get(&target.endpoint, "/_syncspec/faults");
    assert!(shown.ends_with("\"requests\":2,\"met\":1}]}\n"), "{shown}");
    // Errors can be read by pages, and what is no call is spared.
    put("", r#"["ServiceUnavailable"]"#);
    let page = "GET /identitypools HTTP/1.1\r\nhost: h\r\norigin: https://page.example\r\nconnection: close\r\n\r\n";
    let refused = exchange(&target.endpoint, page);
    assert!(refused.starts_with("HTTP/1.1 503") && refused.contains("access-control-allow-origin: *"), "{refused}");
    assert!(exchange(&target.endpoint, &page.replacen("GET", "OPTIONS", 1)).starts_with("HTTP/1.1 200"));
    assert!(get(&target.endpoint, "/nowhere").starts_with("HTTP/1.1 404"));
    assert!(get(&target.endpoint, "/_syncspec/health").starts_with("HTTP/1.1 200"));
    let gone = exchange(&target.endpoint, &request("DELETE", "", ""));
    assert!(gone.ends_with("{\"faults\":[]}\n"), "{gone}");
    assert_eq!(list().await.expect("it answers").status, 200);
    drop(server);
}

#[tokio::test]
async fn a_lost_answer_is_kept_all_the_same() {
    let room = Room::new();
    let flags = "--log off --state s.db";
    let mut server = serve(&room, &format!("{flags} --fault cut-after:UpdateRecords"), 5);
    update(&user(&target(&room))).await.expect_err("it is cut");
    server.kill();
    let server = serve(&room, flags, 4);
    let listed = user(&target(&room)).call("ListRecords", &json!({ "DatasetName": "d" })).await.expect("it answers");
    assert_eq!(Caller::result(&listed)["DatasetSyncCount"], 1);
    drop(server);
}

#[tokio::test]
async fn a_clock_may_be_off() {
    let room = Room::new();
    let day = Regex::new(r"^\w{3}, (\d\d) \w{3} (\d{4}) (\d\d):(\d\d):\d\d GMT$").expect("it compiles");
    for (offset, said, message) in [
        ("90m", "Its clock is 90 min ahead.", "Signature expired: "),
        ("-25h", "Its clock is 25 h behind.", "Signature not yet current: "),
        ("-1d", "Its clock is 1 d behind.", "Signature not yet current: "),
    ] {
        let mut server = serve(&room, &format!("--log json --clock-offset {offset}"), 4);
        assert_eq!(server.line().as_deref().map(str::trim_end), Some(said));
        let target = target(&room);
        let refused = user(&target).call("ListDatasets", &json!({})).await.expect("it answers");
        assert_eq!((refused.status, refused.error_name().as_deref()), (403, Some("InvalidSignatureException")));
        let text = refused.error_message().unwrap_or_default();
        assert!(text.starts_with(message), "{text}");
        // `Date`, the message and the log tell the same time, in the form of each.
        let date = refused.headers.get("date").expect("a date");
        assert_eq!(refused.headers.get_all("date").count(), 1);
        let parts = day.captures(date).unwrap_or_else(|| panic!("{date}"));
        server.signal("TERM");
        let ended = server.end().exits(0);
        let line: Value = serde_json::from_str(ended.stderr.lines().next().expect("a line")).expect("it is JSON");
        let logged = line["time"].as_str().expect("a time");
        assert_eq!(
            (&logged[..4], &logged[8..10], &logged[11..13]),
            (&parts[2], &parts[1], &parts[3]),
            "{date} {logged}"
        );
    }
    let server = serve(&room, "--log off --clock-offset 4m", 5);
    assert_eq!(user(&target(&room)).call("ListDatasets", &json!({})).await.expect("it answers").status, 200);
    drop(server);
}
