//! What is reported of columns and keys.

use arrow::datatypes::DataType;

use super::gather::Doubled;
use super::outline::outline;
use super::shape::{Shape, Why};
use super::tape::{Document, Kind};
use crate::context::Context;
use crate::detect::position;
use crate::options::dtype_name;
use crate::report::{Code, Issue, Stage};

/// Words on a column whose values are of several kinds, or are not all kept as they are.
pub(super) fn column(
    document: &Document<'_>,
    name: &str,
    shape: &Shape,
    values: &[(u32, u32)],
    context: &mut Context<'_>,
) {
    let mut issues = Vec::new();
    shape.walk(name, &mut |inner, part| {
        let is_top = inner == name;
        issues
            .extend(of_part(document, inner, part, values, is_top).map(|issue| issue.column(name)));
    });
    issues.into_iter().for_each(|issue| context.reporter.push(issue));
}

fn of_part(
    document: &Document<'_>,
    name: &str,
    shape: &Shape,
    values: &[(u32, u32)],
    is_top: bool,
) -> Option<Issue> {
    let warning = |code, message: String| Issue::warning(Stage::Parse, code, message);
    let kept = |what| format!("column {name:?} has values of several kinds and is kept as {what}");
    let is_text = |kind: Kind| matches!(kind, Kind::Text | Kind::EscapedText | Kind::Null);
    let is_float = |kind: Kind| kind == Kind::Number;
    let (issue, odd) = match shape {
        Shape::Mixed => {
            let odd = values.iter().find(|(_, node)| !is_text(document.node(*node).kind));
            (warning(Code::MixedTypes, kept("text")), odd)
        }
        Shape::Json(Why::Mixed) => (warning(Code::MixedTypes, kept("JSON text")), values.first()),
        Shape::Json(Why::Map(keys)) => {
            let message = format!(
                "the objects in column {name:?} have {keys} different keys, few of them in each: \
                 they are kept as JSON text"
            );
            (warning(Code::MixedTypes, message), values.first())
        }
        Shape::Number(numbers) => match shape.data_type() {
            DataType::Float64 if numbers.long > 0 => {
                let (count, have) = match numbers.long {
                    1 => ("1 number".to_owned(), "has"),
                    long => (format!("{long} numbers"), "have"),
                };
                let message = format!(
                    "{count} in column {name:?} {have} more than 17 digits; a float64 holds the \
                     nearest"
                );
                let hint = format!("dtype={{{name:?}: \"str\"}} keeps every digit");
                (warning(Code::FloatPrecision, message).hint(hint), None)
            }
            DataType::Utf8 => {
                let message = format!(
                    "column {name:?} is kept as text: its numbers fit neither a float64 nor a \
                     decimal of 38 digits"
                );
                let odd = values.iter().find(|(_, node)| {
                    let raw = document.raw(*node);
                    let shape = crate::infer::number_shape(raw);
                    is_float(document.node(*node).kind) && shape.is_none_or(|shape| !shape.float)
                });
                let hint = format!("dtype={{{name:?}: \"float64\"}} takes the nearest float");
                (warning(Code::FloatPrecision, message).hint(hint), odd)
            }
            _ => return None,
        },
        _ => return None,
    };
    Some(match odd.filter(|_| is_top) {
        Some((row, node)) => {
            let at = document.node(*node).start as usize;
            issue
                .row(u64::from(*row) + 1)
                .line(position(document.text, at).0)
                .byte_offset(at as u64 + document.shift)
                .raw(document.raw(*node))
        }
        None => issue,
    })
}

/// A word on keys that stand twice in their object.
pub(super) fn doubled(document: &Document<'_>, doubled: Doubled, context: &mut Context<'_>) {
    let Some(first) = doubled.first else { return };
    // On the tape a value follows its key.
    let value = document.nodes.partition_point(|node| node.start < first);
    let key = document.nodes[value.saturating_sub(1)].start as usize;
    let place = key.saturating_sub(1);
    context.reporter.push(doubled_keys(doubled.count, document.text, document.shift, place));
}

/// The issue about such keys, the first of which stands at a place.
pub(super) fn doubled_keys(count: u64, text: &[u8], shift: u64, place: usize) -> Issue {
    let message = match count {
        1 => "a key stands twice in its object; the last counts".to_owned(),
        count => format!("{count} keys stand twice in their objects; the last counts"),
    };
    let key = outline(text, place).map_or(place..place, |key| key.start..key.end);
    Issue::warning(Stage::Parse, Code::DuplicateKey, message)
        .line(position(text, place).0)
        .byte_offset(place as u64 + shift)
        .raw(&text[key])
}

/// A word on a column that does not keep what the document's own schema says of it.
pub(super) fn undeclared(
    name: &str,
    declared: &str,
    data_type: &DataType,
    context: &mut Context<'_>,
) {
    let message = format!(
        "column {name:?} is declared as {declared}, but not all of its values are; it is read as {}",
        dtype_name(data_type)
    );
    context.reporter.push(Issue::warning(Stage::Parse, Code::BadValue, message).column(name));
}
