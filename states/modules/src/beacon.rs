//! States of the minion's beacons.

use brine_core::call::{Args, CallError, Cx, KwArgs, Result, exec};
use brine_core::state::state_module;
use brine_core::text::{python_repr, python_str};
use brine_core::{Map, Value, map};

state_module! { "beacon": absent, disabled, enabled, present }

/// The beacons there are.
fn current(cx: &Cx, kwargs: &KwArgs) -> Result<Map> {
    let args = Args { positional: Vec::new(), keyword: kwargs.0.clone() }.with("return_yaml", false);
    match cx.call("beacons.list", args)? {
        Value::Map(beacons) => Ok(beacons),
        other => Err(CallError::exception("TypeError", format!("argument of type '{}' is not iterable", brine_core::text::python_type(&other)))),
    }
}

/// Calls a function of `beacons`, which says in test mode what it would do.
fn ask(cx: &Cx, function: &str, name: &str, data: Option<&Value>, kwargs: &KwArgs) -> Result<Map> {
    let positional = [Value::from(name)].into_iter().chain(data.cloned()).collect();
    let mut args = Args { positional, keyword: kwargs.0.clone() };
    if cx.test {
        args.keyword.insert("test", true);
    }
    match cx.call(function, args)? {
        Value::Map(answer) => Ok(answer),
        other => Err(CallError::execution(python_str(&other))),
    }
}

fn part(answer: &Map, key: &str) -> Value {
    answer.get(key).cloned().unwrap_or_default()
}

/// What a state becomes.
struct Ret {
    name: String,
    comment: Vec<Value>,
    changes: Value,
}

impl Ret {
    fn new(name: String) -> Self {
        Self { name, comment: Vec::new(), changes: Map::new().into() }
    }

    fn say(&mut self, words: impl Into<Value>) {
        self.comment.push(words.into());
    }

    fn done(self) -> Result<Map> {
        let mut lines = Vec::new();
        for (i, line) in self.comment.iter().enumerate() {
            lines.push(line.as_str().ok_or_else(|| {
                let kind = brine_core::text::python_type(line);
                let text = format!("sequence item {i}: expected str instance, {kind} found");
                CallError::exception("TypeError", text)
            })?);
        }
        Ok(map! { "name" => self.name, "result" => true, "changes" => self.changes, "comment" => lines.join("\n") })
    }

    fn refused(self, answer: &Map) -> Result<Map> {
        Ok(map! {
            "name" => self.name, "result" => part(answer, "result"), "changes" => self.changes,
            "comment" => part(answer, "comment"),
        })
    }

    fn save(mut self, cx: &Cx, save: bool) -> Result<Map> {
        if save && cx.test {
            self.say(format!("Beacon {} would be saved", self.name));
        } else if save {
            cx.call("beacons.save", Args::none())?;
            self.say(format!("Beacon {} saved", self.name));
        }
        self.done()
    }
}

fn is_fine(answer: &Map) -> bool {
    part(answer, "result").truthy()
}

/// A beacon is there, with this configuration.
///
/// name: the beacon. save: keep it for the next start. All other arguments are its configuration.
#[exec]
fn present(cx: &Cx, name: String, #[default(false)] save: bool, kwargs: KwArgs) -> Result<Map> {
    let current = current(cx, &kwargs)?;
    let data: Value = kwargs
        .0
        .iter()
        .map(|(key, value)| Value::from([(key.clone(), value.clone())].into_iter().collect::<Map>()))
        .collect::<Vec<_>>()
        .into();
    let mut ret = Ret::new(name.clone());
    match current.get(&name) {
        Some(old) if *old == data => ret.say(format!("Job {name} in correct state")),
        Some(_) => {
            let answer = ask(cx, "beacons.modify", &name, Some(&data), &kwargs)?;
            if cx.test {
                ret.say(part(&answer, "comment"));
                ret.changes = answer.get("changes").cloned().ok_or_else(|| {
                    CallError::exception("KeyError", python_repr(&"changes".into()))
                })?;
            } else if !is_fine(&answer) {
                return ret.refused(&answer);
            } else if let Some(changes) = answer.get("changes") {
                ret.say(format!("Modifying {name} in beacons"));
                ret.changes = changes.clone();
            } else {
                ret.say(part(&answer, "comment"));
            }
        }
        None => {
            let answer = ask(cx, "beacons.add", &name, Some(&data), &kwargs)?;
            if cx.test {
                ret.say(part(&answer, "comment"));
            } else if !is_fine(&answer) {
                return ret.refused(&answer);
            } else {
                ret.say(format!("Adding {name} to beacons"));
            }
        }
    }
    ret.save(cx, save)
}

/// A beacon is not there.
///
/// name: the beacon. save: forget it for the next start too.
#[exec]
fn absent(cx: &Cx, name: String, #[default(false)] save: bool, kwargs: KwArgs) -> Result<Map> {
    let mut ret = Ret::new(name.clone());
    if current(cx, &kwargs)?.contains(&name) {
        let answer = ask(cx, "beacons.delete", &name, None, &kwargs)?;
        if cx.test {
            ret.say(part(&answer, "comment"));
        } else if !is_fine(&answer) {
            return ret.refused(&answer);
        } else {
            ret.say(format!("Removed {name} from beacons"));
        }
    } else {
        ret.say(format!("{name} not configured in beacons"));
    }
    ret.save(cx, save)
}

/// A beacon is enabled.
///
/// name: the beacon.
#[exec]
fn enabled(cx: &Cx, name: String, kwargs: KwArgs) -> Result<Map> {
    let (done, none) = (format!("Enabled {name} from beacons"), format!("{name} not a configured beacon"));
    switched(cx, name, &kwargs, "beacons.enable_beacon", done, none)
}

/// A beacon is disabled.
///
/// name: the beacon.
#[exec]
fn disabled(cx: &Cx, name: String, kwargs: KwArgs) -> Result<Map> {
    let (done, none) = (format!("Disabled beacon {name}."), format!("Job {name} is not configured."));
    switched(cx, name, &kwargs, "beacons.disable_beacon", done, none)
}

fn switched(cx: &Cx, name: String, kwargs: &KwArgs, function: &str, done: String, none: String) -> Result<Map> {
    let mut ret = Ret::new(name.clone());
    if !current(cx, kwargs)?.contains(&name) {
        ret.say(none);
        return ret.done();
    }
    let answer = ask(cx, function, &name, None, kwargs)?;
    if cx.test {
        ret.say(part(&answer, "comment"));
    } else if !is_fine(&answer) {
        return ret.refused(&answer);
    } else {
        ret.say(done);
    }
    ret.done()
}
