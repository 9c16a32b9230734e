//! The `iptables` execution module: the packet filter of the kernel, and the file that keeps its rules.

mod build;
mod parse;

use crate::{python, settings};
use brine_core::call::{Args, CallError, Cx, KwArgs, Result, exec, module};
use brine_core::target::{Anchor, Regex};
use brine_core::text::python_str;
use brine_core::{Map, Value};

module! {
    "iptables":
    append, build_rule, check, check_chain, delete, delete_chain, flush, get_policy, get_rules, get_saved_policy,
    get_saved_rules, insert, new_chain, save, set_policy, version
}

const NO_CHAIN: &str = "Error: Chain needs to be specified";

/// The program of a family. The module is none where that of IPv4 is not installed.
fn program(family: &str) -> Result<String> {
    let which = crate::cmd::which::which;
    let here = which("iptables").ok_or_else(|| {
        CallError::NotAvailable(
            "'iptables' __virtual__ returned False: The iptables execution module cannot be loaded: iptables not installed."
                .to_owned(),
        )
    })?;
    Ok(if family == "ipv6" { which("ip6tables").unwrap_or_else(|| "None".to_owned()) } else { here })
}

fn output(cx: &Cx, line: &str) -> Result<String> {
    Ok(python_str(&cx.call("cmd.run_stdout", Args::positional([line]).with("python_shell", false))?))
}

fn errors(cx: &Cx, line: &str) -> Result<String> {
    Ok(python_str(&cx.call("cmd.run_stderr", Args::positional([line]).with("python_shell", false))?))
}

fn has_option(cx: &Cx, option: &str, family: &str) -> Result<bool> {
    let args = Args::positional([format!("{} --help", program(family)?)]).with("python_shell", false);
    Ok(python_str(&cx.call("cmd.run_stdout", args.with("output_loglevel", "quiet"))?).contains(option))
}

/// The beginning of a command that changes a table.
fn command(cx: &Cx, table: &str, family: &str) -> Result<String> {
    let wait = if has_option(cx, "--wait", family)? { "--wait" } else { "" };
    Ok(format!("{} {wait} -t {table}", program(family)?))
}

/// The file that keeps the rules.
fn file(family: &str) -> &'static str {
    if family == "ipv6" { "/etc/iptables/rules.v6" } else { "/etc/iptables/rules.v4" }
}

fn given(text: &Option<String>) -> Option<&str> {
    text.as_deref().filter(|text| !text.is_empty())
}

/// The version of the program.
///
/// CLI Example: salt '*' iptables.version
#[exec]
fn version(cx: &Cx, #[default("ipv4")] family: String) -> Result<String> {
    let said = output(cx, &format!("{} --version", program(&family)?))?;
    let word = said.split_whitespace().nth(1).map(str::to_owned);
    word.ok_or_else(|| CallError::exception("IndexError", "list index out of range"))
}

/// The text of a rule, made of what it is about: `if`, `of`, `proto`, `match`, `connstate`, `dport`, `sport`, `dports`, `sports`,
/// `comment`, `jump`, and each other option by its long name. `! ` before a value negates it. With `full`, the whole command.
///
/// CLI Example: salt '*' iptables.build_rule match=state connstate=RELATED,ESTABLISHED jump=ACCEPT
#[exec]
#[expect(clippy::too_many_arguments, reason = "the signature is stock's")]
fn build_rule(
    cx: &Cx,
    #[default("filter")] table: Value,
    chain: Option<String>,
    command: Option<String>,
    #[default("")] position: Value,
    full: Option<Value>,
    #[default("ipv4")] family: String,
    kwargs: KwArgs,
) -> Result<String> {
    program("ipv4")?;
    let rule = match build::rule(kwargs.0) {
        Ok(rule) => rule,
        Err(error) => return Ok(error.to_owned()),
    };
    if !full.is_some_and(|full| full.truthy()) {
        return Ok(rule);
    }
    if !table.truthy() {
        return Ok("Error: Table needs to be specified".to_owned());
    }
    let Some(chain) = given(&chain) else { return Ok(NO_CHAIN.to_owned()) };
    let Some(word) = given(&command) else { return Ok("Error: Command needs to be specified".to_owned()) };
    let flag = if "ACDIRLSFZNXPE".contains(word) { "-" } else { "--" };
    let start = self::command(cx, &python_str(&table), &family)?;
    Ok(format!("{start} {flag}{word} {chain} {} {rule}", python_str(&position)))
}

fn kept(conf_file: Option<String>, family: &str) -> Result<Map> {
    program("ipv4")?;
    let path = conf_file.filter(|path| !path.is_empty()).unwrap_or_else(|| file(family).to_owned());
    parse::rules(&settings::text(&path).map_err(|e| crate::hashutil::file_error(&e, &path))?)
}

fn active(cx: &Cx, family: &str) -> Result<Map> {
    parse::rules(&output(cx, &format!("{}-save", program(family)?))?)
}

fn policy_of(rules: &Map, table: &str, chain: &str) -> Value {
    let chain = rules.get(table).and_then(|table| table.get(chain));
    chain.and_then(|chain| chain.get("policy")).cloned().unwrap_or_default()
}

/// The rules of the file that keeps them, or of another.
///
/// CLI Example: salt '*' iptables.get_saved_rules
#[exec]
fn get_saved_rules(conf_file: Option<String>, #[default("ipv4")] family: String) -> Result<Map> {
    kept(conf_file, &family)
}

/// The rules of the kernel.
///
/// CLI Example: salt '*' iptables.get_rules
#[exec]
fn get_rules(cx: &Cx, #[default("ipv4")] family: String) -> Result<Map> {
    active(cx, &family)
}

/// The policy of a chain in the file that keeps the rules, or in another.
///
/// CLI Example: salt '*' iptables.get_saved_policy filter INPUT
#[exec]
fn get_saved_policy(
    #[default("filter")] table: String,
    chain: Option<String>,
    conf_file: Option<String>,
    #[default("ipv4")] family: String,
) -> Result {
    let Some(chain) = given(&chain) else { return Ok(NO_CHAIN.into()) };
    Ok(policy_of(&kept(conf_file, &family)?, &table, chain))
}

/// The policy of a chain of the kernel.
///
/// CLI Example: salt '*' iptables.get_policy filter INPUT
#[exec]
fn get_policy(
    cx: &Cx,
    #[default("filter")] table: String,
    chain: Option<String>,
    #[default("ipv4")] family: String,
) -> Result {
    let Some(chain) = given(&chain) else { return Ok(NO_CHAIN.into()) };
    Ok(policy_of(&active(cx, &family)?, &table, chain))
}

/// Set the policy of a chain; what goes wrong is returned.
///
/// CLI Example: salt '*' iptables.set_policy filter INPUT ACCEPT
#[exec]
fn set_policy(
    cx: &Cx,
    #[default("filter")] table: String,
    chain: Option<String>,
    policy: Option<String>,
    #[default("ipv4")] family: String,
) -> Result<String> {
    let Some(chain) = given(&chain) else { return Ok(NO_CHAIN.to_owned()) };
    let Some(policy) = given(&policy) else { return Ok("Error: Policy needs to be specified".to_owned()) };
    errors(cx, &format!("{} -P {chain} {policy}", command(cx, &table, &family)?))
}

/// What is kept of the rules: lines in which one of the patterns of option `iptables.save_filters` is found are not.
fn filtered(rules: &str, patterns: &Value) -> String {
    let patterns = patterns.as_list().unwrap_or_default().iter().filter_map(|pattern| {
        let pattern = python_str(pattern);
        match Regex::new(&pattern, Anchor::Search) {
            Ok(regex) => Some(regex),
            Err(e) => {
                tracing::warn!("Skipping regex rule: '{pattern}': {e}");
                None
            }
        }
    });
    let patterns: Vec<Regex> = patterns.collect();
    let lines = brine_core::text::splitlines(rules, true).into_iter();
    lines.filter(|line| !patterns.iter().any(|regex| regex.is_match(line).unwrap_or(false))).collect()
}

/// Write the rules of the kernel to the file that keeps them, or to another.
///
/// CLI Example: salt '*' iptables.save /etc/sysconfig/iptables
#[exec]
fn save(cx: &Cx, filename: Option<String>, #[default("ipv4")] family: String) -> Result {
    let program = program(&family)?;
    let path = filename.filter(|path| !path.is_empty()).unwrap_or_else(|| file(&family).to_owned());
    let folder = python::path::dirname(&path);
    if !std::path::Path::new(folder).is_dir() {
        std::fs::create_dir_all(folder).map_err(|e| crate::hashutil::file_error(&e, folder))?;
    }
    let rules = output(cx, &format!("{program}-save"))?;
    let none = Value::List(Vec::new());
    let patterns = cx.call("config.option", Args::positional([Value::from("iptables.save_filters"), none]))?;
    let rules = if patterns.truthy() { filtered(&rules, &patterns) } else { rules };
    cx.call("file.write", Args::positional([path, rules]))
}

fn is_there(cx: &Cx, table: &str, chain: &str, rule: &str, family: &str) -> Result<bool> {
    let args = Args::positional([format!("{} -t {table} -C {chain} {rule}", program(family)?)]);
    let args = args.with("python_shell", false).with("output_loglevel", "quiet");
    Ok(cx.call("cmd.retcode", args)?.as_int() == Some(0))
}

/// Whether a chain has a rule.
///
/// CLI Example: salt '*' iptables.check filter INPUT rule='-m state --state RELATED,ESTABLISHED -j ACCEPT'
#[exec]
fn check(
    cx: &Cx,
    #[default("filter")] table: String,
    chain: Option<String>,
    rule: Option<String>,
    #[default("ipv4")] family: String,
) -> Result {
    let Some(chain) = given(&chain) else { return Ok(NO_CHAIN.into()) };
    let Some(rule) = given(&rule) else { return Ok("Error: Rule needs to be specified".into()) };
    Ok(is_there(cx, &table, chain, rule, &family)?.into())
}

/// Whether a table has a chain.
///
/// CLI Example: salt '*' iptables.check_chain filter INPUT
#[exec]
fn check_chain(
    cx: &Cx,
    #[default("filter")] table: String,
    chain: Option<String>,
    #[default("ipv4")] family: String,
) -> Result {
    let Some(chain) = given(&chain) else { return Ok(NO_CHAIN.into()) };
    let rules = output(cx, &format!("{}-save -t {table}", program(&family)?))?;
    Ok(rules.contains(&format!(":{chain} ")).into())
}

/// Runs a command on a chain: true, or what goes wrong.
fn on_chain(cx: &Cx, table: &str, chain: &Option<String>, family: &str, flag: &str) -> Result {
    let Some(chain) = given(chain) else { return Ok(NO_CHAIN.into()) };
    let error = errors(cx, &format!("{} {flag} {chain}", command(cx, table, family)?))?;
    Ok(if error.is_empty() { true.into() } else { error.into() })
}

/// Make a chain: true, or what goes wrong.
///
/// CLI Example: salt '*' iptables.new_chain filter CUSTOM_CHAIN
#[exec]
fn new_chain(
    cx: &Cx,
    #[default("filter")] table: String,
    chain: Option<String>,
    #[default("ipv4")] family: String,
) -> Result {
    on_chain(cx, &table, &chain, &family, "-N")
}

/// Remove a chain: true, or what goes wrong.
///
/// CLI Example: salt '*' iptables.delete_chain filter CUSTOM_CHAIN
#[exec]
fn delete_chain(
    cx: &Cx,
    #[default("filter")] table: String,
    chain: Option<String>,
    #[default("ipv4")] family: String,
) -> Result {
    on_chain(cx, &table, &chain, &family, "-X")
}

/// Add a rule at the end of a chain: whether that was done.
///
/// CLI Example: salt '*' iptables.append filter INPUT rule='-m state --state RELATED,ESTABLISHED -j ACCEPT'
#[exec]
fn append(
    cx: &Cx,
    #[default("filter")] table: String,
    chain: Option<String>,
    rule: Option<String>,
    #[default("ipv4")] family: String,
) -> Result {
    let Some(chain) = given(&chain) else { return Ok(NO_CHAIN.into()) };
    let Some(rule) = given(&rule) else { return Ok("Error: Rule needs to be specified".into()) };
    let start = command(cx, &table, &family)?;
    if is_there(cx, &table, chain, rule, &family)? {
        return Ok(false.into());
    }
    Ok(errors(cx, &format!("{start} -A {chain} {rule}"))?.is_empty().into())
}

/// Add a rule at a place of a chain, counted from its end where that is negative; what goes wrong is returned.
///
/// CLI Example: salt '*' iptables.insert filter INPUT position=3 rule='-m state --state RELATED,ESTABLISHED -j ACCEPT'
#[exec]
fn insert(
    cx: &Cx,
    #[default("filter")] table: String,
    chain: Option<String>,
    position: Option<Value>,
    rule: Option<String>,
    #[default("ipv4")] family: String,
) -> Result {
    let Some(chain) = given(&chain) else { return Ok(NO_CHAIN.into()) };
    let Some(position) = position.filter(Value::truthy) else {
        return Ok("Error: Position needs to be specified or use append (-A)".into());
    };
    let Some(rule) = given(&rule) else { return Ok("Error: Rule needs to be specified".into()) };
    let mut position = position.as_int().ok_or_else(|| {
        let kind = brine_core::text::python_type(&position);
        CallError::Arguments(format!("'<' not supported between instances of '{kind}' and 'int'"))
    })?;
    if position < 0 {
        let rules = active(cx, &family)?;
        let chain_rules = rules.get(&table).and_then(|t| t.get(chain)).and_then(|c| c.get("rules"));
        let size = chain_rules.and_then(Value::as_list).map_or(0, <[Value]>::len);
        position += i64::try_from(size).unwrap_or_default() + 1;
        if position == 0 {
            position = 1;
        }
    }
    let start = command(cx, &table, &family)?;
    if is_there(cx, &table, chain, rule, &family)? {
        return Ok(false.into());
    }
    Ok(errors(cx, &format!("{start} -I {chain} {position} {rule}"))?.into())
}

/// Remove a rule of a chain, by its place or by what it says; what goes wrong is returned.
///
/// CLI Example: salt '*' iptables.delete filter INPUT position=3
#[exec]
fn delete(
    cx: &Cx,
    table: String,
    chain: Option<String>,
    position: Option<Value>,
    rule: Option<Value>,
    #[default("ipv4")] family: String,
) -> Result<String> {
    let position = position.filter(Value::truthy);
    if position.is_some() && rule.as_ref().is_some_and(Value::truthy) {
        return Ok("Error: Only specify a position or a rule, not both".to_owned());
    }
    let what = position.or(rule).map_or_else(|| "None".to_owned(), |what| python_str(&what));
    let chain = chain.unwrap_or_else(|| "None".to_owned());
    errors(cx, &format!("{} -D {chain} {what}", command(cx, &table, &family)?))
}

/// Remove all rules of a chain, or of a table; what goes wrong is returned.
///
/// CLI Example: salt '*' iptables.flush filter INPUT
#[exec]
fn flush(
    cx: &Cx,
    #[default("filter")] table: String,
    #[default("")] chain: String,
    #[default("ipv4")] family: String,
) -> Result<String> {
    errors(cx, &format!("{} -F {chain}", command(cx, &table, &family)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_are_not_kept_are_left_out() {
        let patterns = Value::from(vec!["docker", "("]);
        assert_eq!(filtered("-A a\n-A docker0 b\n-A c\n", &patterns), "-A a\n-A c\n");
    }
}
