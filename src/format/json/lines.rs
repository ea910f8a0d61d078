//! Rows one after the other without brackets around them: a line each, or over lines at will.

use super::frame::Between;
use super::outline::{Item, outline, skip_blanks};

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
    let first = text[start];
    if !matches!(first, b'{' | b'[') {
        return Text::Other;
    }
    if let Some(found) = by_lines(text, start) {
        return Text::Rows(found);
    }
    let row = match first {
        b'{' => outline(text, start),
        _ => None,
    };
    let Some(row) = row else { return Text::Other };
    let first_end = row.end;
    let next = skip_blanks(text, first_end);
    let behind_comma = skip_blanks(text, next + 1);
    let name = name.to_ascii_lowercase();
    let is_named = [".ndjson", ".jsonl", ".ldjson", ".geojsonl", ".geojsonseq"]
        .iter()
        .any(|ending| name.ends_with(ending) || name.contains(&format!("{ending}.")));
    let between = match (text.get(next), text.get(behind_comma)) {
        (Some(b'{'), _) => Between::Nothing,
        (Some(b','), Some(b'{')) => Between::Commas,
        (None, _) if asked == Some(true) || asked.is_none() && is_named => {
            match text[start..first_end].contains(&b'\n') {
                true => Between::Nothing,
                false => Between::Lines,
            }
        }
        _ => return Text::Object(row),
    };
    Text::Rows(Found { between, rows: vec![row], first_end })
}

/// Lines that are each a value: most of the first ones, and the first of them at least begins like
/// one.
fn by_lines(text: &[u8], start: usize) -> Option<Found<'_>> {
    let first = text[start];
    let (mut seen, mut whole, mut commas) = (0, 0, 0);
    let mut rows: Vec<Item<'_>> = Vec::new();
    let mut first_end = None;
    let mut at = start;
    while at < text.len() && seen < LINES && (at - start < BYTES || seen < 2) {
        let end = memchr::memchr(b'\n', &text[at..]).map_or(text.len(), |end| at + end);
        let begin = skip_blanks(text, at).min(end);
        let is_last = skip_blanks(text, end) == text.len();
        // One long line is a document, and need not be gone over.
        if seen == 0 && is_last {
            return None;
        }
        at = end + 1;
        let line = text[begin..end].trim_ascii_end();
        if line.is_empty() {
            continue;
        }
        seen += 1;
        // The opening of a document over several lines.
        if seen == 1 && line.len() == 1 {
            return None;
        }
        // Offsets have to be those of the whole text.
        let bounded = &text[..begin + line.len()];
        let Some(row) = outline(bounded, begin).filter(|_| line[0] == first) else {
            if seen == 1 && first == b'[' {
                return None;
            }
            continue;
        };
        match &bounded[row.end..] {
            [] => whole += 1,
            rest if rest.trim_ascii() == b"," && (seen == 1 || commas > 0) => commas += 1,
            _ if seen == 1 && first == b'[' => return None,
            _ => continue,
        }
        first_end.get_or_insert(row.end);
        rows.push(row);
    }
    let between = match () {
        () if first == b'{' && commas > 0 && (commas + whole) * 2 > seen => Between::Commas,
        () if whole * 2 > seen && seen >= 2 => Between::Lines,
        () => return None,
    };
    Some(Found { between, rows, first_end: first_end? })
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
        ] {
            assert_eq!(between(text, ""), expected, "{text}");
        }
        assert_eq!(between("{\"a\":1}\n", "x.NDJSON.gz"), Some(Lines));
    }
}
