//! The tokenizer: text to records, one after the other, with the place of each.

use memchr::{memchr, memchr2, memchr3, memmem};

use super::dialect::{CsvDialect, Delimiter};
pub use super::record::{Field, Oddity, Record};

/// Reads records off a text.
#[derive(Clone, Debug)]
pub struct RecordReader<'a> {
    text: &'a [u8],
    dialect: &'a CsvDialect,
    at: usize,
    /// Up to here quotes are ordinary text.
    literal_until: usize,
}

impl<'a> RecordReader<'a> {
    /// A reader at the start of the text.
    pub fn new(text: &'a [u8], dialect: &'a CsvDialect) -> Self {
        RecordReader::starting_at(text, dialect, 0)
    }

    /// A reader at a record's start. What it reads from there on does not depend on what is before.
    pub fn starting_at(text: &'a [u8], dialect: &'a CsvDialect, at: usize) -> Self {
        RecordReader { text, dialect, at, literal_until: 0 }
    }

    /// Leaves out the next line, whatever it holds.
    pub fn skip_line(&mut self) {
        self.at = self.line_end(self.at).1;
    }

    /// What it reads.
    pub fn text(&self) -> &'a [u8] {
        self.text
    }

    /// The offset of the next record.
    pub fn offset(&self) -> usize {
        self.at
    }

    /// The next record, or `false` at the end. Comment lines and, unless the dialect says otherwise,
    /// blank lines are no records.
    pub fn read(&mut self, record: &mut Record) -> bool {
        record.fields.clear();
        record.beyond = 0;
        record.scratch.clear();
        record.oddities.clear();
        record.ran_out = false;
        loop {
            if self.at >= self.text.len() {
                return false;
            }
            let rest = &self.text[self.at..];
            let is_comment =
                self.dialect.comment.as_ref().is_some_and(|mark| rest.starts_with(mark));
            if is_comment {
                self.skip_line();
                continue;
            }
            let (end, next) = match rest[0] {
                b'\n' | b'\r' | 0x1a => self.line_end(self.at),
                _ => break,
            };
            if end > self.at || !self.dialect.skip_blank_lines {
                break;
            }
            self.at = next;
        }
        record.offset = self.at;
        match &self.dialect.delimiter {
            Delimiter::Bytes(delimiter) => self.split_cells(delimiter, record),
            Delimiter::Pattern(pattern) => self.split_by_pattern(pattern, record),
            Delimiter::Blanks => self.split_by_blanks(record),
        }
        record.end = self.at;
        true
    }

    /// Where the line at `from` ends, and where the next begins.
    fn line_end(&self, from: usize) -> (usize, usize) {
        let rest = &self.text[from..];
        if let Some(terminator) = self.dialect.terminator {
            return match memchr(terminator, rest) {
                Some(end) => (from + end, from + end + 1),
                None => (self.text.len(), self.text.len()),
            };
        }
        match memchr2(b'\n', b'\r', rest) {
            Some(end) if rest[end] == b'\r' && rest.get(end + 1) == Some(&b'\n') => {
                (from + end, from + end + 2)
            }
            Some(end) => (from + end, from + end + 1),
            None => (self.text.len(), self.text.len()),
        }
    }

    fn split_cells(&mut self, delimiter: &[u8], record: &mut Record) {
        loop {
            if self.dialect.skip_initial_space {
                while self.text.get(self.at) == Some(&b' ') {
                    self.at += 1;
                }
            }
            let is_quoted = self.dialect.quote.is_some()
                && self.text.get(self.at) == self.dialect.quote.as_ref()
                && self.at >= self.literal_until;
            let more = match is_quoted.then(|| self.quoted_cell(delimiter, record)).flatten() {
                Some(more) => more,
                None => self.plain_cell(delimiter, record),
            };
            if !more {
                return;
            }
        }
    }

    /// A cell without quotes. Whether another follows in the record.
    fn plain_cell(&mut self, delimiter: &[u8], record: &mut Record) -> bool {
        let start = self.at;
        let escape = self.dialect.escape.filter(|_| self.dialect.escape_everywhere);
        let mut scratch_from: Option<usize> = None;
        let mut copied = start;
        let mut at = start;
        let (end, more) = loop {
            let Some(found) = self.next_special(at, delimiter) else {
                self.at = self.text.len();
                break (self.text.len(), false);
            };
            let byte = self.text[found];
            if Some(byte) == escape && !self.text[found..].starts_with(delimiter) {
                let from = *scratch_from.get_or_insert(record.scratch.len());
                debug_assert!(from <= record.scratch.len());
                record.scratch.extend_from_slice(&self.text[copied..found]);
                let next = (found + 1).min(self.text.len());
                // The escaped byte is text whatever it is.
                copied = next;
                at = (next + 1).min(self.text.len());
                continue;
            }
            if self.text[found..].starts_with(delimiter) {
                self.at = found + delimiter.len();
                break (found, true);
            }
            if self.is_line_end(byte) {
                self.at = self.line_end(found).1;
                break (found, false);
            }
            at = found + 1;
        };
        let mut field = Field { start, end, in_scratch: false, quoted: false };
        if let Some(from) = scratch_from {
            record.scratch.extend_from_slice(&self.text[copied..end]);
            field = Field { start: from, end: record.scratch.len(), in_scratch: true, ..field };
        }
        let mut more = more;
        if let Some(mark) = &self.dialect.comment {
            let cell = if field.in_scratch {
                &record.scratch[field.start..]
            } else {
                &self.text[start..end]
            };
            if let Some(cut) = memmem::find(cell, mark) {
                field.end = field.start + cut;
                if more {
                    self.at = self.line_end(end).1;
                }
                more = false;
            }
        }
        record.push(field);
        more
    }

    fn is_line_end(&self, byte: u8) -> bool {
        match self.dialect.terminator {
            Some(terminator) => byte == terminator,
            None => byte == b'\n' || byte == b'\r',
        }
    }

    /// The next byte that may end a cell or escape one.
    fn next_special(&self, from: usize, delimiter: &[u8]) -> Option<usize> {
        let rest = &self.text[from..];
        let first = delimiter[0];
        let escape = self.dialect.escape.filter(|_| self.dialect.escape_everywhere);
        let found = match (self.dialect.terminator, escape) {
            (None, None) => memchr3(first, b'\n', b'\r', rest),
            (Some(end), None) => memchr2(first, end, rest),
            (Some(end), Some(escape)) => memchr3(first, end, escape, rest),
            (None, Some(escape)) => {
                let cell = memchr3(first, b'\n', b'\r', rest);
                memchr(escape, &rest[..cell.unwrap_or(rest.len())]).or(cell)
            }
        };
        found.map(|offset| from + offset)
    }

    /// A cell between quotes; `None` if the quote is never closed, and is text. Over several lines a
    /// quote counts as closed only where the cell ends with it: otherwise one lost quote would
    /// swallow the lines up to the next cell that has one.
    fn quoted_cell(&mut self, delimiter: &[u8], record: &mut Record) -> Option<bool> {
        let quote = self.dialect.quote?;
        let open = self.at;
        let bound = self.text.len();
        let from = record.scratch.len();
        let mut copied = open + 1;
        let mut at = open + 1;
        let escape = self.dialect.escape.filter(|escape| *escape != quote);
        let close = loop {
            let rest = &self.text[at..bound];
            let found = match escape {
                Some(escape) => memchr2(quote, escape, rest),
                None => memchr(quote, rest),
            };
            let Some(found) = found.map(|offset| at + offset) else {
                record.ran_out = true;
                return self.never_closed(open, from, record);
            };
            if Some(self.text[found]) == escape {
                let next = self.text.get(found + 1).copied();
                // Before anything but a quote or itself it is text, unless the caller named it.
                if !self.dialect.escape_everywhere && next != Some(quote) && next != escape {
                    at = found + 1;
                    continue;
                }
                record.scratch.extend_from_slice(&self.text[copied..found]);
                copied = (found + 1).min(bound);
                at = (found + 2).min(bound);
                continue;
            }
            let doubled = self.dialect.doubled && self.text.get(found + 1) == Some(&quote);
            if !doubled {
                break found;
            }
            record.scratch.extend_from_slice(&self.text[copied..=found]);
            copied = found + 2;
            at = found + 2;
            if at > bound {
                break found;
            }
        };
        let mut field = Field { start: open + 1, end: close, in_scratch: false, quoted: true };
        if copied != open + 1 {
            record.scratch.extend_from_slice(&self.text[copied..close.max(copied)]);
            field =
                Field { start: from, end: record.scratch.len(), in_scratch: true, quoted: true };
        }
        let after = close + 1;
        if !self.ends_cell(after, delimiter) && self.line_end(open).0 < close {
            return self.never_closed(open, from, record);
        }
        let Some(byte) = self.text.get(after).copied() else {
            self.at = self.text.len();
            record.push(field);
            return Some(false);
        };
        if self.text[after..].starts_with(delimiter) {
            self.at = after + delimiter.len();
            record.push(field);
            return Some(true);
        }
        if self.is_line_end(byte) {
            self.at = self.line_end(after).1;
            record.push(field);
            return Some(false);
        }
        Some(self.text_after_quote(field, after, delimiter, record))
    }

    fn never_closed(&mut self, open: usize, scratch: usize, record: &mut Record) -> Option<bool> {
        record.scratch.truncate(scratch);
        record.oddities.push(Oddity::UnclosedQuote(open));
        self.literal_until = self.line_end(open).1;
        None
    }

    /// Whether a cell that was closed by a quote ends here, or behind blanks.
    fn ends_cell(&self, after: usize, delimiter: &[u8]) -> bool {
        let rest = self.text.get(after..).unwrap_or_default();
        if rest.starts_with(delimiter) {
            return true;
        }
        let blanks = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        let rest = &rest[blanks..];
        rest.first().is_none_or(|byte| self.is_line_end(*byte)) || rest.starts_with(delimiter)
    }

    /// Text between a closing quote and the delimiter is kept as part of the cell.
    fn text_after_quote(
        &mut self,
        field: Field,
        after: usize,
        delimiter: &[u8],
        record: &mut Record,
    ) -> bool {
        if !field.in_scratch {
            let start = record.scratch.len();
            record.scratch.extend_from_slice(&self.text[field.start..field.end]);
            record.push(Field { start, end: record.scratch.len(), in_scratch: true, ..field });
        } else {
            record.push(field);
        }
        self.at = after;
        let mut tail = Record::default();
        let more = self.plain_cell(delimiter, &mut tail);
        let Some((text, _)) = tail.cells(self.text).next() else { return more };
        if !text.trim_ascii().is_empty() {
            record.oddities.push(Oddity::StrayQuote(after));
            record.scratch.extend_from_slice(text);
        }
        if let Some(last) = record.fields.last_mut() {
            last.end = record.scratch.len();
        }
        more
    }

    fn split_by_pattern(&mut self, pattern: &regex::bytes::Regex, record: &mut Record) {
        let (end, next) = self.line_end(self.at);
        let mut start = self.at;
        for found in pattern.find_iter(&self.text[self.at..end]) {
            record.push(plain(start, self.at + found.start()));
            start = self.at + found.end();
        }
        record.push(plain(start, end));
        self.at = next;
    }

    fn split_by_blanks(&mut self, record: &mut Record) {
        let (end, next) = self.line_end(self.at);
        let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
        let mut at = self.at;
        while at < end {
            let start = at + self.text[at..end].iter().take_while(|b| blank(b)).count();
            let length = self.text[start..end].iter().take_while(|b| !blank(b)).count();
            if length > 0 {
                record.push(plain(start, start + length));
            }
            at = start + length;
        }
        if record.fields.is_empty() {
            record.push(plain(end, end));
        }
        self.at = next;
    }
}

fn plain(start: usize, end: usize) -> Field {
    Field { start, end, in_scratch: false, quoted: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(text: &str, dialect: &CsvDialect) -> (Vec<Vec<String>>, Vec<Oddity>) {
        let mut reader = RecordReader::new(text.as_bytes(), dialect);
        let (mut rows, mut oddities, mut record) = (Vec::new(), Vec::new(), Record::default());
        while reader.read(&mut record) {
            let cells = record.cells(text.as_bytes());
            rows.push(cells.map(|(cell, _)| String::from_utf8_lossy(cell).into_owned()).collect());
            oddities.extend_from_slice(&record.oddities);
        }
        (rows, oddities)
    }

    fn rows(text: &str) -> Vec<Vec<String>> {
        read_all(text, &CsvDialect::default()).0
    }

    #[test]
    fn rfc_4180() {
        assert_eq!(rows("a,b\r\n\"x, \"\"y\"\"\n\",\n"), [["a", "b"], ["x, \"y\"\n", ""]]);
        assert_eq!(rows("a\n\n\nb"), [["a"], ["b"]]);
        assert_eq!(rows("a,\"\"\n,"), [["a", ""], ["", ""]]);
        assert_eq!(rows("a,b\r1,2\r"), [["a", "b"], ["1", "2"]]);
    }

    #[test]
    fn an_unclosed_quote_costs_its_cell_not_the_file() {
        let (rows, oddities) = read_all("a,\"b\nc,d\n", &CsvDialect::default());
        assert_eq!(rows, [["a", "\"b"], ["c", "d"]]);
        assert_eq!(oddities, [Oddity::UnclosedQuote(2)]);
    }

    #[test]
    fn text_after_a_quote_is_kept() {
        let (rows, oddities) = read_all("\"a\"b,\"c\" ,d\n", &CsvDialect::default());
        assert_eq!(rows, [["ab", "c", "d"]]);
        assert_eq!(oddities, [Oddity::StrayQuote(3)]);
    }

    #[test]
    fn escapes_comments_and_long_delimiters() {
        let dialect = CsvDialect {
            delimiter: Delimiter::Bytes(b"||".to_vec()),
            escape: Some(b'\\'),
            escape_everywhere: true,
            doubled: false,
            comment: Some(b"#".to_vec()),
            ..CsvDialect::default()
        };
        let (rows, _) = read_all("# note\na|b||\"c\\\"d\"||e\\|\\|f # end\n", &dialect);
        assert_eq!(rows, [["a|b", "c\"d", "e||f "]]);
    }

    #[test]
    fn many_unclosed_quotes_take_linear_time() {
        // Quotes pair up over lines as far as they can; the last one is text.
        let (rows, oddities) = read_all(&"x,\"y\n".repeat(20_001), &CsvDialect::default());
        assert!(rows.len() > 10_000);
        assert!(matches!(oddities.last(), Some(Oddity::UnclosedQuote(_))));
    }
}
