#![no_main]
//! See `tablemill::boundary::orc`.
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| tablemill::boundary::orc(bytes));
