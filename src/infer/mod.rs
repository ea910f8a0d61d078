//! Types from text: one fold over all values of a column, then one conversion.
//!
//! Takes columns of cells as the file has them, gives Arrow arrays. A type is chosen only if every
//! value of the column survives it; otherwise the column stays text, each value as it was.

#[cfg(test)]
mod cases;
mod class;
mod clock;
mod column;
mod convert;
pub(crate) mod decimal;
mod lattice;
mod layout;
mod marks;
mod mixture;
mod number;
#[cfg(test)]
mod properties;
mod reader;
mod rules;
pub(crate) mod swift;
mod temporal;
mod together;

pub use column::TextColumn;
pub use convert::{BadValue, convert};
pub use lattice::{Inferred, Seen, infer};
pub use layout::Ambiguity;
pub use number::number_shape;
pub use rules::{ColumnRules, Rules};
pub use together::Habits;
