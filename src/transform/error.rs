//! What DataFusion and its parser say, in our terms, without engine internals.

use datafusion::common::{DataFusionError, SchemaError};
use datafusion::sql::sqlparser::parser::ParserError;

use crate::error::Error;
use crate::limits::{Limits, human_bytes};
use crate::options::nearest;
use crate::report::{Code, Issue, Stage};

/// Line and byte offset of a word in the SQL; the start where it is not found.
pub(super) fn find(sql: &str, word: &str) -> (u64, u64) {
    let at = sql.find(word).unwrap_or_default();
    (sql[..at].matches('\n').count() as u64 + 1, at as u64)
}

/// Something that a step may not do.
pub(super) fn forbidden(message: &str, sql: &str, word: &str) -> Error {
    let (line, offset) = find(&sql.to_uppercase(), &word.to_uppercase());
    let issue = Issue::error(Stage::Transform, Code::Forbidden, message);
    issue.line(line).byte_offset(offset).hint("a step reads the file's tables by one SELECT").into()
}

/// A table that is not there.
pub(super) fn unknown_table(table: &str, known: &[String]) -> Issue {
    let message = format!("there is no table {table:?}");
    let issue = Issue::error(Stage::Transform, Code::UnknownTable, message).table(table);
    match nearest(table, known.iter().map(String::as_str)) {
        Some(near) => issue.hint(format!("did you mean {near:?}?")),
        None => issue.hint(format!("the tables are {}, and data", known.join(", "))),
    }
}

/// SQL that does not parse. The parser gives the place at the end of its message.
pub(super) fn syntax(error: &ParserError, sql: &str) -> Error {
    let text = match error {
        ParserError::TokenizerError(text) | ParserError::ParserError(text) => text.as_str(),
        ParserError::RecursionLimitExceeded => {
            let issue =
                Issue::error(Stage::Transform, Code::SqlSyntax, "the SQL is nested too deeply");
            return issue.line(1).byte_offset(0).into();
        }
    };
    let (message, line, column) = match text.split_once(" at Line: ") {
        Some((message, place)) => {
            let (line, column) = place.split_once(", Column: ").unwrap_or((place, "1"));
            (message, line.trim().parse().unwrap_or(1), column.trim().parse().unwrap_or(1))
        }
        None => (text, 1u64, 1u64),
    };
    let line_start: usize = sql.split_inclusive('\n').take(line as usize - 1).map(str::len).sum();
    let in_line = sql[line_start..].chars().take(column.saturating_sub(1) as usize);
    let offset = line_start + in_line.map(char::len_utf8).sum::<usize>();
    Issue::error(Stage::Transform, Code::SqlSyntax, message)
        .line(line)
        .byte_offset(offset as u64)
        .into()
}

/// A query that failed while planned or run.
pub(super) fn engine(error: &DataFusionError, sql: &str, limits: &Limits) -> Error {
    match error.find_root() {
        DataFusionError::SchemaError(schema, _) => match schema.as_ref() {
            SchemaError::FieldNotFound { field, valid_fields } => {
                let name = field.name.clone();
                let names: Vec<&str> = valid_fields.iter().map(|c| c.name.as_str()).collect();
                let (line, offset) = find(sql, &name);
                let message = format!("there is no column {name:?}");
                let issue = Issue::error(Stage::Transform, Code::UnknownColumn, message)
                    .column(&name)
                    .line(line)
                    .byte_offset(offset);
                let issue = match nearest(&name, names.iter().copied()) {
                    Some(near) => issue.hint(format!("did you mean {near:?}?")),
                    None => issue.hint(format!("the columns are {}", names.join(", "))),
                };
                issue.into()
            }
            other => failed(&other.to_string(), sql),
        },
        DataFusionError::ResourcesExhausted(_) => out_of_memory(limits),
        DataFusionError::Plan(text) | DataFusionError::Execution(text) => failed(text, sql),
        root => failed(&root.strip_backtrace(), sql),
    }
}

/// The memory for a query is used up.
pub(super) fn out_of_memory(limits: &Limits) -> Error {
    let memory = limits.sql_memory();
    let message = format!("the query needs more than {} of memory", human_bytes(memory));
    let name = if memory < limits.sql_memory_bytes { "memory_bytes" } else { "sql_memory_bytes" };
    Issue::limit(Code::OutOfMemory, message, name).into()
}

fn failed(text: &str, sql: &str) -> Error {
    // Where our tables hang in the engine's catalogue is nobody's business.
    let text = text.replace("tablemill.public.", "").replace("public.", "");
    let text = text.lines().next().unwrap_or_default();
    let text = text.split("This issue was likely caused by a bug").next().unwrap_or_default();
    // What the engine quotes is mostly a word of the query.
    let word = text.split('\'').nth(1).unwrap_or_default();
    let (line, offset) = find(sql, word);
    let issue = Issue::error(Stage::Transform, Code::SqlError, text.trim());
    issue.line(line).byte_offset(offset).into()
}
