//! What is made to be large, deep or endless ends with an error, in bounded memory.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

use brine_python::{
    Args, Cmp, Dict, Kind, Limits, Obj, Op, PyErr, R, binary, call_method, compare, eq, format, hash, int,
    map, percent, repr, to_value,
};

fn within<T>(run: impl FnOnce() -> R<T>) -> Kind {
    let limits = Limits { bytes: 1 << 20, steps: 100_000 };
    limits.enter(run).err().map(|e| e.kind()).expect("a limit")
}

fn n(text: &str) -> Obj {
    int(&text.into(), None).unwrap()
}

#[test]
fn small_sources_of_large_values_are_errors() {
    let large = || Obj::Int(1_000_000_000_000);
    let x = Obj::str("x");
    for sequence in [x.clone(), Obj::list(vec![Obj::None]), Obj::tuple(vec![Obj::None]), Obj::bytes("x")] {
        assert_eq!(binary(Op::Mul, &sequence, &large()).unwrap_err().kind(), Kind::Limit);
        assert_eq!(binary(Op::Mul, &large(), &sequence).unwrap_err().kind(), Kind::Limit);
    }
    for spec in ["1000000000000", "0>1000000000000", "01000000000000,"] {
        assert_eq!(format(&Obj::Int(1), spec).unwrap_err().kind(), Kind::Limit, "{spec}");
    }
    assert_eq!(format(&Obj::Float(1.0), ".1000000000f").unwrap_err().kind(), Kind::Limit);
    assert_eq!(percent("%1000000000000d", &Obj::Int(1)).unwrap_err().kind(), Kind::Limit);
    assert_eq!(percent("%.1000000000d", &Obj::Int(1)).unwrap_err().kind(), Kind::Limit);
    for method in ["ljust", "rjust", "center", "zfill"] {
        assert_eq!(call_method(&x, method, &Args::of([large()])).unwrap_err().kind(), Kind::Limit);
    }
    let tab = Args::of([Obj::Int(2_000_000_000)]);
    assert_eq!(call_method(&"\t".into(), "expandtabs", &tab).unwrap_err().kind(), Kind::Limit);
    let nines = Args::of([large()]);
    assert_eq!(call_method(&Obj::Int(1), "to_bytes", &nines).unwrap_err().kind(), Kind::Limit);
    assert_eq!(binary(Op::Pow, &n("10"), &n("100000000")).unwrap_err().kind(), Kind::Limit);
    assert_eq!(binary(Op::Pow, &n("10"), &n("1000000000000000000000")).unwrap_err().kind(), Kind::Limit);
    let text = Obj::from("ab".repeat(1000));
    let much = Args::of([Obj::str(""), Obj::from("x".repeat(10_000))]);
    assert_eq!(within(|| call_method(&text, "replace", &much)), Kind::Limit);
}

#[test]
fn iteration_takes_steps() {
    let range = brine_python::Range::of(&[Obj::Int(1_000_000_000_000)]).unwrap();
    assert_eq!(within(|| range.items()), Kind::Limit);
    assert_eq!(within(|| brine_python::sum(&range, None)), Kind::Limit);
    let join = |items: &Obj| call_method(&"".into(), "join", &Args::of([items.clone()]));
    assert_eq!(within(|| join(&range)), Kind::Limit);
}

/// Each level holds the one below twice: 2^60 members at the bottom.
#[test]
fn shared_members_are_gone_through_in_bounded_work() {
    let bomb = || {
        let mut it = Obj::list(vec![Obj::Int(1)]);
        for _ in 0..60 {
            it = Obj::list(vec![it.clone(), it]);
        }
        it
    };
    let (a, b) = (bomb(), bomb());
    assert_eq!(within(|| repr(&a)), Kind::Limit);
    assert_eq!(within(|| to_value(&a)), Kind::Limit);
    assert_eq!(within(|| eq(&a, &b)), Kind::Limit);
    assert_eq!(within(|| compare(Cmp::Lt, &a, &b)), Kind::Limit);
}

#[test]
fn deep_values_neither_overflow_nor_leak_the_stack() {
    let mut list = Obj::None;
    let mut tuple = Obj::None;
    let mut dict = Obj::None;
    let mut iter = Obj::Iter(Obj::list(Vec::new()).iter().unwrap());
    let upper = brine_python::getattr(&"x".into(), "upper").unwrap();
    for _ in 0..200_000 {
        list = Obj::list(vec![list]);
        tuple = Obj::tuple(vec![tuple]);
        let outer = Dict::new();
        outer.set_str("k", dict);
        dict = Obj::dict(outer);
        iter = Obj::Iter(map(&upper, &[iter]).unwrap());
    }
    let recursion = |e: PyErr| e.kind() == Kind::RecursionError;
    for deep in [&list, &tuple, &dict] {
        assert!(repr(deep).is_err_and(recursion));
        assert!(to_value(deep).is_err_and(recursion));
    }
    assert!(hash(&tuple).is_err_and(recursion));
    let again = Obj::list(vec![list.clone()]);
    assert!(eq(&again, &Obj::list(vec![again.clone()])).is_err_and(recursion));
    assert!(iter.items().is_err_and(recursion));
    // And all are freed at the end of this function.
}

#[test]
fn long_numbers_are_not_printed() {
    let long = binary(Op::Pow, &n("10"), &n("5000")).unwrap();
    let text = repr(&long).unwrap_err().to_string();
    assert!(text.starts_with("Exceeds the limit (4300 digits) for integer string conversion;"), "{text}");
    let text = int(&"1".repeat(5000).into(), None).unwrap_err().to_string();
    assert!(text.contains("value has 5000 digits"), "{text}");
    assert_eq!(repr(&binary(Op::Pow, &n("10"), &n("4299")).unwrap()).unwrap().len(), 4300);
}
