//! Types from text: one fold over all values of a column, then one conversion.
//!
//! Takes columns of cells as the file has them, gives Arrow arrays. A type is chosen only if every
//! value of the column survives it; otherwise the column stays text, each value as it was.

mod column;
mod convert;
pub(crate) mod decimal;
mod lattice;
mod number;
mod rules;
pub(crate) mod swift;
mod temporal;

pub use column::TextColumn;
pub use convert::{BadValue, convert};
pub use lattice::{Inferred, Seen, infer};
pub use number::{NumberShape, number_shape};
pub use rules::{ColumnRules, Rules};
