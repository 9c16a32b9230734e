//! What the fuzz target for templates does with its input, shared by libFuzzer's program and the bounded test on stable.

use brine_jinja::{Behaviour, Environment, Limits, Newline, Syntax, parse, parse_within};
use brine_python::{Dict, Limits as Work, Obj};
use std::rc::Rc;

/// Reads text as a template; its first byte chooses the syntax. Lines of errors are lines of the text, and limits only ever turn a
/// tree into an error.
pub(crate) fn template(data: &[u8]) {
    let Some((&choice, text)) = data.split_first() else { return };
    let text = String::from_utf8_lossy(text);
    let mut syntax = Syntax {
        trim_blocks: choice & 1 != 0,
        lstrip_blocks: choice & 2 != 0,
        keep_trailing_newline: choice & 4 != 0,
        newline_sequence: if choice & 8 != 0 { Newline::CrLf } else { Newline::Lf },
        ..Syntax::default()
    };
    if choice & 16 != 0 {
        syntax.line_statement_prefix = Some("#".into());
        syntax.line_comment_prefix = Some("##".into());
    }
    if choice & 32 != 0 {
        syntax.variable_start = "${".into();
        syntax.variable_end = "}".into();
    }
    let lines = text.replace("\r\n", "\n").matches(['\n', '\r']).count() + 1;
    let whole = parse(&text, &syntax);
    if let Err(error) = &whole {
        assert!((1..=lines).contains(&(error.line as usize)), "{error:?} of {lines} lines");
        assert!(!error.message.is_empty(), "{error:?}");
    }
    let limits = Limits { nesting: 4, height: 8, nodes: 40, ..Limits::default() };
    if let Ok(template) = parse_within(&text, &syntax, &limits) {
        assert_eq!(Ok(template), whole, "a limit changed the tree");
    }
    if whole.is_ok() {
        render(&text, syntax, choice & 64 != 0);
    }
}

/// Runs it, also as what it includes itself, within little memory and work. It ends, in text or in an error that has words.
fn render(text: &str, syntax: Syntax, strict: bool) {
    let vars = Dict::new();
    vars.set_str("a", Obj::list(vec![Obj::Int(1), Obj::str("x")]));
    vars.set_str("b", Obj::str("<text>"));
    vars.set_str("x1", Obj::dict(Dict::new()));
    let mut environment = Environment::new(syntax);
    environment.undefined = if strict { Behaviour::Strict } else { Behaviour::Lenient };
    environment.sandboxed = true;
    let work = Work { bytes: 8 << 20, steps: 100_000 };
    if let Err(failure) = Rc::new(environment).render(text, &vars, work) {
        assert!(!format!("{:?}", failure.error).is_empty());
    }
}
