//! The `tablemill` binary: everything is in [`tablemill::cli`].

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    tablemill::cli::run()
}
