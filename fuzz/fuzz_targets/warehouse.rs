//! libFuzzer program for boxes and transforms of warehouses.
#![no_main]

#[path = "../warehouses.rs"]
mod warehouses;

libfuzzer_sys::fuzz_target!(|data: &[u8]| warehouses::warehouse(data));
