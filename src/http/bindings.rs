//! Whether a dataset's encodings fit its tables. The clients do not look, and a wrong column would
//! only show as an empty picture.
//!
//! Takes the encodings of one role and the tables that are there; gives all that is wrong. Checked
//! are the bindings to columns and the attributes of complex encodings; everything else inside
//! encodings is kept unverified.

use serde_json::{Map, Value, json};

use crate::options::nearest;
use crate::store::{Role, StoredTable};

/// Bindings of edges that name a column.
const EDGES: &[&str] = &[
    "source",
    "destination",
    "edge_color",
    "edge_source_color",
    "edge_destination_color",
    "edge_label",
    "edge_opacity",
    "edge_size",
    "edge_title",
    "edge_weight",
    "edge_icon",
];

/// Bindings of nodes that name a column.
const NODES: &[&str] = &[
    "node",
    "node_color",
    "node_label",
    "node_opacity",
    "node_size",
    "node_title",
    "node_weight",
    "node_icon",
    "node_x",
    "node_y",
    "node_longitude",
    "node_latitude",
];

/// What a renderer computes: no column has to have it.
const COMPUTED: &[&str] = &["degree", "degree_in", "degree_out"];

/// Column names listed in a message.
const LISTED: usize = 50;

/// What is wrong with the encodings of one role.
#[derive(Debug, PartialEq)]
pub struct BadBindings {
    /// `Invalid edges bindings` or `Invalid nodes bindings`.
    pub message: &'static str,
    /// The first problem in a sentence.
    pub error_message: String,
    /// The bindings sent, the columns there are, and every problem.
    pub data: Map<String, Value>,
}

/// Checks the encodings of a role against its tables; without tables only their shape.
pub struct Encodings<'a> {
    /// What they are for.
    pub role: Role,
    /// `edge_encodings` or `node_encodings` as sent.
    pub given: Option<&'a Value>,
    /// The tables named for the role.
    pub tables: &'a [&'a StoredTable],
    /// Whether a hypergraph transform makes the edges, so that their columns come later.
    pub hypergraph: bool,
}

impl Encodings<'_> {
    /// `Err` with all that is wrong.
    pub fn check(&self) -> Result<(), BadBindings> {
        let mut problems = Vec::new();
        let bindings = self.given.and_then(|given| given.get("bindings"));
        let bindings = match bindings {
            Some(Value::Object(bindings)) => bindings.clone(),
            _ => {
                let field = format!("{}_encodings", self.noun());
                let text = format!("{field}.bindings is missing, expected an object");
                problems.push(json!({"code": "missing", "message": text}));
                Map::new()
            }
        };
        if problems.is_empty() {
            self.check_required(&bindings, &mut problems);
            self.check_bindings(&bindings, &mut problems);
        }
        if let Some(complex) = self.given.and_then(|given| given.get("complex")) {
            self.check_complex(complex, &mut problems);
        }
        let Some(first) = problems.first() else { return Ok(()) };
        let message = match self.role {
            Role::Edges => "Invalid edges bindings",
            Role::Nodes => "Invalid nodes bindings",
        };
        let error_message = first["message"].as_str().unwrap_or(message).to_owned();
        let data = [
            ("bindings".to_owned(), Value::Object(bindings)),
            ("columns".to_owned(), json!(self.columns())),
            ("errors".to_owned(), Value::Array(problems)),
        ];
        Err(BadBindings { message, error_message, data: data.into_iter().collect() })
    }

    fn check_required(&self, bindings: &Map<String, Value>, problems: &mut Vec<Value>) {
        if self.role == Role::Nodes || self.hypergraph {
            return;
        }
        for binding in ["source", "destination"] {
            if bindings.get(binding).is_none_or(Value::is_null) {
                let text = format!("edge binding {binding:?} is missing");
                problems.push(json!({"code": "missing", "binding": binding, "message": text}));
            }
        }
    }

    fn check_bindings(&self, bindings: &Map<String, Value>, problems: &mut Vec<Value>) {
        let known = match self.role {
            Role::Edges => EDGES,
            Role::Nodes => NODES,
        };
        for (binding, value) in bindings {
            if !known.contains(&binding.as_str()) || value.is_null() {
                continue;
            }
            let is_id = matches!(binding.as_str(), "source" | "destination" | "node");
            let what = format!("{} binding {binding:?}", self.noun());
            match value {
                Value::String(column) => {
                    if is_id || !COMPUTED.contains(&column.as_str()) {
                        problems.extend(self.missing(&what, binding, column, is_id));
                    }
                }
                // A frame's columns may be called 0 and 1; in the file they are text.
                Value::Number(number) => {
                    problems.extend(self.missing(&what, binding, &number.to_string(), is_id));
                }
                other => {
                    let text = format!("{what} is {other}, expected the name of a column");
                    problems
                        .push(json!({"code": "bad_value", "binding": binding, "message": text}));
                }
            }
        }
    }

    fn check_complex(&self, complex: &Value, problems: &mut Vec<Value>) {
        let sets = match complex {
            Value::Null => return,
            Value::Object(sets) => sets,
            _ => {
                let text = format!("{}_encodings.complex is no object", self.noun());
                problems.push(json!({"code": "bad_value", "message": text}));
                return;
            }
        };
        for (set, encodings) in sets {
            if set != "default" && set != "current" {
                let text = format!(
                    "{}_encodings.complex has the key {set:?}, expected default or current",
                    self.noun()
                );
                problems.push(json!({"code": "unknown_key", "message": text}));
                continue;
            }
            for (name, encoding) in encodings.as_object().into_iter().flatten() {
                let Some(Value::String(column)) = encoding.get("attribute") else { continue };
                if name == "pointAxisEncoding" || COMPUTED.contains(&column.as_str()) {
                    continue;
                }
                let what = format!("the attribute of {name}");
                problems.extend(self.missing(&what, name, column, false));
            }
        }
    }

    /// The problem of a column that is not there. An id must be in every table, or its rows would be
    /// of nowhere; for the rest one table is enough.
    fn missing(&self, what: &str, binding: &str, column: &str, is_id: bool) -> Option<Value> {
        let has = |table: &&StoredTable| table.dtypes.contains_key(column);
        let found = match is_id {
            true => self.tables.iter().all(has),
            false => self.tables.iter().any(has),
        };
        if found || self.tables.is_empty() || self.hypergraph && self.role == Role::Edges {
            return None;
        }
        let columns = self.columns();
        let near = nearest(column, columns.iter().copied());
        let list = match columns.len() {
            0..=LISTED => columns.join(", "),
            many => format!("{} and {} more", columns[..LISTED].join(", "), many - LISTED),
        };
        let (table, verb) = match self.tables.len() {
            1 => ("table", "has"),
            _ => ("tables", "have"),
        };
        let role = match self.role {
            Role::Edges => "edges",
            Role::Nodes => "nodes",
        };
        let message = format!("{what} names column {column:?}; the {role} {table} {verb}: {list}");
        let mut problem = json!({
            "code": "unknown_column", "binding": binding, "column": column, "message": message,
        });
        if let Some(near) = near {
            problem["hint"] = format!("did you mean {near}?").into();
            problem["nearest"] = near.into();
        }
        Some(problem)
    }

    /// The columns of all tables, each once.
    fn columns(&self) -> Vec<&str> {
        let mut columns: Vec<&str> = Vec::new();
        let mut seen = std::collections::HashSet::new();
        for column in self.tables.iter().flat_map(|table| table.dtypes.keys()) {
            if seen.insert(column.as_str()) {
                columns.push(column);
            }
        }
        columns
    }

    fn noun(&self) -> &'static str {
        match self.role {
            Role::Edges => "edge",
            Role::Nodes => "node",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(columns: &[&str]) -> StoredTable {
        StoredTable {
            name: "t".into(),
            dtypes: columns.iter().map(|c| ((*c).to_owned(), "object".into())).collect(),
            num_cols: columns.len() as u64,
            num_rows: 1,
            blob: String::new(),
        }
    }

    fn check(role: Role, given: Value, tables: &[&StoredTable]) -> Result<(), BadBindings> {
        Encodings { role, given: Some(&given), tables, hypergraph: false }.check()
    }

    #[test]
    fn a_wrong_column_is_named_with_those_there_are() {
        let edges = table(&["s", "d", "v"]);
        let good = json!({"bindings": {"source": "s", "destination": "d", "edge_size": "degree"}});
        assert_eq!(check(Role::Edges, good, &[&edges]), Ok(()));
        let bad = json!({"bindings": {"source": "zz", "destination": "d"}});
        let bad = check(Role::Edges, bad, &[&edges]).unwrap_err();
        assert_eq!(bad.message, "Invalid edges bindings");
        assert_eq!(
            bad.error_message,
            "edge binding \"source\" names column \"zz\"; the edges table has: s, d, v"
        );
        assert_eq!(bad.data["columns"], json!(["s", "d", "v"]));
    }

    #[test]
    fn ids_must_be_in_every_table_and_the_rest_in_one() {
        let (one, two) = (table(&["s", "d", "v"]), table(&["s", "d"]));
        let given = json!({"bindings": {"source": "s", "destination": "d", "edge_weight": "v"}});
        assert_eq!(check(Role::Edges, given, &[&one, &two]), Ok(()));
        let given = json!({"bindings": {"source": "v", "destination": "d"}});
        assert!(check(Role::Edges, given, &[&one, &two]).is_err());
    }

    #[test]
    fn shapes() {
        assert!(check(Role::Edges, json!({}), &[]).is_err());
        assert!(check(Role::Edges, json!({"bindings": {}}), &[]).is_err());
        assert_eq!(check(Role::Nodes, json!({"bindings": {}}), &[]), Ok(()));
        // Without a nodes table nothing can be said about columns.
        assert_eq!(check(Role::Nodes, json!({"bindings": {"node": "n"}}), &[]), Ok(()));
        let other = json!({"bindings": {}, "complex": {"dflt": {}}});
        assert!(check(Role::Nodes, other, &[]).is_err());
        let hypergraph = json!({"bindings": {}});
        let edges = table(&["a"]);
        let encodings = Encodings {
            role: Role::Edges,
            given: Some(&hypergraph),
            tables: &[&edges],
            hypergraph: true,
        };
        assert_eq!(encodings.check(), Ok(()));
    }

    #[test]
    fn attributes_of_complex_encodings() {
        let nodes = table(&["n", "type"]);
        let of = |attribute: &str, name: &str| {
            let given = json!({
                "bindings": {"node": "n"},
                "complex": {"default": {name: {"attribute": attribute, "mapping": {}}}},
            });
            check(Role::Nodes, given, &[&nodes])
        };
        assert_eq!(of("type", "pointColorEncoding"), Ok(()));
        assert_eq!(of("degree", "pointSizeEncoding"), Ok(()));
        assert_eq!(of("x", "pointAxisEncoding"), Ok(()));
        let bad = of("typ", "pointColorEncoding").unwrap_err();
        assert_eq!(bad.data["errors"][0]["nearest"], "type");
    }
}
