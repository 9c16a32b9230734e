//! The option `reactor`: which files react to which tags.

use std::borrow::Cow;
use std::path::PathBuf;

use brine_core::target::fnmatch;
use brine_core::text::python_str;
use brine_core::{Map, Value, map};

/// Which files react to which tags: a list, or a YAML file that holds one.
#[derive(Clone, Debug)]
pub enum Rules {
    /// The list itself.
    List(Vec<Value>),
    /// A file, which is read for each event.
    File(PathBuf),
}

impl Rules {
    /// Of the option. What is neither list nor text has no reactors, as in stock.
    pub fn of(option: Option<&Value>) -> Self {
        match option {
            Some(Value::List(list)) => Self::List(list.clone()),
            Some(Value::Str(path)) if !path.is_empty() => Self::File(path.into()),
            _ => Self::List(Vec::new()),
        }
    }

    /// The files that react to a tag, in the order of the list.
    pub fn files(&self, tag: &str) -> Vec<String> {
        match self {
            Self::List(list) => files_of(list, tag),
            Self::File(_) => files_of(&self.read(), tag),
        }
    }

    /// Whether any does.
    pub fn any(&self, tag: &str) -> bool {
        match self {
            Self::List(list) => list.iter().filter_map(only).any(|(pattern, _)| fnmatch(tag, &pattern)),
            Self::File(_) => !self.files(tag).is_empty(),
        }
    }

    /// All of them.
    pub fn all(&self) -> Value {
        match self {
            Self::List(list) => list.clone().into(),
            Self::File(_) => self.read().into(),
        }
    }

    /// Adds reactors of a tag: what stock answers.
    pub fn add(&mut self, tag: &Value, files: Value) -> Map {
        match self {
            Self::File(path) => outcome(false, &format!("The reactors are those of {}.", path.display())),
            Self::List(list) if list.iter().any(|entry| is_of(entry, tag)) => {
                outcome(false, "Reactor already exists.")
            }
            Self::List(list) => {
                let entry: Map = [(tag.clone(), files)].into_iter().collect();
                list.push(entry.into());
                outcome(true, "Reactor added.")
            }
        }
    }

    /// Takes those of a tag away: what stock answers.
    pub fn delete(&mut self, tag: &Value) -> Map {
        match self {
            Self::File(path) => outcome(false, &format!("The reactors are those of {}.", path.display())),
            Self::List(list) => match list.iter().position(|entry| is_of(entry, tag)) {
                Some(at) => {
                    list.remove(at);
                    outcome(true, "Reactor deleted.")
                }
                None => outcome(false, "Reactor does not exists."),
            },
        }
    }

    fn read(&self) -> Vec<Value> {
        let Self::File(path) = self else { return Vec::new() };
        let shown = path.display();
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(e) => {
                tracing::error!("Failed to read reactor map: \"{shown}\": {e}");
                return Vec::new();
            }
        };
        match brine_render::yaml::load_named(&text, &shown.to_string()) {
            Ok(Value::List(list)) => list,
            Ok(_) => Vec::new(),
            Err(e) => {
                tracing::error!("Failed to parse YAML in reactor map: \"{shown}\": {e}");
                Vec::new()
            }
        }
    }
}

fn outcome(status: bool, comment: &str) -> Map {
    map! {"status" => status, "comment" => comment}
}

/// The tag and the files of an entry of one key; others are none.
fn only(entry: &Value) -> Option<(Cow<'_, str>, &Value)> {
    let (tag, files) = entry.as_map().filter(|entry| entry.len() == 1)?.iter().next()?;
    Some((tag.as_str().map_or_else(|| python_str(tag).into(), Cow::Borrowed), files))
}

/// Whether an entry's first tag is this one.
fn is_of(entry: &Value, tag: &Value) -> bool {
    entry.as_map().and_then(|entry| entry.keys().next()) == Some(tag)
}

fn files_of(list: &[Value], tag: &str) -> Vec<String> {
    let mut files = Vec::new();
    for (pattern, named) in list.iter().filter_map(only) {
        if !fnmatch(tag, &pattern) {
            continue;
        }
        match named {
            Value::Str(one) => files.push(one.clone()),
            Value::List(several) => files.extend(several.iter().map(python_str)),
            _ => {}
        }
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> Rules {
        let list: Vec<Value> = vec![
            map! {"salt/minion/*/start" => vec!["/a.sls", "/b.sls"]}.into(),
            map! {"x" => "/one.sls"}.into(),
            map! {"x" => "/two.sls", "y" => "/z"}.into(),
            "text".into(),
            map! {"[xy]*" => vec!["salt://c.sls"]}.into(),
        ];
        Rules::of(Some(&list.into()))
    }

    #[test]
    fn entries_of_one_tag_count_in_their_order() {
        let rules = rules();
        assert_eq!(rules.files("salt/minion/m/start"), ["/a.sls", "/b.sls"]);
        assert_eq!(rules.files("x"), ["/one.sls", "salt://c.sls"]);
        assert_eq!(rules.files("y"), ["salt://c.sls"]);
        assert!(rules.files("z").is_empty() && !rules.any("z") && rules.any("y"));
        assert!(Rules::of(Some(&map! {"x" => "/a"}.into())).files("x").is_empty());
    }

    #[test]
    fn they_change_while_the_master_runs() {
        let mut rules = rules();
        let comment = |got: Map| got.get_str("comment").unwrap().to_owned();
        assert_eq!(comment(rules.add(&"x".into(), "/n".into())), "Reactor already exists.");
        assert_eq!(comment(rules.add(&"n".into(), vec!["/n"].into())), "Reactor added.");
        assert_eq!(rules.files("n"), ["/n"]);
        assert_eq!(comment(rules.delete(&"x".into())), "Reactor deleted.");
        assert_eq!(rules.files("x"), ["salt://c.sls"]);
        assert_eq!(comment(rules.delete(&"none".into())), "Reactor does not exists.");
    }

    #[test]
    fn a_file_is_read_anew() {
        let tmp = tempfile::tempdir().unwrap();
        let path = tmp.path().join("map.yaml");
        let rules = Rules::of(Some(&path.to_string_lossy().into_owned().into()));
        assert!(!rules.any("a"));
        std::fs::write(&path, "- a: /a.sls\n").unwrap();
        assert_eq!(rules.files("a"), ["/a.sls"]);
        std::fs::write(&path, "- a: [\n").unwrap();
        assert!(rules.files("a").is_empty());
    }
}
