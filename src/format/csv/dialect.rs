//! The dialect of a text: what the options say, and for the rest what the text shows.

use super::sniff;
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
    /// Lines left out at the top, before the header.
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
pub(super) fn settle(utf8: &[u8], name: &str, context: &mut Context<'_>) -> CsvDialect {
    let parser = context.parser();
    let mut dialect = CsvDialect {
        comment: parser.comment.as_ref().map(|text| text.clone().into_bytes()),
        terminator: parser.lineterminator.and_then(|c| u8::try_from(c).ok()).filter(u8::is_ascii),
        skip_initial_space: parser.skipinitialspace.unwrap_or(false),
        skip_blank_lines: parser.skip_blank_lines.unwrap_or(true),
        ..CsvDialect::default()
    };
    let byte = |character: char| u8::try_from(character).ok().filter(u8::is_ascii);
    let skipped = matches!(&parser.skiprows, Some(SkipRows::First(_)));
    if let Some(SkipRows::First(rows)) = parser.skiprows {
        dialect.skip_rows = rows;
    }
    let mut start = utf8;
    if !skipped && let Some((delimiter, rest)) = excel_hint(utf8) {
        dialect.skip_rows = 1;
        dialect.delimiter = Delimiter::Bytes(vec![delimiter]);
        start = rest;
    }
    let quote_given = parser.quotechar.is_some() || parser.quoting.is_some();
    if let Some(quote) = parser.quotechar {
        dialect.quote = quote.and_then(byte);
    }
    if parser.quoting == Some(3) {
        dialect.quote = None;
    }
    if let Some(escape) = parser.escapechar {
        dialect.escape = escape.and_then(byte);
    }
    if let Some(doubled) = parser.doublequote {
        dialect.doubled = doubled;
    }
    let escape_given = parser.escapechar.is_some() || parser.doublequote == Some(true);
    let hinted = start.len() != utf8.len();
    match &parser.sep {
        Some(sep) => dialect.delimiter = delimiter(sep),
        None if hinted => {}
        None => {
            let found = sniff::sniff(start, name, &dialect, quote_given);
            dialect.delimiter = Delimiter::Bytes(vec![found.delimiter]);
            if !quote_given {
                dialect.quote = found.quote;
            }
            if !skipped && parser.header.is_none() && parser.names.is_none() {
                dialect.skip_rows = found.preamble;
                note_preamble(utf8, found.preamble, context);
            }
        }
    }
    if parser.skipinitialspace.is_none()
        && let (Delimiter::Bytes(delimiter), Some(quote)) = (&dialect.delimiter, dialect.quote)
    {
        dialect.skip_initial_space = sniff::spaces_before_quotes(start, delimiter, quote);
    }
    dialect.escape_everywhere = dialect.escape.is_some();
    if !escape_given && sniff::escapes_with_backslash(start, dialect.quote) {
        dialect.escape = Some(b'\\');
        dialect.doubled = false;
    }
    dialect
}

/// `sep=;` in the first line is Excel's way to say the delimiter.
fn excel_hint(utf8: &[u8]) -> Option<(u8, &[u8])> {
    let rest = utf8.strip_prefix(b"sep=").or_else(|| utf8.strip_prefix(b"\"sep="))?;
    let (delimiter, rest) = rest.split_first()?;
    let rest = rest.strip_prefix(b"\"").unwrap_or(rest);
    let rest = rest.strip_prefix(b"\r").unwrap_or(rest);
    Some((*delimiter, rest.strip_prefix(b"\n")?))
        .filter(|(byte, _)| byte.is_ascii() && *byte >= b' ' || *byte == b'\t')
}

fn note_preamble(utf8: &[u8], lines: u64, context: &mut Context<'_>) {
    if lines == 0 {
        return;
    }
    let end = memchr::memchr_iter(b'\n', utf8).nth(lines as usize - 1).unwrap_or(utf8.len());
    let message = format!("{lines} lines above the table were left out");
    context.reporter.push(
        Issue::warning(Stage::Parse, Code::SkippedLines, message)
            .line(1)
            .byte_offset(0)
            .raw(&utf8[..end])
            .hint("set skiprows=0 to read them as rows"),
    );
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

/// Puts the dialect, and the options that reproduce it, into the report.
pub(super) fn report(
    survey: &Survey,
    dialect: &CsvDialect,
    header: &Header,
    context: &mut Context<'_>,
) {
    let parser = context.parser();
    let sep = match &dialect.delimiter {
        Delimiter::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Delimiter::Pattern(_) | Delimiter::Blanks => parser.sep.clone().unwrap_or_default(),
    };
    let text = |byte: u8| char::from(byte).to_string();
    let (quote, escape) = (dialect.quote.map(text), dialect.escape.map(text));
    let newline = newline(survey, dialect);
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
    // An escape that was found out is found again; given as an option it would count everywhere.
    reporter.option("doublequote", dialect.doubled);
    if dialect.skip_initial_space {
        reporter.option("skipinitialspace", true);
    }
    if dialect.skip_rows > 0 {
        reporter.option("skiprows", dialect.skip_rows);
    }
    match header {
        Header::None => reporter.option("header", "none"),
        Header::Rows(rows) => match rows.as_slice() {
            [row] => reporter.option("header", *row),
            rows => reporter.option("header", rows.to_vec()),
        },
    }
    let comment = dialect.comment.as_ref().map(|text| String::from_utf8_lossy(text).into_owned());
    let skip_rows = dialect.skip_rows;
    let header_rows = match header {
        Header::None => 0,
        Header::Rows(rows) => rows.len() as u64,
    };
    reporter.dialect(Dialect {
        delimiter: sep,
        quote,
        escape: escape.filter(|_| !dialect.doubled || parser.escapechar.is_some()),
        comment,
        newline,
        skip_rows,
        header_rows,
        decimal: parser.decimal.unwrap_or('.').to_string(),
        thousands: parser.thousands.map(|mark| mark.to_string()),
    });
}

/// The ends of lines, those inside quotes included.
fn newline(survey: &Survey, dialect: &CsvDialect) -> Option<String> {
    if let Some(terminator) = dialect.terminator {
        return Some(char::from(terminator).to_string());
    }
    let Survey { line_feeds, carriage_returns, pairs, .. } = *survey;
    let name = match (line_feeds - pairs, carriage_returns - pairs, pairs) {
        (0, 0, 0) => return None,
        (_, 0, 0) => "\n",
        (0, 0, _) => "\r\n",
        (0, _, 0) => "\r",
        _ => "mixed",
    };
    Some(name.to_owned())
}
