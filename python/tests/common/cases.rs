//! What is done with values, in Python's words and in ours.

use super::values::{V, quoted};
use brine_python::{
    Args, Cmp, Obj, Op, PyErr, R, Unary, abs, ascii, binary, call_method, compare, contains, eq, float,
    format, getattr, getitem, hash, int, len, max, min, percent, repr, reversed, round, slice, sorted, str,
    sum, truth, unary,
};

#[derive(Clone, Debug)]
pub(crate) enum Case {
    Binary(Op, V, V),
    Unary(Unary, V),
    Compare(Cmp, V, V),
    Equal(V, V),
    In(V, V),
    Item(V, V),
    Slice(V, V, V, V),
    Attribute(V, &'static str),
    Function(&'static str, V),
    /// A function of two values.
    Function2(&'static str, V, V),
    Sorted(V, bool),
    Format(V, String),
    Percent(String, V),
    PercentBytes(String, V),
    Method(V, &'static str, Vec<V>, Vec<(&'static str, V)>),
}

impl Case {
    /// Python's source.
    pub(crate) fn py(&self) -> String {
        match self {
            Case::Binary(op, a, b) => {
                let sign = if *op == Op::Pow { "**" } else { op.symbol() };
                format!("{} {sign} {}", a.py(), b.py())
            }
            Case::Unary(op, a) => {
                let sign = match op {
                    Unary::Neg => "-",
                    Unary::Pos => "+",
                    Unary::Invert => "~",
                };
                format!("{sign} {}", a.py())
            }
            Case::Compare(op, a, b) => format!("{} {} {}", a.py(), op.symbol(), b.py()),
            Case::Equal(a, b) => format!("{} == {}", a.py(), b.py()),
            Case::In(a, b) => format!("{} in {}", a.py(), b.py()),
            Case::Item(a, b) => format!("{}[{}]", a.py(), b.py()),
            Case::Slice(a, b, c, d) => format!("{}[{}:{}:{}]", a.py(), b.py(), c.py(), d.py()),
            Case::Attribute(a, name) => format!("{}.{name}", a.py()),
            Case::Function(name, a) => format!("{name}({})", a.py()),
            Case::Function2("key", a, b) => format!("{{{}: 1}}.get({})", a.py(), b.py()),
            Case::Function2(name, a, b) => format!("{name}({}, {})", a.py(), b.py()),
            Case::Sorted(a, reverse) => {
                format!("sorted({}, reverse={})", a.py(), if *reverse { "True" } else { "False" })
            }
            Case::Format(a, spec) => format!("format({}, {})", a.py(), quoted(spec)),
            Case::Percent(text, a) => format!("{} % {}", quoted(text), a.py()),
            Case::PercentBytes(text, a) => format!("b'{text}' % {}", a.py()),
            Case::Method(a, name, args, named) => {
                let mut all = vec![a.py(), quoted(name)];
                all.extend(args.iter().map(V::py));
                all.extend(named.iter().map(|(name, v)| format!("{name}={}", v.py())));
                format!("after({})", all.join(", "))
            }
        }
    }

    /// Whether members are compared by identity.
    pub(crate) fn finds_members(&self) -> bool {
        matches!(
            self,
            Case::Compare(..) | Case::Equal(..) | Case::In(..) | Case::Function2(..) | Case::Method(..)
        )
    }

    fn run(&self) -> R {
        Ok(match self {
            Case::Binary(op, a, b) => binary(*op, &a.obj(), &b.obj())?,
            Case::Unary(op, a) => unary(*op, &a.obj())?,
            Case::Compare(op, a, b) => compare(*op, &a.obj(), &b.obj())?.into(),
            Case::Equal(a, b) => eq(&a.obj(), &b.obj())?.into(),
            Case::In(a, b) => contains(&b.obj(), &a.obj())?.into(),
            Case::Item(a, b) => getitem(&a.obj(), &b.obj())?,
            Case::Slice(a, b, c, d) => slice(&a.obj(), &b.obj(), &c.obj(), &d.obj())?,
            Case::Attribute(a, name) => getattr(&a.obj(), name)?,
            Case::Function(name, a) => function(name, &a.obj())?,
            Case::Function2("round", a, b) => round(&a.obj(), Some(&b.obj()))?,
            Case::Function2("int", a, b) => int(&a.obj(), Some(&b.obj()))?,
            Case::Function2("sum", a, b) => sum(&a.obj(), Some(&b.obj()))?,
            Case::Function2(_, a, b) => {
                let dict = brine_python::Dict::new();
                dict.set(a.obj(), Obj::Int(1))?;
                dict.get(&b.obj())?.unwrap_or_default()
            }
            Case::Sorted(a, reverse) => Obj::list(sorted(&a.obj(), None, *reverse)?),
            Case::Format(a, spec) => format(&a.obj(), spec)?.into(),
            Case::Percent(text, a) => percent(text, &a.obj())?,
            Case::PercentBytes(text, a) => binary(Op::Mod, &Obj::bytes(text), &a.obj())?,
            Case::Method(..) => Obj::None,
        })
    }

    /// Our answer.
    pub(crate) fn ours(&self) -> String {
        if let Case::Method(a, name, args, named) = self {
            let me = a.obj();
            let args = Args {
                pos: args.iter().map(V::obj).collect(),
                kw: named.iter().map(|(name, v)| ((*name).into(), v.obj())).collect(),
            };
            let out = said(call_method(&me, name, &args).and_then(|out| show(&out)));
            return without_addresses(&format!("{out} ; {}", said(show(&me))));
        }
        without_addresses(&said(self.run().and_then(|out| show(&out))))
    }
}

fn function(name: &str, a: &Obj) -> R {
    Ok(match name {
        "len" => len(a)?.into(),
        "str" => str(a)?.into(),
        "repr" => repr(a)?.into(),
        "ascii" => ascii(a)?.into(),
        "bool" => truth(a)?.into(),
        "int" => int(a, None)?,
        "float" => float(a)?.into(),
        "round" => round(a, None)?,
        "abs" => abs(a)?,
        "list" => Obj::list(a.items()?),
        "sum" => sum(a, None)?,
        "min" => min(a)?,
        "max" => max(a)?,
        "reversed" => Obj::Iter(reversed(a)?),
        // Hashes differ, failures do not.
        "0 * hash" => hash(a).map(|_| Obj::Int(0))?,
        "list(reversed" => Obj::list(reversed(a)?.collect()?),
        other => panic!("{other}"),
    })
}

fn said(out: R<String>) -> String {
    out.unwrap_or_else(|e: PyErr| format!("{e:?}"))
}

/// As `show` in `answer.py`: sets in one order.
fn show(obj: &Obj) -> R<String> {
    match obj {
        Obj::Set(set) => {
            let mut all = set.to_vec().iter().map(repr).collect::<R<Vec<_>>>()?;
            all.sort();
            let all = all.into_iter().map(Obj::from).collect();
            Ok(format!("{}{}", obj.type_name(), repr(&Obj::list(all))?))
        }
        Obj::Tuple(items) if items.fields().is_none() => {
            let all = items.iter().map(show).collect::<R<Vec<_>>>()?;
            Ok(format!("({},)", all.join(", ")))
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
