//! The HTTP face: create a file, upload its bytes, have them parsed, iterate, point a dataset at it.
//!
//! Speaks the vendor's v2 file flow, so that its published clients work unmodified. A file that
//! cannot be parsed is a success with `is_valid: false`; refusals are JSON with the statuses and
//! texts that those clients know. No local path and no inner workings are in any answer.
//!
//! [`run`] serves until the process is told to stop; [`App::open`] and [`serve`] are the same in
//! parts, for callers with a runtime of their own; [`admin`] adds users.
//!
//! ```no_run
//! use tablemill::http::{ServerConfig, run};
//!
//! let config = ServerConfig { data: "data".into(), ..ServerConfig::default() };
//! run(config, |address, password| {
//!     println!("listening on http://{address}; password of admin: {password:?}");
//! })?;
//! # Ok::<(), tablemill::http::ServeError>(())
//! ```

pub mod admin;
mod app;
mod auth;
mod bindings;
mod body;
mod config;
mod data;
mod datasets;
mod error;
mod fields;
mod files;
mod findings;
mod login;
mod mill;
mod openapi;
mod outer;
mod peer;
mod query;
mod record;
mod routes;
mod serve;
mod tables;
mod throttle;
mod token;
mod upload;

pub use app::App;
pub use config::{Log, ServerConfig};
pub use serve::{ServeError, run, serve};
