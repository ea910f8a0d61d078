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
mod lattice;
mod layout;
mod marks;
mod number;
#[cfg(test)]
mod properties;
mod reader;
mod rules;
mod temporal;

// A reader that knows the class of most of its values, or reads them, itself needs all of these.
#[allow(unused_imports)]
pub use class::{
    BOOL, Class, DATE, DAY_FIRST, DECIMAL, DIGITS, FAR_TIME, FINE_TIME, FLOAT, FRACTION,
    GROUP_LIKE, INT64, LONG_FLOAT, MONTH_FIRST, NEGATIVE, STAMP, TIME, TYPES, UINT64, WHOLE, ZONED,
    class, plain_class,
};
pub use column::TextColumn;
pub use convert::{BadValue, convert};
#[allow(unused_imports)]
pub use lattice::{Inferred, Seen, infer};
#[allow(unused_imports)]
pub use layout::{Ambiguity, Layout};
pub use number::{NumberShape, number_shape};
#[allow(unused_imports)]
pub use reader::Reader;
pub use rules::{ColumnRules, Rules};
