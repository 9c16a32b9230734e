//! libFuzzer program for templates.
#![no_main]

#[path = "../templates.rs"]
mod templates;

libfuzzer_sys::fuzz_target!(|data: &[u8]| templates::template(data));
