//! Running a query that was found harmless: DataFusion over tables in memory, one partition (so that
//! rows keep their order), a memory pool, a time limit, no disk.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::catalog::{
    CatalogProvider, MemTable, MemoryCatalogProvider, MemorySchemaProvider, SchemaProvider,
};
use datafusion::common::DataFusionError;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::GreedyMemoryPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::prelude::{SQLOptions, SessionConfig, SessionContext};
use datafusion::sql::parser::Statement as SqlStatement;
use datafusion::sql::sqlparser::ast::Statement;
use futures::StreamExt;

use super::bounded::bound_functions;
use super::check::{CURRENT, QUALIFIER, one_query};
use super::columns::name_apart;
use super::error::{engine, out_of_memory};
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::report::{Code, Issue, Stage};
use crate::table::Table;

const CATALOG: &str = "tablemill";
const SCHEMA: &str = "public";
/// Parsing, planning and dropping a query recurse over its tree, whose depth `check` bounds. Pages of
/// a stack that are never touched cost nothing.
const STACK: usize = super::STACKS as usize / 2;

/// The result of the query: its schema and rows.
pub(super) fn run(
    sql: &str,
    tables: &[Table],
    current: usize,
    limits: &Limits,
) -> Result<(SchemaRef, Vec<RecordBatch>)> {
    // A thread of its own: for the stack, and so that a caller inside an async runtime may call us.
    let work = || {
        let known: HashSet<&str> = tables.iter().map(Table::name).collect();
        let mut statement = one_query(sql, &known)?;
        name_apart(&mut statement);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_stack_size(STACK)
            .build()?;
        let context =
            session(tables, current, limits).map_err(|error| engine(&error, sql, limits))?;
        let bounds = limits.clone();
        let (sender, receiver) = mpsc::channel();
        let query = runtime.spawn(async move {
            // Nobody listens any more once the time is up.
            let _ = sender.send(execute(&context, statement, &bounds).await);
        });
        // The clock is this thread's: the runtime's own would stand still while the worker is busy.
        let time = limits.sql_time.min(limits.time);
        let result = receiver.recv_timeout(time);
        query.abort();
        runtime.shutdown_background();
        match result {
            Err(RecvTimeoutError::Timeout) => {
                let message = format!("the query took more than {} s", time.as_secs_f64());
                let name = if time < limits.sql_time { "time" } else { "sql_time" };
                Err(Issue::limit(Code::Timeout, message, name).into())
            }
            Err(RecvTimeoutError::Disconnected) => {
                let message = "the SQL engine gave up on this query";
                Err(Issue::error(Stage::Transform, Code::SqlError, message).into())
            }
            Ok(Err(Stop::Engine(error))) => Err(engine(&error, sql, limits)),
            Ok(Err(Stop::Ours(error))) => Err(error),
            Ok(Ok(found)) => Ok(found),
        }
    };
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work)?;
        thread.join().unwrap_or_else(|_| {
            let message = "the SQL engine gave up on this query";
            Err(Issue::error(Stage::Transform, Code::SqlError, message).into())
        })
    })
}

/// Why a query ended without a result.
enum Stop {
    Engine(DataFusionError),
    Ours(Error),
}

impl From<DataFusionError> for Stop {
    fn from(error: DataFusionError) -> Self {
        Stop::Engine(error)
    }
}

async fn execute(
    context: &SessionContext,
    statement: Statement,
    limits: &Limits,
) -> std::result::Result<(SchemaRef, Vec<RecordBatch>), Stop> {
    let statement = SqlStatement::Statement(Box::new(statement));
    let plan = context.state().statement_to_plan(statement).await?;
    // The text was judged already; this is the second fence.
    SQLOptions::new()
        .with_allow_ddl(false)
        .with_allow_dml(false)
        .with_allow_statements(false)
        .verify_plan(&plan)?;
    let mut stream = context.execute_logical_plan(plan).await?.execute_stream().await?;
    let schema = stream.schema();
    let (mut batches, mut bytes, mut rows) = (Vec::new(), 0, 0);
    while let Some(batch) = stream.next().await {
        let batch = batch?;
        bytes += batch.get_array_memory_size() as u64;
        rows += batch.num_rows() as u64;
        if bytes > limits.sql_memory() {
            return Err(Stop::Ours(out_of_memory(limits)));
        }
        if rows > limits.rows {
            let message = format!("the query gives more than {} rows", limits.rows);
            return Err(Stop::Ours(Issue::limit(Code::TooManyRows, message, "rows").into()));
        }
        if batch.num_rows() > 0 {
            batches.push(batch);
        }
    }
    Ok((schema, batches))
}

/// A session that knows the tables and nothing else.
fn session(
    tables: &[Table],
    current: usize,
    limits: &Limits,
) -> Result<SessionContext, DataFusionError> {
    let config = SessionConfig::new()
        .with_target_partitions(1)
        .with_information_schema(false)
        .with_create_default_catalog_and_schema(false)
        .with_default_catalog_and_schema(CATALOG, SCHEMA)
        .set_bool("datafusion.sql_parser.enable_ident_normalization", false);
    let runtime = RuntimeEnvBuilder::new()
        .with_memory_pool(Arc::new(GreedyMemoryPool::new(limits.sql_memory() as usize)))
        .with_disk_manager_builder(
            DiskManagerBuilder::default().with_mode(DiskManagerMode::Disabled),
        )
        .build_arc()?;
    let context = SessionContext::new_with_config_rt(config, runtime);
    bound_functions(&context, limits.sql_memory() / 8)?;
    let (plain, qualified) = (MemorySchemaProvider::new(), MemorySchemaProvider::new());
    for table in tables {
        let batches = vec![table.batches().to_vec()];
        let provider = Arc::new(MemTable::try_new(table.schema().clone(), batches)?);
        plain.register_table(table.name().to_owned(), provider.clone())?;
        qualified.register_table(table.name().to_owned(), provider)?;
    }
    if let Some(table) = tables.get(current) {
        let provider = MemTable::try_new(table.schema().clone(), vec![table.batches().to_vec()])?;
        plain.deregister_table(CURRENT)?;
        plain.register_table(CURRENT.to_owned(), Arc::new(provider))?;
    }
    let catalog = MemoryCatalogProvider::new();
    catalog.register_schema(SCHEMA, Arc::new(plain))?;
    catalog.register_schema(QUALIFIER, Arc::new(qualified))?;
    context.register_catalog(CATALOG, Arc::new(catalog));
    Ok(context)
}
