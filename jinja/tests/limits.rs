//! Templates that would take a lot: each is an error, or a tree, in a stack of 2 MiB and in time in proportion to its size.

#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, reason = "a test")]

use brine_jinja::{Error, ErrorKind, Limits, Syntax, parse, parse_within};
use std::time::{Duration, Instant};

/// Runs on a stack of the size that threads have.
fn on_a_thread<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        std::thread::Builder::new().stack_size(2 << 20).spawn_scoped(scope, work).unwrap().join().unwrap()
    })
}

fn limited(source: &str) -> Error {
    let error = on_a_thread(|| parse(source, &Syntax::default()).map(drop)).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Limit, "{error} in line {}", error.line);
    error
}

const DEEP: usize = 1_000_000;

#[test]
fn nesting_without_end_is_an_error() {
    for piece in [
        "(",
        "[",
        "{",
        "{a: ",
        "a[",
        "a(",
        "a(b=",
        "- ",
        "not ",
        "a if b else ",
        "a|f(",
        "a is b(",
        "a is b[",
        "a[b:",
        "(a, (",
    ] {
        let error = limited(&format!("\n{{{{ {}", piece.repeat(DEEP)));
        assert_eq!((error.line, &*error.message), (2, "nested more than 100 deep"), "{piece}");
    }
    for piece in [
        "{% if a %}",
        "{% for a in b %}",
        "{% filter f %}x",
        "{% set a %}",
        "{% load_yaml as a %}",
        "{% block a %}",
    ] {
        assert_eq!(limited(&piece.repeat(DEEP / 10)).message, "nested more than 100 deep", "{piece}");
    }
    assert_eq!(limited(&format!("{{% set {}", "(".repeat(DEEP))).message, "nested more than 100 deep");
}

#[test]
fn chains_without_end_are_an_error() {
    for piece in
        [".b", "[b]", "()", "|f", " + a", " and a", " or a", " ** a", " if a", " is b()", "|f(a)", " - a * b"]
    {
        let error = limited(&format!("\n{{{{ a{} }}}}", piece.repeat(DEEP / 10)));
        assert_eq!((error.line, &*error.message), (2, "an expression of more than 250 levels"), "{piece}");
    }
}

/// Every level of precedence within each bracket: as deep as the stack gets.
#[test]
fn operators_of_all_levels_within_brackets_fit_the_stack() {
    let error = limited(&format!("{{{{ {}a", "a or b and not c == d + e ~ f * g ** -(".repeat(DEEP)));
    assert_eq!(error.message, "nested more than 100 deep");
}

/// What is deep but allowed does not end the stack, neither when it is read nor when it goes.
#[test]
fn the_deepest_allowed_fit_the_stack() {
    let all = "a or b and not c == d + e ~ f * g ** -";
    let brackets =
        |piece: &str, end: &str, n: usize| format!("{{{{ {}a{} }}}}", piece.repeat(n), end.repeat(n));
    let sources = [
        brackets("(", ")", 95),
        brackets(&format!("{all}("), ")", 24),
        brackets(&format!("{all}["), "]", 24),
        brackets("a(b=[", "])", 45),
        brackets("{a: a.b|f(", ")}", 45),
        brackets("- ", "", 190),
        brackets("not ", "", 190),
        brackets("a if b else ", "", 190),
        format!("{}{}", "{% if a %}".repeat(95), "{% endif %}".repeat(95)),
        format!("{{{{ a{} }}}}", ".b".repeat(240)),
        format!(
            "{}{{{{ {}a{} }}}}{}",
            "{% for a in b %}".repeat(45),
            "(".repeat(45),
            ")".repeat(45),
            "{% endfor %}".repeat(45)
        ),
    ];
    for source in sources {
        let read = on_a_thread(|| {
            parse(&source, &Syntax::default()).map(|template| assert_eq!(template, template.clone()))
        });
        assert_eq!(read, Ok(()), "{source}");
    }
}

#[test]
fn size_is_bounded() {
    let limits = Limits { source: 150, nodes: 30, ..Limits::default() };
    let read = |source: &str| parse_within(source, &Syntax::default(), &limits).map(drop);
    assert_eq!(read(&"x".repeat(150)), Ok(()));
    assert_eq!(read(&"x".repeat(151)).unwrap_err().message, "the template is larger than 150 bytes");
    assert_eq!(read(&format!("{{{{ [{}] }}}}", "a,".repeat(29))), Ok(()));
    let many =
        ["{{ [a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a] }}", &"{%do a%}".repeat(16)];
    for source in many
        .into_iter()
        .chain(["{% set a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t,u,v,w,x,y,z,A,B,C,D,E = 1 %}"])
    {
        let error = read(source).unwrap_err();
        assert_eq!(
            (error.kind, &*error.message),
            (ErrorKind::Limit, "a template of more than 30 parts"),
            "{source}"
        );
    }
}

/// Ten times the text takes less than forty times the time.
#[test]
fn time_is_linear() {
    let lines = Syntax {
        line_statement_prefix: Some("#".into()),
        line_comment_prefix: Some("##".into()),
        lstrip_blocks: true,
        ..Syntax::default()
    };
    let plain = Syntax::default();
    let pieces = [
        (&plain, "", "{{ a.b['c']|d(1) }} text\n"),
        (&plain, "{% raw %}", "{% endra {%\n"),
        (&plain, "", "{ {\n{"),
        (&plain, "{{ [", "1_0.5,"),
        (&plain, "{{ ", "'a' \"b\\n\" "),
        (&plain, "{#", " -#{# \n"),
        (&plain, "{{ a", " \n"),
        (&lines, "x", "      \t"),
        (&lines, "", "  x  ## c\n"),
        (&lines, "", "\n   # set a = 1"),
        (&plain, "", "{%- set a -%}x{%- endset -%}\n"),
    ];
    for (syntax, begin, piece) in pieces {
        let time = |n: usize| {
            let source = begin.to_owned() + &piece.repeat(n / piece.len());
            let start = Instant::now();
            let _read = parse(&source, syntax);
            start.elapsed()
        };
        let small = (0..5).map(|_| time(40_000)).min().unwrap();
        let large = (0..3).map(|_| time(400_000)).min().unwrap();
        println!("{small:?} {large:?} {piece:?}");
        assert!(large < (small * 40).max(Duration::from_millis(200)), "{small:?} {large:?} {piece:?}");
    }
}

#[test]
fn delimiters_that_cannot_be_used_are_an_error() {
    let same = Syntax { variable_start: "{%".into(), ..Syntax::default() };
    let message = "block, variable and comment start strings must be different";
    assert_eq!(parse("a", &same).unwrap_err().message, message);
    let empty = Syntax { line_comment_prefix: Some(String::new()), ..Syntax::default() };
    assert_eq!(parse("a", &empty).unwrap_err().message, "a delimiter of templates is empty");
}
