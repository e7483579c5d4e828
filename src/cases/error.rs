//! Why a suite cannot be used.

use crate::source::Problem;

/// Why a suite cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CasesError {
    /// A folder or file cannot be read.
    #[error("cannot read {path}: {source}")]
    Unreadable {
        /// The folder or file.
        path: String,
        /// Why not.
        source: std::io::Error,
    },
    /// There are no case files where they were looked for.
    #[error("{path} holds no case files; a suite is a folder of <area>/<topic>.toml files")]
    NoCases {
        /// The folder.
        path: String,
    },
    /// The files have mistakes, all of which are listed.
    #[error("{}", list(.0))]
    Mistakes(Vec<Problem>),
}

fn list(problems: &[Problem]) -> String {
    problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n")
}
