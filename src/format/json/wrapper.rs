//! Which array holds the rows in a document that wraps them.
//!
//! The longest array of objects that is reached by keys alone. An answer of a web service has little
//! else; but a record may have small lists of its own, and stays one row. So, in this order:
//!
//! 1. ten rows or more, that take at least a third of the document's bytes, are the table;
//! 2. beside an identifier (`id`, `order_id`) they are a list of that record;
//! 3. under a name that such answers give to rows (`data`, `results`, `items`, …) they are the table;
//! 4. beside a name of something (`name`, `title`, `email`) they are a list of that record;
//! 5. two rows or more, that take at least a third of the bytes, are the table.

use super::outline::{Item, Sort};

/// What answers call their rows.
const ROWS: &[&str] = &[
    "content",
    "data",
    "docs",
    "documents",
    "elements",
    "entities",
    "entries",
    "entry",
    "features",
    "hits",
    "items",
    "list",
    "objects",
    "observations",
    "payload",
    "records",
    "resources",
    "result",
    "results",
    "rows",
    "statuses",
    "value",
    "values",
];
/// What stands beside rows in answers, and may be longer.
const COMPANIONS: &[&str] = &[
    "aggregations",
    "columns",
    "errors",
    "facets",
    "fields",
    "included",
    "includes",
    "links",
    "_links",
    "schema",
    "warnings",
];
/// Words in identifiers of the answer, or of a page of it, rather than of what it is about.
const OF_THE_ANSWER: &[&str] = &[
    "correlation",
    "cursor",
    "first",
    "last",
    "max",
    "min",
    "next",
    "page",
    "prev",
    "request",
    "response",
    "scroll",
    "session",
    "since",
    "span",
    "trace",
];
/// What things and people are called by.
const NAMES: &[&str] =
    &["email", "first_name", "firstName", "last_name", "name", "title", "username"];

/// Objects nested deeper than this are not searched.
const DEEPEST: usize = 6;

/// An array, and the keys that lead to it.
#[derive(Clone, Debug)]
pub(super) struct Found<'o, 'a> {
    pub path: Vec<String>,
    pub array: &'o Item<'a>,
}

impl Found<'_, '_> {
    fn key(&self) -> &str {
        self.path.last().map_or("", String::as_str)
    }

    fn is_companion(&self) -> bool {
        self.path.iter().any(|key| COMPANIONS.contains(&key.as_str()))
    }
}

/// The array of rows in an object; `forced` where an option says that there is one.
pub(super) fn rows_in<'o, 'a>(root: &'o Item<'a>, forced: bool) -> Option<Found<'o, 'a>> {
    let mut all = Vec::new();
    collect(root, &mut Vec::new(), &mut all);
    let is_main = |found: &&Found<'_, '_>| !found.is_companion();
    let has_main = all.iter().any(|found| is_main(&found) && found.array.count > 0);
    let candidates = all.iter().filter(|found| !has_main || is_main(found));
    // The first of equally long ones.
    let longest = candidates.rev().max_by_key(|found| found.array.count)?;
    (forced || is_table(longest, &all, root)).then(|| longest.clone())
}

fn collect<'o, 'a>(object: &'o Item<'a>, path: &mut Vec<String>, all: &mut Vec<Found<'o, 'a>>) {
    for item in &object.inner {
        path.push(item.name().into_owned());
        let of_objects = item.objects > 0 && item.objects + item.nulls == item.count;
        let of_arrays = item.arrays > 0 && item.arrays == item.count;
        let has_name = is_for_rows(&item.name());
        let is_empty = item.count == 0 && is_alone(object);
        match item.sort {
            Sort::Array if of_objects || has_name && (of_arrays || is_empty) => {
                all.push(Found { path: path.clone(), array: item });
            }
            Sort::Object if path.len() < DEEPEST => collect(item, path, all),
            _ => {}
        }
        path.pop();
    }
}

/// Whether an object has one array.
fn is_alone(object: &Item<'_>) -> bool {
    object.inner.iter().filter(|item| item.sort == Sort::Array).count() == 1
}

/// Whether answers call their rows so.
pub(super) fn is_for_rows(key: &str) -> bool {
    ROWS.contains(&key)
}

fn is_table(found: &Found<'_, '_>, all: &[Found<'_, '_>], root: &Item<'_>) -> bool {
    // Several records side by side, each with a list of the same name.
    let is_like = |other: &&Found<'_, '_>| {
        other.path != found.path
            && other.path.len() == found.path.len()
            && other.key() == found.key()
    };
    if all.iter().any(|other| is_like(&other)) {
        return false;
    }
    // What goes with rows is no table beside something else.
    let is_scalar = |item: &Item<'_>| !matches!(item.sort, Sort::Array | Sort::Object);
    let mut others =
        root.inner.iter().filter(|item| !found.path.iter().any(|key| *key == item.name()));
    if found.is_companion() && !others.all(is_scalar) {
        return false;
    }
    let (mut has_identifier, mut has_name) = (false, false);
    let mut object = root;
    for key in &found.path {
        has_identifier |= object.inner.iter().any(|item| is_identifier(&item.name()));
        has_name |= object
            .inner
            .iter()
            .any(|item| NAMES.contains(&&*item.name()) && item.sort == Sort::Text);
        let Some(next) = object.get(key) else { return false };
        object = next;
    }
    let rows = found.array.count;
    let is_most = found.array.bytes() * 3 >= root.bytes();
    match () {
        () if rows >= 10 && is_most => true,
        () if has_identifier => false,
        () if is_for_rows(found.key()) => true,
        () if has_name => false,
        () => rows >= 2 && is_most,
    }
}

fn is_identifier(key: &str) -> bool {
    let stem = key.strip_suffix("_id").or_else(|| key.strip_suffix("Id"));
    match stem {
        Some(stem) => {
            let stem = stem.to_lowercase();
            !stem.split('_').any(|word| OF_THE_ANSWER.contains(&word))
        }
        None => matches!(key, "id" | "ID" | "uuid" | "guid"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::outline::outline;
    use super::*;

    fn path(text: &str) -> Option<String> {
        let root = outline(text.as_bytes(), 0).unwrap();
        rows_in(&root, false).map(|found| found.path.join("."))
    }

    #[test]
    fn answers_and_records() {
        for (text, expected) in [
            (r#"{"data": [{"a": 1}], "meta": {"page": 1}}"#, Some("data")),
            (
                r#"{"response": {"numFound": 2, "docs": [{"a": 1}, {"a": 2}]}}"#,
                Some("response.docs"),
            ),
            (r#"{"results": {"items": [{"a": 1}, {"a": 2}]}}"#, Some("results.items")),
            (r#"{"took": 5, "hits": {"total": 1, "hits": [{"_id": "x"}]}}"#, Some("hits.hits")),
            (r#"{"count": 2, "people": [{"n": "Ann"}, {"n": "Ed"}]}"#, Some("people")),
            (r#"{"jsonrpc": "2.0", "request_id": 7, "result": [{"a": 1}]}"#, Some("result")),
            (r#"{"data": [{"a": 1}], "included": [{"b": 1}, {"b": 2}]}"#, Some("data")),
            (r#"{"count": 0, "results": []}"#, Some("results")),
            (r#"{"data": [], "meta": {"n": 0}}"#, Some("data")),
            (r#"{"meta": {"view": 1}, "data": [[1, 2], [3, 4]]}"#, Some("data")),
            (r#"{"small": [{"a": 1}], "long": [{"a": 1}, {"a": 2}, {"a": 3}]}"#, Some("long")),
            (r#"{"id": 1, "tags": [{"a": 1}]}"#, None),
            (r#"{"id": 1, "items": [{"sku": 1}, {"sku": 2}]}"#, None),
            (r#"{"order_id": 1, "items": [{"sku": 1}, {"sku": 2}]}"#, None),
            (r#"{"name": "Ann", "phones": [{"n": 1}, {"n": 2}]}"#, None),
            (r#"{"message": "no such page", "errors": [{"code": 404}]}"#, None),
            (r#"{"a": {"items": [{"b": 1}]}, "c": {"items": [{"b": 1}]}}"#, None),
            (r#"{"data": {"id": 1}, "included": [{"b": 1}, {"b": 2}]}"#, None),
            (r#"{"links": [{"href": "x"}, {"href": "y"}]}"#, Some("links")),
            (r#"{"tags": ["a", "b"]}"#, None),
        ] {
            assert_eq!(path(text).as_deref(), expected, "{text}");
        }
        let tracks: Vec<String> = (0..12).map(|n| format!("{{\"track\": {n}}}")).collect();
        let playlist = format!("{{\"id\": 1, \"tracks\": [{}]}}", tracks.join(","));
        assert_eq!(path(&playlist).as_deref(), Some("tracks"));
    }
}
