//! The syncspec command.

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// Half of what the harness adds to a run of many small cases is memory taken and given
/// back, from several threads.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    syncspec::cli::main()
}
