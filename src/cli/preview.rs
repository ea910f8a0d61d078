//! The first rows of a table, as text.

use arrow::array::Array;
use arrow::datatypes::DataType;
use arrow::util::display::{ArrayFormatter, FormatOptions};

use crate::Table;

use super::grid::{self, Cell, Column};
use super::terminal::{Style, printable};

/// No more characters of a cell than this are looked at.
const CELL_CHARACTERS: usize = 120;

/// The first `rows` rows, cut to `width` columns; then what was left out.
pub(super) fn lines(
    table: &Table,
    rows: u64,
    width: usize,
    style: Style,
) -> crate::Result<Vec<String>> {
    let fields = table.schema().fields();
    let head = table.slice(0, rows)?;
    let columns = fields.iter().enumerate().map(|(index, field)| {
        let arrays = head.batches().iter().map(|batch| batch.column(index).as_ref());
        Column {
            name: printable(field.name()),
            right: stands_right(field.data_type()),
            cells: arrays.flat_map(cells).collect(),
        }
    });
    let (mut lines, shown) = grid::lines(columns, width, style);
    let mut rest = Vec::new();
    if table.num_rows() > rows {
        rest.push(count(table.num_rows() - rows, "more row"));
    }
    if fields.len() > shown {
        rest.push(count((fields.len() - shown) as u64, "more column"));
    }
    if !rest.is_empty() {
        lines.push(style.faint(&format!("  … {}", rest.join(", "))));
    }
    Ok(lines)
}

/// `1 row`, `2 rows`.
pub(super) fn count(number: u64, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

fn cells(array: &dyn Array) -> Vec<Cell> {
    let options = FormatOptions::default().with_display_error(true);
    let formatter = ArrayFormatter::try_new(array, &options);
    let nulls = array.logical_nulls();
    let quoting = is_text(array.data_type());
    let cell = |row| {
        if nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            return Cell { text: "null".into(), faint: true };
        }
        match &formatter {
            Ok(formatter) => {
                let text = formatter.value(row).to_string();
                let head: String = text.chars().take(CELL_CHARACTERS).collect();
                Cell::plain(if quoting { unmistakable(&head) } else { printable(&head) })
            }
            Err(_) => Cell { text: "?".into(), faint: true },
        }
    };
    (0..array.len()).map(cell).collect()
}

/// A text that could be taken for a null, or whose blanks could be missed, stands in quotes.
fn unmistakable(text: &str) -> String {
    let text = printable(text);
    if text.is_empty() || text == "null" || text.trim() != text {
        format!("\"{text}\"")
    } else {
        text
    }
}

fn is_text(data_type: &DataType) -> bool {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Dictionary(_, values) => is_text(values),
        DataType::RunEndEncoded(_, values) => is_text(values.data_type()),
        _ => false,
    }
}

fn stands_right(data_type: &DataType) -> bool {
    match data_type {
        DataType::Dictionary(_, values) => stands_right(values),
        DataType::RunEndEncoded(_, values) => stands_right(values.data_type()),
        _ => data_type.is_numeric(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Int64Array, RecordBatch, StringArray};

    use super::*;

    #[test]
    fn nulls_differ_from_texts_that_look_like_them() {
        let texts = StringArray::from(vec![None, Some("null"), Some(""), Some("a\nb")]);
        let numbers = Int64Array::from(vec![Some(1), None, Some(-20), Some(3)]);
        let batch = RecordBatch::try_from_iter([
            ("text", Arc::new(texts) as Arc<dyn Array>),
            ("number", Arc::new(numbers)),
        ])
        .unwrap();
        let table = Table::new("t", batch.schema(), vec![batch]);
        assert_eq!(
            lines(&table, 3, 80, Style::plain()).unwrap(),
            [
                "  text    number",
                "  null         1",
                "  \"null\"    null",
                "  \"\"         -20",
                "  … 1 more row",
            ]
        );
        assert_eq!(lines(&table, 4, 10, Style::plain()).unwrap()[4], "  a\\nb");
        assert_eq!(lines(&table, 4, 10, Style::plain()).unwrap()[5], "  … 1 more column");
    }
}
