//! libFuzzer program for the body of the same name.
#![no_main]

#[path = "../bodies.rs"]
#[allow(dead_code, reason = "each program runs one body")]
mod bodies;

libfuzzer_sys::fuzz_target!(|data: &[u8]| bodies::request_load(data));
