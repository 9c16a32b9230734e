//! Arguments on their way from the command line to a function: what becomes of each word.

use serde_json::{Map, Value, json};

use crate::failure::{Result, same};
use crate::fleet::Fleet;

/// `test.arg`'s answer without what the publisher adds about itself.
fn arg(fleet: &Fleet, words: &[&str]) -> Result<(Value, Map<String, Value>)> {
    let mut all = vec!["--", "m1", "test.arg"];
    all.extend(words);
    let ran = fleet.salt(&all)?.ok()?;
    let mut ret = ran.ret("m1")?;
    let args = ret["args"].take();
    let mut kwargs = ret["kwargs"].as_object().cloned().unwrap_or_default();
    kwargs.retain(|key, _| !key.starts_with("__pub_"));
    Ok((args, kwargs))
}

/// Words as positional arguments.
pub fn every_type(fleet: &mut Fleet) -> Result {
    let table: &[(&str, Value)] = &[
        ("1", json!(1)),
        ("0", json!(0)),
        ("007", json!(7)),
        ("0x1f", json!(31)),
        ("1.5", json!(1.5)),
        ("1e3", json!("1e3")),
        ("9223372036854775807", json!(9_223_372_036_854_775_807_i64)),
        ("123456789012345678901234567890", json!("123456789012345678901234567890")),
        ("-5", json!(-5)),
        ("-9223372036854775807", json!("-9223372036854775807")),
        ("True", json!(true)),
        ("false", json!(false)),
        ("yes", json!(true)),
        ("off", json!(false)),
        ("None", Value::Null),
        ("null", Value::Null),
        ("~", Value::Null),
        ("[1, two, [3]]", json!([1, "two", [3]])),
        ("{a: 1, b: {c: [x]}}", json!({"a": 1, "b": {"c": ["x"]}})),
        ("{}", json!({})),
        ("[]", json!([])),
        ("é ü 漢 🧂", json!("é ü 漢 🧂")),
        ("", json!("")),
        (" ", json!(" ")),
        ("plain words", json!("plain words")),
        ("a: b", json!("a: b")),
        ("- a", json!("- a")),
        ("2026-01-01", json!("2026-01-01")),
        ("1_000", json!("1_000")),
        ("12:30:45", json!(45045)),
        ("#x", json!("#x")),
        ("x # y", json!("x # y")),
        ("@x", json!("@x")),
        ("*", json!("*")),
        ("%x", json!("%x")),
        ("'quoted'", json!("quoted")),
        ("\"12\"", json!("12")),
        ("!x", json!("!x")),
        ("[unclosed", json!("[unclosed")),
        ("{unclosed", json!("{unclosed")),
        ("---", json!("---")),
        ("...", json!("...")),
        ("a\tb", json!("a\tb")),
        ("a\nb", json!("a\nb")),
        ("a\\b", json!("a\\b")),
        ("=", json!("=")),
        ("=x", json!("=x")),
        ("1=2", json!("1=2")),
        ("a b=c", json!("a b=c")),
    ];
    let words: Vec<&str> = table.iter().map(|(word, _)| *word).collect();
    let (args, kwargs) = arg(fleet, &words)?;
    let got = args.as_array().cloned().unwrap_or_default();
    let mut wrong = Vec::new();
    for (at, (word, want)) in table.iter().enumerate() {
        if got.get(at) != Some(want) {
            wrong.push(format!("{word:?}: got {:?}, want {want}", got.get(at)));
        }
    }
    same("words read differently", wrong, Vec::<String>::new())?;
    same("how many arguments", got.len(), table.len())?;
    same("keyword arguments out of nowhere", kwargs, Map::new())
}

/// Words of the form `name=value`, alone, among others, and inside values.
pub fn keywords(fleet: &mut Fleet) -> Result {
    let words = [
        "first", "k=v", "n=1", "f=1.5", "t=True", "z=None", "l=[1, x]", "m={a: 1}", "e=", "eq=a=b", "last",
        "u=ü",
    ];
    let (args, kwargs) = arg(fleet, &words)?;
    same("positional", args, json!(["first", "last"]))?;
    let want = json!({
        "k": "v", "n": 1, "f": 1.5, "t": true, "z": null, "l": [1, "x"], "m": {"a": 1}, "e": "", "eq": "a=b", "u": "ü"
    });
    same("keywords", Value::Object(kwargs), want)?;
    let ran = fleet.salt(&["m1", "test.kwarg", "num=1", "env={FOO: \"/x\"}"])?.ok()?;
    let ret = ran.ret("m1")?;
    same("test.kwarg num", &ret["num"], &json!(1))?;
    same("test.kwarg env", &ret["env"], &json!({"FOO": "/x"}))?;
    same("__pub_fun", &ret["__pub_fun"], &json!("test.kwarg"))?;
    same("__pub_tgt", &ret["__pub_tgt"], &json!("m1"))?;
    same("__pub_user", &ret["__pub_user"], &json!("root"))
}

/// `--no-parse` leaves the named argument as it is.
pub fn no_parse(fleet: &mut Fleet) -> Result {
    let ran = fleet.salt(&["--no-parse=x,y", "m1", "test.arg", "x=1", "y=[1]", "z=1"])?.ok()?;
    let ret = ran.ret("m1")?;
    same("x", &ret["kwargs"]["x"], &json!("1"))?;
    same("y", &ret["kwargs"]["y"], &json!("[1]"))?;
    same("z", &ret["kwargs"]["z"], &json!(1))
}
