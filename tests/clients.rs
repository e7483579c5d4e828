//! An unmodified client against the real server, and what the documentation says of all
//! of them. The scripts of the other clients need packages of theirs and run in `.ci/run`.

#[path = "support/command.rs"]
#[expect(dead_code, reason = "not every test program uses all of it")]
mod command;
#[path = "clients/rust/round.rs"]
mod round;

use command::{Room, Running};
use round::Round;

/// A server for the clients' world, and where it is.
fn serve(room: &Room, flags: &str) -> (Running, String) {
    let world = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/world.toml");
    let mut server =
        room.start(&format!("serve --listen 127.0.0.1:0 --log off --world {world} --fault-control {flags}"));
    let said = server.line().expect("it says where it is");
    let endpoint = said.split_whitespace().find(|word| word.starts_with("http://")).expect("an address");
    (server, endpoint.to_owned())
}

#[tokio::test]
async fn the_sdk_for_rust_makes_a_round() {
    let room = Room::new();
    let (server, endpoint) = serve(&room, "");
    let round = Round::with(&endpoint).await;
    round.records().await;
    round.devices().await;
    round.pools().await;
    round.errors().await;
    round.retries().await;
    drop(server);
}

#[tokio::test]
async fn the_sdk_for_rust_corrects_its_clock() {
    let room = Room::new();
    for offset in ["1h", "-1h", "2d", "-2d"] {
        let (server, endpoint) = serve(&room, &format!("--clock-offset {offset}"));
        Round::with(&endpoint).await.clock().await;
        drop(server);
    }
}

/// Text whose blanks and line ends do not matter.
fn in_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The lines that point clients at the server are those that the scripts run.
#[test]
fn what_is_documented_is_what_runs() {
    let scripts = [
        ("boto3", include_str!("clients/boto3/round.py"), "endpoint"),
        ("AWS CLI", include_str!("clients/awscli/round.sh"), "\"$endpoint\""),
        ("AWS SDK for JavaScript v3", include_str!("clients/javascript/round.mjs"), "endpoint"),
        ("AWS SDK for Rust", include_str!("clients/rust/round.rs"), "endpoint"),
    ];
    for (name, document) in
        [("README.md", include_str!("../README.md")), ("docs/clients.md", include_str!("../docs/clients.md"))]
    {
        for (client, script, endpoint) in scripts {
            let row = document.lines().find(|line| line.starts_with(&format!("| {client} |")));
            let line = row.and_then(|row| row.split('`').nth(1)).unwrap_or_else(|| panic!("{name} lacks {client}"));
            let quoted = line.replace("\"http://127.0.0.1:4580\"", endpoint).replace("http://127.0.0.1:4580", endpoint);
            assert!(
                in_one_line(script).contains(&in_one_line(&quoted)),
                "{name}: the script of {client} lacks `{quoted}`"
            );
        }
    }
}
