#![no_main]
//! See `tablemill::boundary::decompress`.
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| tablemill::boundary::decompress(bytes));
