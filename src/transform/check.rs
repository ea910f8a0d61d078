//! What a step's text may be: exactly one query over the file's own tables, judged before anything
//! is planned.

use std::collections::HashSet;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    ObjectName, Query, SetExpr, Statement, TableFactor, Visit, Visitor,
};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::parser::Parser;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};

use super::error::{forbidden, syntax, unknown_table};
use crate::error::Result;
use crate::report::{Code, Issue, Stage};

/// The alias of the current table.
pub(super) const CURRENT: &str = "data";
/// The qualifier under which every table is found.
pub(super) const QUALIFIER: &str = "tables";

/// Parses the text; refuses what is no query, and every table but those `known`.
pub(super) fn one_query(sql: &str, known: &HashSet<&str>) -> Result<Statement> {
    check_operators(sql)?;
    let parsed = Parser::parse_sql(&GenericDialect {}, sql).map_err(|error| syntax(&error, sql))?;
    let mut statements = parsed.into_iter();
    let (Some(statement), None) = (statements.next(), statements.next()) else {
        let issue = Issue::error(
            Stage::Transform,
            Code::NotOneQuery,
            "a step is exactly one query, got none or several statements",
        );
        return Err(issue.line(1).byte_offset(0).hint("make a step of each query").into());
    };
    let Statement::Query(_) = &statement else {
        let word = sql.split_whitespace().next().unwrap_or_default().to_uppercase();
        return Err(forbidden(&format!("{word} is not allowed, expected SELECT"), sql, &word));
    };
    let mut visitor = Judge { sql, known, common: HashSet::new() };
    // Names of WITH come first: a table may be used before the visitor meets its definition.
    let _ = statement.visit(&mut CommonTables(&mut visitor.common));
    match statement.visit(&mut visitor) {
        ControlFlow::Continue(()) => Ok(statement),
        ControlFlow::Break(error) => Err(error),
    }
}

/// A chain of operators makes a tree as deep as it is long, and everything that walks the tree needs
/// stack for it. The parser bounds the depth of parentheses itself.
const MOST_OPERATORS: usize = 5_000;

fn check_operators(sql: &str) -> Result<()> {
    // What cannot be cut into tokens does not parse either; the parser says so better.
    let Ok(tokens) = Tokenizer::new(&GenericDialect {}, sql).tokenize() else { return Ok(()) };
    let flat = |token: &Token| match token {
        Token::Word(word) => !matches!(
            word.keyword,
            Keyword::AND
                | Keyword::OR
                | Keyword::NOT
                | Keyword::UNION
                | Keyword::EXCEPT
                | Keyword::INTERSECT
                | Keyword::JOIN
                | Keyword::IS
                | Keyword::LIKE
                | Keyword::BETWEEN
        ),
        Token::Number(..) | Token::SingleQuotedString(_) | Token::Whitespace(_) => true,
        // Commas chain tables into joins, but elsewhere only lengthen lists.
        Token::Comma | Token::Period | Token::RParen | Token::LParen | Token::SemiColon => true,
        _ => false,
    };
    let operators = tokens.iter().filter(|token| !flat(token)).count();
    if operators > MOST_OPERATORS {
        let message = format!("{operators} operators in one query, allowed are {MOST_OPERATORS}");
        let issue = Issue::error(Stage::Transform, Code::SqlSyntax, message);
        return Err(issue.line(1).byte_offset(0).hint("use IN (…), or several steps").into());
    }
    Ok(())
}

struct CommonTables<'a>(&'a mut HashSet<String>);

impl Visitor for CommonTables<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        for common in query.with.iter().flat_map(|with| &with.cte_tables) {
            self.0.insert(common.alias.name.value.clone());
        }
        ControlFlow::Continue(())
    }
}

struct Judge<'a> {
    sql: &'a str,
    known: &'a HashSet<&'a str>,
    common: HashSet<String>,
}

impl Judge<'_> {
    fn set_expression(&self, body: &SetExpr) -> Result<()> {
        match body {
            SetExpr::Select(select) if select.into.is_some() => {
                Err(forbidden("SELECT INTO is not allowed", self.sql, "INTO"))
            }
            SetExpr::Insert(_) | SetExpr::Update(_) | SetExpr::Delete(_) | SetExpr::Merge(_) => {
                Err(forbidden("a query that changes tables is not allowed", self.sql, ""))
            }
            SetExpr::SetOperation { left, right, .. } => {
                self.set_expression(left)?;
                self.set_expression(right)
            }
            _ => Ok(()),
        }
    }

    fn relation(&self, name: &ObjectName) -> Result<()> {
        let parts: Option<Vec<&str>> =
            name.0.iter().map(|part| part.as_ident().map(|ident| ident.value.as_str())).collect();
        match parts.as_deref() {
            Some([table]) if self.is_known(table) => Ok(()),
            Some([QUALIFIER, table]) if self.known.contains(table) => Ok(()),
            Some([table] | [QUALIFIER, table]) => {
                Err(unknown_table_in(table, self.known, self.sql).into())
            }
            _ => Err(forbidden(
                &format!("{name} is not allowed: only the file's own tables are there"),
                self.sql,
                &name.to_string(),
            )),
        }
    }

    fn is_known(&self, table: &str) -> bool {
        self.known.contains(table) || table == CURRENT || self.common.contains(table)
    }
}

/// A table that is not there. A path or an address is named for what it is.
fn unknown_table_in(table: &str, known: &HashSet<&str>, sql: &str) -> Issue {
    let mut names: Vec<String> = known.iter().map(|name| (*name).to_owned()).collect();
    names.sort();
    let (line, offset) = super::error::find(sql, table);
    if table.contains('/') || table.contains('\\') {
        let message =
            format!("{table:?} is not allowed: no files or addresses, only the file's tables");
        let issue = Issue::error(Stage::Transform, Code::Forbidden, message);
        return issue.line(line).byte_offset(offset);
    }
    unknown_table(table, &names).line(line).byte_offset(offset)
}

impl Visitor for Judge<'_> {
    type Break = crate::Error;

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<crate::Error> {
        to_flow(self.set_expression(&query.body))
    }

    fn pre_visit_relation(&mut self, name: &ObjectName) -> ControlFlow<crate::Error> {
        to_flow(self.relation(name))
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<crate::Error> {
        let is_allowed = matches!(
            factor,
            TableFactor::Table { args: None, .. }
                | TableFactor::Derived { .. }
                | TableFactor::NestedJoin { .. }
                | TableFactor::UNNEST { .. }
        );
        if is_allowed {
            return ControlFlow::Continue(());
        }
        let text = factor.to_string();
        ControlFlow::Break(forbidden(
            &format!("{text} is not allowed: no table functions, only the file's tables"),
            self.sql,
            &text,
        ))
    }
}

fn to_flow(result: Result<()>) -> ControlFlow<crate::Error> {
    match result {
        Ok(()) => ControlFlow::Continue(()),
        Err(error) => ControlFlow::Break(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(sql: &str) -> Option<Code> {
        let known = HashSet::from(["data2", "Untitled 0"]);
        one_query(sql, &known).err().map(|error| error.issue().code)
    }

    #[test]
    fn queries_are_allowed() {
        for sql in [
            "SELECT 1 AS a",
            "SELECT * FROM data;",
            "-- note\nSELECT * FROM \"Untitled 0\" /* x */",
            "WITH t AS (SELECT * FROM data) SELECT * FROM t UNION ALL SELECT * FROM data2",
            "VALUES (1, 2)",
            "SELECT * FROM tables.data2 JOIN (SELECT * FROM data) AS x ON true",
        ] {
            assert_eq!(code(sql), None, "{sql}");
        }
    }

    #[test]
    fn everything_else_is_refused() {
        for (sql, expected) in [
            ("SELECT 1; SELECT 2", Code::NotOneQuery),
            ("", Code::NotOneQuery),
            ("DROP TABLE data", Code::Forbidden),
            ("INSERT INTO data VALUES (1)", Code::Forbidden),
            ("COPY data TO '/tmp/x'", Code::Forbidden),
            ("SET x = 1", Code::Forbidden),
            ("SHOW TABLES", Code::Forbidden),
            ("EXPLAIN SELECT 1", Code::Forbidden),
            ("SELECT * INTO t FROM data", Code::Forbidden),
            ("CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '/x'", Code::SqlSyntax),
            ("SELECT * FROM '/etc/passwd'", Code::Forbidden),
            ("SELECT * FROM information_schema.tables", Code::Forbidden),
            ("SELECT * FROM generate_series(1, 10)", Code::Forbidden),
            ("SELECT * FROM read_csv('x.csv')", Code::Forbidden),
            ("SELECT * FROM dta", Code::UnknownTable),
            ("SELEC 1", Code::SqlSyntax),
        ] {
            assert_eq!(code(sql), Some(expected), "{sql}");
        }
    }
}
