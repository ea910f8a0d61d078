//! Columns of text side by side, as many as the terminal has room for.

use super::terminal::{Style, cut, text_width};

/// No column is wider than this while there is another one to show.
const WIDEST: usize = 40;

/// One column: what is above it and what is in it, ready to print.
pub(super) struct Column {
    /// Above the cells.
    pub name: String,
    /// Whether its cells stand at the right.
    pub right: bool,
    /// One a row.
    pub cells: Vec<Cell>,
}

/// One cell.
pub(super) struct Cell {
    /// What to show.
    pub text: String,
    /// Whether it is only a stand-in, such as a null.
    pub faint: bool,
}

impl Cell {
    /// An ordinary cell.
    pub(super) fn plain(text: impl Into<String>) -> Self {
        Cell { text: text.into(), faint: false }
    }
}

/// Lines of text, and how many of the columns they show: those that fit, at least one.
pub(super) fn lines(
    columns: impl Iterator<Item = Column>,
    width: usize,
    style: Style,
) -> (Vec<String>, usize) {
    let mut lines: Vec<String> = Vec::new();
    let mut shown = 0;
    let mut used = 0;
    for column in columns {
        let texts = column.cells.iter().map(|cell| cell.text.as_str());
        let widest = texts.chain([column.name.as_str()]).map(text_width).max().unwrap_or(0);
        let own = widest.min(WIDEST).min(width.saturating_sub(INDENT.len()));
        if shown > 0 && used + GAP.len() + own > width {
            break;
        }
        let lead = if shown == 0 { INDENT } else { GAP };
        lines.resize(column.cells.len() + 1, String::new());
        let name = pad(&column.name, own, column.right);
        add(&mut lines[0], lead, &style.strong(&name));
        for (line, cell) in lines.iter_mut().skip(1).zip(&column.cells) {
            let text = pad(&cell.text, own, column.right);
            add(line, lead, &if cell.faint { style.faint(&text) } else { text });
        }
        used += lead.len() + own;
        shown += 1;
    }
    for line in &mut lines {
        line.truncate(line.trim_end().len());
    }
    (lines, shown)
}

const INDENT: &str = "  ";
const GAP: &str = "  ";

fn add(line: &mut String, lead: &str, text: &str) {
    line.push_str(lead);
    line.push_str(text);
}

fn pad(text: &str, width: usize, right: bool) -> String {
    let text = cut(text, width);
    let blanks = " ".repeat(width.saturating_sub(text_width(&text)));
    if right { format!("{blanks}{text}") } else { format!("{text}{blanks}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str, right: bool, cells: &[&str]) -> Column {
        let cells = cells.iter().map(|text| Cell::plain(*text)).collect();
        Column { name: name.into(), right, cells }
    }

    #[test]
    fn columns_that_do_not_fit_are_left_out() {
        let columns =
            || [column("id", true, &["1", "10"]), column("city", false, &["Ulm", "東京"])];
        let (all, shown) = lines(columns().into_iter(), 20, Style::plain());
        assert_eq!(all, ["  id  city", "   1  Ulm", "  10  東京"]);
        assert_eq!(shown, 2);
        let (narrow, shown) = lines(columns().into_iter(), 9, Style::plain());
        assert_eq!(narrow, ["  id", "   1", "  10"]);
        assert_eq!(shown, 1);
    }
}
