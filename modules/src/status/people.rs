//! Functions of `status` that read what `ps` and `w` print, and the collection an operator makes of others.

use crate::tools;
use brine_core::call::{Args, CallError, Cx, Result, exec};
use brine_core::target::{Anchor, Regex};
use brine_core::text::python_str;
use brine_core::{Map, Value, map};

/// What the command of the `ps` grain prints. It may be a shell's.
fn ps(cx: &Cx, function: &str) -> Result<String> {
    let command = cx.grains.get("ps").cloned().unwrap_or_else(|| "ps -efHww".into());
    Ok(python_str(&cx.call(function, Args::positional([command]).with("python_shell", true))?))
}

/// Return the process data: user and command by process id.
///
/// CLI Example: salt '*' status.procs
#[exec]
fn procs(cx: &Cx) -> Result<Map> {
    Ok(table(&ps(cx, "cmd.run")?))
}

fn table(text: &str) -> Map {
    let mut lines = text.lines();
    let guide: Vec<&str> = lines.next().unwrap_or("").split_whitespace().collect();
    let column = |names: &[&str]| names.iter().find_map(|n| guide.iter().position(|g| g == n)).unwrap_or(0);
    let (user, pid, command) = (column(&["USER", "UID"]), column(&["PID"]), column(&["COMMAND", "CMD"]));
    lines
        .filter_map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let cmd = words.get(command..)?.join(" ");
            Some(((*words.get(pid)?).to_owned(), map! {"user" => *words.get(user)?, "cmd" => cmd}))
        })
        .collect()
}

/// Return the PID or an empty string if the process is running or not. Pass a signature to use to find the process
/// via ps; several are one per line.
///
/// CLI Example: salt '*' status.pid <sig>
#[exec]
fn pid(cx: &Cx, sig: String) -> Result<String> {
    let wanted =
        Regex::new(&sig, Anchor::Search).map_err(|e| CallError::exception("error", e.to_string()))?;
    let own = std::process::id().to_string();
    let mut found = Vec::new();
    for line in ps(cx, "cmd.run_stdout")?.lines().filter(|l| !l.contains(&own)) {
        if wanted.is_match(line).map_err(|e| CallError::execution(e.to_string()))? {
            found.extend(line.split_whitespace().nth(1).map(str::to_owned));
        }
    }
    Ok(found.join("\n"))
}

/// Return a list of logged in users for this minion, using the w command.
///
/// CLI Example: salt '*' status.w
#[exec]
fn w(cx: &Cx) -> Result<Vec<Value>> {
    Ok(tools::run(cx, &["w", "-fh"])?.lines().filter_map(login).collect())
}

fn login(row: &str) -> Option<Value> {
    let words: Vec<&str> = row.split_whitespace().collect();
    let [user, tty, login, idle, jcpu, pcpu, what @ ..] = words.as_slice() else { return None };
    let what = what.join(" ");
    Some(
        map! {
            "idle" => *idle, "jcpu" => *jcpu, "login" => *login, "pcpu" => *pcpu, "tty" => *tty, "user" => *user,
            "what" => what,
        }
        .into(),
    )
}

/// Return a custom composite of status data and info for this minion, based on the minion config file: options such
/// as `status.cpustats.custom`, each a list of the keys to take.
///
/// CLI Example: salt '*' status.custom
#[exec]
fn custom(cx: &Cx) -> Result<Map> {
    let mut chosen = Map::new();
    let of_master = cx.pillar.get("master").and_then(Value::as_map);
    for (key, value) in of_master.into_iter().flatten().chain(cx.opts.map()) {
        if key.as_str().is_some_and(|k| k.starts_with("status.")) {
            chosen.insert(key.clone(), value.clone());
        }
    }
    let mut out = Map::new();
    for (key, items) in &chosen {
        let Some((function, _)) = key.as_str().and_then(|k| k.rsplit_once('.')) else { continue };
        if function == "status.custom" {
            continue;
        }
        if cx.registry.get(function).is_none() {
            tracing::warn!("custom status function {function} is not available");
            continue;
        }
        let values = cx.call(function, Args::none())?;
        for item in items.as_list().unwrap_or_default() {
            let value = values.as_map().and_then(|v| v.get_key(item).cloned());
            out.insert(item.clone(), value.unwrap_or_else(|| "UNKNOWN".into()));
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_found_by_their_headings() {
        let text = "UID          PID    PPID  C STIME TTY          TIME CMD\nroot           1       0  0 13:18 ?        00:00:01 /sbin/init a  b\n";
        assert_eq!(table(text), map! {"1" => map! {"user" => "root", "cmd" => "/sbin/init a b"}});
        assert!(login("root pts/0 13:00 1.00s 0.05s 0.01s w -fh").is_some());
        assert!(login("root").is_none());
    }
}
