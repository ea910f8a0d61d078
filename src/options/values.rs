//! Lenient reading of option values: JSON, text from a command line or a query string.

use serde_json::Value;

/// A value from a command line or a query string: JSON if it parses as JSON, `True`, `False` and
/// `None` as in Python, else the text itself.
///
/// ```
/// use tablemill::options::value_from_text;
/// assert_eq!(value_from_text("3"), serde_json::json!(3));
/// assert_eq!(value_from_text("True"), serde_json::json!(true));
/// assert_eq!(value_from_text(";"), serde_json::json!(";"));
/// ```
pub fn value_from_text(text: &str) -> Value {
    match text {
        "True" => Value::Bool(true),
        "False" => Value::Bool(false),
        "None" => Value::Null,
        _ => serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned())),
    }
}

/// The value of the option `name` from a command line or a query string. As [`value_from_text`],
/// but `header=None` means no header, as in pandas, where a JSON `null` means "not said".
pub fn option_from_text(name: &str, text: &str) -> Value {
    match (name, text) {
        ("header", "None" | "none") => Value::String("none".into()),
        // Text options keep what was typed: `sep=0` is the character, not the number.
        (
            "sep" | "delimiter" | "comment" | "decimal" | "thousands" | "quotechar" | "escapechar",
            _,
        ) if text != "None" && !text.starts_with('"') => Value::String(unescape(text)),
        _ => value_from_text(text),
    }
}

/// `\t` typed in a shell means a tab; other backslashes stay (`\s+` is a pattern).
fn unescape(text: &str) -> String {
    text.replace("\\t", "\t")
}

/// Python's names of encodings that the WHATWG list spells otherwise.
pub(crate) fn python_encoding(name: &str) -> String {
    let lower = name.to_lowercase().replace('_', "-");
    match lower.as_str() {
        "utf-8-sig" | "u8" | "utf" => "utf-8".into(),
        "latin1" | "latin" | "l1" => "latin1".into(),
        "sjis" | "s-jis" | "cp932" => "shift_jis".into(),
        "cp936" => "gbk".into(),
        "cp949" | "uhc" | "euckr" => "euc-kr".into(),
        "big5hkscs" | "cp950" => "big5".into(),
        "eucjp" => "euc-jp".into(),
        "utf16" => "utf-16".into(),
        "utf-16-le" => "utf-16le".into(),
        "utf-16-be" => "utf-16be".into(),
        "utf32" => "utf-32".into(),
        "utf-32-le" => "utf-32le".into(),
        "utf-32-be" => "utf-32be".into(),
        _ if lower.starts_with("cp125") => lower.replace("cp", "windows-"),
        "shift-jis" => "shift_jis".into(),
        _ => lower,
    }
}

pub(super) fn show(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() > 60 { text.chars().take(60).chain(['…']).collect() } else { text }
}

pub(super) fn boolean(value: &Value) -> Result<bool, String> {
    match value {
        Value::Bool(flag) => Ok(*flag),
        Value::String(text) if text.eq_ignore_ascii_case("true") => Ok(true),
        Value::String(text) if text.eq_ignore_ascii_case("false") => Ok(false),
        Value::Number(number) if number.as_u64() == Some(0) => Ok(false),
        Value::Number(number) if number.as_u64() == Some(1) => Ok(true),
        _ => Err(format!("got {}, expected true or false", show(value))),
    }
}

pub(super) fn whole(value: &Value) -> Result<u64, String> {
    match value {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
    .ok_or_else(|| format!("got {}, expected a whole number from 0", show(value)))
}

pub(super) fn text(value: &Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text.clone()),
        _ => Err(format!("got {}, expected a string", show(value))),
    }
}

/// One character, or nothing where the text is empty.
pub(super) fn character(value: &Value) -> Result<Option<char>, String> {
    // A command line's `-o quotechar=1` arrives as a number.
    let text = match value {
        Value::Number(number) => number.to_string(),
        _ => text(value)?,
    };
    let mut characters = text.chars();
    match (characters.next(), characters.next()) {
        (first, None) => Ok(first),
        _ => Err(format!("got {}, expected one character", show(value))),
    }
}

pub(super) fn list(value: &Value) -> Option<&Vec<Value>> {
    value.as_array()
}

/// A scalar as the text a file would have for it.
pub(super) fn scalar_text(value: &Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(_) | Value::Bool(_) => Ok(value.to_string()),
        _ => Err(format!("got {}, expected a string or a number", show(value))),
    }
}

pub(super) fn texts(value: &Value) -> Result<Vec<String>, String> {
    match value {
        Value::Array(items) => items.iter().map(scalar_text).collect(),
        _ => Ok(vec![scalar_text(value)?]),
    }
}

/// The candidate nearest to `word`, if any is near enough to be meant.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word_lower = word.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| (distance(&word_lower, &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| {
            *distance <= 1 + word.chars().count().max(candidate.chars().count()) / 3
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Edits (insert, delete, replace) between two texts; long texts are compared by their heads.
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().take(64).collect();
    let b: Vec<char> = b.chars().take(64).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, right) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(left != right);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found_and_far_ones_are_not() {
        assert_eq!(nearest("seperator", ["sep", "separator", "header"]), Some("separator"));
        assert_eq!(nearest("hedaer", ["sep", "header"]), Some("header"));
        assert_eq!(nearest("zzzzzz", ["sep", "header"]), None);
    }
}
