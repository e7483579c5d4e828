//! The real binary, run in an empty folder, and what it printed without what
//! differs from run to run.

use std::fmt;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::time::{Duration, Instant};

use regex::Regex;
use tempfile::TempDir;

/// Longest time that a program may take to end.
const PATIENCE: Duration = Duration::from_secs(60);

/// What differs from run to run, and what stands for it: in this order, newest
/// last.
const DIFFERS: &[(&str, &str)] = &[
    (r"127\.0\.0\.1:\d{4,5}", "127.0.0.1:<port>"),
    (r"syncspec-[0-9a-f]{8}-", "syncspec-<run>-"),
    (r"\d{4}-\d\d-\d\dT\d{6}Z(-\d+)?", "<utc>"),
    (r" *\b([0-9]+ min )?[0-9.]+ (µs|ms|s)\b", " <took>"),
    (r"(?m)(cases) +time$", "$1 time"),
    (r"\b1[0-9]{9}(\.[0-9]+)?\b", "<date>"),
    (r"(?m)^( *< x-amzn-requestid: ).*$", "$1<id>"),
    (r"syncspec 0\.\d+\.\d+", "syncspec <version>"),
];

/// An empty folder to run the program in.
pub(crate) struct Room(TempDir);

impl Room {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    /// A folder with a copy of the small suite, in `cases`.
    pub(crate) fn with_suite() -> Self {
        let room = Self::new();
        copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/suite"), &room.path("cases"));
        room
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("it is below the room")).expect("a folder");
        fs::write(path, text).expect("the file is written");
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// The program with these arguments, separated by blanks.
    pub(crate) fn command(&self, args: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_syncspec"));
        command.current_dir(self.0.path()).args(args.split_whitespace()).stdin(Stdio::null());
        for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "COLUMNS", "RUST_BACKTRACE"] {
            command.env_remove(name);
        }
        for service in ["LAMBDA", "KINESIS", "SNS", "S3"] {
            command.env_remove(format!("AWS_ENDPOINT_URL_{service}"));
        }
        command.env("SYNCSPEC_STATE_DIR", self.path("state"));
        command
    }

    /// Runs the program to its end.
    pub(crate) fn run(&self, args: &str) -> Ended {
        let output = self.command(args).output().expect("the program starts");
        Ended::of(args, &output)
    }

    /// Starts the program; its standard output is read line by line.
    pub(crate) fn start(&self, args: &str) -> Running {
        Self::begin(args, self.command(args))
    }

    /// The same for a command that was made with these arguments.
    pub(crate) fn begin(args: &str, mut command: Command) -> Running {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
        let stdout = BufReader::new(child.stdout.take().expect("it is piped"));
        Running { args: args.to_owned(), child, stdout, seen: String::new() }
    }

    /// The texts of all files below the room, by path.
    pub(crate) fn files(&self) -> Vec<(PathBuf, String)> {
        let mut files = Vec::new();
        collect(self.0.path(), &mut files);
        files
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("the folder is there").map(|entry| entry.expect("an entry")) {
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).expect("a copy");
        }
    }
}

fn collect(dir: &Path, files: &mut Vec<(PathBuf, String)>) {
    for entry in fs::read_dir(dir).expect("the folder is there").map(|entry| entry.expect("an entry")) {
        if entry.path().is_dir() {
            collect(&entry.path(), files);
        } else {
            let text = String::from_utf8_lossy(&fs::read(entry.path()).expect("it is read")).into_owned();
            files.push((entry.path(), text));
        }
    }
}

/// What a program came to. Shown, it is fit for a snapshot.
pub(crate) struct Ended {
    args: String,
    /// None when a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    pub(crate) fn of(args: &str, output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("it prints text");
        Self {
            args: args.to_owned(),
            code: output.status.code(),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        }
    }

    /// The same, after checking how it ended.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self}");
        self
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = self.code.map_or_else(|| "ended by a signal".to_owned(), |code| format!("exit code {code}"));
        let section = |name: &str, printed: &str| match printed {
            "" => String::new(),
            _ => format!("---- {name}\n{printed}"),
        };
        let (stdout, stderr) = (section("stdout", &self.stdout), section("stderr", &self.stderr));
        f.write_str(&settled(&format!("$ syncspec {}\n{code}\n{stdout}{stderr}", self.args)))
    }
}

/// Text without what differs from run to run.
pub(crate) fn settled(text: &str) -> String {
    DIFFERS.iter().fold(text.to_owned(), |text, (pattern, instead)| {
        Regex::new(pattern).expect("the pattern compiles").replace_all(&text, *instead).into_owned()
    })
}

/// A program under way. It is killed when it is dropped.
pub(crate) struct Running {
    args: String,
    child: Child,
    stdout: BufReader<ChildStdout>,
    seen: String,
}

impl Running {
    /// Waits for the next line on standard output; none when nothing more comes.
    pub(crate) fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = self.stdout.read_line(&mut line).expect("it prints text");
        self.seen += &line;
        (read > 0).then_some(line)
    }

    /// Waits for so many lines.
    pub(crate) fn lines(&mut self, number: usize) {
        for _ in 0..number {
            assert!(self.line().is_some(), "it ended too soon: {}", self.seen);
        }
    }

    /// Sends a signal: `INT` as Ctrl-C does, `TERM` as a supervisor does.
    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status();
        assert!(status.is_ok_and(|status| status.success()), "the signal is sent");
    }

    /// Whether it has ended.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("it is our child").is_some()
    }

    /// Ends it at once.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it ends");
    }

    /// Waits for its end.
    pub(crate) fn end(mut self) -> Ended {
        while self.line().is_some() {}
        let begun = Instant::now();
        while self.child.try_wait().expect("it is our child").is_none() {
            assert!(begun.elapsed() < PATIENCE, "it does not end: {}", self.args);
            std::thread::sleep(Duration::from_millis(10));
        }
        let mut stderr = String::new();
        if let Some(mut pipe) = self.child.stderr.take() {
            std::io::Read::read_to_string(&mut pipe, &mut stderr).expect("it prints text");
        }
        let code = self.child.wait().expect("it ended").code();
        Ended { args: std::mem::take(&mut self.args), code, stdout: std::mem::take(&mut self.seen), stderr }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
