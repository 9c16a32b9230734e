//! The `ini` execution module: options and sections of INI files. What is a file of that kind is in `ini_manage/document.rs`.

mod document;

use brine_core::call::{CallError, Cx, Result, exec, module};
use brine_core::text::python_type;
use brine_core::{Map, Value};
use document::{Document, Entry};

module! { "ini": get_ini, get_option, get_section, remove_option, remove_section, set_option }

/// `'str' object has no attribute 'items'`, as Python says of what is no section.
fn no_attribute(value: &Value, name: &str) -> CallError {
    let text = format!("'{}' object has no attribute '{name}'", python_type(value));
    CallError::exception("AttributeError", text)
}

/// Set options, in sections or before all of them. Returns what was changed.
///
/// CLI Example: salt '*' ini.set_option /path/to/ini '{section_foo: {key: value}}'
#[exec]
fn set_option(
    cx: &Cx,
    file_name: String,
    #[default(())] sections: Value,
    #[default("=")] separator: String,
    encoding: Option<String>,
    #[default(false)] no_spaces: bool,
) -> Result<Map> {
    let mut file = Document::read(cx, &file_name, &separator, encoding, no_spaces)?;
    let changes = match &sections {
        Value::Map(sections) => file.root.update(sections)?,
        other if other.truthy() => return Err(no_attribute(other, "items")),
        _ => Map::new(),
    };
    file.write()?;
    Ok(changes)
}

/// The value of an option of a section, or of one that stands before all sections.
///
/// CLI Example: salt '*' ini.get_option /path/to/ini section_name option_name
#[exec]
fn get_option(
    cx: &Cx,
    file_name: String,
    section: Option<String>,
    option: String,
    #[default("=")] separator: String,
    encoding: Option<String>,
) -> Result {
    let file = Document::read(cx, &file_name, &separator, encoding, false)?;
    let place = match section.filter(|name| !name.is_empty()) {
        Some(name) => match file.root.get(&name) {
            Some(Entry::Section(section)) => section.get(&option),
            _ => None,
        },
        None => file.root.get(&option),
    };
    Ok(place.map_or(Value::Nil, Entry::value))
}

/// Take an option out. Returns its value, `None` where it was not there.
///
/// CLI Example: salt '*' ini.remove_option /path/to/ini section_name option_name
#[exec]
fn remove_option(
    cx: &Cx,
    file_name: String,
    section: Option<String>,
    option: String,
    #[default("=")] separator: String,
    encoding: Option<String>,
) -> Result {
    let mut file = Document::read(cx, &file_name, &separator, encoding, false)?;
    let taken = match section.as_deref().and_then(|name| file.root.get_mut(name)) {
        Some(Entry::Section(section)) => section.remove(&option),
        _ => file.root.remove(&option),
    };
    file.write()?;
    Ok(taken.as_ref().map_or(Value::Nil, Entry::value))
}

/// The options of a section.
///
/// CLI Example: salt '*' ini.get_section /path/to/ini section_name
#[exec]
fn get_section(
    cx: &Cx,
    file_name: String,
    section: Value,
    #[default("=")] separator: String,
    encoding: Option<String>,
) -> Result<Map> {
    let file = Document::read(cx, &file_name, &separator, encoding, false)?;
    match section.as_str().and_then(|name| file.root.get(name)) {
        Some(Entry::Section(section)) => Ok(section.options(false)),
        Some(text) => Err(no_attribute(&text.value(), "items")),
        None => Ok(Map::new()),
    }
}

/// Take a section out. Returns its options, `None` where it was not there.
///
/// CLI Example: salt '*' ini.remove_section /path/to/ini section_name
#[exec]
fn remove_section(
    cx: &Cx,
    file_name: String,
    section: String,
    #[default("=")] separator: String,
    encoding: Option<String>,
) -> Result {
    let mut file = Document::read(cx, &file_name, &separator, encoding, false)?;
    let Some(taken) = file.root.remove(&section) else { return Ok(Value::Nil) };
    file.write()?;
    match taken {
        Entry::Section(section) => Ok(section.options(false).into()),
        text => Err(no_attribute(&text.value(), "items")),
    }
}

/// All of a file, without comments.
///
/// CLI Example: salt '*' ini.get_ini /path/to/ini
#[exec]
fn get_ini(
    cx: &Cx,
    file_name: String,
    #[default("=")] separator: String,
    encoding: Option<String>,
) -> Result<Map> {
    Ok(Document::read(cx, &file_name, &separator, encoding, false)?.root.options(true))
}
