//! `tablemill user` and `tablemill token`: who may use the upload service.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::http::admin;

use super::exit::{Status, Stop};
use super::serve::DATA_FOLDER;
use super::terminal::{self, printable};

/// Manage the users of the upload service
#[derive(Args, Debug)]
pub(super) struct User {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand, Debug)]
enum Action {
    Add(Add),
    Join(Join),
    Key(Key),
}

/// Add a user, or give a user another password
///
/// The password is taken from TABLEMILL_PASSWORD; otherwise it is asked for, or read from one line
/// of standard input.
#[derive(Args, Debug)]
#[command(after_help = ADD_EXAMPLES)]
struct Add {
    /// The user's name
    name: String,

    #[command(flatten)]
    data: DataArgument,
}

/// Make a user a member of an organisation
#[derive(Args, Debug)]
struct Join {
    /// The user's name
    name: String,

    /// The organisation's name; it is made with its first member
    organisation: String,

    #[command(flatten)]
    data: DataArgument,
}

/// Print a new personal key of a user: its id and its secret
#[derive(Args, Debug)]
struct Key {
    /// The user's name
    name: String,

    #[command(flatten)]
    data: DataArgument,
}

/// Print a token with which requests can be made in a user's name
#[derive(Args, Debug)]
#[command(after_help = TOKEN_EXAMPLES)]
pub(super) struct Token {
    /// The user's name
    name: String,

    #[command(flatten)]
    data: DataArgument,
}

#[derive(Args, Debug)]
struct DataArgument {
    /// The folder that the service was started with
    #[arg(long, value_name = "FOLDER", default_value = DATA_FOLDER)]
    data: PathBuf,
}

const ADD_EXAMPLES: &str = "\
Examples:
  tablemill user add ann
  TABLEMILL_PASSWORD=secret tablemill user add ann --data /var/lib/tablemill
  pwgen 20 1 | tee password.txt | tablemill user add ann";

const TOKEN_EXAMPLES: &str = "\
Examples:
  tablemill token ann
  curl -H \"Authorization: Bearer $(tablemill token ann)\" http://127.0.0.1:8080/api/v2/files/";

impl User {
    /// Runs the verb.
    pub(super) fn run(&self) -> Result<Status, Stop> {
        match &self.action {
            Action::Add(add) => add.run(),
            Action::Join(join) => join.run(),
            Action::Key(key) => key.run(),
        }
    }
}

impl Add {
    fn run(&self) -> Result<Status, Stop> {
        let password = match std::env::var("TABLEMILL_PASSWORD") {
            Ok(password) => password,
            Err(_) => terminal::read_secret(&format!("password for {}", printable(&self.name)))
                .map_err(|error| Stop::Failed(format!("cannot read a password: {error}")))?,
        };
        if password.is_empty() {
            let hint = "set TABLEMILL_PASSWORD, or write it to standard input";
            return Err(Stop::usage("the password is empty", hint));
        }
        admin::add_user(&self.data.data, &self.name, &password)
            .map_err(|error| Stop::Failed(format!("cannot add the user {}: {error}", self.name)))?;
        terminal::tell(&format!("the user {} can log in", printable(&self.name)));
        Ok(Status::Valid)
    }
}

impl Join {
    fn run(&self) -> Result<Status, Stop> {
        admin::join_organisation(&self.data.data, &self.name, &self.organisation)
            .map_err(|error| Stop::Failed(error.to_string()))?;
        Ok(Status::Valid)
    }
}

impl Key {
    fn run(&self) -> Result<Status, Stop> {
        let (id, secret) = admin::add_personal_key(&self.data.data, &self.name)
            .map_err(|error| Stop::Failed(format!("no key for {}: {error}", self.name)))?;
        writeln!(io::stdout(), "{id}:{secret}")?;
        Ok(Status::Valid)
    }
}

impl Token {
    /// Runs the verb.
    pub(super) fn run(&self) -> Result<Status, Stop> {
        let token = admin::token(&self.data.data, &self.name)
            .map_err(|error| Stop::Failed(format!("no token for {}: {error}", self.name)))?;
        writeln!(io::stdout(), "{token}")?;
        Ok(Status::Valid)
    }
}
