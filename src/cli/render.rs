//! Issues as a compiler shows them: what, where, the line with a caret, what to do.
//!
//! ```text
//! error[bad_value]: row 7 of column "v": got "x1", expected int64
//!   --> data.csv:8 (byte 61)
//!    |
//!  8 | x1,2
//!    | ^^
//!    = hint: drop v from dtype to infer it
//! ```

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use crate::report::{Severity, Stage, quote};
use crate::{Error, Issue, Report};

use super::terminal::{self, Style, cut, printable, text_width};

/// At most so many warnings, and so many errors, are shown for a file.
const SHOWN: usize = 10;
/// Columns that a quoted line may take.
const LINE_WIDTH: usize = 100;
/// Characters shown before and after the place; together they stay below `quote`'s own cap.
const BEFORE: usize = 60;
const AFTER: usize = 120;

/// The file that issues are about.
pub(super) struct Place<'a> {
    /// As the user named it.
    pub label: &'a str,
    /// Where to find its lines; `None` for standard input.
    pub path: Option<&'a Path>,
    /// The SQL that was run over it, by step.
    pub queries: &'a [String],
}

/// Shows the warnings, then the errors, on standard error.
pub(super) fn show_issues(report: &Report, place: &Place<'_>) {
    let style = Style::of_stderr();
    let counted: u64 = report.issue_counts.values().sum();
    let unlisted = counted.saturating_sub(report.issues.len() as u64);
    for (issues, unlisted) in [
        (report.warnings().collect::<Vec<_>>(), unlisted),
        (report.errors().collect::<Vec<_>>(), 0),
    ] {
        for issue in issues.iter().take(SHOWN) {
            terminal::tell(&issue_text(issue, report, place, style));
        }
        let more = issues.len().saturating_sub(SHOWN) as u64 + unlisted;
        if more > 0 {
            terminal::tell(&style.faint(&format!("… and {more} more (see inspect --json)")));
        }
    }
}

/// Shows an error that belongs to no file on standard error.
pub(super) fn show_error(error: &Error, label: &str, query: Option<&String>) {
    let issue = Issue { step: None, ..error.issue().clone() };
    let place = Place { label, path: None, queries: query.map_or(&[], std::slice::from_ref) };
    terminal::tell(&issue_text(&issue, &Report::default(), &place, Style::of_stderr()));
}

/// An issue in several lines.
pub(super) fn issue_text(
    issue: &Issue,
    report: &Report,
    place: &Place<'_>,
    style: Style,
) -> String {
    let code = issue.code.as_str();
    let head = match issue.severity {
        Severity::Error => style.error(&format!("error[{code}]")),
        Severity::Warning => style.warning(&format!("warning[{code}]")),
    };
    let mut lines = vec![format!("{head}: {}", printable(&issue.message))];
    let excerpt = excerpt(issue, report, place);
    // A value, or part of a line: nobody can say where in the line it stands.
    let raw = issue.raw.as_deref().filter(|raw| !raw.is_empty() && excerpt.is_none());
    let raw = raw.map(|raw| cut(&printable(raw), LINE_WIDTH));
    let number = issue.line.filter(|_| excerpt.is_some()).map(|line| line.to_string());
    let number = number.unwrap_or_else(|| " ".to_owned());
    let arrow_lead = " ".repeat(number.len() + 1);
    let gutter = " ".repeat(number.len() + 2);
    // An error of opening a file names the file itself.
    if issue.stage != Stage::Source {
        lines.push(format!("{arrow_lead}{} {}", style.mark("-->"), position(issue, place)));
    }
    if let Some(excerpt) = excerpt {
        let bar = style.mark("|");
        let blanks = " ".repeat(excerpt.column);
        let carets = "^".repeat(excerpt.width);
        let carets = match issue.severity {
            Severity::Error => style.error(&carets),
            Severity::Warning => style.warning(&carets),
        };
        lines.push(format!("{gutter}{bar}"));
        lines.push(format!(" {} {bar} {}", style.mark(&number), excerpt.line));
        lines.push(format!("{gutter}{bar} {blanks}{carets}"));
    }
    if let Some(raw) = raw {
        lines.push(format!("{gutter}{} found: {raw}", style.mark("=")));
    }
    if let Some(hint) = &issue.hint {
        let raise = issue.limit_name().map(|name| format!("; raise it with --limit {name}=VALUE"));
        let hint = format!("{hint}{}", raise.unwrap_or_default());
        lines.push(format!("{gutter}{} hint: {}", style.mark("="), printable(&hint)));
    }
    lines.join("\n")
}

/// `data.csv:8 (byte 61)`, `orders.xlsx, table "May", row 3, column "v"`, `SQL step 1:2 (byte 9)`.
fn position(issue: &Issue, place: &Place<'_>) -> String {
    let mut text = printable(place.label);
    if let Some(step) = issue.step {
        text.push_str(&format!(", SQL step {}", step + 1));
    }
    if let Some(line) = issue.line {
        text.push_str(&format!(":{line}"));
    }
    if let Some(offset) = issue.byte_offset {
        text.push_str(&format!(" (byte {offset})"));
    }
    let stem = Path::new(place.label).file_stem().and_then(|stem| stem.to_str());
    if let Some(table) = issue.table.as_deref().filter(|table| Some(*table) != stem) {
        text.push_str(&format!(", table \"{}\"", printable(table)));
    }
    if issue.line.is_none() {
        if let Some(row) = issue.row {
            text.push_str(&format!(", row {row}"));
        }
        if let Some(column) = &issue.column {
            text.push_str(&format!(", column \"{}\"", printable(column)));
        }
    }
    text
}

/// A line, and the part of it that is meant; in terminal columns.
struct Excerpt {
    line: String,
    column: usize,
    width: usize,
}

/// The line of the file, if it is at hand as it was read.
fn excerpt(issue: &Issue, report: &Report, place: &Place<'_>) -> Option<Excerpt> {
    let raw = issue.raw.as_deref().filter(|raw| !raw.is_empty());
    if let (Stage::Transform, Some(offset)) = (issue.stage, issue.byte_offset) {
        let query = place.queries.get(issue.step.unwrap_or(0) as usize)?;
        let window = Window::around(query.as_bytes(), usize::try_from(offset).ok()?)?;
        let word = window.word();
        return Some(window.excerpt(raw.or(word.as_deref())));
    }
    let plain_text = report.file.compression.is_empty()
        && report.file.encoding.as_deref() == Some("utf-8")
        && issue.stage == Stage::Parse;
    if let (true, Some(path), Some(_), Some(offset)) =
        (plain_text, place.path, issue.line, issue.byte_offset)
        && let Some(window) = Window::read(path, offset)
    {
        return Some(window.moved_to(raw).excerpt(raw));
    }
    None
}

/// The bytes of a line around a place in it.
struct Window {
    before: Vec<u8>,
    after: Vec<u8>,
}

impl Window {
    fn read(path: &Path, offset: u64) -> Option<Self> {
        let start = offset.saturating_sub(4 * BEFORE as u64 + 1);
        let mut file = File::open(path).ok().filter(is_file)?;
        file.seek(SeekFrom::Start(start)).ok()?;
        let mut bytes = Vec::new();
        let wanted = offset - start + 4 * AFTER as u64;
        file.take(wanted).read_to_end(&mut bytes).ok()?;
        Window::around(&bytes, (offset - start) as usize)
    }

    fn around(bytes: &[u8], place: usize) -> Option<Self> {
        let (before, after) = bytes.split_at_checked(place)?;
        let is_end = |byte: &u8| matches!(byte, b'\n' | b'\r');
        let begin = before.iter().rposition(is_end).map_or(0, |end| end + 1);
        let end = after.iter().position(is_end).unwrap_or(after.len());
        Some(Window { before: before[begin..].to_vec(), after: after[..end].to_vec() })
    }

    /// Around the raw text, where it is so far behind the place that the line would be cut before it.
    fn moved_to(self, raw: Option<&str>) -> Self {
        let raw = raw.map(|raw| raw.strip_suffix('…').unwrap_or(raw).as_bytes());
        let at = raw.and_then(|raw| memchr::memmem::find(&self.after, raw));
        match at {
            Some(at) if self.before.len() + at > LINE_WIDTH / 2 => {
                let (passed, after) = self.after.split_at(at);
                Window { before: [&self.before[..], passed].concat(), after: after.to_vec() }
            }
            _ => self,
        }
    }

    /// The name that begins at the place.
    fn word(&self) -> Option<String> {
        let text = String::from_utf8_lossy(first_characters(&self.after, AFTER));
        let is_part = |c: &char| c.is_alphanumeric() || *c == '_';
        Some(text.chars().take_while(is_part).collect()).filter(|word: &String| !word.is_empty())
    }

    fn excerpt(&self, raw: Option<&str>) -> Excerpt {
        let before = last_characters(&self.before, BEFORE);
        let lead = if before.len() < self.before.len() { "…" } else { "" };
        let before = format!("{lead}{}", printable(&quote(before)));
        let after = printable(&quote(first_characters(&self.after, AFTER)));
        let line = cut(&format!("{before}{after}"), LINE_WIDTH);
        // The raw text stands at the place, or behind it; a cut one is found by its beginning.
        let wanted = raw.map(|raw| printable(raw.strip_suffix('…').unwrap_or(raw)));
        let (column, width) = match &wanted {
            Some(raw) => match after.find(raw.as_str()) {
                Some(at) => (text_width(&before) + text_width(&after[..at]), text_width(raw)),
                None => (text_width(&before), 1),
            },
            None => (text_width(&before), 1),
        };
        let column = column.min(text_width(&line));
        let width = width.min(text_width(&line).saturating_sub(column)).max(1);
        Excerpt { line, column, width }
    }
}

fn is_file(file: &File) -> bool {
    file.metadata().is_ok_and(|metadata| metadata.is_file())
}

fn is_character_start(byte: u8) -> bool {
    byte & 0xc0 != 0x80
}

fn last_characters(bytes: &[u8], wanted: usize) -> &[u8] {
    let starts = (0..bytes.len()).rev().filter(|index| is_character_start(bytes[*index]));
    starts.take(wanted).last().map_or(&[], |start| &bytes[start..])
}

fn first_characters(bytes: &[u8], wanted: usize) -> &[u8] {
    let mut starts = (0..bytes.len()).filter(|index| is_character_start(bytes[*index]));
    starts.nth(wanted).map_or(bytes, |end| &bytes[..end])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Code;

    fn text_report() -> Report {
        let mut report = Report::default();
        report.file.encoding = Some("utf-8".into());
        report
    }

    fn shown(bytes: &[u8], issue: Issue) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data.csv");
        std::fs::write(&path, bytes).unwrap();
        let place = Place { label: "data.csv", path: Some(&path), queries: &[] };
        issue_text(&issue, &text_report(), &place, Style::plain())
    }

    fn bad_value(offset: u64, raw: &str) -> Issue {
        let message = "row 7 of column \"v\": got \"x1\", expected int64";
        let issue = Issue::error(Stage::Parse, Code::BadValue, message).line(8).column("v").row(7);
        issue.byte_offset(offset).raw(raw.as_bytes()).hint("drop v from dtype to infer it")
    }

    #[test]
    fn a_bad_value_is_shown_with_line_caret_and_hint() {
        let text = "v,w\n".to_owned() + &"10,20,30\n".repeat(6) + "x1,2\n";
        let offset = text.find('x').unwrap() as u64;
        let expected = "\
error[bad_value]: row 7 of column \"v\": got \"x1\", expected int64
  --> data.csv:8 (byte 58)
   |
 8 | x1,2
   | ^^
   = hint: drop v from dtype to infer it";
        assert_eq!(shown(text.as_bytes(), bad_value(offset, "x1")), expected);
    }

    #[test]
    fn the_caret_stands_under_wide_and_control_characters() {
        // The offset may be that of the row: the raw text is searched from there.
        let text = shown("東京,\u{7},x1,é\n".as_bytes(), bad_value(0, "x1"));
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[3], " 8 | 東京,\\u{7},x1,é");
        assert_eq!(lines[4], format!("   | {}^^", " ".repeat(4 + 1 + 5 + 1)));
    }

    #[test]
    fn a_long_line_is_cut_around_the_place() {
        let text = "é".repeat(5_000) + ",x1," + &"ü".repeat(5_000) + "\n";
        let offset = text.find('x').unwrap() as u64;
        let text = shown(text.as_bytes(), bad_value(offset, "x1"));
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[3].starts_with(" 8 | …éé") && lines[3].ends_with("üü…"), "{text}");
        assert_eq!(lines[3].chars().count(), 5 + LINE_WIDTH);
        assert_eq!(lines[4], format!("   | {}^^", " ".repeat(1 + BEFORE)));
    }

    #[test]
    fn a_cell_far_behind_the_start_of_its_row_is_shown() {
        let text = "filler,".repeat(40) + "x1," + &"filler,".repeat(40) + "\n";
        let text = shown(text.as_bytes(), bad_value(0, "x1"));
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[3].starts_with(" 8 | …") && lines[3].contains(",x1,"), "{text}");
        assert_eq!(lines[4], format!("   | {}^^", " ".repeat(1 + BEFORE)));
    }

    #[test]
    fn without_the_line_the_raw_text_stands_alone() {
        let place = Place { label: "stdin", path: None, queries: &[] };
        let text = issue_text(&bad_value(61, "x1"), &text_report(), &place, Style::plain());
        assert!(text.contains("\n  --> stdin:8 (byte 61)\n   = found: x1\n"), "{text}");
    }

    #[test]
    fn a_query_is_quoted_where_it_is_wrong() {
        let issue = Issue::error(Stage::Transform, Code::UnknownColumn, "there is no column nam");
        let issue = issue.line(2).byte_offset(11).step(1);
        let queries = ["SELECT 1".to_owned(), "SELECT id,\nnam FROM t".to_owned()];
        let place = Place { label: "a.csv", path: None, queries: &queries };
        let expected = "\
error[unknown_column]: there is no column nam
  --> a.csv, SQL step 2:2 (byte 11)
   |
 2 | nam FROM t
   | ^^^";
        let text = issue_text(&issue, &Report::default(), &place, Style::plain());
        assert_eq!(text, expected);
    }

    #[test]
    fn a_place_beyond_the_end_or_at_bad_bytes_is_no_trouble() {
        assert!(shown(b"a\n", bad_value(900, "x1")).contains("   = found: x1\n"));
        assert!(
            shown(b"\xff\xfe,\x80\n", bad_value(3, "\\x80")).contains(" 8 | \\xff\\xfe,\\x80\n")
        );
        assert!(shown(b"", bad_value(0, "")).contains(" 8 | \n   | ^"));
    }
}
