//! States of INI files: options and sections that are there, and such that are not.

use brine_core::call::{Args, CallError, Cx, Result, exec};
use brine_core::state::{Outcome, state_module};
use brine_core::text::{python_str, python_type};
use brine_core::{Map, Value, map};

state_module! {
    "ini": options_absent, options_present, sections_absent, sections_present
}

/// What a state says that changed nothing.
const QUIET: &str = "No anomaly detected";
/// And one that did.
const DONE: &str = "Changes take effect";

/// One file, and how it is read.
struct File<'a> {
    cx: &'a Cx,
    name: &'a Value,
    separator: &'a Value,
    encoding: &'a Value,
}

impl File<'_> {
    fn args(&self) -> Args {
        Args::none()
            .with("file_name", self.name.clone())
            .with("separator", self.separator.clone())
            .with("encoding", self.encoding.clone())
    }

    fn all(&self) -> Result<Map> {
        map_of(self.cx.call("ini.get_ini", self.args())?)
    }

    fn set(&self, sections: impl Into<Value>, no_spaces: &Value) -> Result<Map> {
        let args = self.args().with("sections", sections).with("no_spaces", no_spaces.clone());
        map_of(self.cx.call("ini.set_option", args)?)
    }

    fn remove_option(&self, section: impl Into<Value>, option: &Value) -> Result {
        let args = self.args().with("section", section).with("option", option.clone());
        self.cx.call("ini.remove_option", args)
    }

    fn remove_section(&self, section: &Value) -> Result {
        self.cx.call("ini.remove_section", self.args().with("section", section.clone()))
    }
}

fn map_of(value: Value) -> Result<Map> {
    match value {
        Value::Map(map) => Ok(map),
        _ => Ok(Map::new()),
    }
}

/// The dict that a state was given, `None` for nothing.
fn dict(sections: &Value) -> Result<Option<Map>> {
    match sections {
        Value::Map(map) if !map.is_empty() => Ok(Some(map.clone())),
        other if other.truthy() => {
            let text = format!("'{}' object has no attribute 'items'", python_type(other));
            Err(CallError::exception("AttributeError", text))
        }
        _ => Ok(None),
    }
}

/// The names that a state was given, as a list or a dict.
fn names(sections: &Value) -> Vec<Value> {
    match sections {
        Value::List(list) => list.clone(),
        Value::Map(map) => map.keys().cloned().collect(),
        Value::Str(text) => text.chars().map(|c| c.to_string().into()).collect(),
        _ => Vec::new(),
    }
}

fn equal(a: &Value, b: &Value) -> bool {
    python_str(a) == python_str(b)
}

/// What `options_present` has found so far.
#[derive(Default)]
struct Found {
    changes: Map,
    lines: String,
    would: bool,
}

impl Found {
    fn line(&mut self, text: &str, differs: bool) {
        self.lines.push_str(text);
        self.lines.push('\n');
        self.would |= differs;
    }

    fn compared(&mut self, option: &Value, wanted: &Value, now: Option<&Value>, place: &str) {
        let same = now.is_some_and(|now| equal(now, wanted));
        let word = if same { "Unchanged" } else { "Changed" };
        self.line(&format!("{word} key {}{place}.", python_str(option)), !same);
    }
}

fn in_section(name: &Value) -> String {
    if name.truthy() { format!(" in section {}", python_str(name)) } else { String::new() }
}

/// See to it that options have values.
///
/// name: the file. sections: options, and sections with options. separator: between option and value. strict: nothing else may be
/// there. encoding: of the file. no_spaces: none around the separator.
#[exec]
fn options_present(
    cx: &Cx,
    name: Value,
    #[default(())] sections: Value,
    #[default("=")] separator: Value,
    #[default(false)] strict: bool,
    #[default(())] encoding: Value,
    #[default(false)] no_spaces: Value,
) -> Result<Outcome> {
    let file = File { cx, name: &name, separator: &separator, encoding: &encoding };
    let mut found = Found::default();
    match dict(&sections)? {
        Some(sections) => {
            let now = file.all()?;
            top(&file, &sections, &now, strict, &no_spaces, &mut found)?;
            for (section, body) in &sections {
                if let Value::Map(body) = body {
                    below(&file, section, body, &now, strict, &no_spaces, &mut found)?;
                }
            }
        }
        None if cx.test => {}
        None => found.changes = file.set(sections, &no_spaces)?,
    }
    if let Some(error) = found.changes.get("error") {
        return Ok(Outcome::failed(name, format!("Errors encountered. {}", python_str(error))));
    }
    found.changes.retain(|_, body| body.truthy());
    let comment = match (cx.test, found.changes.is_empty()) {
        (_, false) => DONE,
        (true, true) => &found.lines,
        (false, true) => QUIET,
    };
    let outcome = if found.would { Outcome::would(name, comment) } else { Outcome::ok(name, comment) };
    Ok(outcome.with_changes(found.changes))
}

/// Options that stand before all sections; and sections that may not be there.
fn top(
    file: &File,
    sections: &Map,
    now: &Map,
    strict: bool,
    no_spaces: &Value,
    found: &mut Found,
) -> Result<()> {
    let is_section = |value: &Value| matches!(value, Value::Map(_));
    let options: Map =
        sections.iter().filter(|(_, body)| !is_section(body)).map(|(k, v)| (k.clone(), v.clone())).collect();
    if file.cx.test {
        for (option, value) in &options {
            found.compared(option, value, now.get_key(option).filter(|value| !is_section(value)), "");
        }
    } else {
        found.changes.update(file.set(options.clone(), no_spaces)?);
    }
    if !strict {
        return Ok(());
    }
    for (option, value) in now.iter().filter(|(option, value)| !is_section(value) && options.get_key(option).is_none())
    {
        if file.cx.test {
            found.line(&format!("Removed key {}.", python_str(option)), true);
            continue;
        }
        file.remove_option((), option)?;
        found.changes.insert(option.clone(), map! {"before" => value.clone(), "after" => ()});
    }
    for (section, value) in now.iter().filter(|(_, value)| is_section(value)) {
        if sections.get_key(section).is_some_and(is_section) {
            continue;
        }
        if file.cx.test {
            found.line(&format!("Removed section {}.", python_str(section)), true);
            continue;
        }
        file.remove_section(section)?;
        found.changes.insert(section.clone(), map! {"before" => value.clone(), "after" => ()});
    }
    Ok(())
}

/// The options of one section.
fn below(
    file: &File,
    section: &Value,
    body: &Map,
    now: &Map,
    strict: bool,
    no_spaces: &Value,
    found: &mut Found,
) -> Result<()> {
    let place = in_section(section);
    let current = now.get_key(section).and_then(Value::as_map).cloned().unwrap_or_default();
    let mut changes = Map::new();
    for (option, value) in current.iter().filter(|(option, _)| strict && body.get_key(option).is_none()) {
        if file.cx.test {
            found.line(&format!("Deleted key {}{place}.", python_str(option)), true);
            continue;
        }
        file.remove_option(section.clone(), option)?;
        changes.insert(option.clone(), map! {"before" => value.clone(), "after" => ()});
    }
    if file.cx.test {
        for (option, value) in body {
            found.compared(option, value, current.get_key(option), &place);
        }
        return Ok(());
    }
    let set = file.set(map! {section.clone() => body.clone()}, no_spaces)?;
    if let Some(Value::Map(set)) = set.get_key(section) {
        changes.update(set.clone());
    }
    match changes.is_empty() {
        true => drop(found.changes.remove_key(section)),
        false => drop(found.changes.insert(section.clone(), changes)),
    }
    Ok(())
}

/// See to it that options are not there.
///
/// name: the file. sections: sections, each with a list of options. separator: between option and value. encoding: of the file.
#[exec]
fn options_absent(
    cx: &Cx,
    name: Value,
    #[default(())] sections: Value,
    #[default("=")] separator: Value,
    #[default(())] encoding: Value,
) -> Result<Outcome> {
    let file = File { cx, name: &name, separator: &separator, encoding: &encoding };
    let sections = dict(&sections)?.unwrap_or_default();
    if cx.test {
        return would_lose(&file, &sections);
    }
    let mut changes = Map::new();
    for (section, keys) in &sections {
        if !matches!(keys, Value::List(_) | Value::Map(_) | Value::Str(_)) {
            let text = format!("'{}' object is not iterable", python_type(keys));
            return Err(CallError::exception("TypeError", text));
        }
        for key in names(keys) {
            let value = file.remove_option(section.clone(), &key)?;
            if !value.truthy() {
                continue;
            }
            if matches!(keys, Value::List(_)) {
                if let Value::Map(lost) = changes.entry_or(section.clone(), || Map::new().into()) {
                    lost.insert(key, value);
                }
            } else {
                changes.insert(section.clone(), value);
            }
        }
    }
    let comment = if changes.is_empty() { QUIET } else { DONE };
    Ok(Outcome::ok(name.clone(), comment).with_changes(changes))
}

/// What `options_absent` would do.
fn would_lose(file: &File, sections: &Map) -> Result<Outcome> {
    let mut found = Found::default();
    for (section, keys) in sections {
        let place = in_section(section);
        let Value::List(keys) = keys else {
            let args = file.args().with("section", ()).with("option", section.clone());
            let there = file.cx.call("ini.get_option", args)?.truthy();
            let text = python_str(section);
            match there {
                true => found.line(&format!("Deleted key {text}."), true),
                false => found.line(&format!("Key {text} does not exist."), false),
            }
            continue;
        };
        let current =
            map_of(file.cx.call("ini.get_section", file.args().with("section", section.clone()))?)?;
        for key in keys {
            let text = python_str(key);
            match current.get_key(key).is_some_and(Value::truthy) {
                true => found.line(&format!("Deleted key {text}{place}."), true),
                false => found.line(&format!("Key {text}{place} does not exist."), false),
            }
        }
    }
    Ok(looked(file.name, found))
}

/// What comes of a look in test mode.
fn looked(name: &Value, found: Found) -> Outcome {
    let comment = if found.lines.is_empty() { "No changes detected.".to_owned() } else { found.lines };
    if found.would { Outcome::would(name.clone(), comment) } else { Outcome::ok(name.clone(), comment) }
}

/// See to it that sections are there.
///
/// name: the file. sections: their names. separator: between option and value. encoding: of the file.
#[exec]
fn sections_present(
    cx: &Cx,
    name: Value,
    #[default(())] sections: Value,
    #[default("=")] separator: Value,
    #[default(())] encoding: Value,
) -> Result<Outcome> {
    let file = File { cx, name: &name, separator: &separator, encoding: &encoding };
    let wanted = names(&sections);
    if cx.test {
        let now = file.all()?;
        let mut found = Found::default();
        for section in &wanted {
            let text = python_str(section);
            match now.get_key(section).is_some() {
                true => found.line(&format!("Section unchanged {text}."), false),
                false => found.line(&format!("Created new section {text}."), true),
            }
        }
        return Ok(looked(&name, found));
    }
    let empty: Map = wanted.into_iter().map(|section| (section, Value::Map(Map::new()))).collect();
    let changes = file.set(empty, &false.into())?;
    Ok(Outcome::ok(name.clone(), DONE).with_changes(changes))
}

/// See to it that sections are not there.
///
/// name: the file. sections: their names. separator: between option and value. encoding: of the file.
#[exec]
fn sections_absent(
    cx: &Cx,
    name: Value,
    #[default(())] sections: Value,
    #[default("=")] separator: Value,
    #[default(())] encoding: Value,
) -> Result<Outcome> {
    let file = File { cx, name: &name, separator: &separator, encoding: &encoding };
    let wanted = names(&sections);
    if cx.test {
        let now = file.all()?;
        let mut found = Found::default();
        for section in &wanted {
            let text = python_str(section);
            match now.get_key(section).is_some() {
                true => found.line(&format!("Deleted section {text}."), true),
                false => found.line(&format!("Section {text} does not exist."), false),
            }
        }
        return Ok(looked(&name, found));
    }
    let mut changes = Map::new();
    for section in &wanted {
        let lost = file.remove_section(section)?;
        if lost.truthy() {
            changes.insert(section.clone(), lost);
        }
    }
    let comment = if changes.is_empty() { QUIET } else { DONE };
    Ok(Outcome::ok(name.clone(), comment).with_changes(changes))
}
