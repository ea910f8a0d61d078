#![no_main]
//! See `tablemill::boundary::csv`.
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| tablemill::boundary::csv(bytes));
