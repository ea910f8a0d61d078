#![no_main]
//! See `tablemill::boundary::sql`.
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| tablemill::boundary::sql(bytes));
