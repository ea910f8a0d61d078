#![no_main]
//! See `tablemill::boundary::arrow`.
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| tablemill::boundary::arrow(bytes));
