//! How long it takes to read a recorded run and to compare two, and how much memory.
//!
//! `cargo bench --bench reports`; `benches/README.md` says what was measured. Each figure
//! is taken in a process of its own, so that the highest memory is that of what is
//! measured. `cargo bench --bench reports -- 10000` measures with so many results only.

use std::fs::File;
use std::io::{BufReader, BufWriter, Write as _};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use syncspec::report::{Differences, Partial, Skimmer, read_events};

const SIZES: [usize; 3] = [10_000, 100_000, 1_000_000];
const ROUNDS: usize = 3;
/// Read at a time, in bytes, as the program does.
const BUFFER: usize = 256 * 1024;
/// Says to a process what it is to measure: the way, then the files.
const TASK: &str = "SYNCSPEC_BENCH_TASK";

/// A way to read runs.
type Way = fn(&[String]);

const WAYS: [(&str, Way); 3] = [("read whole", read_whole), ("read in brief", read_in_brief), ("diff of two", diff)];

fn main() {
    if let Ok(task) = std::env::var(TASK) {
        return measured(&task);
    }
    let only: Option<usize> = std::env::args().find_map(|argument| argument.parse().ok());
    for size in SIZES.into_iter().filter(|size| only.is_none_or(|only| only == *size)) {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
        let files = ["old", "new"].map(|name| folder.path().join(name).display().to_string());
        let bytes = write_run(Path::new(&files[0]), size, 0);
        write_run(Path::new(&files[1]), size, 1);
        tell(&format!("{size} results, {} MiB a run", bytes / 1024 / 1024));
        for (way, _) in WAYS {
            let mut rounds: Vec<_> = (0..ROUNDS).map(|_| ask(way, &files)).collect();
            rounds.sort();
            let (took, peak) = rounds[ROUNDS / 2];
            tell(&format!("  {way:<14} {:>8.3} s, {:>4} MiB at most", took.as_secs_f64(), peak / 1024));
        }
    }
}

fn tell(line: &str) {
    #[expect(clippy::print_stdout, reason = "a bench tells what it measured")]
    {
        println!("{line}");
    }
}

/// Has a process of its own measure, and gives its time and its highest memory in KiB.
fn ask(way: &str, files: &[String]) -> (Duration, u64) {
    let task = [&[way.to_owned()], files].concat().join("\n");
    let program = std::env::current_exe().expect("this program");
    let output = Command::new(program).env(TASK, task).output().expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("it prints text");
    let mut numbers = text.split_whitespace().map(|number| number.parse().expect("it prints numbers"));
    let mut next = || numbers.next().expect("it prints two numbers");
    (Duration::from_micros(next()), next())
}

fn measured(task: &str) {
    let mut lines = task.lines().map(str::to_owned);
    let way = lines.next().expect("a way");
    let files: Vec<_> = lines.collect();
    let (_, run) = WAYS.into_iter().find(|(name, _)| *name == way).expect("a known way");
    let begun = Instant::now();
    run(&files);
    let took = begun.elapsed().as_micros();
    // Linux only; elsewhere there is no such figure.
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
    tell(&format!("{took} {}", peak.unwrap_or("0")));
}

fn open(file: &str) -> BufReader<File> {
    BufReader::with_capacity(BUFFER, File::open(file).expect("the file is there"))
}

fn read_whole(files: &[String]) {
    let results =
        read_events(open(&files[0]), Partial::Refuse).inspect(|event| assert!(event.is_ok(), "an event")).count();
    assert!(results > 2, "it was read");
}

fn read_in_brief(files: &[String]) {
    let skim = Skimmer::default().read(open(&files[0]), Partial::Refuse).expect("a run");
    assert!(skim.results() > 0, "it was read");
}

/// As the program does: both at the same time.
fn diff(files: &[String]) {
    let skimmer = Skimmer::default();
    let skim = |file: &String| skimmer.read(open(file), Partial::Refuse).expect("a run");
    let (old, new) = std::thread::scope(|scope| {
        let old = scope.spawn(|| skim(&files[0]));
        let new = skim(&files[1]);
        (old.join().expect("it reads"), new)
    });
    let diff = Differences::of(&old, &new).read(&mut open(&files[0]), &mut open(&files[1])).expect("a diff");
    assert_eq!(diff.changes.len(), 3, "one case fails, one vanished, one was added");
}

/// A run of so many results, all but one in a hundred passed; in run `which` one case fails
/// and one has a name of its own. The lines are as long as those of the shipped suite.
/// Gives the length of the file.
fn write_run(path: &Path, results: usize, which: usize) -> u64 {
    let mut file = BufWriter::new(File::create(path).expect("a file"));
    let mut write = |line: String| file.write_all(line.as_bytes()).expect("it is written");
    write(format!(
        "{{\"type\":\"header\",\"format-version\":1,\"suite-version\":\"0.1.0\",\"suite-digest\":\"d\",\
         \"selection-digest\":\"s\",\"selected\":{results},\"target\":{{\"name\":\"t\",\"endpoint\":\"http://h\",\
         \"region\":\"r\",\"lacks\":[]}},\"strict\":false,\"started\":\"2026-01-0{}T00:00:00Z\"}}\n",
        which + 1
    ));
    let mut failed = 0;
    for number in 0..results {
        let name = if number == 7 { format!("of-its-own-{which}") } else { number.to_string() };
        let fails = number % 100 == 3 || (number == 1 && which == 1);
        failed += usize::from(fails);
        let (verdict, findings) = if fails {
            let exchange = "x".repeat(2_000);
            let findings = "[{\"level\":\"fail\",\"step\":2,\"at\":\"status\",\"expected\":\"400\",\"actual\":\"200\",\
                \"requirement\":\"A/input/Name/max-length\",\"origin\":\"cases/c.toml:1:1\"}]";
            ("fail", format!(",\"findings\":{findings},\"leftovers\":[\"{exchange}\"]"))
        } else {
            ("pass", String::new())
        };
        write(format!(
            "{{\"type\":\"result\",\"case\":\"constraints/some-name/of-so-many-characters/{name}\",\"about\":\"A name of \
             {number} characters is refused, and nothing is made under it.\",\"action\":\"ListRecords\",\"protocol\":\
             \"rest-json\",\"verdict\":\"{verdict}\",\"requirements\":[\"ListRecords/input/DatasetName/max-length\"],\
             \"origin\":\"cases/constraints/dataset-name.toml:{number}:8\"{findings},\"duration-us\":{number}}}\n"
        ));
    }
    write(format!(
        "{{\"type\":\"footer\",\"totals\":{{\"pass\":{},\"fail\":{failed}}},\"finished\":\"2026-01-02T00:00:00Z\",\
         \"duration-us\":1,\"exit\":1}}\n",
        results - failed
    ));
    file.flush().expect("it is written");
    path.metadata().expect("the file is there").len()
}
