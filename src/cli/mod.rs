//! The command line: one file a verb.
//!
//! Takes the process's arguments, gives its exit status: 0 for valid, 1 for a file that could not
//! be read or is not valid, 2 for wrong usage. Data goes to standard output, everything else to
//! standard error.

#[cfg(feature = "server")]
mod admin;
mod args;
mod beside;
mod convert;
mod exit;
mod grid;
mod inspect;
mod output;
mod preview;
mod progress;
mod read;
mod render;
#[cfg(feature = "server")]
mod serve;
mod sql;
mod terminal;
mod worker;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use exit::Status;

/// Reads any table-shaped file: csv, json, ndjson, arrow, parquet, orc, xls, xlsx, xlsb, ods; bare or inside
/// gzip, bz2, xz, zstd, zip. Says what it found, and turns it into what you need.
#[derive(Parser)]
#[command(name = "tablemill", version, after_help = EXAMPLES)]
struct CommandLine {
    #[command(subcommand)]
    verb: Verb,
}

const EXAMPLES: &str = "\
Examples:
  tablemill inspect orders.csv.gz
  tablemill convert orders.xlsx --to parquet --out orders.parquet
  tablemill sql \"SELECT city, count(*) AS n FROM orders GROUP BY city\" orders.csv

Exit status: 0 valid, 1 a file could not be read or is not valid, 2 wrong usage.";

#[derive(Subcommand)]
enum Verb {
    Inspect(inspect::Inspect),
    Convert(convert::Convert),
    Sql(sql::Sql),
    /// Do what a line on standard input asks for: what --isolate and the server start
    #[command(hide = true)]
    Worker,
    #[cfg(feature = "server")]
    Serve(serve::Serve),
    #[cfg(feature = "server")]
    User(admin::User),
    #[cfg(feature = "server")]
    Token(admin::Token),
}

/// Runs the command line of this process.
pub fn run() -> ExitCode {
    crate::quiet_guarded_panics();
    let command_line = match CommandLine::try_parse() {
        Ok(command_line) => command_line,
        Err(error) => {
            // A reader who closed the pipe has seen enough of the help.
            let _ = error.print();
            let status = if error.use_stderr() { Status::Usage } else { Status::Valid };
            return status.into();
        }
    };
    exit::code(match command_line.verb {
        Verb::Inspect(inspect) => inspect.run(),
        Verb::Convert(convert) => convert.run(),
        Verb::Sql(sql) => sql.run(),
        Verb::Worker => worker::run(),
        #[cfg(feature = "server")]
        Verb::Serve(serve) => serve.run(),
        #[cfg(feature = "server")]
        Verb::User(user) => user.run(),
        #[cfg(feature = "server")]
        Verb::Token(token) => token.run(),
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        super::CommandLine::command().debug_assert();
    }
}
