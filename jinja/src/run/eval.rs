//! Evaluates expressions.

use super::code::{Given, Node};
use super::exec::Exec;
use super::macros::{Function, Macro};
use crate::env::State;
use crate::markup::{Markup, escape, has_html};
use crate::tree::{BinOp, CmpOp, UnaryOp};
use crate::undefined::{Behaviour, RUNTIME_ERROR, Undefined};
use brine_python::{
    Args, Cmp, Dict, Kind, Obj, Op, PyErr, R, Unary, binary, call, compare, contains, eq, repr,
    str as text_of, truth, unary,
};
use std::rc::Rc;

impl Exec {
    /// The value of an expression; `printed` is what a filter without a value works on.
    pub(super) fn eval(&self, node: &Node, printed: Option<&str>) -> R {
        Ok(match node {
            Node::Data(text) => self.printed(text),
            Node::Const(at) => self.template.consts.get(*at as usize).cloned().unwrap_or_default(),
            Node::Name(place, name) => {
                self.act.get(*place).unwrap_or_else(|| Undefined::name(self.state.env.undefined, name))
            }
            Node::Param(place) => self.act.get(*place).unwrap_or_default(),
            Node::Tuple(items) => Obj::tuple(self.all(items, printed)?),
            Node::List(items) => Obj::list(self.all(items, printed)?),
            Node::Dict(pairs) => {
                let dict = Dict::new();
                for (key, value) in pairs {
                    let key = self.eval(key, printed)?;
                    dict.set(key, self.eval(value, printed)?)?;
                }
                dict.into()
            }
            Node::Cond(parts, other, line) => {
                let [test, then] = &**parts;
                if truth(&self.eval(test, printed)?)? {
                    return self.eval(then, printed);
                }
                match other {
                    Some(other) => self.eval(other, printed)?,
                    None => Undefined::hint(
                        Behaviour::Lenient,
                        format!(
                            "the inline if-expression on {} evaluated to false and no else section was defined.",
                            self.template.position(*line)
                        ),
                        None,
                    ),
                }
            }
            Node::Filter(value, at, given) => {
                let value = match value {
                    Some(node) => self.eval(node, printed)?,
                    None => self.printed(printed.unwrap_or_default()),
                };
                let args = self.given(Some(value), given, printed)?;
                match self.template.filters.get(*at as usize) {
                    Some(Some(filter)) => filter(&self.state, &args)?,
                    _ => return Err(self.no_callee("filter", &self.template.code.filters, *at)),
                }
            }
            Node::Test(value, at, given) => {
                let value = self.eval(value, printed)?;
                let args = self.given(Some(value), given, printed)?;
                match self.template.tests.get(*at as usize) {
                    Some(Some(test)) => test(&self.state, &args)?,
                    _ => return Err(self.no_callee("test", &self.template.code.tests, *at)),
                }
            }
            Node::Call(..) | Node::CallMethod(..) => {
                self.call_node(node, None, printed.unwrap_or_default())?
            }
            Node::Getattr(of, name) => {
                let of = self.eval(of, printed)?;
                self.state.getattr(&of, name)?
            }
            Node::Getitem(of, key) => {
                let of = self.eval(of, printed)?;
                let key = self.eval(key, printed)?;
                self.state.getitem(&of, &key)?
            }
            Node::Slice(of, parts) => {
                let of = self.eval(of, printed)?;
                let part = |p: &Option<Node>| p.as_ref().map_or(Ok(Obj::None), |n| self.eval(n, printed));
                let [start, stop, step] = &**parts;
                let (start, stop, step) = (part(start)?, part(stop)?, part(step)?);
                if let Some(undefined) = Undefined::find(&of) {
                    if undefined.is_chainable() {
                        return Ok(of);
                    }
                    return Err(undefined.fail());
                }
                brine_python::slice(&of, &start, &stop, &step)?
            }
            Node::Concat(items) => self.concat(items, printed)?,
            Node::Compare(first, rest) => {
                let mut left = self.eval(first, printed)?;
                let mut result = true;
                for (op, right) in rest {
                    let right = self.eval(right, printed)?;
                    result = compared(*op, &left, &right)?;
                    if !result {
                        break;
                    }
                    left = right;
                }
                result.into()
            }
            Node::Bin(op, a, b) => self.binary(*op, a, b, printed)?,
            Node::Unary(op, a) => {
                let a = self.eval(a, printed)?;
                match op {
                    UnaryOp::Not => (!truth(&a)?).into(),
                    UnaryOp::Neg | UnaryOp::Pos if Undefined::find(&a).is_some() => {
                        return Err(Undefined::find(&a).map_or_else(|| PyErr::ty(""), Undefined::fail));
                    }
                    UnaryOp::Neg => unary(Unary::Neg, &a)?,
                    UnaryOp::Pos => unary(Unary::Pos, &a)?,
                }
            }
        })
    }

    fn all(&self, items: &[Node], printed: Option<&str>) -> R<Vec<Obj>> {
        items.iter().map(|item| self.eval(item, printed)).collect()
    }

    fn no_callee(&self, what: &str, names: &[std::sync::Arc<str>], at: u32) -> PyErr {
        let name = names.get(at as usize).map_or("", |n| n);
        let shown = repr(&Obj::str(name)).unwrap_or_default();
        PyErr::new(RUNTIME_ERROR, format!("No {what} named {shown} found."))
    }

    fn binary(&self, op: BinOp, a: &Node, b: &Node, printed: Option<&str>) -> R {
        let left = self.eval(a, printed)?;
        let op = match op {
            BinOp::And => return if truth(&left)? { self.eval(b, printed) } else { Ok(left) },
            BinOp::Or => return if truth(&left)? { Ok(left) } else { self.eval(b, printed) },
            BinOp::Add => Op::Add,
            BinOp::Sub => Op::Sub,
            BinOp::Mul => Op::Mul,
            BinOp::Div => Op::Div,
            BinOp::FloorDiv => Op::FloorDiv,
            BinOp::Mod => Op::Mod,
            BinOp::Pow => Op::Pow,
        };
        let right = self.eval(b, printed)?;
        binary(op, &left, &right)
    }

    fn concat(&self, items: &[Node], printed: Option<&str>) -> R {
        if self.state.autoescape {
            return Self::markup_join(&self.all(items, printed)?);
        }
        let values = self.all(items, printed)?;
        let mut out = String::new();
        for value in &values {
            match value {
                Obj::Str(text) => Exec::write(&mut out, text)?,
                _ => Exec::write(&mut out, &text_of(value)?)?,
            }
        }
        Ok(out.into())
    }

    /// `~` where output is escaped: from the first value that is markup, all is escaped.
    fn markup_join(values: &[Obj]) -> R {
        let mut markup = false;
        for value in values {
            markup |= has_html(value)?;
        }
        let mut out = String::new();
        for value in values {
            if markup {
                Exec::write(&mut out, escape(value)?.as_str().unwrap_or_default())?;
            } else {
                Exec::write(&mut out, &text_of(value)?)?;
            }
        }
        Ok(if markup { Markup::new(out) } else { out.into() })
    }

    /// The arguments of a call, with a value before them.
    fn given(&self, first: Option<Obj>, given: &Given, printed: Option<&str>) -> R<Args> {
        let mut args = Args::default();
        args.pos.reserve_exact(usize::from(first.is_some()) + given.args.len());
        args.pos.extend(first);
        for node in &given.args {
            args.pos.push(self.eval(node, printed)?);
        }
        for (name, node) in &given.kwargs {
            let value = self.eval(node, printed)?;
            self.add_kwarg(&mut args, Rc::from(&**name), value)?;
        }
        if let Some(node) = &given.dyn_args {
            let more = self.eval(node, printed)?;
            let iter = more.iter().map_err(|e| match e.kind() {
                Kind::TypeError => PyErr::ty(format!(
                    "{CALLER} argument after * must be an iterable, not {}",
                    more.type_name()
                )),
                _ => e,
            })?;
            args.pos.extend(iter.collect()?);
        }
        if let Some(node) = &given.dyn_kwargs {
            let more = self.eval(node, printed)?;
            let pairs = match &more {
                Obj::Dict(dict) => Some(dict.pairs()),
                Obj::Other(o) => match Undefined::find(&more) {
                    Some(undefined) => return Err(undefined.fail()),
                    None => o.pairs()?,
                },
                _ => None,
            };
            let Some(pairs) = pairs else {
                return Err(PyErr::ty(format!(
                    "{CALLER} argument after ** must be a mapping, not {}",
                    more.type_name()
                )));
            };
            for (key, value) in pairs {
                let Some(name) = key.as_str() else { return Err(PyErr::ty("keywords must be strings")) };
                self.add_kwarg(&mut args, Rc::from(name), value)?;
            }
        }
        Ok(args)
    }

    fn add_kwarg(&self, args: &mut Args, name: Rc<str>, value: Obj) -> R<()> {
        if args.named(&name).is_some() {
            return Err(PyErr::ty(format!("{CALLER} got multiple values for keyword argument '{name}'")));
        }
        args.kw.push((name, value));
        Ok(())
    }

    /// A call; `caller` is what a `call` block gives.
    pub(super) fn call_node(&self, node: &Node, caller: Option<Obj>, printed: &str) -> R {
        let printed = Some(printed);
        let (callee, given, method) = match node {
            Node::CallMethod(of, name, given) => (self.eval(of, printed)?, given, Some(name)),
            Node::Call(callee, given) => (self.eval(callee, printed)?, given, None),
            other => return self.eval(other, printed),
        };
        // A method of a built-in type is called without making a value of it first. `format` goes through the sandbox's own.
        if let Some(name) = method
            && !name.starts_with("format")
            && caller.is_none()
            && let Some(method) = brine_python::find_method(&callee, name)
        {
            let args = self.given(None, given, printed)?;
            return self.ended(method.call(&callee, &args));
        }
        let callee = match method {
            Some(name) => self.state.getattr(&callee, name)?,
            None => callee,
        };
        let mut args = self.given(None, given, printed)?;
        if let Some(caller) = caller {
            self.add_kwarg(&mut args, Rc::from("caller"), caller)?;
        }
        if let Some(m) = Macro::find(&callee) {
            return m.invoke(&args, self.state.context.autoescape.get());
        }
        if let Obj::Other(o) = &callee
            && let Some(function) = o.downcast::<Function>()
        {
            return (function.run)(&self.inner_state()?, &args);
        }
        self.ended(call(&callee, &args))
    }

    /// A `StopIteration` of a function is an undefined value.
    fn ended(&self, result: R) -> R {
        match result {
            Err(e) if e.kind() == Kind::StopIteration => Ok(self
                .state
                .undefined_hint("value was undefined because a callable raised a StopIteration exception")),
            other => other,
        }
    }

    /// What functions see that look at the context: also what the loop around has set.
    fn inner_state(&self) -> R<State> {
        let vars = self.act.loop_vars.borrow().clone();
        if vars.is_empty() {
            return Ok(self.state.clone());
        }
        Ok(State { context: Rc::new(self.state.context.derived(vars)?), ..self.state.clone() })
    }
}

/// Who calls, in Python's errors about arguments.
const CALLER: &str = "jinja2.sandbox.SandboxedEnvironment.call()";

fn compared(op: CmpOp, a: &Obj, b: &Obj) -> R<bool> {
    let op = match op {
        CmpOp::Eq => return eq(a, b),
        CmpOp::Ne => return Ok(!eq(a, b)?),
        CmpOp::Lt => Cmp::Lt,
        CmpOp::Lteq => Cmp::Le,
        CmpOp::Gt => Cmp::Gt,
        CmpOp::Gteq => Cmp::Ge,
        CmpOp::In => return contains(b, a),
        CmpOp::NotIn => return Ok(!contains(b, a)?),
    };
    compare(op, a, b)
}
