#![no_main]
//! See `tablemill::boundary::excel`.
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| tablemill::boundary::excel(bytes));
