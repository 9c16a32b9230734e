//! The message about a return: what Slack calls attachments.

use brine_core::call::{CallError, Cx, Result};
use brine_core::text::{python_repr, python_str};
use brine_core::{Map, Value, map};
use brine_render::yaml::{DumpOptions, Flow, dump};

/// What a highstate comes to.
#[derive(Default)]
struct States {
    total: usize,
    changed: Vec<String>,
    failed: Vec<String>,
    seconds: f64,
}

/// The message. It is about another minion where an author is given, as it is when the master sends it.
pub(super) fn payload(cx: &Cx, ret: &Map, options: &Map, author: Option<&str>) -> Result<Value> {
    let success = ret.get("retcode") == Some(&0.into());
    let option = |key: &str| options.get(key).map(python_str).unwrap_or_default();
    let title = sprinkle(cx, &option(if success { "success_title" } else { "failure_title" }));
    let shown = |key: &str| python_str(ret.get(key).unwrap_or(&Value::Nil));

    let mut text = format!("Function: {}\n", shown("fun"));
    if let Some(args) = ret.get("fun_args").and_then(Value::as_list).filter(|args| !args.is_empty()) {
        let args: Vec<Value> = args.iter().map(|arg| python_str(arg).into()).collect();
        text += &format!("Function Args: {}\n", python_repr(&args.into()));
    }
    text += &format!("JID: {}\n", shown("jid"));
    let states = states(ret.get("return"))?;
    if let Some(states) = &states {
        text += &format!("Total: {}\nDuration: {:.2} secs", states.total, states.seconds);
    }

    let mut attachments: Vec<Value> = vec![
        map! {
            "fallback" => title.as_str(), "color" => "#272727",
            "author_name" => author.map_or_else(|| sprinkle(cx, "{id}"), str::to_owned),
            "author_link" => sprinkle(cx, "{localhost}"), "author_icon" => option("author_icon"),
            "title" => format!("Success: {}", python_str(&success.into())), "text" => text,
        }
        .into(),
    ];
    match states {
        Some(states) => {
            let tasks = options.get("show_tasks").is_some_and(Value::truthy);
            let same = states.total as i128 - states.failed.len() as i128 - states.changed.len() as i128;
            attachments.push(map! {"color" => "good", "title" => format!("Unchanged: {same}")}.into());
            attachments.push(part("warning", "Changed", &states.changed, tasks));
            attachments.push(part("danger", "Failed", &states.failed, tasks));
        }
        None => {
            let returned = match ret.get("return") {
                Some(value @ Value::Map(_)) => {
                    let how = DumpOptions { flow: Flow::Leaves, indent: Some(2), ..DumpOptions::default() };
                    format!("\n{}", dump(value, how))
                }
                other => python_str(other.unwrap_or(&Value::Nil)),
            };
            let color = if success { "good" } else { "danger" };
            attachments.push(map! {"color" => color, "title" => format!("Return: {returned}")}.into());
        }
    }
    Ok(map! {"attachments" => attachments}.into())
}

fn part(color: &str, name: &str, states: &[String], tasks: bool) -> Value {
    let mut out = map! {"color" => color, "title" => format!("{name}: {}", states.len())};
    if tasks && !states.is_empty() {
        let field = |task: &String| Value::Map(map! {"value" => task.as_str(), "short" => false});
        out.insert("fields", states.iter().map(field).collect::<Value>());
    }
    out.into()
}

/// Counts states, if this is a state run: its first member has an `__id__`.
fn states(returned: Option<&Value>) -> Result<Option<States>> {
    let Some(Value::Map(all)) = returned else { return Ok(None) };
    if all.values().next().is_none_or(|first| first.get("__id__").is_none()) {
        return Ok(None);
    }
    let number = |data: &Value| data.get("__run_num__").and_then(Value::as_float).unwrap_or(0.0);
    let mut sorted: Vec<_> = all.iter().collect();
    sorted.sort_by(|a, b| number(a.1).total_cmp(&number(b.1)));
    let mut out = States::default();
    let mut milliseconds = 0.0;
    for (name, data) in sorted {
        let name = python_str(name);
        let parts: Vec<_> = name.split("_|-").collect();
        let [_, id, _, _] = parts[..] else {
            return Err(CallError::exception("ValueError", format!("not the name of a state: {name}")));
        };
        let task = format!("{}.sls | {id}", python_str(data.get("__sls__").unwrap_or(&Value::Nil)));
        if data.get("result").is_some_and(|result| !result.truthy()) {
            out.failed.push(task.clone());
        }
        if data.get("changes").is_some_and(Value::truthy) {
            out.changed.push(task);
        }
        out.total += 1;
        milliseconds += match data.get("duration") {
            Some(Value::Str(text)) => text.trim().parse().unwrap_or(0.0),
            other => other.and_then(Value::as_float).unwrap_or(0.0),
        };
    }
    out.seconds = milliseconds / 1000.0;
    Ok(Some(out))
}

/// Puts grains in the place of their names in braces; unknown ones are nothing.
fn sprinkle(cx: &Cx, text: &str) -> String {
    let parts = text.split('{').flat_map(|part| part.split('}'));
    let part = |(i, part): (usize, &str)| match i % 2 {
        0 => part.to_owned(),
        _ => cx.grains.get(part).map(python_str).unwrap_or_default(),
    };
    parts.enumerate().map(part).collect()
}
