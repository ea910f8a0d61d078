//! Fields of a JSON body, read one by one; all bad ones are refused at once.

use serde_json::{Map, Value};

use super::body::python_type;
use super::error::{ApiError, ApiResult};
use crate::limits::Limits;
use crate::options::{ParserOptions, Transforms};

/// Characters of a name.
const NAME_CHARACTERS: usize = 1_000;
/// Characters of a description.
const DESCRIPTION_CHARACTERS: usize = 65_536;

/// The types that a file may be declared to have.
pub const FILE_TYPES: &[&str] = &["arrow", "csv", "json", "orc", "parquet", "xls", "xlsx"];
/// The compressions that a file may be declared to have.
pub const FILE_COMPRESSIONS: &[&str] = &["", "gzip", "bz2", "zip", "xz"];

const REQUIRED: &str = "This field is required.";
const NOT_NULL: &str = "This field may not be null.";

/// The fields of a body, and what is wrong with those read so far.
#[derive(Debug)]
pub struct Fields {
    given: Map<String, Value>,
    problems: Map<String, Value>,
}

impl Fields {
    /// The fields of this object.
    pub fn new(given: Map<String, Value>) -> Self {
        Fields { given, problems: Map::new() }
    }

    /// All that was given.
    pub fn given(&self) -> &Map<String, Value> {
        &self.given
    }

    /// 400 if anything was wrong.
    pub fn check(&mut self) -> ApiResult<()> {
        if self.problems.is_empty() {
            return Ok(());
        }
        Err(ApiError::fields(std::mem::take(&mut self.problems)))
    }

    /// Notes what is wrong with a field.
    pub fn refuse(&mut self, field: &str, message: impl Into<String>) {
        let messages = self.problems.entry(field).or_insert_with(|| Value::Array(Vec::new()));
        if let Value::Array(messages) = messages {
            messages.push(Value::String(message.into()));
        }
    }

    /// A text that must be there and not be empty.
    pub fn required_text(&mut self, field: &str) -> String {
        match self.given.get(field) {
            None => self.refuse(field, REQUIRED),
            Some(Value::Null) => self.refuse(field, NOT_NULL),
            Some(Value::String(text)) if text.is_empty() => {
                self.refuse(field, "This field may not be blank.");
            }
            Some(Value::String(text)) => return text.clone(),
            Some(_) => self.refuse(field, "Not a valid string."),
        }
        String::new()
    }

    /// A text; absent, null and empty are the same.
    pub fn optional_text(&mut self, field: &str) -> Option<String> {
        let text = self.text(field, NAME_CHARACTERS)?;
        (!text.is_empty()).then_some(text)
    }

    /// `name`, or any other short text; null is the empty one, `None` means not given.
    pub fn name(&mut self, field: &str) -> Option<String> {
        self.text(field, NAME_CHARACTERS)
    }

    /// `description`; null is the empty one, `None` means not given.
    pub fn description(&mut self) -> Option<String> {
        self.text("description", DESCRIPTION_CHARACTERS)
    }

    fn text(&mut self, field: &str, characters: usize) -> Option<String> {
        match self.given.get(field)? {
            Value::Null => Some(String::new()),
            Value::String(text) if text.chars().count() <= characters => Some(text.clone()),
            Value::String(_) => {
                let message =
                    format!("Ensure this field has no more than {characters} characters.");
                self.refuse(field, message);
                None
            }
            _ => {
                self.refuse(field, "Not a valid string.");
                None
            }
        }
    }

    /// `file_type`, which cannot be null; `None` means not given.
    pub fn file_type(&mut self) -> Option<String> {
        match self.given.get("file_type")? {
            Value::Null => {
                self.refuse("file_type", NOT_NULL);
                None
            }
            _ => self.choice("file_type", FILE_TYPES),
        }
    }

    /// `file_type` where it must be given.
    pub fn required_file_type(&mut self) -> String {
        if !self.given.contains_key("file_type") {
            self.refuse("file_type", REQUIRED);
        }
        self.file_type().unwrap_or_default()
    }

    /// `file_compression`; null is none, `None` means not given.
    pub fn file_compression(&mut self) -> Option<String> {
        match self.given.get("file_compression")? {
            Value::Null => Some(String::new()),
            _ => self.choice("file_compression", FILE_COMPRESSIONS),
        }
    }

    fn choice(&mut self, field: &str, choices: &[&str]) -> Option<String> {
        let value = self.given.get(field)?;
        if let Value::String(text) = value
            && choices.contains(&text.as_str())
        {
            return Some(text.clone());
        }
        let shown = match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let message = format!("\"{}\" is not a valid choice.", clipped(&shown));
        self.refuse(field, message);
        None
    }

    /// `parser_options`, every known one with a possible value; null is none, `None` means not given.
    pub fn parser_options(&mut self) -> Option<Map<String, Value>> {
        match self.given.get("parser_options")? {
            Value::Null => Some(Map::new()),
            Value::Object(options) => {
                let options = options.clone();
                let problems = ParserOptions::from_json(&options).err().unwrap_or_default();
                for problem in &problems {
                    self.refuse("parser_options", problem.to_string());
                }
                problems.is_empty().then_some(options)
            }
            other => {
                let message = format!(
                    "Expected a dictionary of items but got type \"{}\".",
                    python_type(other)
                );
                self.refuse("parser_options", message);
                None
            }
        }
    }

    /// `sql_transforms`, exactly as given; only its shape and size are checked. `None` means not
    /// given.
    pub fn sql_transforms(&mut self, limits: &Limits) -> Option<Value> {
        let value = self.given.get("sql_transforms")?.clone();
        let problem = match Transforms::from_json(&value) {
            Err(error) => Some(error.to_string()),
            Ok(steps) if steps.len() > limits.sql_steps => {
                Some(format!("got {} steps, allowed are {}", steps.len(), limits.sql_steps))
            }
            Ok(steps) => {
                steps.iter().position(|step| step.sql.len() > limits.sql_text_bytes).map(|index| {
                    let allowed = limits.sql_text_bytes;
                    format!("step {}: the SQL is over {allowed} bytes", index + 1)
                })
            }
        };
        match problem {
            Some(problem) => {
                self.refuse("sql_transforms", problem);
                None
            }
            None => Some(value),
        }
    }

    /// An object; absent and null are the empty one.
    pub fn object(&mut self, field: &str) -> Map<String, Value> {
        match self.given.get(field) {
            None | Some(Value::Null) => Map::new(),
            Some(Value::Object(object)) => object.clone(),
            Some(other) => {
                let message = format!(
                    "Expected a dictionary of items but got type \"{}\".",
                    python_type(other)
                );
                self.refuse(field, message);
                Map::new()
            }
        }
    }
}

fn clipped(text: &str) -> String {
    if text.chars().count() > 60 {
        text.chars().take(60).chain(['…']).collect()
    } else {
        text.into()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fields(given: Value) -> Fields {
        Fields::new(given.as_object().unwrap().clone())
    }

    #[test]
    fn all_problems_at_once() {
        let mut fields = fields(json!({
            "file_type": "foo", "file_compression": 3, "name": ["x"],
            "parser_options": {"sep": 3, "unknown": 1}, "sql_transforms": 7,
        }));
        fields.required_file_type();
        fields.file_compression();
        fields.name("name");
        fields.parser_options();
        fields.sql_transforms(&Limits::default());
        let problems = Value::Object(fields.problems.clone());
        assert_eq!(problems["file_type"], json!(["\"foo\" is not a valid choice."]));
        assert_eq!(problems["file_compression"], json!(["\"3\" is not a valid choice."]));
        assert_eq!(problems["name"], json!(["Not a valid string."]));
        assert_eq!(problems["parser_options"], json!(["sep: got 3, expected a string"]));
        assert!(problems["sql_transforms"][0].as_str().unwrap().starts_with("step 1: "));
        assert!(fields.check().is_err());
    }

    #[test]
    fn null_is_the_default_but_not_for_the_type() {
        let mut fields = fields(json!({
            "file_type": null, "file_compression": null, "name": null, "parser_options": null,
            "sql_transforms": null,
        }));
        assert_eq!(fields.file_compression().as_deref(), Some(""));
        assert_eq!(fields.name("name").as_deref(), Some(""));
        assert_eq!(fields.parser_options(), Some(Map::new()));
        assert_eq!(fields.sql_transforms(&Limits::default()), Some(Value::Null));
        assert!(fields.check().is_ok());
        assert_eq!(fields.file_type(), None);
        assert!(fields.check().is_err());
    }

    #[test]
    fn sql_has_bounds() {
        let limits = Limits { sql_steps: 1, sql_text_bytes: 10, ..Limits::default() };
        let mut many = fields(json!({"sql_transforms": ["SELECT 1", "SELECT 1"]}));
        assert_eq!(many.sql_transforms(&limits), None);
        let mut long = fields(json!({"sql_transforms": "SELECT 1234567"}));
        assert_eq!(long.sql_transforms(&limits), None);
    }
}
