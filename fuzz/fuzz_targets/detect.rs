#![no_main]
//! See `tablemill::boundary::detect`.
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| tablemill::boundary::detect(bytes));
