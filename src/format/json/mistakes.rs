//! What people write that is no JSON, and what they should write instead.

/// Words of other languages, and what JSON has for them.
const WORDS: &[(&str, &str)] = &[
    ("NaN", "null"),
    ("nan", "null"),
    ("NAN", "null"),
    ("Infinity", "null"),
    ("inf", "null"),
    ("Inf", "null"),
    ("undefined", "null"),
    ("None", "null"),
    ("nil", "null"),
    ("NULL", "null"),
    ("Null", "null"),
    ("NA", "null"),
    ("True", "true"),
    ("TRUE", "true"),
    ("False", "false"),
    ("FALSE", "false"),
];

/// How much of the file is quoted in a hint.
const SHOWN: usize = 40;

/// What to do about the error of this message at this place.
pub(super) fn hint(text: &[u8], at: usize, message: &str) -> Option<String> {
    let wants = |what: &str| message.contains(&format!("expected {what}"));
    let here = &text[at.min(text.len())..];
    let before = text[..at.min(text.len())].trim_ascii_end();
    let last = before.last().copied();
    if here.starts_with(b"\xef\xbb\xbf") {
        return Some(
            "remove this byte order mark: one may only stand at the very beginning".into(),
        );
    }
    if message.contains("never closed") {
        return Some("close the text with a double quote; or the file was cut off".into());
    }
    if message.contains("surrogate") {
        return Some("write both halves of the pair, or the character itself".into());
    }
    if wants("an escape: one of") {
        return Some(match here.first() {
            Some(b'\'') => "write ' without a backslash".into(),
            _ => "write \\\\ for a backslash".into(),
        });
    }
    if wants("an escape such as") {
        return Some(match here.first() {
            Some(b'\n' | b'\r') => "write \\n for a line break, or close the text before it".into(),
            Some(b'\t') => "write \\t for a tab".into(),
            byte => format!("write \\u{:04x}", byte.copied().unwrap_or_default()),
        });
    }
    if wants("no digit after a leading zero") {
        let number = number_around(text, at);
        let bare = number.trim_start_matches('0');
        return Some(format!("write {bare}, or \"{number}\" to keep the zeros"));
    }
    if here.is_empty() {
        return Some("the file ends in the middle of a value: it was cut off".into());
    }
    if message.starts_with("got the end of the line") {
        return Some(match message {
            _ if wants("',' or '}'") => "close the '{' before the line ends".into(),
            _ if wants("',' or ']'") => "close the '[' before the line ends".into(),
            _ => "the line ends in the middle of a value: it was cut off".into(),
        });
    }
    if let Some(comment) = comment(here) {
        return Some(format!("json has no comments: remove `{comment}`"));
    }
    if wants("nothing") {
        return Some(match here[0] {
            b',' => "put brackets around the values: [ … ]".into(),
            b']' | b'}' => "remove it, or add the bracket that it closes".into(),
            _ => "remove what stands behind the end of the document".into(),
        });
    }
    match (last, here[0]) {
        (Some(b','), end @ (b']' | b'}')) => {
            return Some(format!("remove the comma before '{}'", char::from(end)));
        }
        (Some(b',' | b'[' | b'{'), b',') => return Some("remove this comma".into()),
        (Some(b':'), b',' | b'}' | b']') => {
            return Some("a value is missing here: write null if there is none".into());
        }
        (_, quote @ (b'\'' | b'`')) => return Some(single_quotes(here, quote)),
        (_, b'+') if wants("a value") => return Some("remove the plus".into()),
        (_, b'.') if wants("a value") => return Some("write a zero before the point".into()),
        (Some(b'.'), _) if wants("a digit") => {
            return Some("write a digit behind the point, or leave the point out".into());
        }
        (Some(b'0'), b'x' | b'X') => return Some("write the number in decimal digits".into()),
        (_, b';') if wants("','") => return Some("write ',' instead of ';'".into()),
        (_, b'=') if wants("':'") => return Some("write ':' instead of '='".into()),
        (_, close @ (b']' | b'}')) if wants("','") => {
            let open = if close == b']' { '{' } else { '[' };
            return Some(format!("close the '{open}' before it"));
        }
        _ => {}
    }
    if here.starts_with("“".as_bytes()) || here.starts_with("”".as_bytes()) {
        return Some("write straight double quotes: \"".into());
    }
    let word = word(here);
    if let Some((_, instead)) = WORDS.iter().find(|(known, _)| *known == word)
        && !wants("a key")
    {
        let minus = if text[..at].ends_with(b"-") { "-" } else { "" };
        return Some(format!("write {instead} instead of {minus}{word}"));
    }
    if wants("a key") && !word.is_empty() {
        return Some(format!("put the key in double quotes: \"{word}\""));
    }
    if before.is_empty() && !word.is_empty() {
        return Some("remove what stands before the first bracket".into());
    }
    if wants("a value") && !word.is_empty() {
        return Some(format!("put a text in double quotes: \"{word}\""));
    }
    let is_value = matches!(here[0], b'"' | b'{' | b'[' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n');
    if is_value && wants("','") {
        return Some("put a comma before it".into());
    }
    if is_value && wants("':'") {
        return Some("put ':' between the key and its value".into());
    }
    None
}

/// The comment that begins here, if one does.
fn comment(here: &[u8]) -> Option<String> {
    let line = here.split(|byte| matches!(byte, b'\n' | b'\r')).next()?;
    let comment = match here {
        [b'/', b'*', ..] => match memchr::memmem::find(line, b"*/") {
            Some(end) => &line[..end + 2],
            None => line,
        },
        [b'/', b'/', ..] | [b'#', ..] => line,
        _ => return None,
    };
    Some(shown(comment))
}

fn single_quotes(here: &[u8], quote: u8) -> String {
    let line = here[1..].split(|byte| *byte == b'\n').next().unwrap_or_default();
    match memchr::memchr(quote, line) {
        Some(end) if end <= SHOWN => {
            let (quote, inner) = (char::from(quote), shown(&line[..end]));
            format!("write \"{inner}\" instead of {quote}{inner}{quote}")
        }
        _ => "write double quotes instead of single ones".into(),
    }
}

/// The name that begins here.
fn word(here: &[u8]) -> String {
    let is_part = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$');
    let length = here.iter().take_while(is_part).count();
    if here.first().is_some_and(u8::is_ascii_digit) {
        return String::new();
    }
    shown(&here[..length])
}

fn number_around(text: &[u8], at: usize) -> String {
    let is_digit = |byte: &&u8| byte.is_ascii_digit();
    let start = at - text[..at].iter().rev().take_while(is_digit).count();
    let length = text[start..].iter().take_while(|b| is_digit(b) || **b == b'.').count();
    shown(&text[start..start + length])
}

fn shown(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(SHOWN * 4)]).into_owned();
    let text = text.trim_end();
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use crate::context::Context;
    use crate::limits::Limits;
    use crate::options::Options;

    /// The hint, and where it points.
    fn hint(text: &str) -> (String, u64) {
        let (options, limits) = (Options::default(), Limits::default());
        let mut context = Context::new(&options, &limits);
        let error = super::super::parse::check(text.as_bytes(), 0..0, 0, &mut context);
        let issue = error.unwrap_err().issue().clone();
        (issue.hint.unwrap_or_default(), issue.byte_offset.unwrap())
    }

    #[test]
    fn a_line_that_ends_too_early_is_said_to() {
        let (options, limits) = (Options::default(), Limits::default());
        let context = Context::new(&options, &limits);
        for (line, message, expected) in [
            ("{\"a\":1", "the end of the line", "close the '{' before the line ends"),
            ("[1\r", "the end of the line", "close the '[' before the line ends"),
            ("{\"a\":", "a value", "the line ends in the middle of a value: it was cut off"),
            (
                "{\"a\":\"b\r",
                "never closed on this line",
                "close the text with a double quote; or the file was cut off",
            ),
        ] {
            let text = format!("{line}\n{{\"a\":2}}\n");
            let lines = super::super::frame::Between::Lines;
            let found =
                super::super::parse::problem(text.as_bytes(), 0..line.len(), lines, &context);
            let (_, issue) = found.unwrap();
            assert!(issue.message.contains(message), "{}", issue.message);
            assert_eq!(issue.hint.as_deref(), Some(expected), "{line}");
        }
    }

    #[test]
    fn each_mistake_has_its_remedy() {
        for (text, at, expected) in [
            ("[1,\n]", 4, "remove the comma before ']'"),
            ("{\"a\": 1,}", 8, "remove the comma before '}'"),
            ("[1, // one\n 2]", 4, "json has no comments: remove `// one`"),
            ("[1 /* one */, 2]", 3, "json has no comments: remove `/* one */`"),
            ("# head\n[1]", 0, "json has no comments: remove `# head`"),
            ("[{'id': 1}]", 2, "write \"id\" instead of 'id'"),
            ("[NaN]", 1, "write null instead of NaN"),
            ("[-Infinity]", 2, "write null instead of -Infinity"),
            ("[nan]", 1, "write null instead of nan"),
            ("[True]", 1, "write true instead of True"),
            ("[None, 1]", 1, "write null instead of None"),
            ("[undefined]", 1, "write null instead of undefined"),
            ("{id: 1}", 1, "put the key in double quotes: \"id\""),
            ("{\"a\": yes}", 6, "put a text in double quotes: \"yes\""),
            ("[{\"a\": 1} {\"a\": 2}]", 10, "put a comma before it"),
            ("{\"a\" 1}", 5, "put ':' between the key and its value"),
            ("{\"a\"=1}", 4, "write ':' instead of '='"),
            ("{\"a\": }", 6, "a value is missing here: write null if there is none"),
            ("[1,,2]", 3, "remove this comma"),
            ("[1, 2", 5, "the file ends in the middle of a value: it was cut off"),
            ("[\"a]", 1, "close the text with a double quote; or the file was cut off"),
            ("[{\"a\": 1]", 8, "close the '{' before it"),
            ("[00501]", 2, "write 501, or \"00501\" to keep the zeros"),
            ("[+1]", 1, "remove the plus"),
            ("[.5]", 1, "write a zero before the point"),
            ("[\"C:\\Users\"]", 5, "write \\\\ for a backslash"),
            ("[\"it\\'s\"]", 5, "write ' without a backslash"),
            ("[\"a\tb\"]", 3, "write \\t for a tab"),
            (
                "[1]\u{feff}[2]",
                3,
                "remove this byte order mark: one may only stand at the very beginning",
            ),
            ("var x = [1];", 0, "remove what stands before the first bracket"),
            ("[1]]", 3, "remove it, or add the bracket that it closes"),
            ("[1] x", 4, "remove what stands behind the end of the document"),
        ] {
            assert_eq!(hint(text), (expected.to_owned(), at), "{text}");
        }
    }
}
