//! The stages in order, read from top to bottom: source, decompress, detect, format, table,
//! transform, report.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use bytes::Bytes;

use crate::context::Context;
use crate::decompress::{self, Cut, Part, Wanted};
use crate::detect;
use crate::error::{ErrorKind, Result};
use crate::format::{FORMATS, FormatReader, Input, RawTable};
use crate::guard::guarded;
use crate::limits::Limits;
use crate::naming::{
    NamedAnew, Origin, bad_zone, rename_columns, table_name, unique_columns, unique_table,
    with_names, without_compression, without_nuls,
};
use crate::options::{Compression, FileType, Options};
use crate::report::{Code, Issue, Report, Stage};
use crate::source::{Ahead, Growing, Source};
use crate::table::Table;
use crate::transform;

/// The tables of a file and the report of what was found.
#[derive(Clone, Debug)]
pub struct Ingest {
    /// The tables, each with a name of its own.
    pub tables: Vec<Table>,
    /// What was found, and what was wrong and where.
    pub report: Report,
}

/// Reads any table-shaped file: unwraps it, tells what it is, parses it, infers types that hold for
/// every row, runs the SQL given.
///
/// An error means that there is no faithful table; its [`Error::report`](crate::Error::report) says what was found before.
///
/// ```
/// use tablemill::{Limits, Options, Source, ingest};
/// let source = Source::bytes("id,zip\n1,00501\n2,10001\n").named("towns.csv");
/// let ingest = ingest(source, &Options::default(), &Limits::default())?;
/// let columns = &ingest.report.tables[0].columns;
/// assert_eq!((columns[0].dtype.as_str(), columns[1].dtype.as_str()), ("int64", "object"));
/// # Ok::<(), tablemill::Error>(())
/// ```
pub fn ingest(source: impl Into<Source>, options: &Options, limits: &Limits) -> Result<Ingest> {
    let source = source.into();
    let mut context = Context::new(options, limits);
    // Each reader has a guard of its own, which knows its name; this is for all around them.
    let milled = context
        .open_rejects(&source)
        .and_then(|()| guarded(Stage::Parse, "file", || mill(source, &mut context)));
    // The file for rejects is complete also where there is no table.
    let closed = context.close_rejects();
    match milled.and_then(|tables| closed.map(|()| tables)) {
        Ok(tables) => {
            let report = context.reporter.finish(tables.iter().map(Table::report).collect());
            Ok(Ingest { tables, report })
        }
        Err(error) => {
            context.reporter.push(error.issue().clone());
            Err(error.with_report(context.reporter.finish(Vec::new())))
        }
    }
}

fn mill(source: Source, context: &mut Context<'_>) -> Result<Vec<Table>> {
    let name = context.options.name.clone().unwrap_or_else(|| source.name().to_owned());
    context.reporter.file().name.clone_from(&name);
    warn_of_unknown_options(context);
    let bytes = context.stage("source", |context| source.open(context.limits))?;
    context.reporter.file().bytes = bytes.len() as u64;
    let parts = context.stage("decompress", |context| {
        let declared = declared_compression(context);
        let (options, limits) = (context.options, context.limits);
        let read_ahead = |head: &Bytes, growing: &Growing| {
            ahead(head, growing, without_compression(&name), options, limits)
        };
        decompress::unwrap(bytes, declared, wanted(context), &read_ahead, context)
    })?;
    let mut tables = Tables { file: name, several_parts: parts.len() > 1, tables: Vec::new() };
    let mut failed = Vec::new();
    for part in parts {
        context.check_time()?;
        let member = part.member.clone();
        let (found, made) = (context.reporter.found(), tables.tables.len());
        let added = read_cut(part, &tables.file, context)
            .and_then(|raw| tables.add(raw, member.as_deref(), context));
        let Err(error) = added else { continue };
        let error = error.map_issue(|issue| match (&issue.table, &member) {
            (None, Some(member)) => issue.table(member),
            _ => issue,
        });
        // A damaged member is an issue, as long as there is another.
        if !tables.several_parts || !is_damage(error.kind()) {
            return Err(error);
        }
        tables.tables.truncate(made);
        failed.push((error, context.reporter.replace_found(found)));
    }
    let mut failed = failed.into_iter();
    let first = if tables.tables.is_empty() { failed.next() } else { None };
    failed.for_each(|(error, _)| context.reporter.push(error.issue().clone()));
    if let Some((error, found)) = first {
        context.reporter.replace_found(found);
        return Err(error);
    }
    let tables = tables.tables;
    let transforms = &context.options.transforms;
    if transforms.is_empty() {
        return Ok(tables);
    }
    context.check_time()?;
    context.reporter.parsed_tables(tables.iter().map(Table::report).collect());
    context.stage("transform", |context| transform::apply(tables, transforms, context))
}

/// Whether it is the bytes that are to blame: an error of one member says nothing of others then.
fn is_damage(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::Corrupt | ErrorKind::Unsupported | ErrorKind::Encrypted)
}

/// Reads ahead while a part is still inflated. All is a guess from its head, and counts for nothing
/// where the whole part is found to be something else.
fn ahead(
    head: &Bytes,
    growing: &Growing,
    name: &str,
    options: &Options,
    limits: &Limits,
) -> Option<Ahead> {
    let format = detect::detect(head, name, options.file_type, FORMATS).ok()?;
    let mut context = Context::new(options, limits);
    let reading = || Ok(format.ahead(head, growing, name, &mut context));
    guarded(Stage::Parse, format.file_type().as_str(), reading).ok().flatten()
}

/// A part as far as it is whole. Where nothing can be made of that, the damage is the error.
fn read_cut(mut part: Part, file: &str, context: &mut Context<'_>) -> Result<Vec<RawTable>> {
    let Some(damage) = part.cut.take() else { return read_part(part, file, context) };
    let Cut { mut issue, is_whole } = *damage;
    if !is_whole {
        let length = part.bytes.len();
        part.bytes = whole_lines(part.bytes);
        let left_out = length - part.bytes.len();
        if left_out > 0 {
            let line = format!("; the half line at their end, {left_out} bytes, is left out");
            issue.message.push_str(&line);
        }
    }
    let raw = read_part(part, file, context).map_err(|error| match error.kind() {
        // Half a file is damaged for its reader, or of no kind.
        kind if is_damage(kind) || kind == ErrorKind::Mismatch => {
            let message = format!("{}; no table in that: {}", issue.message, error.issue().message);
            Issue { message, ..issue.clone() }.into()
        }
        _ => error,
    })?;
    context.reporter.push(issue);
    Ok(raw)
}

/// Text up to its last line end; what has none stays.
fn whole_lines(bytes: Bytes) -> Bytes {
    let head = &bytes[..bytes.len().min(1 << 10)];
    let is_text = !head.contains(&0);
    match memchr::memrchr(b'\n', &bytes).filter(|_| is_text) {
        Some(end) => bytes.slice(..=end),
        None => bytes,
    }
}

/// Detect and parse: one part to its tables.
fn read_part(part: Part, file: &str, context: &mut Context<'_>) -> Result<Vec<RawTable>> {
    let Part { member, bytes, ahead, .. } = part;
    if let Some(member) = &member {
        context.reporter.file().members.push(member.clone());
    }
    let input =
        Input { name: member.unwrap_or_else(|| without_compression(file).to_owned()), bytes };
    let declared = context.options.file_type;
    let format = context.stage("detect", |context| {
        let detect = |declared| detect::detect(&input.bytes, &input.name, declared, FORMATS);
        detect(declared).inspect_err(|_| {
            // The report names what the bytes are, also where that was not what was declared.
            if let Ok(found) = detect(None) {
                let name = found.file_type().as_str().to_owned();
                context.reporter.file().format.get_or_insert(name);
            }
        })
    })?;
    context.reporter.file().format.get_or_insert(format.file_type().as_str().to_owned());
    warn_of_ignored_options(format, context);
    warn_of_wrong_name(&input.name, format, context);
    context.stage("parse", |context| {
        context.progress().start("parse", input.bytes.len() as u64);
        let tables = guarded(Stage::Parse, format.file_type().as_str(), || match ahead {
            Some(ahead) => format.read_on(&input, ahead, context),
            None => format.read(&input, context),
        })?;
        let has_metadata =
            matches!(format.file_type(), FileType::Arrow | FileType::Parquet | FileType::Orc);
        let are_left = tables.iter().any(|table| table.in_file.is_some());
        if has_metadata && are_left && !context.options.verify {
            context.reporter.file().read = Some("metadata".to_owned());
        }
        Ok(tables)
    })
}

/// The tables so far, named.
struct Tables {
    file: String,
    several_parts: bool,
    tables: Vec<Table>,
}

impl Tables {
    fn add(
        &mut self,
        raw: Vec<RawTable>,
        member: Option<&str>,
        context: &mut Context<'_>,
    ) -> Result<()> {
        let mut taken: HashSet<String> = self.tables.iter().map(|t| t.name().to_owned()).collect();
        for table in raw {
            let origin = Origin {
                file: &self.file,
                member,
                sheet: table.name.as_deref(),
                several_parts: self.several_parts,
            };
            let name = table_name(&origin, self.tables.len(), context.options.table_names);
            let name = unique_table(name, &taken);
            taken.insert(name.clone());
            self.tables.push(finish_table(name, table, context)?);
            check_count(
                "tables",
                Code::TooManyTables,
                self.tables.len() as u64,
                context.limits.tables as u64,
            )?;
        }
        Ok(())
    }
}

/// Checks a table's size and makes its column names unique.
fn finish_table(name: String, raw: RawTable, context: &mut Context<'_>) -> Result<Table> {
    let limits = context.limits;
    let columns = raw.schema.fields().len();
    check_count("columns", Code::TooManyColumns, columns as u64, limits.columns as u64)
        .map_err(|error| error.map_issue(|issue| issue.table(&name)))?;
    let raw = fit_for_c(&name, raw, context)?;
    let names: Vec<&str> = raw.schema.fields().iter().map(|field| field.name().as_str()).collect();
    let (unique, doubled) = unique_columns(&names);
    let mut counts: HashMap<&str, usize> = HashMap::new();
    let before: Vec<usize> = names
        .iter()
        .map(|name| {
            let count = counts.entry(name).or_default();
            *count += 1;
            *count
        })
        .collect();
    for index in doubled {
        let before = before[index];
        let which = ordinal(before);
        let message = format!("column {} is {which} {:?}", index + 1, names[index]);
        context.reporter.push(
            Issue::warning(Stage::Parse, Code::DuplicateColumn, message)
                .table(&name)
                .column(&unique[index])
                .hint(format!("it is called {:?} here", unique[index])),
        );
    }
    let table = if let Some(rows) = raw.in_file {
        let (schema, _) = rename_columns(&raw.schema, Vec::new(), &unique).map_err(|error| {
            Issue::error(Stage::Parse, Code::Corrupt, error.to_string()).table(&name)
        })?;
        Table::in_file(name, schema, rows)
    } else if unique == names {
        Table::new(name, raw.schema, raw.batches)
    } else {
        let (schema, batches) =
            rename_columns(&raw.schema, raw.batches, &unique).map_err(|error| {
                Issue::error(Stage::Parse, Code::Corrupt, error.to_string()).table(&name)
            })?;
        Table::new(name, schema, batches)
    };
    check_count("rows", Code::TooManyRows, table.num_rows(), limits.rows)
        .map_err(|error| error.map_issue(|issue| issue.table(table.name())))?;
    Ok(table)
}

/// Puts signs for NULs in the names of fields, and refuses time zones with such characters: they
/// would end the process that hands the table on.
fn fit_for_c(name: &str, mut raw: RawTable, context: &mut Context<'_>) -> Result<RawTable> {
    if let Some((index, zone)) = bad_zone(&raw.schema) {
        let column = raw.schema.field(index).name();
        let message = format!(
            "column {column:?} has the time zone {zone:?}, expected one such as \"Europe/Berlin\" or \"+02:00\""
        );
        let issue = Issue::error(Stage::Parse, Code::Corrupt, message);
        return Err(issue.table(name).column(column).into());
    }
    let Some(named) = without_nuls(&raw.schema) else { return Ok(raw) };
    for (index, old, new) in named.changed {
        let message = format!("column {} has a NUL in the name {old:?}", index + 1);
        context.reporter.push(
            Issue::warning(Stage::Parse, Code::RenamedColumn, message)
                .table(name)
                .column(named.schema.field(index).name())
                .hint(format!("it is called {new:?} here")),
        );
    }
    let batches = raw.batches.iter().map(|batch| with_names(batch, &named.schema));
    raw.batches = batches
        .collect::<Result<_>>()
        .map_err(|error| error.map_issue(|issue| issue.table(name)))?;
    let before = std::mem::replace(&mut raw.schema, named.schema);
    raw.in_file = raw.in_file.map(|rows| Arc::new(NamedAnew { rows, schema: before }) as _);
    Ok(raw)
}

/// `the third`; beyond what has a short word, `another`.
fn ordinal(number: usize) -> &'static str {
    ["the second", "the third", "the fourth", "the fifth", "the sixth"]
        .get(number.wrapping_sub(2))
        .unwrap_or(&"another")
}

fn check_count(what: &str, code: Code, got: u64, allowed: u64) -> Result<()> {
    if got <= allowed {
        return Ok(());
    }
    Err(Issue::limit(code, format!("got {got} {what}, allowed are {allowed}"), what).into())
}

/// `file_compression`, or else `parser_options.compression`.
fn declared_compression(context: &mut Context<'_>) -> Option<Compression> {
    let by_option: Option<Compression> =
        context.parser().compression.as_ref().and_then(|name| name.parse().ok());
    match (context.options.compression, by_option) {
        (Some(declared), Some(option)) if declared != option => {
            let message =
                format!("the option compression={option} loses to the declared {declared}");
            context.reporter.push(Issue::warning(Stage::Decompress, Code::OptionIgnored, message));
            Some(declared)
        }
        (declared, option) => declared.or(option),
    }
}

/// Archive members are chosen by the extensions of the declared type, or of every type.
fn wanted(context: &Context<'_>) -> Wanted<'static> {
    static ALL: std::sync::LazyLock<Vec<&'static str>> =
        std::sync::LazyLock::new(|| extensions(|_| true));
    static BY_TYPE: std::sync::LazyLock<Vec<(FileType, Vec<&'static str>)>> =
        std::sync::LazyLock::new(|| {
            let of = |file_type: FileType| extensions(|found| file_type.accepts(found));
            FileType::ALL.iter().map(|file_type| (*file_type, of(*file_type))).collect()
        });
    let extensions = match context.options.file_type {
        Some(declared) => BY_TYPE.iter().find(|(file_type, _)| *file_type == declared),
        None => None,
    };
    Wanted { extensions: extensions.map_or(ALL.as_slice(), |(_, extensions)| extensions) }
}

fn extensions(of: impl Fn(FileType) -> bool) -> Vec<&'static str> {
    let formats = FORMATS.iter().filter(|format| of(format.file_type()));
    formats.flat_map(|format| format.extensions().iter().copied()).collect()
}

/// Text under the name of a binary format is often a message in place of the file.
fn warn_of_wrong_name(name: &str, found: &dyn FormatReader, context: &mut Context<'_>) {
    let is_text =
        |format: &dyn FormatReader| matches!(format.file_type(), FileType::Csv | FileType::Json);
    let extension = detect::extension(name);
    let mut named = FORMATS.iter().filter(|format| format.extensions().contains(&&*extension));
    let is_asked = context.options.file_type.is_some();
    if !is_asked && is_text(found) && named.any(|format| !is_text(*format)) {
        let message =
            format!("the name ends in .{extension}, but the bytes are {}", found.file_type());
        context.reporter.push(
            Issue::warning(Stage::Parse, Code::TypeMismatch, message)
                .hint("look whether it is what it should be, not a message in its place"),
        );
    }
}

fn warn_of_ignored_options(format: &dyn FormatReader, context: &mut Context<'_>) {
    let known = format.options();
    let ignored: Vec<String> = context
        .parser()
        .given()
        .keys()
        .filter(|name| *name != "compression" && !known.contains(&name.as_str()))
        .cloned()
        .collect();
    for name in ignored {
        let message = format!("the option {name} has no meaning for {}", format.file_type());
        context.reporter.push(Issue::warning(Stage::Parse, Code::OptionIgnored, message));
    }
}

fn warn_of_unknown_options(context: &mut Context<'_>) {
    for option in context.parser().unknown() {
        let message = format!("unknown option {:?}", option.name);
        let issue = Issue::warning(Stage::Parse, Code::UnknownOption, message);
        context.reporter.push(match option.nearest {
            Some(near) => issue.hint(format!("did you mean {near}?")),
            None => issue,
        });
    }
}
