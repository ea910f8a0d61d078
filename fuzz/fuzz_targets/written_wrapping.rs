#![no_main]
//! See `tablemill::boundary::written_wrapping`.
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| tablemill::boundary::written_wrapping(bytes));
