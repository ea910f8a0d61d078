//! What the fast readers share: work on chunks in order, columns in the making, memory for them.

mod buffers;
mod ordered;
mod slab;
mod trusted;

pub(super) use buffers::{Moved, Texts, Typed, Validity};
pub(super) use ordered::ordered;
pub(super) use slab::{Frozen, Placed, Rest, Slab};
pub(super) use trusted::string_array;
