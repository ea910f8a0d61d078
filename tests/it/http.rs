//! The HTTP face, asked over real sockets by a client of our own that knows no mercy.

mod archives;
mod client;
mod datasets;
mod downloads;
mod files;
mod login;
mod matrix;
mod patch;
mod report;
mod routes;
mod transport;
mod uploads;
#[cfg(all(unix, feature = "cli"))]
mod workers;
