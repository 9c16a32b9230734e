//! One call of a filter or a test: as Python's source, and as ours.

use crate::values::{V, quoted};
use brine_jinja::{Behaviour, Context, Environment, Markup, State, Syntax, Undefined};
use brine_python::{Args, Dict, Obj, R, repr};
use std::rc::Rc;

/// An argument.
#[derive(Clone, Debug)]
pub(crate) enum Arg {
    V(V),
    Undefined,
    Markup(String),
    /// A list that holds an undefined value beside others.
    Holds(V),
}

impl Arg {
    fn py(&self) -> String {
        match self {
            Arg::V(v) => v.py(),
            Arg::Undefined => "undefined()".into(),
            Arg::Markup(text) => format!("Markup({})", quoted(text)),
            Arg::Holds(v) => format!("[{}, {{\"k\": undefined()}}, (undefined(),)]", v.py()),
        }
    }

    fn obj(&self) -> Obj {
        let undefined = || Undefined::name(Behaviour::Strict, "u");
        match self {
            Arg::V(v) => v.obj(),
            Arg::Undefined => undefined(),
            Arg::Markup(text) => Markup::new(text.as_str()),
            Arg::Holds(v) => {
                let dict = Dict::new();
                dict.set_str("k", undefined());
                Obj::list(vec![v.obj(), dict.into(), Obj::tuple(vec![undefined()])])
            }
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) kind: &'static str,
    pub(crate) name: &'static str,
    pub(crate) args: Vec<Arg>,
    pub(crate) named: Vec<(&'static str, Arg)>,
}

impl Case {
    pub(crate) fn py(&self) -> String {
        let mut all: Vec<String> = self.args.iter().map(Arg::py).collect();
        all.extend(self.named.iter().map(|(name, arg)| format!("{name}={}", arg.py())));
        format!("call({})", all.join(", "))
    }

    /// Whether Python itself answers by chance: by the order of a set, by an address that is used again, without a seed.
    pub(crate) fn is_incomparable(&self, stock: &str) -> bool {
        match self.name {
            // Now is another moment for either.
            "strftime" | "date_format" => matches!(self.args.first(), Some(Arg::V(V::None))),
            "compare_dicts" => stock.contains("Error: "),
            // An expression that is no text is taken apart into what it holds.
            "json_query" => !matches!(self.args.get(1), Some(Arg::V(V::Str(_)))),
            // Equal keys within one source text are one object.
            "yaml" | "dict_to_sls_yaml_params" => stock.contains("&id"),
            // ElementTree leaves out the element whose name is `None`, and keeps what is in it.
            "xml" if self.py().contains("None: ") => true,
            // Whitespace in a name begins an attribute.
            "xml" => {
                stock.starts_with("ExpatError")
                    && [" ", "0a", "0d", "09"].iter().any(|c| self.py().contains(c))
            }
            "flatten" => stock.starts_with("RecursionError: Ref") && self.py().contains(".items()"),
            "random_sample" => {
                matches!(self.args.get(2), None | Some(Arg::V(V::None)))
                    && self.named.is_empty()
                    && stock.starts_with('[')
            }
            "random_shuffle" => {
                matches!(self.args.get(1), None | Some(Arg::V(V::None)))
                    && self.named.is_empty()
                    && stock.starts_with('[')
            }
            _ => false,
        }
    }

    /// Our answer, in the form of the script's; `None` where a limit of ours ended it.
    pub(crate) fn ours(&self, state: &State) -> Option<String> {
        let args = Args {
            pos: self.args.iter().map(Arg::obj).collect(),
            kw: self.named.iter().map(|(name, arg)| ((*name).into(), arg.obj())).collect(),
        };
        let table = if self.kind == "test" { &state.env.tests } else { &state.env.filters };
        let out = match (self.kind, table.get(self.name)) {
            ("print", _) => brine_render::filters::finalize(&args.pos[0]).and_then(|o| brine_python::str(&o)),
            (_, Some(callee)) => {
                callee(state, &args).and_then(|out| show(&out, self.name != "compare_dicts"))
            }
            (_, None) => panic!("no {} {}", self.kind, self.name),
        };
        match out {
            Ok(out) => Some(without_addresses(&out)),
            Err(e) if e.kind() == brine_python::Kind::Limit => None,
            Err(e) => Some(without_addresses(&format!("{}: {e}", e.kind().name()))),
        }
    }
}

pub(crate) fn state() -> State {
    let (filters, tests) = brine_render::filters::tables();
    let mut env = Environment::new(Syntax::default());
    env.filters = filters;
    env.tests = tests;
    env.undefined = Behaviour::Strict;
    env.sandboxed = true;
    let context = Rc::new(Context::new(env.globals.clone(), None, false));
    State { env: Rc::new(env), context, autoescape: false }
}

fn show(obj: &Obj, ordered: bool) -> R<String> {
    if let Some(undefined) = Undefined::find(obj) {
        return Ok(format!("undefined {}", undefined.message()));
    }
    match obj {
        Obj::Set(set) => {
            let mut all = set.to_vec().iter().map(repr).collect::<R<Vec<_>>>()?;
            all.sort();
            let all = all.into_iter().map(Obj::from).collect();
            Ok(format!("{}{}", obj.type_name(), repr(&Obj::list(all))?))
        }
        Obj::Tuple(items) => {
            let all = items.iter().map(|i| show(i, true)).collect::<R<Vec<_>>>()?;
            Ok(format!("({},)", all.join(", ")))
        }
        Obj::Dict(dict) if !ordered => {
            let mut all = Vec::new();
            for (key, value) in dict.pairs() {
                all.push((repr(&key)?, repr(&value)?));
            }
            all.sort();
            let all = all.into_iter().map(|(k, v)| Obj::tuple(vec![k.into(), v.into()])).collect();
            repr(&Obj::list(all))
        }
        Obj::Iter(iter) => {
            let mut all = Vec::new();
            while all.len() < 60
                && let Some(item) = iter.next()?
            {
                all.push(item);
            }
            let name = obj.type_name().rsplit('.').next().unwrap_or_default();
            Ok(format!("{name} {}", repr(&Obj::list(all))?))
        }
        _ => repr(obj),
    }
}

fn without_addresses(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("0x") {
        let after = &rest[at + 2..];
        let digits = after.bytes().take_while(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')).count();
        out.push_str(&rest[..at + 2]);
        rest = if digits >= 6 { &after[digits..] } else { after };
    }
    out + rest
}
