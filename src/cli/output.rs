//! Printing. Text arrives with styles; they are stripped where nobody sees them.

use std::io::{self, Write as _};
use std::path::Path;
use std::sync::OnceLock;

use super::Exit;

/// Width of lines where nobody knows better, in characters: logs, pipes.
const DEFAULT_WIDTH: usize = 100;

/// Widths that are kept to. Narrower, and words would be cut; wider, and prose is hard
/// to read.
const WIDTHS: std::ops::RangeInclusive<usize> = 40..=200;

/// Where the program prints to.
#[derive(Debug, Default)]
pub(super) struct Output {
    /// Why something that was printed got lost: the first reason.
    lost: OnceLock<String>,
}

impl Output {
    /// Prints to standard output. What cannot be written, [`Output::lost`] tells.
    pub(super) fn text(&self, text: &str) {
        let mut stdout = anstream::stdout().lock();
        self.keep(stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()));
    }

    /// The same for bytes, as they are.
    pub(super) fn bytes(&self, bytes: &[u8]) {
        let mut stdout = io::stdout().lock();
        self.keep(stdout.write_all(bytes).and_then(|()| stdout.flush()));
    }

    fn keep(&self, written: io::Result<()>) {
        match written {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                self.lost.get_or_init(|| format!("cannot write to standard output: {error}"));
            }
            // A reader that went away is no error: there is nobody left to tell.
            _ => {}
        }
    }

    /// Why not all that was printed has arrived, such as a full disk, in a sentence; none
    /// if all is well.
    pub(super) fn lost(&self) -> Option<&str> {
        self.lost.get().map(String::as_str)
    }

    /// Prints a sentence about what went wrong to standard error.
    pub(super) fn error(&self, message: &str) {
        let style = anstyle::AnsiColor::Red.on_default().bold();
        self.note(&format!("{style}error:{style:#} {message}"));
    }

    /// How wide the lines of standard output may be, in characters: what `COLUMNS` says,
    /// else the terminal.
    pub(super) fn width(&self) -> usize {
        let asked = std::env::var("COLUMNS").ok().and_then(|columns| columns.trim().parse().ok());
        let terminal = || terminal_size::terminal_size_of(io::stdout()).map(|(width, _)| usize::from(width.0));
        let width = asked.filter(|columns| *columns > 0).or_else(terminal).unwrap_or(DEFAULT_WIDTH);
        width.clamp(*WIDTHS.start(), *WIDTHS.end())
    }

    /// Prints a line to standard error.
    pub(super) fn note(&self, line: &str) {
        let _ = writeln!(anstream::stderr().lock(), "{line}");
    }
}

/// The folder that a document stands in.
pub(super) fn folder_of(document: Option<&Path>) -> &Path {
    let folder = document.and_then(Path::parent).filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}

/// Refuses a file that could not be written later on, for want of a folder. `will_be`
/// tells of folders that are made until then.
pub(super) fn place_for(file: &Path, will_be: impl FnOnce(&Path) -> bool) -> Result<(), Exit> {
    let shown = file.display();
    if file.is_dir() {
        return Err(Exit::usage(format!("cannot write {shown}: it is a folder; name a file")));
    }
    let folder = folder_of(Some(file));
    if folder.is_dir() || will_be(folder) {
        return Ok(());
    }
    let why = if folder.exists() { format!("{} is no folder", folder.display()) } else { no_folder(folder) };
    Err(Exit::usage(format!("cannot write {shown}: {why}")))
}

fn no_folder(folder: &Path) -> String {
    format!("there is no folder {}", folder.display())
}

/// Why a file could not be written, in a sentence.
pub(super) fn unwritable(path: &Path, error: &io::Error) -> String {
    let missing = path.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.exists());
    match missing.filter(|_| error.kind() == io::ErrorKind::NotFound) {
        Some(folder) => format!("cannot write {}: {}", path.display(), no_folder(folder)),
        None => format!("cannot write {}: {error}", path.display()),
    }
}

/// Writes a file so that it is there either whole or not at all: first beside it,
/// then moved into its place. A link stays and what it leads to is replaced; what is no
/// file, such as `/dev/stdout`, is written to.
///
/// # Errors
///
/// When the folder cannot be written to.
pub(super) fn write_atomically(path: &Path, contents: &[u8]) -> io::Result<()> {
    let there = path.metadata();
    if there.as_ref().is_ok_and(|there| !there.is_file() && !there.is_dir()) {
        return std::fs::OpenOptions::new().write(true).open(path)?.write_all(contents);
    }
    let real = path.is_symlink().then(|| path.canonicalize().ok()).flatten();
    let path = real.as_deref().unwrap_or(path);
    let name = path.file_name().ok_or_else(|| io::Error::other("this is no name of a file"))?;
    let mut beside = std::ffi::OsString::from(".");
    beside.push(name);
    beside.push(format!(".{}.tmp", std::process::id()));
    let beside = path.with_file_name(beside);
    let written = std::fs::write(&beside, contents).and_then(|()| std::fs::rename(&beside, path));
    if written.is_err() {
        // What was left beside it is of no use to anybody.
        let _ = std::fs::remove_file(&beside);
    }
    written
}
