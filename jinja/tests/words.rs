//! Errors in Jinja2's words with their lines, and trees that threads can share: what can be said without stock at hand.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

use brine_jinja::tree::{Const, ExprKind, StmtKind, Template};
use brine_jinja::{Error, ErrorKind, Syntax, parse};
use std::sync::Arc;

const ERRORS: &[(&str, u32, &str)] = &[
    (
        "{% if a %}\n{% for b in c %}\n{% endif %}",
        3,
        "Encountered unknown tag 'endif'. You probably made a nesting mistake. Jinja is expecting this tag, but currently looking for \
         'endfor' or 'else'. The innermost block that needs to be closed is 'for'.",
    ),
    (
        "\n{% if a %}\n\n",
        2,
        "Unexpected end of template. Jinja was looking for the following tags: 'elif' or 'else' or 'endif'. The innermost block \
         that needs to be closed is 'if'.",
    ),
    ("{% nosuch %}", 1, "Encountered unknown tag 'nosuch'."),
    ("a\nb {{ c", 2, "unexpected end of template, expected 'end of print statement'."),
    ("{{ a b }}", 1, "expected token 'end of print statement', got 'b'"),
    ("{{ }}", 1, "Expected an expression, got 'end of print statement'"),
    ("{{ (a] }}", 1, "unexpected ']', expected ')'"),
    ("{{ é ? }}", 1, "unexpected char '?' at 5"),
    ("{{ 'a }}", 1, "unexpected char \"'\" at 3"),
    ("{# a\n\n", 1, "Missing end of comment tag"),
    ("{% raw %}\n a", 1, "Missing end of raw directive"),
    ("{% set true = 1 %}", 1, "can't assign to 'const'"),
    ("{{ a is b is c }}", 1, "You cannot chain multiple tests with is"),
    ("{{ f(a=1, b) }}", 1, "invalid syntax for function call expression"),
    ("{{ '\\xz' }}", 1, "truncated \\xXX escape"),
    ("{{ '\\N{DEGREE SIGN}' }}", 1, "characters are not known by name: DEGREE SIGN"),
    ("{% for a, in b %}", 1, "expected token 'in', got 'b'"),
    ("{% load_yaml a %}", 1, "expected token 'as', got 'a'"),
];

#[test]
fn errors_have_jinja2_s_words_and_lines() {
    for (source, line, message) in ERRORS {
        let error = Error { kind: ErrorKind::Syntax, line: *line, message: (*message).into() };
        assert_eq!(parse(source, &Syntax::default()), Err(error), "{source}");
    }
    let underline = parse("{% from 'a' import _b %}", &Syntax::default()).unwrap_err();
    assert_eq!(underline.kind, ErrorKind::Assertion);
    let digits = parse(&format!("{{{{ {} }}}}", "1".repeat(4301)), &Syntax::default()).unwrap_err();
    assert_eq!(digits.kind, ErrorKind::Value);
    assert!(digits.message.starts_with("Exceeds the limit (4300 digits) for integer string conversion"));
}

#[test]
fn a_tree_is_shared_between_threads_and_outlives_its_text() {
    let source = String::from("{{ 18446744073709551616 }}");
    let template: Arc<Template> = Arc::new(parse(&source, &Syntax::default()).unwrap());
    drop(source);
    let other = template.clone();
    std::thread::spawn(move || {
        let StmtKind::Output(exprs) = &other.body[0].kind else { panic!("{other:?}") };
        assert_eq!(exprs[0].kind, ExprKind::Const(Const::BigInt(10, "18446744073709551616".into())));
    })
    .join()
    .unwrap();
    assert_eq!(template.body[0].line, 1);
}
