//! SQL over the tables of a file: read-only, bounded in memory and time.
//!
//! Takes tables and steps, gives the tables after them. Refuses anything but one query a step over
//! the file's own tables; a failing step leaves nothing changed.

/// Bytes of stack that a run's own threads reserve.
pub(crate) const STACKS: u64 = 2 << 30;

#[cfg(feature = "sql")]
mod bounded;
#[cfg(feature = "sql")]
mod check;
#[cfg(feature = "sql")]
mod columns;
#[cfg(feature = "sql")]
mod error;
#[cfg(feature = "sql")]
mod run;

use crate::context::Context;
use crate::error::Result;
use crate::options::Transforms;
use crate::table::Table;

#[cfg(feature = "sql")]
pub(crate) use steps::apply;
#[cfg(feature = "sql")]
pub use steps::query;

#[cfg(feature = "sql")]
mod steps {
    use super::*;
    use crate::limits::Limits;
    use crate::naming::{bad_zone, rename_columns, unique_columns, without_nuls};
    use crate::options::Step;
    use crate::report::{Code, Issue, Stage};

    /// Runs all steps.
    pub(crate) fn apply(
        tables: Vec<Table>,
        transforms: &Transforms,
        context: &mut Context<'_>,
    ) -> Result<Vec<Table>> {
        check_size(transforms, context.limits)?;
        let mut tables = tables;
        let mut number = 0;
        match transforms {
            Transforms::None => {}
            Transforms::Steps(steps) => {
                run_steps(&mut tables, 0, steps, &mut number, context.limits)?;
            }
            Transforms::PerTable(by_table) => {
                let known: Vec<String> = tables.iter().map(|t| t.name().to_owned()).collect();
                for (name, steps) in by_table {
                    let current = tables.iter().position(|table| table.name() == name);
                    let current = current
                        .filter(|_| known.contains(name))
                        .ok_or_else(|| super::error::unknown_table(name, &known).step(number))?;
                    run_steps(&mut tables, current, steps, &mut number, context.limits)?;
                }
            }
        }
        Ok(tables)
    }

    /// Runs one query over tables: each under its own name, the first also as `data`.
    ///
    /// ```
    /// # use tablemill::{Limits, Options, Source, ingest, query};
    /// let limits = Limits::default();
    /// let file = Source::bytes("a,b\n1,x\n2,y\n").named("t.csv");
    /// let tables = ingest(file, &Options::default(), &limits)?.tables;
    /// let result = query(tables, "SELECT sum(a) AS total FROM t", &limits)?;
    /// assert_eq!(result.num_rows(), 1);
    /// # Ok::<(), tablemill::Error>(())
    /// ```
    pub fn query(tables: Vec<Table>, sql: &str, limits: &Limits) -> Result<Table> {
        run_one(&tables, 0, sql, "result", limits)
    }

    fn check_size(transforms: &Transforms, limits: &Limits) -> Result<()> {
        if transforms.len() > limits.sql_steps {
            let message =
                format!("{} SQL steps, allowed are {}", transforms.len(), limits.sql_steps);
            return Err(Issue::limit(Code::TooManyTables, message, "sql_steps").into());
        }
        let longest = transforms.iter().map(|step| step.sql.len()).max().unwrap_or_default();
        if longest > limits.sql_text_bytes {
            let message = format!("{longest} bytes of SQL, allowed are {}", limits.sql_text_bytes);
            return Err(Issue::limit(Code::ValueTooLarge, message, "sql_text_bytes").into());
        }
        Ok(())
    }

    fn run_steps(
        tables: &mut Vec<Table>,
        mut current: usize,
        steps: &[Step],
        number: &mut u64,
        limits: &Limits,
    ) -> Result<()> {
        for step in steps {
            let name = match (&step.name, tables.get(current)) {
                (Some(name), _) => name.clone(),
                (None, Some(table)) => table.name().to_owned(),
                (None, None) => "data".to_owned(),
            };
            let result = run_one(tables, current, &step.sql, &name, limits)
                .map_err(|error| error.map_issue(|issue| issue.step(*number)))?;
            match tables.iter().position(|table| table.name() == name) {
                Some(index) => {
                    tables[index] = result;
                    current = index;
                }
                None => {
                    tables.push(result);
                    current = tables.len() - 1;
                }
            }
            if tables.len() > limits.tables {
                let message = format!("more than {} tables", limits.tables);
                return Err(Issue::limit(Code::TooManyTables, message, "tables").into());
            }
            *number += 1;
        }
        Ok(())
    }

    fn run_one(
        tables: &[Table],
        current: usize,
        sql: &str,
        name: &str,
        limits: &Limits,
    ) -> Result<Table> {
        let (schema, batches) = super::run::run(sql, tables, current, limits)?;
        if schema.fields().is_empty() {
            let issue = Issue::error(Stage::Transform, Code::SqlError, "the query has no columns");
            return Err(issue.line(1).byte_offset(0).into());
        }
        let with_nul = without_nuls(&schema).and_then(|found| found.changed.into_iter().next());
        let wrong = match (with_nul, bad_zone(&schema)) {
            (Some((index, name, _)), _) => Some((index, format!("the name {name:?}"))),
            (None, Some((index, zone))) => Some((index, format!("the time zone {zone:?}"))),
            (None, None) => None,
        };
        if let Some((index, what)) = wrong {
            let message = format!("column {} of the query has {what}", index + 1);
            let issue = Issue::error(Stage::Transform, Code::SqlError, message);
            return Err(issue.hint("other libraries take no control characters there").into());
        }
        let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        let (unique, _) = unique_columns(&names);
        let (schema, batches) = rename_columns(&schema, batches, &unique)
            .map_err(|error| Issue::error(Stage::Transform, Code::SqlError, error.to_string()))?;
        Ok(Table::new(name, schema, batches))
    }

    #[cfg(test)]
    mod tests {
        use super::*;
        use crate::{Options, Source, ingest};

        fn columns(sql: &str) -> Result<Vec<String>> {
            let limits = Limits::default();
            let file = Source::bytes("s,d\na,1\nb,2\n").named("t.csv");
            let tables = ingest(file, &Options::default(), &limits)?.tables;
            let result = query(tables, sql, &limits)?;
            Ok(result.schema().fields().iter().map(|field| field.name().clone()).collect())
        }

        #[test]
        fn columns_of_one_name_are_told_apart() {
            assert_eq!(columns("SELECT s, s, d AS s FROM t").unwrap(), ["s", "s.1", "s.2"]);
            assert_eq!(columns("SELECT a.s, b.s FROM t a, t b").unwrap(), ["s", "s.1"]);
            assert_eq!(columns("SELECT *, d + 1, d + 1 FROM t").unwrap().len(), 4);
            let wrong = columns("SELECT d AS \"a\0\" FROM t").unwrap_err();
            assert_eq!(wrong.issue().message, r#"column 1 of the query has the name "a\0""#);
            assert_eq!(columns("SELECT FROM t").unwrap_err().issue().code, Code::SqlError);
        }

        #[test]
        fn functions_that_make_much_out_of_little_are_bounded() {
            for sql in [
                "SELECT repeat('x', 2000000000) AS a",
                "SELECT lpad(s, 2000000000) AS a FROM t",
                "SELECT array_length(array_repeat(1, 2000000000)) AS a",
            ] {
                assert_eq!(columns(sql).unwrap_err().issue().code, Code::OutOfMemory, "{sql}");
            }
            assert_eq!(columns("SELECT lpad(s, 5, '0') AS a FROM t").unwrap(), ["a"]);
        }
    }
}

/// Without the feature `sql` a step is an error, not a wish.
#[cfg(not(feature = "sql"))]
pub(crate) fn apply(
    _tables: Vec<Table>,
    _transforms: &Transforms,
    _context: &mut Context<'_>,
) -> Result<Vec<Table>> {
    let message = "this build has no SQL";
    let issue = crate::report::Issue::error(
        crate::report::Stage::Transform,
        crate::report::Code::UnsupportedFeature,
        message,
    );
    Err(issue.hint("build it with the feature sql").into())
}
