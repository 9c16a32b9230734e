//! Whether this minion is meant by a target expression. The matching itself is `brine_core::target`.

use crate::datastore;
use crate::python::update::update;
use brine_core::call::{CallError, Cx, KwArgs, Result, VarArgs, exec, module};
use brine_core::target::{DEFAULT_TARGET_DELIM, Subject, fnmatch, matches};
use brine_core::text::{python_repr, python_str};
use brine_core::{Map, Value};
use std::net::IpAddr;

module! {
    "match": compound, data, filter_by, glob, grain, grain_pcre, ifelse, ipcidr, list_, pcre, pillar, pillar_pcre,
    search_by
}

/// Asks the matchers about this minion, or about another id.
fn ask(cx: &Cx, tgt: &Value, tgt_type: &str, delimiter: &str, minion_id: Option<&Value>) -> bool {
    let id = minion_id.filter(|id| id.truthy()).map_or_else(|| cx.opts.str("id").to_owned(), python_str);
    let empty = Map::new();
    let nodegroups = cx.opts.get("nodegroups").and_then(Value::as_map).unwrap_or(&empty);
    let subject = Subject { id: &id, grains: &cx.grains, pillar: &cx.pillar, nodegroups };
    matches(tgt, tgt_type, delimiter, subject)
}

/// Whether a compound expression means this minion.
///
/// CLI Example: salt '*' match.compound 'L@cheese,foo and *'
#[exec]
fn compound(cx: &Cx, tgt: Value, minion_id: Option<Value>) -> Result<bool> {
    Ok(ask(cx, &tgt, "compound", DEFAULT_TARGET_DELIM, minion_id.as_ref()))
}

/// Whether an address of this minion is this one, or is in this network.
///
/// CLI Example: salt '*' match.ipcidr '192.168.44.0/24'
#[exec]
fn ipcidr(cx: &Cx, tgt: Value) -> Result {
    // Stock answers an empty list where the target is neither address nor network.
    if !python_str(&tgt).split_once('/').map_or_else(|| is_address(&python_str(&tgt)), is_network) {
        return Ok(Value::List(Vec::new()));
    }
    Ok(ask(cx, &tgt, "ipcidr", DEFAULT_TARGET_DELIM, None).into())
}

fn is_address(text: &str) -> bool {
    text.parse::<IpAddr>().is_ok()
}

/// A network without host bits; the mask as prefix length or address.
fn is_network((address, mask): (&str, &str)) -> bool {
    let (bits, width) = match address.parse() {
        Ok(IpAddr::V4(address)) => (u128::from(u32::from(address)), 32),
        Ok(IpAddr::V6(address)) => (u128::from(address), 128),
        Err(_) => return false,
    };
    match mask.parse::<u32>() {
        Ok(prefix) if prefix <= width => {
            let host = if prefix == 0 { u128::MAX } else { (1u128 << (width - prefix)) - 1 };
            let host = if width == 32 { host & u128::from(u32::MAX) } else { host };
            bits & host == 0
        }
        Ok(_) => false,
        Err(_) => width == 32 && is_address(mask),
    }
}

/// Whether a pillar value of this minion matches a regular expression.
///
/// CLI Example: salt '*' match.pillar_pcre 'cheese:(swiss|american)'
#[exec]
fn pillar_pcre(cx: &Cx, tgt: Value, #[default(DEFAULT_TARGET_DELIM)] delimiter: String) -> Result<bool> {
    Ok(ask(cx, &tgt, "pillar_pcre", &delimiter, None))
}

/// Whether a pillar value of this minion matches a shell pattern.
///
/// CLI Example: salt '*' match.pillar 'cheese:foo'
#[exec]
fn pillar(cx: &Cx, tgt: Value, #[default(DEFAULT_TARGET_DELIM)] delimiter: String) -> Result<bool> {
    Ok(ask(cx, &tgt, "pillar", &delimiter, None))
}

/// Whether a value in the minion's data store matches, as `key:pattern`.
///
/// CLI Example: salt '*' match.data 'spam:eggs'
#[exec]
fn data(cx: &Cx, tgt: String) -> Result<bool> {
    let mut parts = tgt.split(':');
    let (Some(key), Some(pattern)) = (parts.next(), parts.next()) else { return Ok(false) };
    Ok(match datastore::load(cx).get(key) {
        None | Some(Value::Nil) => false,
        Some(Value::List(members)) => {
            let pattern = pattern.to_lowercase();
            members.iter().any(|member| fnmatch(&python_str(member).to_lowercase(), &pattern))
        }
        Some(Value::Map(map)) => map.contains(pattern),
        Some(other) => fnmatch(&python_str(other), pattern),
    })
}

/// Whether a grain of this minion matches a regular expression.
///
/// CLI Example: salt '*' match.grain_pcre 'os:Fedo.*'
#[exec]
fn grain_pcre(cx: &Cx, tgt: Value, #[default(DEFAULT_TARGET_DELIM)] delimiter: String) -> Result<bool> {
    Ok(ask(cx, &tgt, "grain_pcre", &delimiter, None))
}

/// Whether a grain of this minion matches a shell pattern.
///
/// CLI Example: salt '*' match.grain 'os:Ubuntu'
#[exec]
fn grain(cx: &Cx, tgt: Value, #[default(DEFAULT_TARGET_DELIM)] delimiter: String) -> Result<bool> {
    Ok(ask(cx, &tgt, "grain", &delimiter, None))
}

/// Whether this minion is in a list of ids.
///
/// CLI Example: salt '*' match.list 'server1,server2'
#[exec]
fn list_(cx: &Cx, tgt: Value, minion_id: Option<Value>) -> Result<bool> {
    Ok(ask(cx, &tgt, "list", DEFAULT_TARGET_DELIM, minion_id.as_ref()))
}

/// Whether this minion's id matches a regular expression.
///
/// CLI Example: salt '*' match.pcre '.*'
#[exec]
fn pcre(cx: &Cx, tgt: Value, minion_id: Option<Value>) -> Result<bool> {
    Ok(ask(cx, &tgt, "pcre", DEFAULT_TARGET_DELIM, minion_id.as_ref()))
}

/// Whether this minion's id matches a shell pattern.
///
/// CLI Example: salt '*' match.glob '*'
#[exec]
fn glob(cx: &Cx, tgt: Value, minion_id: Option<Value>) -> Result<bool> {
    Ok(ask(cx, &tgt, "glob", DEFAULT_TARGET_DELIM, minion_id.as_ref()))
}

/// The matcher of a `tgt_type` argument, by the names that stock's module knows.
fn by_type(cx: &Cx, tgt: &Value, tgt_type: &str, minion_id: Option<&Value>) -> Result<bool> {
    let takes_id = matches!(tgt_type, "compound" | "list_" | "pcre" | "glob");
    match tgt_type {
        "compound" | "pcre" | "glob" | "list_" | "ipcidr" | "pillar" | "pillar_pcre" | "grain" | "grain_pcre" => {
            let id = if takes_id { minion_id } else { None };
            Ok(ask(cx, tgt, tgt_type.trim_end_matches('_'), DEFAULT_TARGET_DELIM, id))
        }
        "data" => data(cx, python_str(tgt)),
        _ => Err(CallError::exception("KeyError", python_repr(&tgt_type.into()))),
    }
}

fn salt_exception(text: &str) -> CallError {
    CallError::exception("SaltException", text)
}

fn filter(
    cx: &Cx,
    lookup: &Map,
    tgt_type: &str,
    minion_id: Option<&Value>,
    merge: Option<&Value>,
    merge_lists: bool,
    default: &Value,
) -> Result {
    for (key, value) in lookup {
        if !by_type(cx, key, tgt_type, minion_id)? {
            continue;
        }
        return match (merge.filter(|merge| merge.truthy()), value) {
            (None, _) => Ok(value.clone()),
            (Some(Value::Map(merge)), Value::Nil) => Ok(merge.clone().into()),
            (Some(Value::Map(merge)), Value::Map(map)) => {
                let mut map = map.clone();
                update(&mut map, merge, merge_lists);
                Ok(map.into())
            }
            (Some(Value::Map(_)), _) => {
                let text = "Cannot update using non-dict types in dictupdate.update()";
                Err(CallError::Arguments(text.into()))
            }
            (Some(_), _) => Err(salt_exception("filter_by merge argument must be a dictionary.")),
        };
    }
    Ok(lookup.get_key(default).cloned().unwrap_or_default())
}

/// The value of the first target in a dict that means this minion, or that under the key `default`. `merge` is
/// merged into it.
///
/// CLI Example: salt '*' match.filter_by '{foo*: Foo!, bar*: Bar!}' minion_id=bar03
#[exec]
fn filter_by(
    cx: &Cx,
    lookup: Map,
    #[default("compound")] tgt_type: String,
    minion_id: Option<Value>,
    merge: Option<Value>,
    #[default(false)] merge_lists: bool,
    #[default("default")] default: Value,
) -> Result {
    filter(cx, &lookup, &tgt_type, minion_id.as_ref(), merge.as_ref(), merge_lists, &default)
}

/// The keys of a dict of target lists in which a target means this minion, or `None`.
///
/// CLI Example: salt '*' match.search_by '{web: [node1, node2], db: [node2, node]}'
#[exec]
fn search_by(
    cx: &Cx,
    lookup: Map,
    #[default("compound")] tgt_type: String,
    minion_id: Option<Value>,
) -> Result {
    let mut found = Vec::new();
    for (key, targets) in &lookup {
        let targets = match targets {
            Value::List(list) => list.clone(),
            Value::Str(text) => text.chars().map(|c| Value::from(c.to_string())).collect(),
            _ => Vec::new(),
        };
        for target in &targets {
            if by_type(cx, target, &tgt_type, minion_id.as_ref())? {
                found.push(key.clone());
            }
        }
    }
    Ok(if found.is_empty() { Value::Nil } else { found.into() })
}

/// Pairs of target and value, and a last value: the first value whose target means this minion, or the last.
///
/// CLI Example: salt '*' match.ifelse 'foo*' 'Foo!' 'bar*' 'Bar!' minion_id=bar03
#[exec]
fn ifelse(cx: &Cx, args: VarArgs, kwargs: KwArgs) -> Result {
    let args = args.0;
    let options = kwargs.clean();
    if args.len().is_multiple_of(2) {
        return Err(salt_exception("The ifelse function must have an odd number of arguments!"));
    }
    let Some((last, pairs)) = args.split_last() else { return Ok(Value::Nil) };
    let mut lookup = Map::new();
    for [key, value] in pairs.as_chunks::<2>().0 {
        let key = match key {
            Value::Bool(true) => "*".into(),
            Value::Bool(false) => "SALT_IFELSE_MATCH_NOTHING".into(),
            other => other.clone(),
        };
        lookup.insert(key, value.clone());
    }
    let tgt_type = options.get_str("tgt_type").unwrap_or("compound");
    let minion_id = options.get("minion_id").filter(|id| !id.is_nil());
    let merge_lists = options.get("merge_lists").is_some_and(Value::truthy);
    if pairs.is_empty() {
        return Ok(last.clone());
    }
    let default = Value::from("SALT_IFELSE_FUNCTION_DEFAULT");
    lookup.insert(default.clone(), last.clone());
    filter(cx, &lookup, tgt_type, minion_id, options.get("merge"), merge_lists, &default)
}
