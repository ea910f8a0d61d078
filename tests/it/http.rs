//! The HTTP face, asked over real sockets by a client of our own that knows no mercy.

mod client;
mod datasets;
mod downloads;
mod files;
mod login;
mod patch;
mod transport;
mod uploads;
