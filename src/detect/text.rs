//! The shape of a text: is it one at all, does it begin like JSON, where in it is an offset.

use super::Confidence;

/// So much of a file is looked at to tell whether it is a text.
const HEAD: usize = 64 << 10;

/// Whether bytes are text in some encoding: few control characters, zeros only as UTF-16 and
/// UTF-32 have them.
pub fn looks_like_text(bytes: &[u8]) -> bool {
    if document(bytes).is_some() {
        return false;
    }
    let head = &bytes[..bytes.len().min(HEAD)];
    if super::encoding::wide(head).is_some() {
        return true;
    }
    // What fills up the space behind a text says nothing of the text.
    let head = &head[..head.len() - padding(head)];
    let separator = regular_control(head);
    let stray = |byte: &u8| is_control(*byte) && Some(*byte) != separator;
    let control = head.iter().filter(|byte| stray(byte)).count();
    let zeros = memchr::memchr_iter(0, head).count();
    // A text with stray control characters is still a text; an issue will say so. Bytes beyond ASCII
    // say nothing, but a binary file that long has control characters among them.
    if valid_utf8(head) {
        return control * 8 <= head.len();
    }
    control * 50 <= head.len() && zeros * 20 <= head.len() && !looks_random(head, separator)
}

/// Characters that stand in no text but by mistake, or to keep cells apart.
fn is_control(byte: u8) -> bool {
    byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r' | 0x0c | 0x1a)
}

/// Where the first character stands that is not meant for text, and which it is.
pub(super) fn first_control(bytes: &[u8]) -> Option<(usize, u8)> {
    let at = bytes[..bytes.len().min(HEAD)].iter().position(|byte| is_control(*byte))?;
    Some((at, bytes[at]))
}

/// Whether the bytes are UTF-8, or would be if the last character were not cut.
fn valid_utf8(head: &[u8]) -> bool {
    match std::str::from_utf8(head) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none() && error.valid_up_to() > 0,
    }
}

/// A control character that keeps cells apart: nearly every line has it, always as often. Hive
/// writes `\x01`, other programs the separators from `\x1c` on.
fn regular_control(head: &[u8]) -> Option<u8> {
    let (_, found) = head.iter().enumerate().find(|(_, byte)| **byte > 0 && is_control(**byte))?;
    let whole = memchr::memrchr2(b'\n', b'\r', head).map_or(head, |end| &head[..end]);
    let lines = whole.split(|byte| matches!(byte, b'\n' | b'\r'));
    let lines = lines.filter(|line| !line.trim_ascii().is_empty());
    let counts: Vec<usize> =
        lines.map(|line| line.iter().filter(|byte| *byte == found).count()).collect();
    let usual = counts.iter().copied().max()?;
    let fitting = counts.iter().filter(|count| **count == usual).count();
    (fitting >= 2 && fitting * 10 >= counts.len() * 9).then_some(*found)
}

/// Documents that are text, or partly, but no tables: named in an error rather than read as rows.
pub fn document(bytes: &[u8]) -> Option<&'static str> {
    let head = &bytes[..bytes.len().min(64)];
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    let starts = |magic: &str| {
        head.get(..magic.len()).is_some_and(|start| start.eq_ignore_ascii_case(magic.as_bytes()))
    };
    match () {
        () if starts("%PDF-") => Some("a PDF document"),
        () if starts("<!doctype html") || starts("<html") => Some("an HTML page"),
        () if starts("<?xml") => Some("an XML document"),
        () if starts("{\\rtf") => Some("an RTF document"),
        () => None,
    }
}

/// Binary data spreads over all byte values; text of any encoding is mostly letters and marks.
fn looks_random(head: &[u8], separator: Option<u8>) -> bool {
    let is_odd = |byte: &u8| matches!(byte, 0x01..=0x08 | 0x0e..=0x19 | 0x7f);
    let odd = head.iter().filter(|byte| is_odd(byte) && Some(**byte) != separator).count();
    odd * 20 > head.len()
}

/// How much the text begins like JSON.
pub fn json_start(bytes: &[u8]) -> Confidence {
    let head = &bytes[..bytes.len().min(HEAD)];
    let bytes = match padding(head) {
        0 => bytes,
        padding => &head[..head.len() - padding],
    };
    if !looks_like_text(bytes) {
        return Confidence::No;
    }
    let narrow: Vec<u8>;
    let head = match super::encoding::wide(bytes) {
        // Enough of a UTF-16 or UTF-32 text to see how it begins.
        Some(_) => {
            narrow =
                bytes.iter().take(400).filter(|b| !matches!(b, 0 | 0xfe | 0xff)).copied().collect();
            narrow.as_slice()
        }
        None => bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes),
    };
    // Texts of RFC 7464 begin with a record separator.
    let head = head.strip_prefix(b"\x1e").unwrap_or(head).trim_ascii_start();
    let Some((first, rest)) = head.split_first() else { return Confidence::NameOnly };
    let next = rest.trim_ascii_start().first();
    match (first, next) {
        (b'{', Some(b'"' | b'}')) | (b'[', Some(b'{')) => Confidence::Likely,
        (b'[', Some(b'[' | b']' | b'"' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n')) => {
            Confidence::Probable
        }
        (b'{' | b'[', _) => Confidence::Possible,
        (b'"' | b'-' | b'0'..=b'9', _) => Confidence::Weak,
        _ if [&b"true"[..], b"false", b"null"].iter().any(|word| head.starts_with(word)) => {
            Confidence::Weak
        }
        // A broken line before those that are JSON.
        _ if has_object_line(head) => Confidence::Weak,
        _ => Confidence::NameOnly,
    }
}

/// Whether one of the first lines begins like an object.
fn has_object_line(head: &[u8]) -> bool {
    let mut lines = head[..head.len().min(HEAD)].split(|byte| *byte == b'\n').take(64);
    lines.any(|line| line.trim_ascii_start().starts_with(b"{\""))
}

/// How many NULs fill up the end of a text, as in a log whose space was taken beforehand; none if
/// they may be halves of letters.
pub fn padding(bytes: &[u8]) -> usize {
    let is_wide = |bytes: &[u8]| super::encoding::wide(&bytes[..bytes.len().min(HEAD)]).is_some();
    let padding = bytes.iter().rev().take_while(|byte| **byte == 0).count();
    // No letter is four of them.
    let may_be_letters = padding < 4 && is_wide(bytes);
    let text = &bytes[..bytes.len() - padding];
    if text.is_empty() || may_be_letters || is_wide(text) { 0 } else { padding }
}

/// Line and column, from 1, of a byte offset. Columns count characters.
pub fn position(bytes: &[u8], offset: usize) -> (u64, u64) {
    let before = &bytes[..offset.min(bytes.len())];
    let line = memchr::memchr_iter(b'\n', before).count() as u64 + 1;
    let start = memchr::memrchr(b'\n', before).map_or(0, |newline| newline + 1);
    let column = before[start..].iter().filter(|byte| **byte & 0xc0 != 0x80).count() as u64 + 1;
    (line, column)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_not_text() {
        assert!(looks_like_text(b"a,b\n1,2\n"));
        assert!(looks_like_text("é;ü\n".as_bytes()));
        assert!(looks_like_text(b"\xff\xfea\0,\0b\0\n\0"));
        assert!(!looks_like_text(b"\x00\x01\x02\x03PAR"));
        assert!(looks_like_text(b"a,b\n1,x\x00y\n2,z\n"));
        assert!(!looks_like_text(b"\x08\x00\x01a\x00\x00\x00b\x02\x00\x03c"));
        assert_eq!(first_control(b"a\tb\x01"), Some((3, 1)));
    }

    #[test]
    fn control_characters_may_keep_cells_apart() {
        for text in [
            &b"id\x01name\x01v\n1\x01a\x015\n"[..],
            b"id\x1fname\n1\x1fa\n",
            b"a\x1eb\n1\x1e2\n3\x1e\xe9\n",
        ] {
            assert!(looks_like_text(text), "{text:?}");
        }
        assert!(!looks_like_text(b"\x01\x02\n\x01\x03\x04\x05\n\x01\x06\x02"));
    }

    #[test]
    fn json_by_its_start() {
        assert_eq!(json_start(b" {\"a\":1}"), Confidence::Likely);
        assert_eq!(json_start(b"[1,2]"), Confidence::Probable);
        assert_eq!(json_start(b"a,b"), Confidence::NameOnly);
        assert_eq!(json_start(b"# c\n{\"a\":1}\n"), Confidence::Weak);
        assert_eq!(json_start(&[&b"{\"a\":1}\n"[..], &[0; 50]].concat()), Confidence::Likely);
        assert_eq!(padding(&[&b"{\"a\":1}\n"[..], &[0; 5000]].concat()), 5000);
        assert_eq!(padding(b"[\x001\x00]\x00\n\x00"), 0);
    }

    #[test]
    fn positions_count_from_one() {
        assert_eq!(position("aé\nxyz".as_bytes(), 5), (2, 2));
        assert_eq!(position(b"abc", 0), (1, 1));
    }
}
