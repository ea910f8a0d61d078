//! Where in the file something is.

use std::cell::Cell;

use crate::detect::encoding::Text;
use crate::report::Issue;

/// The text that rows lie in, to turn offsets into places for messages.
pub(super) struct Place<'a> {
    text: &'a Text,
    /// Where the part begins in the text.
    start: usize,
    pub utf8: &'a [u8],
    /// What to add to an offset in the part for one in the file.
    pub shift: u64,
    /// The last offset asked for and its line: issues mostly come in the order of the file, and
    /// counting lines anew for each would take long in a large one.
    last: Cell<(usize, u64)>,
    /// What ends a line: `\r` where there is no `\n`.
    newline: u8,
}

impl<'a> Place<'a> {
    /// Of a part of the text.
    pub fn new(text: &'a Text, part: &'a [u8]) -> Self {
        let start = part.as_ptr() as usize - text.utf8.as_ptr() as usize;
        let newline = if text.survey.line_feeds > 0 { b'\n' } else { b'\r' };
        let shift = text.shift + start as u64;
        Place { text, start, utf8: part, shift, last: Cell::new((0, 1)), newline }
    }

    /// The line, from 1, of an offset.
    pub fn line(&self, offset: usize) -> u64 {
        let offset = self.start + offset;
        let marks = &self.text.survey.marks;
        let before = marks.partition_point(|mark| mark.offset <= offset).saturating_sub(1);
        let mark = marks.get(before).copied().unwrap_or_default();
        let known = match self.newline {
            b'\n' => mark.line_feeds,
            _ => mark.carriage_returns,
        };
        let (from, line) = match self.last.get() {
            last if last.0 <= offset && last.0 >= mark.offset => last,
            _ => (mark.offset, known + 1),
        };
        let passed = &self.text.utf8[from..offset];
        let line = line + memchr::memchr_iter(self.newline, passed).count() as u64;
        self.last.set((offset, line));
        line
    }

    /// The issue with line, byte offset and the raw row that begins at `offset`.
    pub fn mark(&self, issue: Issue, offset: usize) -> Issue {
        let rest = &self.utf8[offset..];
        let line = self.line(offset);
        let end = memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
        issue.line(line).byte_offset(offset as u64 + self.shift).raw(&rest[..end])
    }
}
