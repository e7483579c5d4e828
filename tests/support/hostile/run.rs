//! The real binary against a behaviour, with an eye on time and memory.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use syncspec::reference::Server;
use syncspec::spec::Service;
use syncspec::target::embedded_world;

use super::behaviours::{Behaviour, Expected};
use super::serve::Hostile;

/// The cases that are run.
const CASES: [&str; 2] = ["list-datasets/", "describe-dataset/"];

/// Seconds that a run waits for an answer.
pub(crate) const TIMEOUT: &str = "2";

/// A run that takes longer is killed.
const PATIENCE: Duration = Duration::from_secs(120);

/// Generous: what is promised stands in `docs/hostile.md`, and other programs run too.
const LONGEST: Duration = Duration::from_secs(60);
const MOST_KIB: u64 = 512 * 1024;
const MOST_WRITTEN: u64 = 64 * 1024 * 1024;

/// What a run came to.
pub(crate) struct Ended {
    /// None when it was killed.
    pub(crate) code: Option<i32>,
    pub(crate) took: Duration,
    /// Most memory that was resident, in KiB; none where the system does not say.
    pub(crate) peak: Option<u64>,
    /// The lines of `run.jsonl`.
    pub(crate) record: Vec<Value>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// What `report junit` made of it.
    pub(crate) junit: Result<String, String>,
    /// Connections to the host that redirects lead to.
    pub(crate) strays: usize,
    /// Bytes that the run wrote.
    pub(crate) written: u64,
}

/// Runs `program` against a behaviour.
pub(crate) async fn run(program: &str, behaviour: &Behaviour) -> Ended {
    let service = Service::embedded_shared();
    let reference = Server::start(([127, 0, 0, 1], 0).into(), service, embedded_world()).await.expect("a free port");
    let hostile = Hostile::start(behaviour, reference.address()).await.expect("a free port");
    let scheme = if behaviour.secure { "https" } else { "http" };
    let endpoint = format!("{scheme}://{}", hostile.address);
    let program = program.to_owned();
    // Where a behaviour begins later, cases must be left for it to meet.
    let jobs = if behaviour.good > 0 { "4" } else { "16" };
    let ended = tokio::task::spawn_blocking(move || observed(&program, &endpoint, jobs)).await;
    let ended = Ended { strays: hostile.strays(), ..ended.expect("no panic") };
    drop(hostile);
    reference.shutdown().await;
    ended
}

fn observed(program: &str, endpoint: &str, jobs: &str) -> Ended {
    let room = tempfile::tempdir().expect("a temporary folder");
    let mut command = Command::new(program);
    command.current_dir(room.path()).env("SYNCSPEC_STATE_DIR", room.path()).env_remove("RUST_BACKTRACE");
    command
        .args(["run", "--endpoint", endpoint, "--timeout", TIMEOUT, "--report-dir", "r", "--jobs", jobs])
        .args(CASES);
    if knows(program, "--no-probe") {
        command.arg("--no-probe");
    }
    let out = |name: &str| fs::File::create(room.path().join(name)).expect("a file");
    command.stdin(Stdio::null()).stdout(out("stdout")).stderr(out("stderr"));
    let begun = Instant::now();
    let mut child = command.spawn().expect("the program starts");
    let mut peak = None;
    let code = loop {
        // It never falls, so the latest is the highest.
        peak = peak_of(child.id()).or(peak);
        if let Some(status) = child.try_wait().expect("it is our child") {
            break status.code();
        }
        if begun.elapsed() > PATIENCE {
            child.kill().expect("it is under way");
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let took = begun.elapsed();
    let read = |name: &str| {
        fs::read(room.path().join(name)).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    };
    let record = read("r/run.jsonl").lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect();
    let length = |name: &str| fs::metadata(room.path().join(name)).map_or(0, |metadata| metadata.len());
    Ended {
        code,
        took,
        peak,
        record,
        stdout: read("stdout"),
        stderr: read("stderr"),
        junit: junit(program, room.path()),
        strays: 0,
        written: length("r/run.jsonl") + length("stdout") + length("stderr"),
    }
}

fn knows(program: &str, flag: &str) -> bool {
    let help = Command::new(program).args(["run", "--help"]).output().expect("the program starts");
    String::from_utf8_lossy(&help.stdout).contains(flag)
}

fn junit(program: &str, room: &Path) -> Result<String, String> {
    let output = Command::new(program).current_dir(room).args(["report", "junit", "r"]).output();
    let output = output.map_err(|error| error.to_string())?;
    match output.status.success() {
        true => String::from_utf8(output.stdout).map_err(|error| error.to_string()),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

/// The most memory that was resident so far, in KiB.
fn peak_of(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

impl Ended {
    fn footer(&self) -> Option<&Value> {
        self.record.last().filter(|line| line["type"] == "footer")
    }

    /// Verdicts by case.
    pub(crate) fn verdicts(&self) -> BTreeMap<String, String> {
        let results = self.record.iter().filter(|line| line["type"] == "result");
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        results.map(|line| (text(&line["case"]), text(&line["verdict"]))).collect()
    }

    /// Why the run stopped, if it did.
    pub(crate) fn stopped(&self) -> Option<&str> {
        self.footer()?["stopped"].as_str()
    }

    /// How often it was throttled.
    pub(crate) fn throttled(&self) -> u64 {
        self.footer().and_then(|footer| footer["throttled"].as_u64()).unwrap_or(0)
    }

    /// Verdicts with their numbers.
    pub(crate) fn totals(&self) -> String {
        let Some(totals) = self.footer().and_then(|footer| footer["totals"].as_object()) else { return String::new() };
        let totals = totals.iter().filter(|(_, count)| count.as_u64() != Some(0));
        totals.map(|(verdict, count)| format!("{count} {verdict}")).collect::<Vec<_>>().join(", ")
    }

    /// What is said most often of the cases that were begun and did not pass.
    pub(crate) fn said(&self) -> String {
        let mut said: BTreeMap<String, usize> = BTreeMap::new();
        for line in self.record.iter().filter(|line| line["type"] == "result") {
            let finding = &line["findings"][0];
            let found = finding["at"].as_str().map(|at| {
                let text = |name: &str| finding[name].as_str().unwrap_or_default();
                format!("{at} is {}, expected {}", text("actual"), text("expected"))
            });
            let reason = line["reason"].as_str().filter(|reason| !reason.starts_with("not run"));
            if let Some(what) = found.or_else(|| reason.map(without_step)) {
                *said.entry(what).or_default() += 1;
            }
        }
        said.into_iter().max_by_key(|(_, count)| *count).map(|(what, _)| what).unwrap_or_default()
    }
}

/// A reason without the step that it begins with.
fn without_step(reason: &str) -> String {
    match reason.split_once(": ") {
        Some((step, rest)) if step.starts_with("step ") || step.starts_with("prerequisite ") => rest.to_owned(),
        _ => reason.to_owned(),
    }
}

/// What is not as it should be.
pub(crate) fn complaints(behaviour: &Behaviour, ended: &Ended) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut demand = |holds: bool, what: String| {
        if !holds {
            complaints.push(format!("{} ({}): {what}", behaviour.name, behaviour.about));
        }
    };
    let codes: &[i32] = match behaviour.expected {
        Expected::Bad => &[1, 3],
        Expected::NotJudged => &[3],
        Expected::Good => &[0],
    };
    let code = ended.code;
    let all = || format!("{} {:?} {}\n{}{}", ended.totals(), ended.stopped(), ended.said(), ended.stdout, ended.stderr);
    demand(code.is_some_and(|code| codes.contains(&code)), format!("exit code {code:?}: {}", all()));
    demand(ended.took < LONGEST, format!("took {:?}", ended.took));
    demand(ended.peak.is_none_or(|peak| peak < MOST_KIB), format!("{:?} KiB of memory", ended.peak));
    demand(ended.written < MOST_WRITTEN, format!("{} bytes written", ended.written));
    demand(!ended.stderr.contains("panicked"), format!("it panicked: {}", ended.stderr));
    demand(!ended.stdout.contains("\u{1b}[2J") && !ended.stdout.contains('\u{202e}'), "codes printed".to_owned());
    demand(ended.strays == 0, format!("{} connections to another host", ended.strays));
    // A run that never began has one sentence instead.
    if ended.record.is_empty() {
        demand(ended.stderr.lines().count() == 1 && ended.stderr.starts_with("error: "), ended.stderr.clone());
    } else {
        let selected = ended.record[0]["selected"].as_u64();
        let verdicts = ended.verdicts();
        demand(selected == Some(verdicts.len() as u64), format!("{} results", verdicts.len()));
        demand(ended.junit.is_ok(), format!("report junit: {:?}", ended.junit.as_ref().err()));
        if behaviour.expected == Expected::NotJudged {
            demand(!verdicts.values().any(|verdict| verdict == "fail"), all());
        }
    }
    complaints
}
