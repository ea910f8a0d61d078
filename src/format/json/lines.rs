//! Rows one after the other without brackets around them: a line each, or over lines at will.

use super::frame::Between;
use super::outline::{Item, outline, skip_blanks};

/// A row that is a line is not longer than this, if it is an array.
const LONGEST_LINE: usize = 16 << 20;
/// So many lines tell how a text is laid out, or so many bytes if they are long.
const LINES: usize = 64;
const BYTES: usize = 4 << 20;

/// What a text turned out to be.
pub(super) enum Text<'a> {
    Rows(Found<'a>),
    /// One object, gone over already.
    Object(Item<'a>),
    /// Anything else.
    Other,
}

/// How rows follow each other, and what the first ones are.
pub(super) struct Found<'a> {
    pub between: Between,
    pub rows: Vec<Item<'a>>,
    /// Where the first row ends.
    pub first_end: usize,
}

/// Rows that follow each other from `start` on, if the text is no single document. One object
/// alone is a row where `asked`, or the name of the file, says that there are lines.
pub(super) fn find<'a>(text: &'a [u8], start: usize, name: &str, asked: Option<bool>) -> Text<'a> {
    let told = asked == Some(true) || asked.is_none() && is_name_of_lines(name);
    // An array that has no line end for so long is a document: it need not be gone over to know.
    let is_one_line = text[start] == b'['
        && text.get(start..start + LONGEST_LINE).is_some_and(|line| !line.contains(&b'\n'));
    if !is_one_line && let Some(found) = by_lines(text, start, told) {
        return Text::Rows(found);
    }
    let row = match text[start] {
        b'{' => outline(text, start),
        _ => None,
    };
    let Some(row) = row else { return Text::Other };
    let first_end = row.end;
    let next = skip_blanks(text, first_end);
    let behind_comma = skip_blanks(text, next + 1);
    let between = match (text.get(next), text.get(behind_comma)) {
        (Some(b'{'), _) => Between::Nothing,
        (Some(b','), Some(b'{')) => Between::Commas,
        (None, _) if told => match text[start..first_end].contains(&b'\n') {
            true => Between::Nothing,
            false => Between::Lines,
        },
        _ => return Text::Object(row),
    };
    Text::Rows(Found { between, rows: vec![row], first_end })
}

fn is_name_of_lines(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    [".ndjson", ".jsonl", ".ldjson", ".geojsonl", ".geojsonseq"]
        .iter()
        .any(|ending| name.ends_with(ending) || name.contains(&format!("{ending}.")))
}

/// What the first lines of a text are.
#[derive(Default)]
struct Lines<'a> {
    seen: usize,
    /// Lines that begin with a bracket.
    begun: usize,
    /// Lines that are an array or an object each, and those behind which a comma stands.
    whole: Vec<Item<'a>>,
    with_comma: Vec<Item<'a>>,
    /// Whether the first line is one of either.
    first_is_row: bool,
    /// Where the first line stands that only begins like a row.
    cut: Option<usize>,
}

/// Lines that are each a value. Most of the first ones are; or most begin like one, one at least
/// is whole, and nothing else makes sense of the text.
fn by_lines(text: &[u8], start: usize, told: bool) -> Option<Found<'_>> {
    let lines = look_at(text, start)?;
    let Lines { seen, begun, first_is_row, cut, .. } = lines;
    let (whole, commas) = (lines.whole.len(), lines.with_comma.len());
    if seen < 2 {
        return None;
    }
    let commas_lead = lines.with_comma.first().is_some_and(|row| row.start == start);
    if text[start] == b'{' && commas_lead && commas >= whole && (commas + whole) * 2 > seen {
        let first_end = lines.with_comma[0].end;
        let mut rows = [lines.with_comma, lines.whole].concat();
        rows.sort_by_key(|row| row.start);
        return Some(Found { between: Between::Commas, rows, first_end });
    }
    let are_most = whole * 2 > seen;
    let may_be = whole > commas && begun * 2 > seen && (told || first_is_row);
    if !are_most && !may_be {
        return None;
    }
    // Brackets that close in a later line.
    let goes_on = |at: usize| outline(text, at).map(|row| skip_blanks(text, row.end));
    let is_document = !first_is_row && goes_on(start) == Some(text.len());
    let is_over_lines = |at: usize| {
        goes_on(at).is_some_and(|end| matches!(text.get(end), None | Some(b'{' | b'[')))
    };
    // Brackets on lines of their own around all of it, whatever is wrong inside.
    let last = text.trim_ascii_end().rsplit(|byte| *byte == b'\n').next().map(<[u8]>::trim_ascii);
    let is_closed = !told && !first_is_row && matches!(last, Some(b"]" | b"}"));
    if is_document || is_closed || !are_most && cut.is_some_and(is_over_lines) {
        return None;
    }
    let first_end = lines.whole.first()?.end;
    Some(Found { between: Between::Lines, rows: lines.whole, first_end })
}

fn look_at(text: &[u8], start: usize) -> Option<Lines<'_>> {
    let mut lines = Lines::default();
    let mut at = start;
    while at < text.len() && lines.seen < LINES && (at - start < BYTES || lines.seen < 2) {
        let end = memchr::memchr(b'\n', &text[at..]).map_or(text.len(), |end| at + end);
        let begin = skip_blanks(text, at).min(end);
        // One long line is a document, and need not be gone over.
        if lines.seen == 0 && skip_blanks(text, end) == text.len() {
            return None;
        }
        at = end + 1;
        let line = text[begin..end].trim_ascii_end();
        if line.is_empty() {
            continue;
        }
        lines.seen += 1;
        if !matches!(line[0], b'{' | b'[') {
            continue;
        }
        lines.begun += 1;
        // Offsets have to be those of the whole text.
        let bounded = &text[..begin + line.len()];
        let row = outline(bounded, begin);
        let rest = row.as_ref().map(|row| bounded[row.end..].trim_ascii());
        match (row, rest) {
            (Some(row), Some(b"")) => lines.whole.push(row),
            (Some(row), Some(b",")) => lines.with_comma.push(row),
            _ => {
                lines.cut.get_or_insert(begin);
                continue;
            }
        }
        lines.first_is_row |= lines.seen == 1;
    }
    Some(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn between(text: &str, name: &str) -> Option<Between> {
        match find(text.as_bytes(), skip_blanks(text.as_bytes(), 0), name, None) {
            Text::Rows(found) => Some(found.between),
            _ => None,
        }
    }

    #[test]
    fn how_rows_follow_each_other() {
        use Between::{Commas, Lines, Nothing};
        for (text, expected) in [
            ("{\"a\":1}\n{\"a\":2}\n", Some(Lines)),
            ("\n\n{\"a\":1}  \r\n\r\n{\"a\":2}", Some(Lines)),
            ("{\"a\":1, \"b\": \n{\"a\":2}\n{\"a\":3}\n", Some(Lines)),
            ("{\"a\":1}\n{\"a\":\n{\"a\":3}\n", Some(Lines)),
            ("[1,2]\n[3,4]\n", Some(Lines)),
            ("{\"a\":1}{\"a\":2}", Some(Nothing)),
            ("{\"a\":1} {\"a\":2}\n", Some(Nothing)),
            ("{\n \"a\": 1\n}\n{\n \"a\": 2\n}\n", Some(Nothing)),
            ("{\"a\":1},\n{\"a\":2},\n{\"a\":3},\n", Some(Commas)),
            ("{\"a\":1},\n{\"a\":2}\n", Some(Commas)),
            ("{\"a\":1}, {\"a\":2}", Some(Commas)),
            ("{\"a\":1}\n", None),
            ("{\n\"a\": 1}\n", None),
            ("[\n{\"a\":1},\n{\"a\":2}\n]\n", None),
            ("[{\"a\":1},\n{\"a\":2},\n{\"a\":3}]\n", None),
            ("{\"data\": [\n{\"a\":1},\n{\"a\":2},\n{\"a\":3}\n]}", None),
            ("[[1,2],\n[3,4]]\n", None),
            ("[1,2] [3,4]", None),
            ("{\"a\":1} x", None),
            ("{\"a\":1}\n{\"a\":", Some(Lines)),
            ("{\"a\":1}\n{\"a\"\n{\"a\":2}\n{\"a\"\n", Some(Lines)),
            ("{\"a\":1}\n{\"a\":\n2}\n", Some(Nothing)),
            ("[{\"a\":1}]\n{\"a\":2}\n{\"a\":3}\n", Some(Lines)),
            ("{\"a\":1},\n{\"a\":2}\n{\"a\":3}\n", Some(Lines)),
            ("{\n{\"a\":2}\n{\"a\":3}\n", Some(Lines)),
            ("[\n{\"a\":2}\n{\"a\":3}\n", Some(Lines)),
            ("# c\n{\"a\":2}\n{\"a\":3}\n", Some(Lines)),
            ("[\n{\"a\":1},\n{\"a\":2}\n", None),
            ("[\n{\"a\":1}\n{\"a\":2}\n{\"a\":3}\n]\n", None),
            ("{\"d\": [\n[1,2]\n]\n", None),
            ("[\n[1,2]\n]\n", None),
        ] {
            assert_eq!(between(text, ""), expected, "{text}");
        }
        assert_eq!(between("{\"a\":1}\n", "x.NDJSON.gz"), Some(Lines));
        assert_eq!(between("}\n{\"a\":1}\n{\"a\":2\n", "x.jsonl"), Some(Lines));
        assert_eq!(between("[\n{\"a\":1},\n{\"a\":2}\n]\n", "x.jsonl"), None);
    }

    #[test]
    fn a_long_broken_line_is_one_line() {
        let text = format!("{{\"a\":1}}\n{{\"a\":\"{}\n{{\"a\":2}}\n", "x".repeat(2 * BYTES));
        assert_eq!(between(&text, ""), Some(Between::Lines));
    }
}
