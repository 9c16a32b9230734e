//! Tags: which are refused. Ruby's reader makes objects of any class for some; no warehouse needs that.

use super::Fault;
use libyaml_safer::Mark;

/// What `!!str` is.
pub(super) const STR: &str = "tag:yaml.org,2002:str";

/// Tags that would make something else than a text, a list or a mapping.
const OTHER: &[&str] = &[
    "!binary",
    "tag:yaml.org,2002:binary",
    "!omap",
    "tag:yaml.org,2002:omap",
    "!set",
    "tag:yaml.org,2002:set",
];

/// Whether a scalar may have this tag.
pub(super) fn scalar(tag: Option<&str>, mark: Mark) -> Result<(), Fault> {
    check(tag, mark, &["!str:"])
}

/// Whether a list may have this tag.
pub(super) fn sequence(tag: Option<&str>, mark: Mark) -> Result<(), Fault> {
    check(tag, mark, &["!seq:"])
}

/// Whether a mapping may have this tag.
pub(super) fn mapping(tag: Option<&str>, mark: Mark) -> Result<(), Fault> {
    let string = matches!(tag, Some(STR | "!str"));
    if string {
        return Err(refused("!str", mark));
    }
    check(tag, mark, &["!str:", "!map:"])
}

fn check(tag: Option<&str>, mark: Mark, classes: &[&str]) -> Result<(), Fault> {
    let Some(tag) = tag else { return Ok(()) };
    let object = tag.starts_with("!ruby/") || classes.iter().any(|class| tag.starts_with(class));
    if object || OTHER.contains(&tag) { Err(refused(tag, mark)) } else { Ok(()) }
}

fn refused(tag: &str, mark: Mark) -> Fault {
    let tag: String = tag.chars().take(80).collect();
    Fault::error("object-tag", mark, format!("the tag {tag} makes objects, and is refused"))
}
