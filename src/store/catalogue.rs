//! The catalogue's interface: users, files, datasets. Behind it stands a SQL database.
//!
//! "Not there" and "not yours to see" are the same answer, `None`, made by the same query. What
//! releases blobs says which are needed by nobody any more; the caller deletes them afterwards.

use std::collections::HashSet;

use futures::future::BoxFuture;

use super::error::Result;
use super::records::{Access, DatasetRow, FileRow, User};

/// An answer of the catalogue, on its way.
pub type Answer<'a, T> = BoxFuture<'a, Result<T>>;

/// Users, files and datasets. Every method is one atomic step.
pub trait Catalogue: Send + Sync {
    /// Adds a user; `user.id` is ignored, the given one is in the answer. Refuses a name that is
    /// taken.
    fn add_user<'a>(&'a self, user: &'a User) -> Answer<'a, User>;
    /// The user of this id.
    fn user(&self, id: i64) -> Answer<'_, Option<User>>;
    /// The user of this login name.
    fn user_by_name<'a>(&'a self, username: &'a str) -> Answer<'a, Option<User>>;
    /// Gives a user another password hash.
    fn set_password<'a>(&'a self, user: i64, hash: &'a str) -> Answer<'a, ()>;
    /// Adds a token that never expires, by its digest.
    fn add_token<'a>(&'a self, user: i64, digest: &'a str) -> Answer<'a, ()>;
    /// The user of a token that never expires.
    fn user_by_token<'a>(&'a self, digest: &'a str) -> Answer<'a, Option<User>>;
    /// Adds a personal key: its id and its secret's digest.
    fn add_personal_key<'a>(&'a self, user: i64, id: &'a str, digest: &'a str) -> Answer<'a, ()>;
    /// The user of a personal key.
    fn user_by_personal_key<'a>(&'a self, id: &'a str, digest: &'a str)
    -> Answer<'a, Option<User>>;
    /// Makes a user a member of an organisation.
    fn join_organisation<'a>(&'a self, user: i64, organisation: &'a str) -> Answer<'a, ()>;
    /// Whether a user is a member of an organisation.
    fn is_member<'a>(&'a self, user: i64, organisation: &'a str) -> Answer<'a, bool>;

    /// Adds a file.
    fn add_file<'a>(&'a self, file: &'a FileRow) -> Answer<'a, ()>;
    /// A file that the user may see.
    fn file<'a>(&'a self, user: i64, id: &'a str) -> Answer<'a, Option<(FileRow, Access)>>;
    /// How many files the user may see, and a page of them, newest first.
    fn files(&self, user: i64, limit: u64, offset: u64) -> Answer<'_, (u64, Vec<FileRow>)>;
    /// Puts the row in the place of the one with its id. `None` if there is none; else the blobs
    /// that nobody needs any more.
    fn replace_file<'a>(&'a self, file: &'a FileRow) -> Answer<'a, Option<Vec<String>>>;
    /// Removes a file. `None` if there is none; else the blobs that nobody needs any more.
    fn remove_file<'a>(&'a self, id: &'a str) -> Answer<'a, Option<Vec<String>>>;

    /// Adds a dataset. False, and nothing is added, if one of its tables was released meanwhile.
    fn add_dataset<'a>(&'a self, dataset: &'a DatasetRow) -> Answer<'a, bool>;
    /// A dataset that the user may see.
    fn dataset<'a>(&'a self, user: i64, id: &'a str) -> Answer<'a, Option<DatasetRow>>;

    /// Every blob that somebody needs.
    fn blobs(&self) -> Answer<'_, HashSet<String>>;
}
