//! The fuzz body for templates, run bounded on random templates that are broken in many places: the same each time.

#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, reason = "a test")]

#[path = "common/grammar.rs"]
mod grammar;

#[path = "../../fuzz/templates.rs"]
mod templates;

use grammar::{Grammar, syntaxes};

#[test]
fn no_text_makes_the_parser_panic() {
    let syntaxes = syntaxes();
    for seed in 0..6000 {
        let syntax = &syntaxes[seed as usize % 2];
        let mut grammar = Grammar::new(seed, syntax);
        let mut text = grammar.template();
        for _ in 0..seed % 5 {
            grammar.damage(&mut text);
        }
        let mut data = vec![seed as u8];
        data.extend_from_slice(text.as_bytes());
        templates::template(&data);
        // Not even text, here and there.
        if seed % 3 == 0 {
            let at = seed as usize % data.len();
            data[at] ^= 0x80 | (1 << (seed % 7));
            templates::template(&data);
        }
    }
}
