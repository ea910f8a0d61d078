//! A file read in a process of its own, for what no code can catch: an allocation that fails, a stack
//! that overflows, a loop without end.
//!
//! The [`Worker`] starts the program again, hands it a [`Request`](wire::Request) and waits. The
//! child bounds its own memory and processor time before it touches the file (`child.rs`), writes
//! each table as an Arrow stream and then its answer. However it ends, the parent goes on: with the
//! report and the tables, mapped, or with an error that says what ended the child (`death.rs`).
//!
//! The child is the side that a hostile file may take over. It knows nothing of the parent's
//! environment (`running.rs`), and what it wrote is opened and read as a stranger's (`made.rs`).

#[cfg(debug_assertions)]
mod bomb;
mod bounds;
mod child;
mod death;
mod made;
mod parent;
mod running;
mod wire;

pub use child::serve_worker;
pub use parent::{Stream, Worked, Worker};

/// The verb that makes the program a worker.
pub(crate) const VERB: &str = "worker";
