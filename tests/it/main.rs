//! One integration binary, which links once.

mod archives;
mod arrow_files;
mod boundaries;
#[cfg(feature = "cli")]
mod cli;
mod columnar;
mod fixtures;
#[cfg(feature = "server")]
mod http;
mod limits;
mod memory;
mod mutations;
mod oracle;
mod parallel;
mod regressions;
mod rejects;
mod tidy;
#[cfg(all(unix, feature = "cli"))]
mod worker;
mod written;
