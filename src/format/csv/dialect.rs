//! The dialect of a text: what the options say, and for the rest what the text shows.

use super::comment;
use super::records::RecordReader;
use super::sample;
use super::sniff::{self, Settled};
use super::structure::Frame;
use crate::context::Context;
use crate::detect::survey::Survey;
use crate::options::{Header, SkipRows};
use crate::report::{Code, Dialect, Issue, Stage};

/// How cells and rows are told apart.
#[derive(Clone, Debug)]
pub struct CsvDialect {
    /// Between cells.
    pub delimiter: Delimiter,
    /// Around cells.
    pub quote: Option<u8>,
    /// What takes the meaning from the next byte.
    pub escape: Option<u8>,
    /// Whether it does so outside of quotes too. An escape that was only found out does not: a
    /// path such as `C:\temp` in a cell without quotes is just that.
    pub escape_everywhere: bool,
    /// Whether a quote inside quotes is written twice.
    pub doubled: bool,
    /// What a comment line begins with.
    pub comment: Option<Vec<u8>>,
    /// The only end of a line; any of `\n`, `\r\n`, `\r` where absent.
    pub terminator: Option<u8>,
    /// Whether blanks after a delimiter are no part of the cell.
    pub skip_initial_space: bool,
    /// Whether blank lines are no rows.
    pub skip_blank_lines: bool,
    /// Lines left out at the top that an option or `sep=` settles; `structure.rs` finds others.
    pub skip_rows: u64,
}

/// What stands between cells.
#[derive(Clone, Debug)]
pub enum Delimiter {
    /// One or more bytes.
    Bytes(Vec<u8>),
    /// Anything that matches; quotes are ordinary text then.
    Pattern(regex::bytes::Regex),
    /// Any run of blanks; those at the ends of a line count for nothing.
    Blanks,
}

impl Default for CsvDialect {
    fn default() -> Self {
        CsvDialect {
            delimiter: Delimiter::Bytes(b",".to_vec()),
            quote: Some(b'"'),
            escape: None,
            escape_everywhere: false,
            doubled: true,
            comment: None,
            terminator: None,
            skip_initial_space: false,
            skip_blank_lines: true,
            skip_rows: 0,
        }
    }
}

/// The part of the text that `byte_range` asks for: whole lines that begin in it.
pub(super) fn byte_range<'a>(utf8: &'a [u8], context: &Context<'_>) -> &'a [u8] {
    let Some((start, length)) = context.parser().byte_range else { return utf8 };
    let size = utf8.len() as u64;
    let line_after = |offset: u64| -> usize {
        match offset.min(size) as usize {
            0 => 0,
            at => memchr::memchr(b'\n', &utf8[at - 1..]).map_or(utf8.len(), |end| at + end),
        }
    };
    // cuDF reads length 0 as "to the end".
    let end = if length == 0 { size } else { start.saturating_add(length) };
    &utf8[line_after(start)..line_after(end)]
}

/// Options first; what they leave open is found out.
/// `has_remarks` tells whether comments may come late.
pub(super) fn settle(
    utf8: &[u8],
    has_remarks: bool,
    name: &str,
    context: &mut Context<'_>,
) -> CsvDialect {
    let parser = context.parser();
    let given = parser.comment.as_ref().filter(|mark| !mark.is_empty());
    let mut base = CsvDialect {
        comment: given.map(|text| text.clone().into_bytes()),
        terminator: parser.lineterminator.and_then(|c| u8::try_from(c).ok()).filter(u8::is_ascii),
        skip_initial_space: parser.skipinitialspace.unwrap_or(false),
        skip_blank_lines: parser.skip_blank_lines.unwrap_or(true),
        ..CsvDialect::default()
    };
    let byte = |character: char| u8::try_from(character).ok().filter(u8::is_ascii);
    let mut settled = Settled {
        delimiter: parser.sep.is_some(),
        quote: parser.quotechar.is_some() || parser.quoting == Some(3),
        escape: parser.escapechar.is_some() || parser.doublequote == Some(true),
        spaces: parser.skipinitialspace.is_some(),
    };
    let mut start = utf8;
    match &parser.skiprows {
        Some(SkipRows::First(rows)) => {
            base.skip_rows = *rows;
            let mut reader = RecordReader::new(utf8, &base);
            (0..*rows).for_each(|_| reader.skip_line());
            start = &utf8[reader.offset()..];
        }
        _ => {
            if let Some((delimiter, rest)) = excel_hint(utf8) {
                base.skip_rows = 1;
                base.delimiter = Delimiter::Bytes(delimiter.to_vec());
                settled.delimiter = true;
                start = rest;
            }
        }
    }
    if let Some(sep) = &parser.sep {
        base.delimiter = delimiter(sep);
    }
    if let Some(quote) = parser.quotechar {
        base.quote = quote.and_then(byte);
    }
    if parser.quoting == Some(3) {
        base.quote = None;
    }
    if let Some(escape) = parser.escapechar {
        base.escape = escape.and_then(byte);
        base.escape_everywhere = base.escape.is_some() && parser.escape_outside.unwrap_or(true);
    }
    if let Some(doubled) = parser.doublequote {
        base.doubled = doubled;
    }
    let pieces = sample::pieces(start);
    let mark = match &parser.comment {
        // Over the whole text, so that options given back find the same.
        None => comment::candidate(&sample::pieces(utf8)),
        Some(_) => None,
    };
    let mut dialect = sniff::sniff(start, name, &base, settled, mark.or(base.comment.as_deref()));
    let found = match mark {
        Some(mark) => comment::settle(start, &pieces, &dialect, mark),
        None if parser.comment.is_none() && has_remarks => comment::late(start, &dialect),
        None => None,
    };
    match found {
        Some((mark, count)) => {
            dialect.comment = Some(mark.to_vec());
            note_comments(utf8, mark, count, context);
        }
        // So that the report's options find none either.
        None if mark.is_some() => context.reporter.option("comment", ""),
        None => {}
    }
    if !settled.delimiter && sniff::may_be_two_columns(&pieces, &dialect) {
        let message = "every value holds one comma, which may be a decimal mark or part two columns; \
                       read as one column";
        let issue = Issue::warning(Stage::Parse, Code::AmbiguousNumber, message);
        context.reporter.push(issue.hint("set sep=\",\" to read two columns"));
    }
    dialect
}

/// Says that lines were taken for comments.
fn note_comments(utf8: &[u8], mark: &[u8], count: u64, context: &mut Context<'_>) {
    let at = match utf8.starts_with(mark) {
        true => 0,
        false => {
            let mut ends = memchr::memchr2_iter(b'\n', b'\r', utf8);
            let starts = |end: &usize| utf8[end + 1..].starts_with(mark);
            ends.find(starts).map_or(0, |end| end + 1)
        }
    };
    let line = utf8[at..].split(|byte| matches!(byte, b'\n' | b'\r')).next().unwrap_or_default();
    let what = if count == 1 { "line that begins" } else { "lines that begin" };
    let is = if count == 1 { "is a comment" } else { "are comments" };
    let message = format!("{count} {what} with {:?} {is}", String::from_utf8_lossy(mark));
    let above = memchr::memchr_iter(b'\n', &utf8[..at]).count() as u64;
    context.reporter.push(
        Issue::warning(Stage::Parse, Code::SkippedLines, message)
            .line(above + 1)
            .byte_offset(at as u64)
            .raw(line)
            .hint("set comment=\"\" to read them as rows"),
    );
}

/// `sep=;` in the first line is Excel's way to say the delimiter.
fn excel_hint(utf8: &[u8]) -> Option<(&[u8], &[u8])> {
    let line = utf8.split(|byte| matches!(byte, b'\n' | b'\r')).next()?;
    let hint = line.strip_prefix(b"\"").unwrap_or(line);
    if !hint.get(..4)?.eq_ignore_ascii_case(b"sep=") {
        return None;
    }
    // A file saved again may have delimiters behind it.
    let size = match hint[4..].utf8_chunks().next()?.valid().chars().next()? {
        character if character.is_alphanumeric() || character == '"' => return None,
        character => character.len_utf8(),
    };
    let (delimiter, trailing) = hint[4..].split_at(size);
    if !trailing.iter().all(|byte| *byte == b'"' || delimiter.contains(byte)) {
        return None;
    }
    let rest = &utf8[line.len()..];
    let rest = rest.strip_prefix(b"\r").unwrap_or(rest);
    Some((delimiter, rest.strip_prefix(b"\n").unwrap_or(rest)))
}

/// One character, or several that are no pattern, are meant literally.
fn delimiter(sep: &str) -> Delimiter {
    if sep == r"\s+" {
        return Delimiter::Blanks;
    }
    let is_pattern =
        sep.chars().count() > 1 && sep.contains(['\\', '[', '(', '*', '+', '?', '{', '^', '$']);
    match regex::bytes::Regex::new(sep) {
        Ok(pattern) if is_pattern => Delimiter::Pattern(pattern),
        _ => Delimiter::Bytes(sep.as_bytes().to_vec()),
    }
}

/// How often lines end in each way, those inside quotes included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Newlines {
    /// `\n` alone.
    pub lf: u64,
    /// `\r\n`.
    pub crlf: u64,
    /// `\r` alone.
    pub cr: u64,
}

impl Newlines {
    /// Of a text that was looked at.
    pub(super) fn of(survey: &Survey) -> Self {
        let Survey { line_feeds, carriage_returns, pairs, .. } = *survey;
        Newlines { lf: line_feeds - pairs, crlf: pairs, cr: carriage_returns - pairs }
    }

    fn name(self, dialect: &CsvDialect) -> Option<String> {
        if let Some(terminator) = dialect.terminator {
            return Some(char::from(terminator).to_string());
        }
        let name = match (self.lf, self.cr, self.crlf) {
            (0, 0, 0) => return None,
            (_, 0, 0) => "\n",
            (0, 0, _) => "\r\n",
            (0, _, 0) => "\r",
            _ => "mixed",
        };
        Some(name.to_owned())
    }
}

/// Puts the dialect, and the options that reproduce it, into the report. `frame` is that of the
/// first table; where several are stacked, each has its own and none is given as an option.
pub(super) fn report(
    dialect: &CsvDialect,
    frame: &Frame,
    is_stacked: bool,
    newlines: Newlines,
    context: &mut Context<'_>,
) {
    let parser = context.parser();
    let sep = match &dialect.delimiter {
        Delimiter::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Delimiter::Pattern(pattern) => pattern.as_str().to_owned(),
        Delimiter::Blanks => r"\s+".to_owned(),
    };
    let text = |byte: u8| char::from(byte).to_string();
    let (quote, escape) = (dialect.quote.map(text), dialect.escape.map(text));
    let comment = dialect.comment.as_ref().map(|text| String::from_utf8_lossy(text).into_owned());
    let reporter = &mut context.reporter;
    for (name, value) in parser.given() {
        reporter.option(name, value.clone());
    }
    if parser.sep.is_none() {
        reporter.option("sep", sep.clone());
    }
    match &quote {
        Some(quote) => reporter.option("quotechar", quote.clone()),
        None => reporter.option("quoting", 3),
    }
    reporter.option("doublequote", dialect.doubled);
    if let Some(escape) = &escape {
        reporter.option("escapechar", escape.clone());
        if !dialect.escape_everywhere {
            reporter.option("escape_outside", false);
        }
    }
    reporter.option("skipinitialspace", dialect.skip_initial_space);
    if let Some(comment) = &comment {
        reporter.option("comment", comment.clone());
    }
    if is_stacked {
        reporter.option("stacked", true);
    } else {
        if frame.skip_rows > 0 {
            reporter.option("skiprows", frame.skip_rows);
        }
        match &frame.header {
            Header::None => reporter.option("header", "none"),
            Header::Rows(rows) => match rows.as_slice() {
                [row] => reporter.option("header", *row),
                rows => reporter.option("header", rows.to_vec()),
            },
        }
        if frame.footer_lines > 0 {
            reporter.option("skipfooter", frame.footer_lines);
        }
    }
    let header_rows = match &frame.header {
        Header::None => 0,
        Header::Rows(rows) => rows.len() as u64,
    };
    reporter.dialect(Dialect {
        delimiter: sep,
        quote,
        escape,
        comment,
        newline: newlines.name(dialect),
        skip_rows: frame.skip_rows,
        header_rows,
        footer_rows: parser.skipfooter.unwrap_or(frame.footer_lines),
        decimal: parser.decimal.unwrap_or('.').to_string(),
        thousands: parser.thousands.map(|mark| mark.to_string()),
    });
}
