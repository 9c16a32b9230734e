//! What a template reads of the minion, as its tree shows: nothing, some grains, or who knows what.
//!
//! Everything that is not known here to depend on the template alone, on its place in the tree or on a grain that is named, makes
//! the answer "who knows": functions, pillar, options, other templates, filters that look at the clock or at this machine.

use brine_jinja::tree::{Args, CmpOp, Const, Expr, ExprKind, Signature, Stmt, StmtKind, Target, TargetKind};
use brine_jinja::{Syntax, parse};
use std::collections::BTreeSet;

/// The grains that a text reads, by their first names, if it reads nothing else of the minion.
pub(super) fn reads(text: &str) -> Option<BTreeSet<String>> {
    let first = text.lines().next().unwrap_or("");
    // Lines that choose another pipeline or another syntax.
    if first.starts_with("#!") || text.contains("#jinja2") {
        return None;
    }
    let template = parse(text, &Syntax::default()).ok()?;
    let mut names = BTreeSet::new();
    names_of(&template.body, &mut names);
    if CONTEXT.iter().chain(PLACE).any(|name| names.contains(*name)) {
        return None;
    }
    let mut walk = Walk { names, grains: BTreeSet::new(), changes: false };
    walk.all(&template.body)?;
    // A list of a grain that is changed in place stays changed.
    (walk.grains.is_empty() || !walk.changes).then_some(walk.grains)
}

/// Variables that differ from minion to minion.
const CONTEXT: &[&str] = &["grains", "opts", "pillar", "proxy", "salt"];
/// Variables that the place in the tree decides.
const PLACE: &[&str] = &[
    "saltenv",
    "sls",
    "sls_path",
    "slscolonpath",
    "slsdotpath",
    "slspath",
    "tpldir",
    "tpldot",
    "tplfile",
    "tplpath",
];
/// Globals, and what loops and macros bring, that give the same every time.
const GLOBALS: &[&str] =
    &["caller", "cycler", "dict", "joiner", "kwargs", "loop", "namespace", "range", "varargs"];
const METHODS: &[&str] = &[
    "capitalize",
    "copy",
    "count",
    "endswith",
    "find",
    "format",
    "get",
    "index",
    "isalpha",
    "isdigit",
    "items",
    "join",
    "keys",
    "lower",
    "lstrip",
    "replace",
    "rsplit",
    "rstrip",
    "split",
    "splitlines",
    "startswith",
    "strip",
    "title",
    "upper",
    "values",
    "zfill",
];
/// Methods that change what they are called on.
const CHANGES: &[&str] = &[
    "add",
    "append",
    "clear",
    "discard",
    "extend",
    "insert",
    "pop",
    "popitem",
    "remove",
    "reverse",
    "setdefault",
    "sort",
    "update",
];
const FILTERS: &[&str] = &[
    "abs",
    "avg",
    "base64_decode",
    "base64_encode",
    "batch",
    "capitalize",
    "center",
    "count",
    "d",
    "default",
    "dictsort",
    "difference",
    "first",
    "flatten",
    "float",
    "format",
    "groupby",
    "indent",
    "int",
    "intersect",
    "ipv4",
    "ipv6",
    "is_ip",
    "is_ipv4",
    "is_ipv6",
    "items",
    "join",
    "json",
    "last",
    "length",
    "list",
    "load_json",
    "load_yaml",
    "lower",
    "map",
    "max",
    "md5",
    "min",
    "python",
    "quote",
    "regex_escape",
    "regex_match",
    "regex_replace",
    "regex_search",
    "reject",
    "rejectattr",
    "replace",
    "reverse",
    "round",
    "select",
    "selectattr",
    "sequence",
    "sha1",
    "sha256",
    "sha512",
    "slice",
    "sort",
    "string",
    "sum",
    "symmetric_difference",
    "title",
    "to_bool",
    "tojson",
    "trim",
    "truncate",
    "union",
    "unique",
    "upper",
    "urlencode",
    "wordcount",
    "wordwrap",
    "yaml",
    "yaml_dquote",
    "yaml_encode",
    "yaml_squote",
];
const TESTS: &[&str] = &[
    "boolean",
    "defined",
    "divisibleby",
    "eq",
    "equalto",
    "even",
    "false",
    "float",
    "ge",
    "gt",
    "in",
    "integer",
    "iterable",
    "le",
    "list",
    "lower",
    "lt",
    "mapping",
    "match",
    "ne",
    "none",
    "number",
    "odd",
    "sequence",
    "string",
    "true",
    "undefined",
    "upper",
];

/// All names that statements bind, wherever.
fn names_of(body: &[Stmt], names: &mut BTreeSet<String>) {
    for stmt in body {
        match &stmt.kind {
            StmtKind::For { target: t, body, else_, .. } => {
                names_of_target(t, names);
                names_of(body, names);
                names_of(else_, names);
            }
            StmtKind::If { branches, else_ } => {
                branches.iter().for_each(|branch| names_of(&branch.body, names));
                names_of(else_, names);
            }
            StmtKind::Assign(t, _) => names_of_target(t, names),
            StmtKind::AssignBlock { target: t, body, .. } | StmtKind::Load { target: t, body, .. } => {
                names_of_target(t, names);
                names_of(body, names);
            }
            StmtKind::With { vars, body } => {
                vars.iter().for_each(|(t, _)| names_of_target(t, names));
                names_of(body, names);
            }
            StmtKind::Macro { name, signature, body } => {
                names.insert(name.to_string());
                names.extend(signature.args.iter().map(|(_, name)| name.to_string()));
                names_of(body, names);
            }
            StmtKind::CallBlock { signature, body, .. } => {
                names.extend(signature.args.iter().map(|(_, name)| name.to_string()));
                names_of(body, names);
            }
            StmtKind::FilterBlock { body, .. } | StmtKind::Profile { body, .. } => names_of(body, names),
            StmtKind::Autoescape(_, body) => names_of(body, names),
            _ => {}
        }
    }
}

fn names_of_target(target: &Target, names: &mut BTreeSet<String>) {
    match &target.kind {
        TargetKind::Name(name) | TargetKind::NsRef(name, _) => drop(names.insert(name.to_string())),
        TargetKind::Tuple(all) => all.iter().for_each(|t| names_of_target(t, names)),
    }
}

/// Goes through a tree; None as soon as something is not known to be harmless.
struct Walk {
    names: BTreeSet<String>,
    grains: BTreeSet<String>,
    changes: bool,
}

impl Walk {
    fn all(&mut self, body: &[Stmt]) -> Option<()> {
        body.iter().try_for_each(|stmt| self.stmt(stmt))
    }

    fn stmt(&mut self, stmt: &Stmt) -> Option<()> {
        match &stmt.kind {
            StmtKind::Output(exprs) => self.exprs(exprs),
            StmtKind::For { iter, test, body, else_, .. } => {
                self.expr(iter)?;
                self.exprs(test)?;
                self.all(body)?;
                self.all(else_)
            }
            StmtKind::If { branches, else_ } => {
                for branch in branches {
                    self.expr(&branch.test)?;
                    self.all(&branch.body)?;
                }
                self.all(else_)
            }
            StmtKind::Assign(_, value) | StmtKind::Do(value) => self.expr(value),
            StmtKind::AssignBlock { filter, body, .. } => {
                self.exprs(filter)?;
                self.all(body)
            }
            StmtKind::With { vars, body } => {
                vars.iter().try_for_each(|(_, value)| self.expr(value))?;
                self.all(body)
            }
            StmtKind::Macro { signature, body, .. } => self.macro_(signature, body),
            StmtKind::CallBlock { signature, call, body } => {
                self.expr(call)?;
                self.macro_(signature, body)
            }
            StmtKind::FilterBlock { filter, body } => {
                self.expr(filter)?;
                self.all(body)
            }
            StmtKind::Load { body, .. } => self.all(body),
            StmtKind::Break | StmtKind::Continue => Some(()),
            _ => None,
        }
    }

    fn macro_(&mut self, signature: &Signature, body: &[Stmt]) -> Option<()> {
        self.exprs(&signature.defaults)?;
        self.all(body)
    }

    fn exprs<'a>(&mut self, exprs: impl IntoIterator<Item = &'a Expr>) -> Option<()> {
        exprs.into_iter().try_for_each(|expr| self.expr(expr))
    }

    fn args(&mut self, args: &Args) -> Option<()> {
        self.exprs(&args.args)?;
        self.exprs(args.kwargs.iter().map(|(_, value)| value))?;
        self.exprs(&args.dyn_args)?;
        self.exprs(&args.dyn_kwargs)
    }

    fn expr(&mut self, expr: &Expr) -> Option<()> {
        if let Some(grain) = grain(expr) {
            self.grains.insert(grain.to_owned());
            // What a default is made of.
            return match &expr.kind {
                ExprKind::Call(_, args) => self.args(args),
                _ => Some(()),
            };
        }
        match &expr.kind {
            ExprKind::Data(_) | ExprKind::Const(_) => Some(()),
            ExprKind::Name(name) => {
                let known =
                    self.names.contains(&**name) || GLOBALS.contains(&&**name) || PLACE.contains(&&**name);
                known.then_some(())
            }
            ExprKind::Tuple(items) | ExprKind::List(items) | ExprKind::Concat(items) => self.exprs(items),
            ExprKind::Dict(pairs) => self.exprs(pairs.iter().flat_map(|(key, value)| [key, value])),
            ExprKind::CondExpr { test, then, else_ } => {
                self.expr(test)?;
                self.expr(then)?;
                self.exprs(else_.as_deref())
            }
            ExprKind::Filter { node, name, args } => {
                let named = args.args.first().and_then(text);
                if !FILTERS.contains(&&**name)
                    || (&**name == "map"
                        && !args.args.is_empty()
                        && !named.is_some_and(|f| FILTERS.contains(&f)))
                {
                    return None;
                }
                self.exprs(node.as_deref())?;
                self.args(args)
            }
            ExprKind::Test { node, name, args } => {
                TESTS.contains(&&**name).then_some(())?;
                self.expr(node)?;
                self.args(args)
            }
            ExprKind::Call(callee, args) => {
                match &callee.kind {
                    ExprKind::Getattr(of, method) => {
                        self.changes |= CHANGES.contains(&&**method);
                        // A namespace or a loop has methods of these names, or none.
                        (METHODS.contains(&&**method)
                            || CHANGES.contains(&&**method)
                            || matches!(&of.kind, ExprKind::Name(name) if &**name == "loop"))
                        .then_some(())?;
                        self.expr(of)?;
                    }
                    ExprKind::Name(_) => self.expr(callee)?,
                    _ => return None,
                }
                self.args(args)
            }
            ExprKind::Getitem(of, key) => {
                self.expr(of)?;
                self.expr(key)
            }
            ExprKind::Getattr(of, _) | ExprKind::Unary(_, of) => self.expr(of),
            ExprKind::Slice(parts) => self.exprs(parts.iter().flatten()),
            ExprKind::Compare(first, rest) => {
                // Whether there is a grain is part of its value.
                if let [only] = rest.as_slice()
                    && matches!(only.op, CmpOp::In | CmpOp::NotIn)
                    && is_name(&only.expr, "grains")
                {
                    self.grains.insert(text(first)?.to_owned());
                    return Some(());
                }
                self.expr(first)?;
                self.exprs(rest.iter().map(|operand| &operand.expr))
            }
            ExprKind::Bin(_, a, b) => {
                self.expr(a)?;
                self.expr(b)
            }
        }
    }
}

fn is_name(expr: &Expr, wanted: &str) -> bool {
    matches!(&expr.kind, ExprKind::Name(name) if &**name == wanted)
}

fn text(expr: &Expr) -> Option<&str> {
    match &expr.kind {
        ExprKind::Const(Const::Str(text)) => Some(text),
        _ => None,
    }
}

/// The grain that an expression reads, if it reads one by name.
fn grain(expr: &Expr) -> Option<&str> {
    match &expr.kind {
        ExprKind::Getitem(of, key) if is_name(of, "grains") => text(key).filter(|name| !is_method(name)),
        ExprKind::Getattr(of, name) if is_name(of, "grains") => Some(&**name).filter(|name| !is_method(name)),
        ExprKind::Call(callee, args)
            if args.kwargs.is_empty()
                && args.dyn_args.is_none()
                && args.dyn_kwargs.is_none()
                && args.args.len() <= 2 =>
        {
            let name = text(args.args.first()?)?;
            match &callee.kind {
                ExprKind::Getattr(of, get) if &**get == "get" && is_name(of, "grains") => Some(name),
                ExprKind::Getitem(of, fun) if is_name(of, "salt") && text(fun) == Some("grains.get") => {
                    name.split(':').next()
                }
                _ => None,
            }
        }
        _ => None,
    }
}

/// What a dict answers to by itself, so that it is no grain.
fn is_method(name: &str) -> bool {
    let of_dicts = ["fromkeys", "move_to_end"].contains(&name);
    of_dicts || name.starts_with('_') || METHODS.contains(&name) || CHANGES.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Option<Vec<String>> {
        reads(text).map(|grains| grains.into_iter().collect())
    }

    #[test]
    fn grains_that_are_named_are_found() {
        for (text, grains) in [
            ("a: 1\n", ""),
            ("{% set x = [1] %}{% do x.append(2) %}{% for y in x %}{{ y }}{{ loop.index }}{% endfor %}", ""),
            ("{% macro m(a, b=2) %}{{ a ~ b }}{% endmacro %}{{ m(1) }} {{ sls }} {{ tpldir }}", ""),
            ("{{ grains['os'] }}{{ grains.id }}{{ grains.get('x', grains.y) }}", "id os x y"),
            ("{{ salt['grains.get']('a:b', 'none') }}{% if 'z' in grains %}1{% endif %}", "a z"),
            ("{{ grains.os.lower() }}{{ grains['ip'][0] | upper }}{{ [1] | map('string') | join }}", "ip os"),
            ("{% load_yaml as d %}a: {{ grains.os }}{% endload %}{{ d | json }}", "os"),
        ] {
            assert_eq!(of(text).map(|g| g.join(" ")).as_deref(), Some(grains), "{text}");
        }
    }

    #[test]
    fn whatever_may_depend_on_more_is_not_shared() {
        for text in [
            "#!yaml\na: 1",
            "#jinja2: trim_blocks: True\na: 1",
            "{{ pillar.a }}",
            "{{ opts.id }}",
            "{{ salt['cmd.run']('date') }}",
            "{{ salt.grains.get('a') }}",
            "{{ salt['grains.get'](x) }}",
            "{{ salt['grains.get']('a', delimiter='|') }}",
            "{{ grains }}",
            "{{ grains.items() }}",
            "{{ grains['items'] }}",
            "{% for g in grains %}{{ g }}{% endfor %}",
            "{% set g = grains %}{{ g.os }}",
            "{% set grains = {} %}{{ grains.os }}",
            "{{ grains[x] }}",
            "{% set x = 'os' %}{{ grains[x] }}",
            "{% do grains.l.append(1) %}",
            "{% do grains.update({}) %}",
            "{{ 1 | random }}",
            "{{ 'now' | strftime }}",
            "{{ [1] | map('random') }}",
            "{% set f = 'random' %}{{ [1] | map(f) }}",
            "{% from 'x.jinja' import y with context %}{{ y }}",
            "{% import_yaml 'x.yaml' as y %}{{ y }}",
            "{% include 'x' %}",
            "{{ show_full_context() }}",
            "{{ lipsum() }}",
            "{{ (grains.a).b() }}",
            "{{ broken",
        ] {
            assert_eq!(of(text), None, "{text}");
        }
    }
}
