//! Filters, tests and globals where templates use them: the environment finds them, and a sandbox stands before `format`.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

use brine_jinja::{Environment, Syntax};
use brine_python::{Dict, Limits};
use std::rc::Rc;

fn render(text: &str, autoescape: bool) -> Result<String, String> {
    let mut env = Environment::new(Syntax::default());
    env.sandboxed = true;
    env.autoescape = autoescape;
    let limits = Limits { bytes: 1 << 24, steps: 1 << 20 };
    Rc::new(env).render(text, &Dict::new(), limits).map_err(|e| format!("{:?}", e.error))
}

#[test]
fn filters_and_tests_by_name() {
    for (text, out) in [
        ("{{ [3, 1, 2]|sort|join(', ') }}", "1, 2, 3"),
        ("{{ ['a', 'b']|map('upper')|list }}", "['A', 'B']"),
        ("{{ [1, 2, 3, 4]|select('even')|list }}", "[2, 4]"),
        (
            "{{ [{'a': 1, 'b': 2}, {'a': 1, 'b': 3}]|groupby('a')|first }}",
            "(1, [{'a': 1, 'b': 2}, {'a': 1, 'b': 3}])",
        ),
        ("{% for k, v in {'b': 1, 'A': 2}|dictsort %}{{ k }}{{ v }} {% endfor %}", "A2 b1 "),
        ("{{ nope|default('x') }}{{ 5 is divisibleby 5 }}{{ 'upper' is filter }}", "xTrueTrue"),
        ("{% filter indent(2) %}a\nb{% endfilter %}", "a\n  b"),
        ("{{ {'a': '<'}|tojson }}", "{\"a\": \"\\u003c\"}"),
    ] {
        assert_eq!(render(text, false).as_deref(), Ok(out), "{text}");
    }
}

#[test]
fn globals_by_name() {
    for (text, out) in [
        (
            "{% set ns = namespace(n=0) %}{% for i in range(4) %}{% set ns.n = ns.n + i %}{% endfor %}{{ ns.n }}",
            "6",
        ),
        ("{% set c = cycler('a', 'b') %}{{ c.next() }}{{ c.next() }}{{ c.next() }}{{ c.current }}", "abab"),
        ("{% set j = joiner('|') %}{% for i in range(3) %}{{ j() }}{{ i }}{% endfor %}", "0|1|2"),
        ("{{ dict(a=1, **{'b': 2}) }}{{ dict.fromkeys([1]) }}", "{'a': 1, 'b': 2}{1: None}"),
        ("{{ lipsum(n=1, html=false, min=3, max=4).split()|length }}", "3"),
    ] {
        assert_eq!(render(text, false).as_deref(), Ok(out), "{text}");
    }
    let wrong = render("{% set d = {} %}{% set d.n = 1 %}", false);
    assert_eq!(wrong, Err("TemplateRuntimeError: cannot assign attribute on non-namespace object".into()));
}

#[test]
fn what_is_printed_is_escaped_once() {
    for (text, out) in [
        ("{{ '<' }}{{ '<'|safe }}{{ '<'|e }}{{ ['<', '>'|safe]|join('&') }}", "&lt;<&lt;&lt;&amp;>"),
        ("{{ '<b>%s</b>'|safe % '<' }}{{ '<b>{}</b>'|safe|string }}", "<b>&lt;</b><b>{}</b>"),
        ("{{ ('<i>{}</i>'|safe).format('<') }}{{ '<' ~ ('>'|safe) }}", "<i>&lt;</i>&lt;>"),
    ] {
        assert_eq!(render(text, true).as_deref(), Ok(out), "{text}");
    }
}

#[test]
fn filters_see_what_a_block_says_of_escaping() {
    for (text, out) in [
        (
            "{% autoescape true %}{{ {'a': '<'}|xmlattr }}{{ ['<']|join }}{% endautoescape %}",
            " a=\"&lt;\"&lt;",
        ),
        (
            "{% autoescape true %}{{ 'www.x.org'|urlize|escape }}{{ 'a'|replace('a', '<') }}{% endautoescape %}",
            "<a href=\"https://www.x.org\" rel=\"noopener\">www.x.org</a>&lt;",
        ),
        ("{% autoescape false %}{{ 'a'|replace('a', '<') }}{% endautoescape %}", "<"),
    ] {
        assert_eq!(render(text, false).as_deref(), Ok(out), "{text}");
    }
}

#[test]
fn format_sees_no_more_than_the_template() {
    assert_eq!(render("{{ '{a.b} {0[x]}'.format({'x': 1}, a={'b': 2}) }}", false).as_deref(), Ok("2 1"));
    for text in [
        "{{ '{0.__class__.__mro__}'.format(1) }}",
        "{{ '{a.__class__.__mro__}'.format_map({'a': 1}) }}",
        "{{ ('x'|attr('format'))('{}').__class__.__mro__ }}",
        "{% set f = '{0.__class__.__mro__}'['format'] %}{{ f('') }}",
        "{{ ['{0.__class__.__mro__}']|map(attribute='format')|first('') }}",
        "{{ 'a'.__class__.__mro__ }}",
        "{{ lipsum.__globals__['os'] }}",
        "{{ cycler.__init__.__globals__ }}",
    ] {
        let said = render(text, false).expect_err(text);
        assert!(said.starts_with("SecurityError") || said.starts_with("TypeError"), "{text}: {said}");
    }
}
