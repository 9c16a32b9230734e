//! `json_query`: JMESPath, as Python's `jmespath` 1.1 understands it.

mod functions;
mod lex;
mod parse;

use brine_jinja::{State, Table};
use brine_python::{
    Args, Cmp, Dict, Kind, Obj, Object, PyErr, R, Signature, call_method, compare, eq, find_attr, getitem,
    hash, need_items, slice, take_steps, truth,
};
use parse::{Node, parse};
use std::rc::Rc;

pub(super) fn add(table: &mut Table) {
    table.insert("json_query", json_query);
}

fn json_query(_: &State, args: &Args) -> R {
    const SIG: Signature = Signature::new("json_query", 0, &["data", "expr"], 2);
    let a = SIG.bind(args)?;
    let expr = a.at(1);
    hash(expr)?;
    match expr.as_str() {
        Some(text) => visit(&parse(text)?, a.at(0)),
        None if !truth(expr)? => visit(&parse("")?, a.at(0)),
        None => Err(PyErr::ty(format!("'{}' object is not iterable", expr.type_name()))),
    }
}

/// `&expression`: something that functions apply.
struct Expression(Rc<Node>);

impl Object for Expression {
    fn type_name(&self) -> &str {
        "_Expression"
    }

    fn module(&self) -> &str {
        "jmespath.visitor"
    }
}

impl Expression {
    fn find(obj: &Obj) -> Option<&Expression> {
        match obj {
            Obj::Other(o) => o.downcast(),
            _ => None,
        }
    }

    fn apply(&self, value: &Obj) -> R {
        visit(&self.0, value)
    }
}

/// A number that is no `bool`.
fn is_number(obj: &Obj) -> bool {
    matches!(obj, Obj::Int(_) | Obj::Big(_) | Obj::Float(_))
}

fn equals(a: &Obj, b: &Obj) -> R<bool> {
    let small = |x: &Obj| -> R<bool> { Ok(is_number(x) && (eq(x, &Obj::Int(0))? || eq(x, &Obj::Int(1))?)) };
    let special = if small(a)? { matches!(b, Obj::Bool(_)) } else { small(b)? && matches!(a, Obj::Bool(_)) };
    Ok(!special && eq(a, b)?)
}

fn is_false(value: &Obj) -> R<bool> {
    Ok(match value {
        Obj::None | Obj::Bool(false) => true,
        Obj::List(list) => list.is_empty(),
        Obj::Dict(dict) => dict.is_empty(),
        Obj::Other(_) => eq(value, &Obj::str(""))? || eq(value, &Obj::list(Vec::new()))?,
        _ => value.as_str() == Some(""),
    })
}

fn each(base: &[Obj], right: &Node, wanted: impl Fn(&Obj) -> R<bool>) -> R {
    let mut out = Vec::new();
    for item in base {
        if !wanted(item)? {
            continue;
        }
        let found = visit(right, item)?;
        if !matches!(found, Obj::None) {
            need_items(1, size_of::<Obj>())?;
            out.push(found);
        }
    }
    Ok(Obj::list(out))
}

fn visit(node: &Node, value: &Obj) -> R {
    take_steps(1)?;
    Ok(match node {
        Node::Field(name) => match value {
            Obj::Dict(dict) => dict.get(name)?.unwrap_or_default(),
            _ => match find_attr(value, "get") {
                Ok(Some(_)) => call_method(value, "get", &Args::of([name.clone()]))?,
                Ok(None) => Obj::None,
                Err(e) if e.kind() == Kind::AttributeError => Obj::None,
                Err(e) => return Err(e),
            },
        },
        Node::Chain(all) => {
            let mut value = value.clone();
            for node in all {
                value = visit(node, &value)?;
            }
            value
        }
        Node::Compare(kind, a, b) => {
            let (a, b) = (visit(a, value)?, visit(b, value)?);
            let comparable = |x: &Obj| is_number(x) || x.as_str().is_some();
            let op = match *kind {
                "eq" => return Ok(equals(&a, &b)?.into()),
                "ne" => return Ok((!equals(&a, &b)?).into()),
                _ if !comparable(&a) || !comparable(&b) => return Ok(Obj::None),
                "lt" => Cmp::Lt,
                "lte" => Cmp::Le,
                "gt" => Cmp::Gt,
                _ => Cmp::Ge,
            };
            compare(op, &a, &b)?.into()
        }
        Node::Current => value.clone(),
        Node::Expression(node) => Obj::other(Expression(node.clone())),
        Node::Call(name, args) => {
            let args = args.iter().map(|arg| visit(arg, value)).collect::<R<Vec<_>>>()?;
            return functions::call(name, &args);
        }
        Node::Filter(base, right, condition) => match visit(base, value)? {
            Obj::List(list) => {
                let items = list.borrow().clone();
                return each(&items, right, |item| Ok(!is_false(&visit(condition, item)?)?));
            }
            _ => Obj::None,
        },
        Node::Flatten(base) => match visit(base, value)? {
            Obj::List(list) => {
                let mut out = Vec::new();
                for item in list.borrow().iter() {
                    match item {
                        Obj::List(inner) => out.extend(inner.borrow().iter().cloned()),
                        item => out.push(item.clone()),
                    }
                }
                need_items(out.len(), size_of::<Obj>())?;
                Obj::list(out)
            }
            _ => Obj::None,
        },
        Node::Index(at) => match value {
            Obj::List(_) => match getitem(value, at) {
                Err(e) if e.kind() == Kind::IndexError => Obj::None,
                found => found?,
            },
            _ => Obj::None,
        },
        Node::Slice([start, stop, step]) => match value {
            Obj::List(_) => slice(value, start, stop, step)?,
            _ => Obj::None,
        },
        Node::Literal(value) => value.clone(),
        Node::Hash(_) | Node::List(_) if matches!(value, Obj::None) => Obj::None,
        Node::Hash(pairs) => {
            let out = Dict::new();
            for (key, node) in pairs {
                out.set(key.clone(), visit(node, value)?)?;
            }
            out.into()
        }
        Node::List(nodes) => Obj::list(nodes.iter().map(|node| visit(node, value)).collect::<R<Vec<_>>>()?),
        Node::Or(a, b) => {
            let found = visit(a, value)?;
            if is_false(&found)? { visit(b, value)? } else { found }
        }
        Node::And(a, b) => {
            let found = visit(a, value)?;
            if is_false(&found)? { found } else { visit(b, value)? }
        }
        Node::Not(node) => {
            let found = visit(node, value)?;
            (!(truth(&found)? || is_number(&found) && eq(&found, &Obj::Int(0))?)).into()
        }
        Node::Project(base, right) => match visit(base, value)? {
            Obj::List(list) => {
                let items = list.borrow().clone();
                return each(&items, right, |_| Ok(true));
            }
            _ => Obj::None,
        },
        Node::ProjectValues(base, right) => {
            let base = visit(base, value)?;
            match find_attr(&base, "values") {
                Ok(Some(_)) => {
                    let items = call_method(&base, "values", &Args::default())?.items()?;
                    return each(&items, right, |_| Ok(true));
                }
                Ok(None) => Obj::None,
                Err(e) if e.kind() == Kind::AttributeError => Obj::None,
                Err(e) => return Err(e),
            }
        }
    })
}
