//! The syncspec command.

use std::process::ExitCode;

fn main() -> ExitCode {
    syncspec::cli::main()
}
