//! Sharing, mutation, cycles, types that other crates add, and plain data.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

use brine_protocol::{Value, map};
use brine_python::{
    Args, Dict, Kind, Obj, Object, Op, R, binary, call, call_method, eq, format, getattr, getitem, len, repr,
    str, to_value,
};
use std::rc::Rc;

fn do_(me: &Obj, name: &str, args: impl IntoIterator<Item = Obj>) -> R {
    call_method(me, name, &Args::of(args))
}

#[test]
fn what_is_shared_is_changed_for_all() {
    let list = Obj::list(vec![]);
    let dict = Obj::dict(Dict::new());
    brine_python::setitem(&dict, &"l".into(), list.clone()).unwrap();
    do_(&getitem(&dict, &"l".into()).unwrap(), "append", [Obj::Int(1)]).unwrap();
    do_(&list, "extend", [list.clone()]).unwrap();
    assert_eq!(repr(&dict).unwrap(), "{'l': [1, 1]}");
    let keys = do_(&dict, "keys", []).unwrap();
    do_(&dict, "update", [dict.clone()]).unwrap();
    brine_python::setitem(&dict, &Obj::Bool(true), Obj::Int(1)).unwrap();
    brine_python::setitem(&dict, &Obj::Float(1.0), Obj::Int(2)).unwrap();
    assert_eq!(repr(&keys).unwrap(), "dict_keys(['l', True])");
    assert_eq!(repr(&getitem(&dict, &Obj::Int(1)).unwrap()).unwrap(), "2");
}

#[test]
fn a_dict_that_changes_cannot_be_gone_through() {
    let change = |dict: Dict, text: &str| {
        dict.set_str("a", 1);
        dict.set_str("b", 2);
        let dict = Obj::dict(dict);
        let items = do_(&dict, "items", []).unwrap().iter().unwrap();
        assert_eq!(repr(&items.next().unwrap().unwrap()).unwrap(), "('a', 1)");
        brine_python::setitem(&dict, &"c".into(), Obj::None).unwrap();
        let error = items.next().unwrap_err();
        assert_eq!((error.kind(), error.to_string().as_str()), (Kind::RuntimeError, text));
    };
    change(Dict::new(), "dictionary changed size during iteration");
    change(Dict::ordered(), "OrderedDict mutated during iteration");
    // A list may grow under the loop.
    let list = Obj::list(vec![Obj::Int(1), Obj::Int(2)]);
    let iter = list.iter().unwrap();
    iter.next().unwrap();
    do_(&list, "append", [Obj::Int(3)]).unwrap();
    assert_eq!(iter.collect().unwrap().len(), 2);
    assert_eq!(iter.taken(), 3);
}

#[test]
fn what_holds_itself_is_printed_and_is_no_data() {
    let list = Obj::list(vec![Obj::Int(1)]);
    do_(&list, "append", [list.clone()]).unwrap();
    assert_eq!(repr(&list).unwrap(), "[1, [...]]");
    assert_eq!(to_value(&list).unwrap_err().kind(), Kind::RecursionError);
    let dict = Obj::dict(Dict::new());
    brine_python::setitem(&dict, &"me".into(), dict.clone()).unwrap();
    assert_eq!(repr(&dict).unwrap(), "{'me': {...}}");
    let ordered = Obj::dict(Dict::ordered());
    brine_python::setitem(&ordered, &"me".into(), ordered.clone()).unwrap();
    assert_eq!(repr(&ordered).unwrap(), "OrderedDict([('me', ...)])");
    // So that nothing is left when the test ends.
    for it in [&list, &dict, &ordered] {
        do_(it, "clear", []).unwrap();
    }
}

#[test]
fn plain_data_there_and_back() {
    let value = Value::from(map! {
        "a" => Value::List(vec![1.into(), Value::Nil, true.into(), 1.5.into()]),
        "b" => Value::Bytes(vec![255]),
        "n" => Value::Int(1 << 70),
    });
    let obj = Obj::from(&value);
    assert_eq!(
        repr(&obj).unwrap(),
        "{'a': [1, None, True, 1.5], 'b': b'\\xff', 'n': 1180591620717411303424}"
    );
    assert_eq!(to_value(&obj).unwrap(), value);
    let tuple = Obj::tuple(vec![Obj::Int(1), Obj::str("x")]);
    assert_eq!(to_value(&tuple).unwrap(), Value::List(vec![1.into(), "x".into()]));
    let large = binary(Op::Pow, &Obj::Int(10), &Obj::Int(50)).unwrap();
    assert_eq!(to_value(&large).unwrap(), Value::Str(format!("1{}", "0".repeat(50))));
    let range = brine_python::Range::of(&[Obj::Int(3)]).unwrap();
    assert_eq!(to_value(&range).unwrap(), Value::List(vec![0.into(), 1.into(), 2.into()]));
    let error = to_value(&getattr(&"x".into(), "upper").unwrap()).unwrap_err().to_string();
    assert!(error.starts_with("can not serialize 'builtin_function_or_method' object"), "{error}");
}

/// A subclass of `str` that marks itself in what is joined to it.
struct Marked(Rc<str>);

impl Object for Marked {
    fn type_name(&self) -> &str {
        "Marked"
    }

    fn as_str(&self) -> Option<&str> {
        Some(&self.0)
    }

    fn getattr(&self, _me: &Obj, name: &str) -> R<Option<Obj>> {
        Ok((name == "mark").then(|| "!".into()))
    }

    fn binary(&self, op: Op, other: &Obj, reflected: bool) -> R<Option<Obj>> {
        let (Op::Add, Some(other)) = (op, other.as_str()) else { return Ok(None) };
        let text = if reflected { format!("<{other}>{}", self.0) } else { format!("{}<{other}>", self.0) };
        Ok(Some(Obj::other(Marked(text.into()))))
    }
}

#[test]
fn an_added_kind_of_text_is_text() {
    let marked = || Obj::other(Marked("a-b".into()));
    assert_eq!(str(&binary(Op::Add, &marked(), &"x".into()).unwrap()).unwrap(), "a-b<x>");
    assert_eq!(str(&binary(Op::Add, &"x".into(), &marked()).unwrap()).unwrap(), "<x>a-b");
    assert_eq!(repr(&do_(&marked(), "split", ["-".into()]).unwrap()).unwrap(), "['a', 'b']");
    assert_eq!(str(&getattr(&marked(), "mark").unwrap()).unwrap(), "!");
    assert!(eq(&marked(), &"a-b".into()).unwrap() && eq(&"a-b".into(), &marked()).unwrap());
    assert_eq!((len(&marked()).unwrap(), format(&marked(), ">5").unwrap()), (3, "  a-b".into()));
    assert_eq!(repr(&marked()).unwrap(), "'a-b'");
    // And a key, equal to plain text.
    let dict = Dict::new();
    dict.set(marked(), Obj::Int(1)).unwrap();
    assert!(dict.get_str("a-b").is_some());
    let error = getattr(&marked(), "nope").unwrap_err();
    assert_eq!(error.to_string(), "'Marked' object has no attribute 'nope'");
    let error = binary(Op::Sub, &marked(), &Obj::Int(1)).unwrap_err();
    assert_eq!(error.to_string(), "unsupported operand type(s) for -: 'Marked' and 'int'");
}

#[test]
fn methods_are_values() {
    let list = Obj::list(vec![Obj::Int(3), Obj::Int(1)]);
    let sort = getattr(&list, "sort").unwrap();
    assert!(brine_python::callable(&sort));
    call(&sort, &Args::default()).unwrap();
    assert_eq!(repr(&list).unwrap(), "[1, 3]");
    let key = getattr(&Obj::list(vec![Obj::Int(3), Obj::Int(1)]), "index").unwrap();
    let args = Args { kw: vec![("key".into(), key)], ..Args::default() };
    call_method(&list, "sort", &args).unwrap();
    assert_eq!(repr(&list).unwrap(), "[3, 1]");
    let error = call(&list, &Args::default()).unwrap_err();
    assert_eq!(error.to_string(), "'list' object is not callable");
}

#[test]
fn iterators_are_values_with_a_place() {
    let list = Obj::list(vec![Obj::str("a"), Obj::str("b"), Obj::str("c")]);
    let pairs = brine_python::zip(&[list.clone(), brine_python::Range::of(&[Obj::Int(2)]).unwrap()]).unwrap();
    let shown = repr(&Obj::Iter(pairs.clone())).unwrap();
    assert!(shown.starts_with("<zip object at 0x") && shown.ends_with('>'), "{shown}");
    pairs.next().unwrap();
    assert_eq!(repr(&Obj::list(Obj::Iter(pairs).items().unwrap())).unwrap(), "[('b', 1)]");
    let numbered = Obj::list(brine_python::enumerate(&list, 7).unwrap().collect().unwrap());
    assert_eq!(repr(&numbered).unwrap(), "[(7, 'a'), (8, 'b'), (9, 'c')]");
    let find = getattr(&"abc".into(), "find").unwrap();
    let places = Obj::list(brine_python::map(&find, &[list]).unwrap().collect().unwrap());
    assert_eq!(repr(&places).unwrap(), "[0, 1, 2]");
    let mut left = 2;
    let generator = brine_python::Iter::generator("do_map", move || {
        left -= 1;
        Ok((left >= 0).then_some(Obj::Int(left)))
    });
    assert!(repr(&Obj::Iter(generator.clone())).unwrap().starts_with("<generator object do_map at 0x"));
    assert_eq!(generator.collect().unwrap().len(), 2);
    assert!(generator.next().unwrap().is_none());
    let error = len(&Obj::Iter(generator)).unwrap_err();
    assert_eq!(error.to_string(), "object of type 'generator' has no len()");
}
