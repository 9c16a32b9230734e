//! libFuzzer program for YAML.
#![no_main]

#[path = "../documents.rs"]
#[allow(dead_code, reason = "each program uses a part")]
mod documents;

libfuzzer_sys::fuzz_target!(|data: &[u8]| documents::yaml(data));
