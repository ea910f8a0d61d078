//! Layouts by the outline: what an object is that is no row among others.

use std::collections::HashMap;

use super::outline::{Item, Sort};
use super::wrapper;

/// A layout, by pandas' name for it where it has one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// An array of rows.
    Records,
    /// An object of arrays; scalars are repeated down the column.
    Columnar,
    /// An object of names, rows as arrays, and perhaps row labels; the keys of the first two.
    Split(String, String),
    /// An object of rows, by their labels.
    Index,
    /// An object of columns, each an object of values by row label.
    Columns,
    /// Rows, and a schema that declares their types.
    Table,
    /// An object that is one row.
    Row,
    /// A value that is neither object nor array.
    Scalar,
}

impl Layout {
    /// Its name in reports.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Layout::Records => "records",
            Layout::Columnar => "columnar",
            Layout::Split(..) => "split",
            Layout::Index => "index",
            Layout::Columns => "columns",
            Layout::Table => "table",
            Layout::Row => "row",
            Layout::Scalar => "scalar",
        }
    }
}

/// Keys that say who sent the data, and are no columns.
pub(super) fn is_agent(key: &str) -> bool {
    matches!(key, "agent_name" | "agent_version")
}

/// Whether an object is a table by Frictionless' schema, as pandas writes it.
pub(super) fn is_table(root: &Item<'_>) -> bool {
    let fields = root.get("schema").and_then(|schema| schema.get("fields"));
    fields.is_some_and(|fields| fields.sort == Sort::Array)
        && root.get("data").is_some_and(|data| data.sort == Sort::Array)
}

/// The keys of names and rows in an object that holds both.
pub(super) fn split(root: &Item<'_>) -> Option<Layout> {
    let names = ["columns", "fields", "headers", "header", "column_names", "names", "cols"];
    let array = |key: &str| root.get(key).filter(|item| item.sort == Sort::Array);
    let rows = ["data", "rows", "values"].into_iter().find_map(|key| {
        array(key).filter(|rows| rows.arrays == rows.count).map(|rows| (key, rows))
    });
    let names = names.into_iter().find_map(|key| {
        let names = array(key)?;
        // Pandas' own names may be numbers, or arrays where they have several levels.
        let fits = key == "columns" || names.inner.iter().all(|name| name.sort == Sort::Text);
        (fits && names.objects == 0).then_some((key, names))
    });
    let ((data, rows), (columns, names)) = (rows?, names?);
    let fits = rows.inner.iter().all(|row| row.count <= names.count);
    let is_pandas = (columns, data) == ("columns", "data");
    (is_pandas || rows.count > 0 && fits).then(|| Layout::Split(columns.into(), data.into()))
}

/// Whether an object of arrays is columns.
///
/// All arrays are equally long, at least one holds something else than objects, and there are not
/// more scalars beside them than arrays, or at least two arrays of two values: a record with a
/// list or two stays a record. A sender's name settles it.
pub(super) fn is_columnar(root: &Item<'_>) -> bool {
    let arrays = || root.inner.iter().filter(|item| item.sort == Sort::Array);
    let Some(first) = arrays().next() else { return false };
    if root.inner.iter().any(|item| item.sort == Sort::Object) {
        return false;
    }
    if root.inner.iter().any(|item| is_agent(&item.name())) {
        return true;
    }
    let columns = arrays().count();
    // Rows as arrays, under a name for rows.
    let of_arrays = first.count > 0 && first.arrays == first.count;
    if columns == 1 && of_arrays && wrapper::is_for_rows(&first.name()) {
        return false;
    }
    let scalars = root.inner.len() - columns;
    let rows = first.count;
    let is_level = arrays().all(|array| array.count == rows);
    let has_plain = arrays().any(|array| array.objects < array.count || array.count == 0);
    let is_wide = columns >= scalars || columns >= 2 && rows >= 2;
    is_level && has_plain && is_wide && (rows > 0 || scalars == 0)
}

/// Whether an object is columns that are not equally long; none of them empty, as a list may be.
pub(super) fn is_uneven(root: &Item<'_>) -> bool {
    let is_column =
        |item: &Item<'_>| item.sort == Sort::Array && item.count > 0 && item.objects == 0;
    root.inner.len() > 1 && root.inner.iter().all(is_column)
}

/// Whether an object of objects is rows by label, columns by label, or one row.
///
/// Rows where the values under one inner key are of one kind and those under one outer key are not;
/// columns where it is the other way round, or where nothing settles it, as in pandas. Labels that
/// only count from 0 are row labels. Objects that share few keys are one row.
pub(super) fn by_label(root: &Item<'_>) -> Layout {
    let objects = &root.inner;
    let mut inner: HashMap<&[u8], u8> = HashMap::new();
    let (mut values, mut outer_is_even) = (0, true);
    for object in objects {
        let mut of_object = 0u8;
        for value in &object.inner {
            let kind = kind(value.sort);
            *inner.entry(value.key).or_default() |= kind;
            of_object |= kind;
            values += 1;
        }
        outer_is_even &= of_object.count_ones() <= 1;
    }
    let inner_is_even = inner.values().all(|kinds| kinds.count_ones() <= 1);
    let counts_inside = objects.iter().all(|object| counts(&object.inner));
    // An empty frame; one object with nothing in it is a field of a row.
    if values == 0 {
        return if objects.len() == 1 { Layout::Row } else { Layout::Columns };
    }
    if counts_inside && (outer_is_even || !counts(objects)) {
        return Layout::Columns;
    }
    if counts(objects) && inner_is_even {
        return Layout::Index;
    }
    let share_keys = values * 2 > objects.len() * inner.len() && objects.len() > 1;
    let are_many = inner_is_even && objects.len() >= 20;
    if !share_keys && !are_many {
        return Layout::Row;
    }
    if inner_is_even && !outer_is_even { Layout::Index } else { Layout::Columns }
}

/// A bit for each kind of value; nothing for null.
fn kind(sort: Sort) -> u8 {
    match sort {
        Sort::Null => 0,
        Sort::Bool => 1,
        Sort::Number => 2,
        Sort::Text => 4,
        Sort::Array => 8,
        Sort::Object => 16,
    }
}

/// Whether keys are 0, 1, 2, …
fn counts(items: &[Item<'_>]) -> bool {
    let is_its = |(index, item): (usize, &Item<'_>)| item.key == index.to_string().as_bytes();
    !items.is_empty() && items.iter().enumerate().all(is_its)
}

#[cfg(test)]
mod tests {
    use super::super::outline::outline;
    use super::*;

    fn root(text: &str) -> Item<'_> {
        outline(text.as_bytes(), 0).unwrap()
    }

    #[test]
    fn objects_of_objects() {
        for (text, expected) in [
            (r#"{"a": {"0": 1, "1": 2}, "b": {"0": "x", "1": "y"}}"#, Layout::Columns),
            (r#"{"a": {"u": 1, "v": 2}, "b": {"u": "x", "v": "y"}}"#, Layout::Columns),
            (r#"{"u": {"a": 1, "b": "x"}, "v": {"a": 2, "b": "y"}}"#, Layout::Index),
            (r#"{"0": {"a": 1, "b": 2}, "1": {"a": 2, "b": 3}}"#, Layout::Index),
            (r#"{"u": {"a": 1, "b": 2}, "v": {"a": 2, "b": 3}}"#, Layout::Columns),
            (r#"{"a": {"0": 1}}"#, Layout::Columns),
            (r#"{"user": {"id": 1, "name": "x"}}"#, Layout::Row),
            (r#"{"request": {"url": "x"}, "response": {"code": 1}}"#, Layout::Row),
            (r#"{"a": {}, "b": {}}"#, Layout::Columns),
            (r#"{"a": {}}"#, Layout::Row),
        ] {
            assert_eq!(by_label(&root(text)), expected, "{text}");
        }
    }

    #[test]
    fn objects_of_arrays() {
        for (text, expected) in [
            (r#"{"a": [1, 2], "b": [3, 4]}"#, true),
            (r#"{"a": [1, 2], "b": [3, 4], "c": 5, "d": 6, "e": 7}"#, true),
            (r#"{"v": [1], "agent_name": "x", "agent_version": "1"}"#, true),
            (r#"{"v": [], "w": []}"#, true),
            (r#"{"a": [1, 2], "b": [3]}"#, false),
            (r#"{"id": 1, "name": "x", "tags": ["a", "b"]}"#, false),
            (r#"{"id": 1, "tags": []}"#, false),
            (r#"{"data": [{"a": 1}]}"#, false),
            (r#"{"data": [[1, 2], [3, 4]]}"#, false),
            (r#"{"data": [[1, 2], [3, 4]], "meta": 1}"#, false),
            (r#"{"boxes": [[1, 2], [3, 4]]}"#, true),
        ] {
            assert_eq!(is_columnar(&root(text)), expected, "{text}");
        }
    }

    #[test]
    fn names_and_rows() {
        for text in [
            r#"{"columns": ["a", "b"], "index": [0], "data": [[1, 2]]}"#,
            r#"{"columns": ["a"], "data": []}"#,
            r#"{"header": ["a", "b"], "rows": [[1, 2], [3]]}"#,
        ] {
            assert!(split(&root(text)).is_some(), "{text}");
        }
        for text in [
            r#"{"header": ["a", "b"], "rows": [[1, 2, 3]]}"#,
            r#"{"columns": ["a"], "data": [{"a": 1}]}"#,
            r#"{"names": ["a"], "values": [1]}"#,
        ] {
            assert!(split(&root(text)).is_none(), "{text}");
        }
    }
}
