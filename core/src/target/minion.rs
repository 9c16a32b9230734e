//! Targets as a minion reads them: is this job for me?

use super::compound::{self, Token, Word};
use super::ipcidr::Ipcidr;
use super::nodegroup::{MAX_WORDS, nodegroup_comp};
use super::{Anchor, Compare, DEFAULT_TARGET_DELIM, Regex, Search, fnmatch};
use brine_protocol::{Map, Value};

/// Who is asked.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The minion's id.
    pub id: &'a str,
    /// Its grains.
    pub grains: &'a Map,
    /// Its pillar in force.
    pub pillar: &'a Map,
    /// The option `nodegroups`, empty where there is none.
    pub nodegroups: &'a Map,
}

/// Whether a target matches this minion.
///
/// `tgt_type` is the publish load's (`glob`, `pcre`, `list`, `grain`, `grain_pcre`, `pillar`, `pillar_pcre`,
/// `pillar_exact`, `ipcidr`, `compound`); any other matches nobody, `range` among them, which needs a range server,
/// and `nodegroup`, which masters expand before they publish. `delimiter` matters to grain, grain_pcre and pillar
/// alone. Malformed targets match nobody.
pub fn matches(tgt: &Value, tgt_type: &str, delimiter: &str, subject: Subject<'_>) -> bool {
    decide(tgt, tgt_type, delimiter, subject).unwrap_or(false)
}

/// As a top file's `match: nodegroup`: the group's expression, if the group is known.
pub fn nodegroup_match(nodegroup: &str, subject: Subject<'_>) -> bool {
    super::nodegroup(nodegroup, subject.nodegroups).is_some()
        && compound_match(nodegroup_comp(nodegroup, subject.nodegroups), subject).unwrap_or(false)
}

/// `None` where stock raises or logs an error: no match, and no match either for an expression around it.
fn decide(tgt: &Value, tgt_type: &str, delimiter: &str, subject: Subject<'_>) -> Option<bool> {
    match tgt_type {
        "compound" => return compound_match(compound::words(tgt)?, subject),
        "list" => return Some(list_match(tgt, subject.id)),
        _ => {}
    }
    let text = tgt.as_str()?;
    match tgt_type {
        "glob" => Some(fnmatch(subject.id, text)),
        "pcre" => Regex::new(text, Anchor::Match).ok()?.is_match(subject.id).ok(),
        "grain" => Some(Search::new(Compare::Glob).subdict_match(subject.grains, text, delimiter)),
        "grain_pcre" => Some(Search::new(Compare::Regex).subdict_match(subject.grains, text, delimiter)),
        "pillar" => Some(Search::new(Compare::Glob).subdict_match(subject.pillar, text, delimiter)),
        "pillar_pcre" => {
            Some(Search::new(Compare::Regex).subdict_match(subject.pillar, text, DEFAULT_TARGET_DELIM))
        }
        "pillar_exact" => {
            Some(Search::new(Compare::Exact).subdict_match(subject.pillar, text, DEFAULT_TARGET_DELIM))
        }
        "ipcidr" => Some(ipcidr_match(text, subject)),
        "range" => {
            tracing::error!("range targets need a range server and are not supported: {text}");
            None
        }
        _ => None,
    }
}

fn list_match(tgt: &Value, id: &str) -> bool {
    match tgt {
        Value::Str(text) => text.split(',').any(|item| item == id),
        Value::List(list) => list.iter().any(|item| item.as_str() == Some(id)),
        Value::Map(map) => map.contains(id),
        _ => false,
    }
}

fn ipcidr_match(text: &str, subject: Subject<'_>) -> bool {
    Ipcidr::parse(text).is_some_and(|target| target.matches(subject.grains))
}

fn compound_match(mut words: Vec<String>, subject: Subject<'_>) -> Option<bool> {
    let mut tokens = Vec::new();
    let mut work = MAX_WORDS;
    words.reverse();
    while let Some(word) = words.pop() {
        work = work.checked_sub(1)?;
        if compound::push_operator(&mut tokens, &word)? {
            continue;
        }
        let word = Word::parse(&word);
        let tgt_type = match word.engine {
            None => "glob",
            Some('G') => "grain",
            Some('P') => "grain_pcre",
            Some('I') => "pillar",
            Some('J') => "pillar_pcre",
            Some('L') => "list",
            Some('S') => "ipcidr",
            Some('E') => "pcre",
            Some('N') => {
                words.extend(nodegroup_comp(word.pattern, subject.nodegroups).into_iter().rev());
                continue;
            }
            Some('R') => "range",
            // `T@` and `M@` name resources of 3008, which a 3006 minion has none of.
            Some(_) => return None,
        };
        let pattern = Value::from(word.pattern);
        let delimiter = word.delimiter.map_or_else(|| DEFAULT_TARGET_DELIM.to_owned(), |d| d.to_string());
        let hit = if let ("pillar_pcre", Some(_)) = (tgt_type, word.delimiter) {
            Search::new(Compare::Regex).subdict_match(subject.pillar, word.pattern, &delimiter)
        } else {
            decide(&pattern, tgt_type, &delimiter, subject)?
        };
        tokens.push(Token::Operand(hit));
    }
    compound::evaluate(tokens)
}
