//! A report in the words of the v2 flow: `errors`, `warnings`, `detected`, `tables_schemas`.

use serde_json::{Map, Value, json};

use crate::report::{Code, Issue, Report, Stage, TableReport};

/// Items listed for a stage.
const ITEMS: usize = 20;

/// Stage to list of problems, at most twenty each. `bytes_kept` says whether a PATCH can mend it.
pub fn errors<'a>(
    issues: impl IntoIterator<Item = &'a Issue>,
    report: &Report,
    bytes_kept: bool,
) -> Map<String, Value> {
    let mut stages: Vec<(Stage, Vec<Value>, u64)> = Vec::new();
    for issue in issues {
        let index = match stages.iter().position(|(stage, ..)| *stage == issue.stage) {
            Some(index) => index,
            None => {
                stages.push((issue.stage, Vec::new(), 0));
                stages.len() - 1
            }
        };
        let hint = hint(issue, report, bytes_kept);
        let (_, items, left_out) = &mut stages[index];
        push(items, left_out, item(issue, hint));
    }
    let finished = stages.into_iter().map(|(stage, mut items, left_out)| {
        say_left_out(&mut items, left_out);
        (stage.as_str().to_owned(), Value::Array(items))
    });
    finished.collect()
}

/// What was repaired, guessed or ignored, at most twenty of it.
pub fn warnings<'a>(issues: impl IntoIterator<Item = &'a Issue>, report: &Report) -> Vec<Value> {
    let mut items = Vec::new();
    let mut left_out = 0;
    for issue in issues {
        push(&mut items, &mut left_out, item(issue, issue.hint.clone()));
    }
    // The report lists only so many, but counts all.
    let counted: u64 = report.issue_counts.values().sum();
    left_out += counted.saturating_sub(report.issues.len() as u64);
    say_left_out(&mut items, left_out);
    items
}

fn push(items: &mut Vec<Value>, left_out: &mut u64, item: Value) {
    if items.len() < ITEMS {
        items.push(item);
    } else {
        *left_out += 1;
    }
}

/// Gives the last place to a word about those left out.
fn say_left_out(items: &mut Vec<Value>, left_out: u64) {
    if left_out == 0 {
        return;
    }
    let replaced = if items.len() >= ITEMS { items.pop() } else { None };
    let code = replaced.as_ref().or(items.last()).map_or(Value::Null, |item| item["code"].clone());
    let count = left_out + u64::from(replaced.is_some());
    items
        .push(json!({"code": code, "message": format!("{count} more were left out of this list")}));
}

/// Only the fields that say something.
fn item(issue: &Issue, hint: Option<String>) -> Value {
    let mut item = Map::new();
    item.insert("code".into(), issue.code.as_str().into());
    item.insert("message".into(), issue.message.clone().into());
    let mut add = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            item.insert(name.into(), value);
        }
    };
    add("table", issue.table.clone().map(Value::from));
    add("row", issue.row.map(Value::from));
    add("line", issue.line.map(Value::from));
    add("column", issue.column.clone().map(Value::from));
    add("byte_offset", issue.byte_offset.map(Value::from));
    add("step", issue.step.map(Value::from));
    add("hint", hint.map(Value::from));
    Value::Object(item)
}

/// What to do next, naming the request that does it.
fn hint(issue: &Issue, report: &Report, bytes_kept: bool) -> Option<String> {
    let patch = |setting: Value| match bytes_kept {
        true => format!("PATCH {setting} parses the stored bytes again"),
        false => format!("PATCH {setting}, then upload the bytes again"),
    };
    let found_type =
        report.file.format.as_deref().filter(|found| super::fields::FILE_TYPES.contains(found));
    let found_compression = report
        .file
        .compression
        .first()
        .map(String::as_str)
        .filter(|found| super::fields::FILE_COMPRESSIONS.contains(found));
    match issue.code {
        Code::TypeMismatch if found_type.is_some() => Some(patch(json!({"file_type": found_type}))),
        Code::CompressionMismatch => {
            Some(patch(json!({"file_compression": found_compression.unwrap_or("")})))
        }
        Code::MultipartBody => {
            Some("send the file's bytes alone as the body: curl --data-binary @FILE".into())
        }
        Code::BadOption => Some("PATCH {\"parser_options\": {…}} with a value that fits".into()),
        _ if issue.stage == Stage::Transform => Some(match &issue.hint {
            Some(hint) => format!("{hint}; {}", patch(json!({"sql_transforms": "…"}))),
            None => patch(json!({"sql_transforms": "…"})),
        }),
        // Library users can raise a bound; here only the server's administrator can.
        _ if issue.stage == Stage::Limits => {
            Some("this is a bound of the server; send less, or ask its administrator".into())
        }
        _ => issue.hint.clone(),
    }
}

/// What the bytes were found to be.
pub fn detected(report: &Report) -> Value {
    let file = &report.file;
    let parsed = match report.parsed_tables.is_empty() {
        true => &report.tables,
        false => &report.parsed_tables,
    };
    json!({
        "file_type": file.format.as_deref().unwrap_or("unknown"),
        "framing": file.framing.as_deref().unwrap_or(""),
        "compression": file.compression.first().map_or("", String::as_str),
        "encoding": file.encoding.as_deref().unwrap_or(""),
        "members": file.members,
        "parser_options": report.parser_options,
        "tables": parsed.iter().map(schema).collect::<Vec<_>>(),
    })
}

/// An entry of `tables_schemas`.
pub fn schema(table: &TableReport) -> Value {
    json!({
        "name": table.name,
        "dtypes": dtypes(table),
        "num_cols": table.num_cols,
        "num_rows": table.num_rows,
    })
}

/// Column name to dtype, in column order.
pub fn dtypes(table: &TableReport) -> Map<String, Value> {
    let columns = table.columns.iter();
    columns.map(|column| (column.name.clone(), Value::String(column.dtype.clone()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_cut_and_say_so() {
        let issues: Vec<Issue> = (0..50)
            .map(|row| Issue::error(Stage::Parse, Code::BadValue, "no number").row(row))
            .collect();
        let errors = errors(&issues, &Report::default(), true);
        let items = errors["parse"].as_array().unwrap();
        assert_eq!(items.len(), 20);
        assert_eq!(items[18], json!({"code": "bad_value", "message": "no number", "row": 18}));
        assert_eq!(items[19]["message"], "31 more were left out of this list");
        assert_eq!(items[19]["code"], "bad_value");
    }

    #[test]
    fn hints_name_the_request() {
        let mut report = Report::default();
        report.file.format = Some("parquet".into());
        let issue = Issue::error(Stage::Detect, Code::TypeMismatch, "declared csv, got parquet");
        let hint = |kept| errors([&issue], &report, kept)["detect"][0]["hint"].clone();
        assert_eq!(hint(true), "PATCH {\"file_type\":\"parquet\"} parses the stored bytes again");
        assert!(hint(false).as_str().unwrap().ends_with("then upload the bytes again"));
    }

    #[test]
    fn nothing_detected_is_unknown() {
        let detected = detected(&Report::default());
        assert_eq!(detected["file_type"], "unknown");
        assert_eq!(detected["compression"], "");
    }
}
