#![no_main]
//! See `tablemill::boundary::parquet`.
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| tablemill::boundary::parquet(bytes));
