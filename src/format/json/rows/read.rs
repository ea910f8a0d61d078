//! Values from the text into nodes, each byte looked at about once.
//!
//! What is read is what RFC 8259 allows, nothing else. Something wrong halts the chunk; it is then
//! read again with more care, and what is wrong is said by the tape parser.

use super::node::{Column, Node};
use super::quick::{self, Number, Parts, Stop};
use super::seen::{First, Kinds};
use crate::infer::{decimal, number_shape};

/// Why a chunk cannot be read on as it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Halt {
    /// This is not JSON.
    Broken,
    /// A value is too long, or too deep.
    Limit,
    /// A row is longer than the offsets of texts reach.
    LongRow,
    /// A key stands twice in its object.
    Repeated,
    /// Columns would be mostly nothing.
    Sparse,
}

pub(super) type Step<T = ()> = Result<T, Halt>;

/// How a chunk is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Mode {
    /// Lines are checked before they are read, and keys before their objects.
    pub careful: bool,
    /// Only types are wanted.
    pub types_only: bool,
}

/// Reads values one after the other.
pub(super) struct Reader<'a> {
    pub text: &'a [u8],
    pub at: usize,
    pub mode: Mode,
    /// Whether a row may go over several lines.
    pub over_lines: bool,
    pub value_bytes: usize,
    /// The row of the chunk.
    pub row: u64,
    /// Where it begins.
    pub row_start: usize,
    /// Nulls that may yet be filled in.
    pub nulls_left: usize,
    /// New fields that there is yet room for.
    pub fields_left: usize,
}

impl<'a> Reader<'a> {
    /// A reader that only passes values.
    pub fn over(text: &'a [u8], at: usize) -> Self {
        Reader {
            text,
            at,
            mode: Mode::default(),
            over_lines: true,
            value_bytes: usize::MAX,
            row: 0,
            row_start: at,
            nulls_left: 0,
            fields_left: 0,
        }
    }

    #[inline(always)]
    pub fn peek(&self) -> u8 {
        self.text.get(self.at).copied().unwrap_or(0)
    }

    /// Passes blanks. A line's end is one only where rows go over lines.
    #[inline(always)]
    pub fn blanks(&mut self) {
        if self.peek() <= b' ' {
            self.more_blanks();
        }
    }

    #[inline(never)]
    fn more_blanks(&mut self) {
        while let Some(byte) = self.text.get(self.at) {
            match byte {
                b' ' | b'\t' | b'\r' => self.at += 1,
                b'\n' if self.over_lines => self.at += 1,
                _ => return,
            }
        }
    }

    /// The value that begins here, into a column that has one for each row before.
    pub fn value(&mut self, node: &mut Node, depth: usize) -> Step {
        match self.peek() {
            b'"' => self.text(node, depth),
            b'-' | b'0'..=b'9' => self.number(node, depth),
            b'{' => self.object(node, depth),
            b'[' => self.list(node, depth),
            b't' | b'f' => self.boolean(node, depth),
            b'n' => self.null(node),
            _ => Err(Halt::Broken),
        }
    }

    fn null(&mut self, node: &mut Node) -> Step {
        self.word(b"null")?;
        node.pad(node.len + 1);
        Ok(())
    }

    pub fn word(&mut self, word: &[u8]) -> Step {
        if !self.text[self.at..].starts_with(word) {
            return Err(Halt::Broken);
        }
        self.at += word.len();
        Ok(())
    }

    fn boolean(&mut self, node: &mut Node, depth: usize) -> Step {
        let Column::Bool(typed) = &mut node.column else {
            return self.otherwise(node, Kinds::BOOL, depth);
        };
        let is_true = self.peek() == b't';
        typed.values.push(u8::from(is_true));
        node.len += 1;
        self.word(if is_true { b"true" } else { b"false" })
    }

    #[inline(always)]
    fn text(&mut self, node: &mut Node, depth: usize) -> Step {
        let Column::Text(texts) = &mut node.column else {
            return self.otherwise(node, Kinds::TEXT, depth);
        };
        let start = self.at + 1;
        let end = match quick::stop(self.text, start) {
            Stop::Quote(end) => {
                texts.push(self.text, start, end);
                end
            }
            Stop::Escape(_) => {
                let (end, _) = quick::text_end(self.text, start).ok_or(Halt::Broken)?;
                quick::unescape(self.text, start, end, &mut texts.data);
                texts.ends.push(texts.data.len() as i32);
                end
            }
            Stop::Broken => return Err(Halt::Broken),
        };
        node.len += 1;
        self.at = end + 1;
        if end - start > self.value_bytes { Err(Halt::Limit) } else { Ok(()) }
    }

    #[inline(always)]
    fn number(&mut self, node: &mut Node, depth: usize) -> Step {
        match quick::number(self.text, self.at) {
            Some(Number::Small(value, end)) => {
                match &mut node.column {
                    Column::Int64(typed) => typed.values.push(value),
                    Column::Float64(typed) => {
                        typed.values.push(value as f64);
                        let numbers = &mut node.seen.numbers;
                        numbers.most = numbers.most.max(value.unsigned_abs());
                        numbers.negative |= value < 0;
                    }
                    _ => return self.otherwise(node, Kinds::NUMBER, depth),
                }
                self.at = end;
                node.len += 1;
                Ok(())
            }
            Some(Number::Other(parts)) => self.other_number(node, parts, depth),
            None => Err(Halt::Broken),
        }
    }

    #[inline(always)]
    fn other_number(&mut self, node: &mut Node, parts: Parts, depth: usize) -> Step {
        match &mut node.column {
            Column::Float64(typed) if parts.fraction > 0 => {
                if let Some((value, long)) = decimal::decimal(self.text, self.at, parts.end) {
                    typed.values.push(value);
                    typed.long += u64::from(long);
                    let numbers = &mut node.seen.numbers;
                    numbers.floats = true;
                    numbers.whole = numbers.whole.max(parts.whole);
                    numbers.fraction = numbers.fraction.max(parts.fraction);
                    // A decimal has no negative zero.
                    numbers.exponents |= parts.exponent || value.to_bits() == 1 << 63;
                    self.at = parts.end;
                    node.len += 1;
                    return Ok(());
                }
            }
            Column::Int64(typed) if parts.fraction == 0 && !parts.exponent && parts.whole < 19 => {
                let negative = self.peek() == b'-';
                let digits = &self.text[parts.end - parts.whole..parts.end];
                let value =
                    digits.iter().fold(0, |value, digit| value * 10 + i64::from(digit - b'0'));
                if value != 0 {
                    typed.values.push(if negative { -value } else { value });
                    node.seen.numbers.inexact |= value as f64 as i64 != value;
                    self.at = parts.end;
                    node.len += 1;
                    return Ok(());
                }
            }
            Column::Open | Column::Int64(_) | Column::Float64(_) => {}
            _ => return self.otherwise(node, Kinds::NUMBER, depth),
        }
        self.rare_number(node, parts, depth)
    }

    /// Numbers that are not of the column's type so far, or of many digits.
    #[inline(never)]
    fn rare_number(&mut self, node: &mut Node, parts: Parts, depth: usize) -> Step {
        let raw = &self.text[self.at..parts.end];
        let shape = number_shape(raw).ok_or(Halt::Broken)?;
        if let Column::Open = node.column {
            return self.otherwise(node, Kinds::NUMBER, depth);
        }
        let is_float = parts.fraction > 0 || parts.exponent || raw == b"-0";
        if let Column::Int64(typed) = &node.column
            && !shape.int64
        {
            node.seen.numbers.note_values(&typed.values);
            // Whole numbers alone may turn out to be of a type that keeps them.
            if is_float && shape.float && !node.seen.numbers.inexact {
                node.begin_floats();
            } else {
                node.seen.count_kept(node.len - node.nulls + 1);
                node.note_only();
            }
        }
        let numbers = &mut node.seen.numbers;
        numbers.floats |= is_float;
        let is_zero = !raw.iter().any(|byte| (b'1'..=b'9').contains(byte));
        numbers.exponents |= parts.exponent || is_float && is_zero && raw[0] == b'-';
        numbers.beyond_i64 |= !is_float && !shape.int64;
        numbers.beyond_u64 |= !is_float && !shape.int64 && !shape.uint64;
        numbers.negative |= raw[0] == b'-';
        numbers.inexact |= !shape.float;
        numbers.whole = numbers.whole.max(parts.whole);
        numbers.fraction = numbers.fraction.max(parts.fraction);
        match &mut node.column {
            Column::Int64(typed) => typed.values.push(parsed(raw).unwrap_or_default()),
            Column::Float64(typed) if shape.float => {
                let value = fast_float2::parse(raw).map_err(|_| Halt::Broken)?;
                typed.values.push(value);
                typed.long += u64::from(shape.long_float);
            }
            Column::Float64(_) => {
                numbers.long += u64::from(shape.long_float);
                node.seen.count_kept(node.len - node.nulls + 1);
                node.note_only();
            }
            _ => numbers.long += u64::from(shape.long_float),
        }
        self.at = parts.end;
        node.len += 1;
        Ok(())
    }

    fn list(&mut self, node: &mut Node, depth: usize) -> Step {
        let Column::List(list) = &mut node.column else {
            return self.otherwise(node, Kinds::LIST, depth);
        };
        let depth = depth.checked_sub(1).ok_or(Halt::Limit)?;
        self.at += 1;
        self.blanks();
        if self.peek() == b']' {
            self.at += 1;
        } else {
            loop {
                self.value(&mut list.element, depth)?;
                if !self.more(b']')? {
                    break;
                }
            }
        }
        list.ends.push(i32::try_from(list.element.len).map_err(|_| Halt::Broken)?);
        node.len += 1;
        Ok(())
    }

    fn object(&mut self, node: &mut Node, depth: usize) -> Step {
        let Column::Struct(fields) = &mut node.column else {
            return self.otherwise(node, Kinds::OBJECT, depth);
        };
        if fields.overfull {
            // Such objects are kept as text, whatever else there is in them.
            self.skip(depth)?;
        } else {
            let depth = depth.checked_sub(1).ok_or(Halt::Limit)?;
            self.fields(fields, node.len, depth)?;
            if fields.overfull {
                fields.fields.iter_mut().for_each(|field| field.node.note_only());
            }
        }
        node.len += 1;
        Ok(())
    }

    /// A value that the column does not take as it is.
    #[inline(never)]
    fn otherwise(&mut self, node: &mut Node, kind: Kinds, depth: usize) -> Step {
        let start = self.at;
        let first = First { row: self.row, offset: start };
        match (&mut node.column, kind) {
            (Column::Open, kind) => {
                node.seen.note(kind, first);
                let is_container = matches!(kind, Kinds::LIST | Kinds::OBJECT);
                match self.mode.types_only && !is_container {
                    true => node.note_only(),
                    false => node.begin(kind),
                }
                return self.value(node, depth);
            }
            (Column::Skip, _) => self.skip(depth)?,
            (Column::Raw(texts), _) => {
                self.skip(depth)?;
                texts.push(self.text, start, self.at);
            }
            (Column::Scalar(texts), kind) => {
                self.skip(depth)?;
                if kind == Kinds::TEXT {
                    quick::unescape(self.text, start + 1, self.at - 1, &mut texts.data);
                    texts.ends.push(texts.data.len() as i32);
                } else {
                    texts.push(self.text, start, self.at);
                }
            }
            (Column::Gather(texts, places), kind) => {
                self.skip(depth)?;
                if kind == Kinds::TEXT {
                    let mut text = Vec::new();
                    quick::unescape(self.text, start + 1, self.at - 1, &mut text);
                    texts.push(&text, true);
                } else {
                    texts.push(&self.text[start..self.at], true);
                }
                places.push(start);
            }
            (Column::UInt64(typed), Kinds::NUMBER) => {
                self.skip(depth)?;
                typed.values.push(parsed(&self.text[start..self.at]).ok_or(Halt::Broken)?);
            }
            (Column::Decimal(typed, scale), Kinds::NUMBER) => {
                self.skip(depth)?;
                let raw = &self.text[start..self.at];
                typed.values.push(scaled(raw, *scale).ok_or(Halt::Broken)?);
            }
            (column, kind) => {
                let is_number = node.seen.kinds.only(Kinds::NUMBER) && kind == Kinds::NUMBER;
                if !matches!(column, Column::Noted) {
                    node.seen.count_kept(node.len - node.nulls);
                }
                node.seen.note(kind, first);
                node.seen.count(kind, 1);
                if is_number && let Some(number) = quick::number(self.text, start) {
                    return self.noted_number(node, number, depth);
                }
                self.skip(depth)?;
                node.note_only();
            }
        }
        node.len += 1;
        Ok(())
    }

    /// A number where only types are wanted.
    fn noted_number(&mut self, node: &mut Node, number: Number, depth: usize) -> Step {
        match number {
            Number::Small(value, end) => {
                node.seen.numbers.note_whole(value, value);
                self.at = end;
                node.len += 1;
                Ok(())
            }
            Number::Other(parts) => self.rare_number(node, parts, depth),
        }
    }
}

fn parsed<T: std::str::FromStr>(raw: &[u8]) -> Option<T> {
    std::str::from_utf8(raw).ok()?.parse().ok()
}

/// A plain decimal, as a whole multiple of so many digits behind the point.
fn scaled(raw: &[u8], scale: u32) -> Option<i128> {
    let (whole, fraction) = match raw.iter().position(|byte| *byte == b'.') {
        Some(point) => (&raw[..point], &raw[point + 1..]),
        None => (raw, &[][..]),
    };
    let digits: Vec<u8> = whole.iter().chain(fraction).copied().collect();
    let zeros = (scale as usize).checked_sub(fraction.len())?;
    let value: i128 = parsed(&digits)?;
    value.checked_mul(10i128.checked_pow(u32::try_from(zeros).ok()?)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_scaled() {
        assert_eq!(scaled(b"1.5", 2), Some(150));
        assert_eq!(scaled(b"-0.05", 2), Some(-5));
        assert_eq!(scaled(b"12", 0), Some(12));
        assert_eq!(scaled(b"1.505", 2), None);
        assert_eq!(
            crate::infer::swift::run(b"12,3456789", 0).map(|run| (run.count, run.value)),
            Some((2, 12))
        );
    }
}
