//! Result columns of one name: `SELECT a, a` gives `a` and `a.1`, where the engine would refuse it.

use std::collections::HashMap;

use datafusion::sql::sqlparser::ast::{Expr, Ident, SelectItem, SetExpr, Statement};

/// Gives later columns of a name an alias of their own.
pub(super) fn name_apart(statement: &mut Statement) {
    if let Statement::Query(query) = statement {
        in_body(&mut query.body);
    }
}

fn in_body(body: &mut SetExpr) {
    match body {
        SetExpr::Select(select) => in_projection(&mut select.projection),
        SetExpr::Query(query) => in_body(&mut query.body),
        // The columns of a set operation are named by its first query.
        SetExpr::SetOperation { left, right, .. } => {
            in_body(left);
            in_body(right);
        }
        _ => {}
    }
}

fn in_projection(items: &mut [SelectItem]) {
    let mut seen: HashMap<String, usize> = HashMap::new();
    for item in items {
        let name = match item {
            SelectItem::UnnamedExpr(expression) => name_of(expression),
            SelectItem::ExprWithAlias { alias, .. } => alias.value.clone(),
            // What a star stands for is known only later.
            _ => continue,
        };
        let before = seen.entry(name.clone()).or_default();
        *before += 1;
        if *before == 1 {
            continue;
        }
        let unique = Ident::with_quote('"', format!("{name}.{}", *before - 1));
        match item {
            SelectItem::UnnamedExpr(expression) => {
                *item = SelectItem::ExprWithAlias { expr: expression.clone(), alias: unique };
            }
            SelectItem::ExprWithAlias { alias, .. } => *alias = unique,
            _ => {}
        }
    }
}

/// The name that the engine gives a column: the last part of a qualified one.
fn name_of(expression: &Expr) -> String {
    match expression {
        Expr::Identifier(name) => name.value.clone(),
        Expr::CompoundIdentifier(parts) => {
            parts.last().map(|part| part.value.clone()).unwrap_or_default()
        }
        other => other.to_string(),
    }
}
