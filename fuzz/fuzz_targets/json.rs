#![no_main]
//! See `tablemill::boundary::json`.
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| tablemill::boundary::json(bytes));
