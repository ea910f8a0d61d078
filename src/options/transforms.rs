//! The shapes in which SQL steps may be given. The SQL itself is judged when it runs.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::values::show;

/// One SQL query and the name of the table it makes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// The query.
    pub sql: String,
    /// The resulting table's name; without one the result replaces the current table.
    pub name: Option<String>,
}

/// SQL steps over the tables of a file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Transforms {
    /// No SQL.
    #[default]
    None,
    /// Steps in order, beginning with the first table as the current one.
    Steps(Vec<Step>),
    /// Steps per table, in the order given.
    PerTable(Vec<(String, Vec<Step>)>),
}

/// A value that is none of the shapes, and where.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{0}")]
pub struct ShapeError(pub String);

impl Transforms {
    /// Reads any of the documented shapes: text, `{"sql", "name"}`, a list of both, or an object
    /// from table name to those. `null`, `""`, `[]` and `{}` mean none.
    ///
    /// ```
    /// use tablemill::options::Transforms;
    /// let steps = Transforms::from_json(&serde_json::json!(["SELECT 1 AS a"])).unwrap();
    /// assert_eq!(steps.len(), 1);
    /// ```
    pub fn from_json(value: &Value) -> Result<Self, ShapeError> {
        match value {
            Value::Null => Ok(Transforms::None),
            Value::String(sql) if sql.is_empty() => Ok(Transforms::None),
            Value::Array(items) if items.is_empty() => Ok(Transforms::None),
            Value::Object(map) if map.is_empty() => Ok(Transforms::None),
            Value::Object(map) if !is_step(map) => {
                let mut count = 0;
                let mut tables = Vec::new();
                for (table, value) in map {
                    tables.push((table.clone(), steps(value, &mut count)?));
                }
                Ok(Transforms::PerTable(tables))
            }
            _ => Ok(Transforms::Steps(steps(value, &mut 0)?)),
        }
    }

    /// How many steps there are.
    pub fn len(&self) -> usize {
        self.iter().count()
    }

    /// Whether there is no step.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The steps in the order in which they run.
    pub fn iter(&self) -> Box<dyn Iterator<Item = &Step> + '_> {
        match self {
            Transforms::None => Box::new(std::iter::empty()),
            Transforms::Steps(steps) => Box::new(steps.iter()),
            Transforms::PerTable(tables) => Box::new(tables.iter().flat_map(|(_, steps)| steps)),
        }
    }
}

/// An object with a text `sql`, and besides at most a `name`, is a step, not a map of tables.
fn is_step(map: &Map<String, Value>) -> bool {
    map.contains_key("sql") && map.keys().all(|key| key == "sql" || key == "name")
}

fn steps(value: &Value, count: &mut usize) -> Result<Vec<Step>, ShapeError> {
    match value {
        Value::Array(items) => items.iter().map(|item| step(item, count)).collect(),
        _ => Ok(vec![step(value, count)?]),
    }
}

fn step(value: &Value, count: &mut usize) -> Result<Step, ShapeError> {
    *count += 1;
    let problem = |text: String| ShapeError(format!("step {count}: {text}"));
    let (sql, name) = match value {
        Value::String(sql) => (sql, None),
        Value::Object(map) => {
            if let Some(key) = map.keys().find(|key| *key != "sql" && *key != "name") {
                return Err(problem(format!("unknown key {key:?}, expected sql and name")));
            }
            let Some(Value::String(sql)) = map.get("sql") else {
                return Err(problem("expected a text under \"sql\"".into()));
            };
            match map.get("name") {
                None | Some(Value::Null) => (sql, None),
                Some(Value::String(name)) if !name.is_empty() => (sql, Some(name.clone())),
                Some(other) => {
                    return Err(problem(format!(
                        "name: got {}, expected a text that is not empty",
                        show(other)
                    )));
                }
            }
        }
        other => {
            return Err(problem(format!(
                "got {}, expected SQL text or {{\"sql\": …, \"name\": …}}",
                show(other)
            )));
        }
    };
    if sql.trim().is_empty() {
        return Err(problem("the SQL is empty".into()));
    }
    Ok(Step { sql: sql.clone(), name })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_documented_shape() {
        for (value, steps) in [
            (json!(null), 0),
            (json!([]), 0),
            (json!({}), 0),
            (json!(""), 0),
            (json!("SELECT 1"), 1),
            (json!(["SELECT 1", {"sql": "SELECT 2", "name": "n"}]), 2),
            (json!({"Sheet1": "SELECT 1", "Orders": ["SELECT 2", {"sql": "SELECT 3"}]}), 3),
            (json!({"sql": "SELECT 1", "name": "x"}), 1),
        ] {
            assert_eq!(Transforms::from_json(&value).unwrap().len(), steps, "{value}");
        }
        assert!(matches!(
            Transforms::from_json(&json!({"sql": "SELECT 1"})).unwrap(),
            Transforms::Steps(_)
        ));
    }

    #[test]
    fn other_shapes_are_refused_with_the_step() {
        for value in
            [json!(3), json!([["SELECT 1"]]), json!([{"sql": ""}]), json!([{"sql": "x", "nam": 1}])]
        {
            let error = Transforms::from_json(&value).unwrap_err().to_string();
            assert!(error.starts_with("step 1: "), "{error}");
        }
    }
}
