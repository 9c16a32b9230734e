//! Failing functions: the texts and codes of the return, and the exit code of the command line.

use serde_json::{Value, json};

use crate::bus::Bus;
use crate::failure::{Result, hold, same};
use crate::fleet::{Fleet, START};

/// The text of a return that is one.
fn told(fleet: &Fleet, words: &[&str]) -> Result<String> {
    let ran = fleet.salt(words)?;
    let ret = ran.ret("m1")?;
    ret.as_str().map(str::to_owned).ok_or_else(|| ran.failure("the return is not a text"))
}

/// What a failing function says, byte for byte where it carries no traceback.
pub fn texts(fleet: &mut Fleet) -> Result {
    same("unknown module", told(fleet, &["m1", "nope.nope"])?, "'nope.nope' is not available.")?;
    same("unknown function", told(fleet, &["m1", "test.nope"])?, "'test.nope' is not available.")?;
    same(
        "unknown keyword",
        told(fleet, &["m1", "test.ping", "a=b"])?,
        "ERROR executing 'test.ping': The following keyword arguments are not valid: a=b",
    )?;
    for (words, first) in [
        (
            vec!["m1", "test.ping", "foo"],
            "Passed invalid arguments to test.ping: ping() takes 0 positional arguments but 1 was given",
        ),
        (
            vec!["m1", "test.ping", "foo", "bar"],
            "Passed invalid arguments to test.ping: ping() takes 0 positional arguments but 2 were given",
        ),
        (
            vec!["m1", "test.echo"],
            "Passed invalid arguments to test.echo: echo() missing 1 required positional argument: 'text'",
        ),
    ] {
        let text = told(fleet, &words)?;
        same(&format!("{words:?}"), text.lines().next().unwrap_or_default(), first)?;
    }
    let text = told(fleet, &["m1", "test.exception", "boo"])?;
    let head = "The minion function caused an exception: Traceback (most recent call last):\n";
    hold(text.starts_with(head) && text.ends_with("\nException: boo\n"), || format!("exception: {text}"))?;
    let text = told(fleet, &["m1", "test.raise_exception", "ValueError", "boo"])?;
    hold(text.starts_with(head) && text.ends_with("\nValueError: boo\n"), || format!("ValueError: {text}"))?;
    same(
        "CommandExecutionError",
        told(fleet, &["m1", "test.raise_exception", "salt.exceptions.CommandExecutionError", "boo"])?,
        "ERROR: boo",
    )?;
    same(
        "cmd.run in a missing directory",
        told(fleet, &["m1", "cmd.run", "true", "cwd=/no/such/dir"])?,
        "ERROR: Specified cwd '/no/such/dir' either not absolute or does not exist",
    )
}

/// `retcode` and `success` of the return on the bus.
pub fn retcodes(fleet: &mut Fleet) -> Result {
    let bus = Bus::listen(fleet)?;
    let table: [(&str, &[&str], Value, Value); 9] = [
        ("test.ping", &[], json!(0), json!(true)),
        ("test.false", &[], json!(0), json!(true)),
        ("test.retcode", &["42"], json!(42), json!(false)),
        ("cmd.run", &["exit 3"], json!(3), json!(false)),
        ("cmd.retcode", &["exit 4"], json!(4), json!(false)),
        ("cmd.run_all", &["exit 5"], json!(5), json!(false)),
        ("nope.nope", &[], json!(1), json!(false)),
        ("test.exception", &["x"], json!(1), json!(false)),
        ("test.echo", &[], json!(1), json!(false)),
    ];
    for (fun, args, retcode, success) in &table {
        let mut words = vec!["--async", "m1", fun];
        words.extend(*args);
        fleet.salt(&words)?.ok()?;
        let event = bus.wait(&format!("the return of {fun}"), START, |e| {
            e.tag.ends_with("/ret/m1") && e.data["fun"] == *fun
        })?;
        same(&format!("retcode of {fun} {args:?}"), &event.data["retcode"], retcode)?;
        same(&format!("success of {fun} {args:?}"), &event.data["success"], success)?;
    }
    Ok(())
}

/// The exit code of `salt`.
pub fn exit_codes(fleet: &mut Fleet) -> Result {
    for (words, code) in [
        (vec!["m1", "test.ping"], 0),
        (vec!["m1", "test.false"], 0),
        (vec!["m1", "cmd.run", "exit 0"], 0),
        (vec!["m1", "cmd.run", "exit 3"], 1),
        (vec!["m1", "cmd.retcode", "exit 3"], 1),
        (vec!["m1", "test.retcode", "42"], 1),
        (vec!["m1", "test.exception", "x"], 1),
        (vec!["m1", "nope.nope"], 1),
        // Of an option given twice the last one counts.
        (vec!["-t", "1", "-t", "20", "m1", "test.ping"], 0),
        (vec!["--no-such-option", "m1", "test.ping"], 64),
    ] {
        fleet.salt(&words)?.code(code)?;
    }
    let ran = fleet.salt(&["m1", "cmd.run_all", "echo a; echo b >&2; exit 3"])?.code(1)?;
    let ret = ran.ret("m1")?;
    same("stdout", &ret["stdout"], &json!("a"))?;
    same("stderr", &ret["stderr"], &json!("b"))?;
    same("retcode", &ret["retcode"], &json!(3))
}

/// One job of several functions, one of which fails.
pub fn several_functions(fleet: &mut Fleet) -> Result {
    let ran = fleet.salt(&["m1", "test.ping,test.echo,cmd.run", ",x,echo y"])?.ok()?;
    same("returns", ran.ret("m1")?, json!({"test.ping": true, "test.echo": "x", "cmd.run": "y"}))?;
    let ran = fleet.salt(&["m1", "test.ping,nope.nope,cmd.run", ",,exit 3"])?.code(1)?;
    let ret = ran.ret("m1")?;
    same("the good one", &ret["test.ping"], &json!(true))?;
    same("the failing one", &ret["cmd.run"], &json!(""))?;
    // Stock shows the traceback of its own mistake here; any text will do.
    hold(ret["nope.nope"].as_str().is_some_and(|t| !t.is_empty()), || format!("unknown one: {ret}"))
}
