//! `tablemill worker`: the hidden verb that `--isolate` and the server start.

use super::exit::{Status, Stop};

/// Does what standard input asks for.
pub(super) fn run() -> Result<Status, Stop> {
    crate::serve_worker().map_err(|error| Stop::Failed(format!("the worker failed: {error}")))?;
    Ok(Status::Valid)
}
