//! Printing. Text arrives with styles; they are stripped where nobody sees them.

use std::io::{self, Write as _};

/// Where the program prints to.
#[derive(Debug, Default)]
pub(super) struct Output {
    _private: (),
}

impl Output {
    /// Prints to standard output. A reader that went away is no error: there is
    /// nobody left to tell.
    pub(super) fn text(&self, text: &str) {
        let mut stdout = anstream::stdout().lock();
        let _ = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    }

    /// Prints bytes to standard output as they are.
    ///
    /// # Errors
    ///
    /// When they cannot be written, other than because the reader went away.
    pub(super) fn bytes(&self, bytes: &[u8]) -> io::Result<()> {
        let mut stdout = io::stdout().lock();
        match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            ended => ended,
        }
    }

    /// Prints a sentence about what went wrong to standard error.
    pub(super) fn error(&self, message: &str) {
        let style = anstyle::AnsiColor::Red.on_default().bold();
        self.note(&format!("{style}error:{style:#} {message}"));
    }

    /// Prints a line to standard error.
    pub(super) fn note(&self, line: &str) {
        let _ = writeln!(anstream::stderr().lock(), "{line}");
    }
}

/// Writes a file so that it is there either whole or not at all: first beside it,
/// then moved into its place.
///
/// # Errors
///
/// When the folder cannot be written to.
pub(super) fn write_atomically(path: &std::path::Path, contents: &[u8]) -> io::Result<()> {
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
