//! Programs that people start from their shells: tells of each. `strace` runs beside for every shell and says what is started.

use crate::config::list;
use crate::piped::{Pipe, Piped, is_installed};
use crate::{Beacon, Kept};
use brine_core::call::{Args, Cx, Result};
use brine_core::text::python_str;
use brine_core::{Map, Value, map};
use std::collections::HashMap;
use std::process::Command;
use std::time::{Duration, Instant};

pub(crate) static BEACON: Beacon = Beacon { name: "sh", unavailable, validate, look, lets_go: false };

/// How long the list of shells is believed.
const SHELLS: Duration = Duration::from_secs(5);

fn unavailable(_: &Cx) -> Option<String> {
    (!is_installed("strace")).then(|| "strace is missing.".to_owned())
}

fn validate(_: &Cx, config: &Value) -> Result<()> {
    list("sh", config).map(drop)
}

/// The shells there are, and those that are traced.
#[derive(Default)]
struct State {
    shells: Option<(Instant, Vec<String>)>,
    traced: HashMap<String, Traced>,
}

struct Traced {
    strace: Piped,
    user: Value,
}

fn look(cx: &Cx, _: &[Value], kept: &mut Kept) -> Result<Vec<Map>> {
    let state = kept.of::<State>();
    if state.shells.as_ref().is_none_or(|(read, _)| read.elapsed() > SHELLS) {
        let shells = cx.call("cmd.shells", Args::none())?;
        let shells = shells.as_list().unwrap_or_default().iter().map(python_str).collect();
        state.shells = Some((Instant::now(), shells));
    }
    let shells = state.shells.as_ref().map(|(_, shells)| shells.as_slice()).unwrap_or_default();
    let running = cx.call("status.procs", Args::none())?;
    for (pid, process) in running.as_map().into_iter().flatten() {
        let command = process.get("cmd").map(python_str).unwrap_or_default();
        let command = command.trim_start_matches('-');
        let pid = python_str(pid);
        if state.traced.contains_key(&pid) || !shells.iter().any(|shell| shell.contains(command)) {
            continue;
        }
        let mut strace = Command::new("strace");
        strace.args(["-f", "-e", "execve", "-p", &pid]);
        match Piped::start(&mut strace, Pipe::Err) {
            Ok(strace) => {
                let user = process.get("user").cloned().unwrap_or_default();
                state.traced.insert(pid, Traced { strace, user });
            }
            Err(e) => tracing::error!("strace: {e}"),
        }
    }
    let mut told = Vec::new();
    state.traced.retain(|pid, traced| {
        let (lines, runs) = traced.strace.lines();
        told.extend(lines.iter().filter_map(|line| started(line, pid, &traced.user)));
        runs
    });
    Ok(told)
}

/// The event of a line of strace's, if something was started.
fn started(line: &str, pid: &str, user: &Value) -> Option<Map> {
    // Every other piece stands between quotes: the program first, then its words.
    let mut quoted = line.split("execve").nth(1)?.split('"').skip(1).step_by(2);
    let program = quoted.next();
    let mut event = map! { "args" => quoted.collect::<Vec<_>>(), "tag" => pid };
    if let Some(program) = program {
        event.insert("cmd", program);
    }
    event.insert("user", user.clone());
    Some(event)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_strace_says_of_a_start() {
        let line = r#"[pid 7] execve("/usr/bin/ls", ["ls", "-l", "a b"], 0x7ffd /* 9 vars */) = 0"#;
        let event = started(line, "5", &"root".into()).unwrap();
        assert_eq!(event.get_str("cmd"), Some("/usr/bin/ls"));
        assert_eq!(event.get("args"), Some(&vec!["ls", "-l", "a b"].into()));
        assert!(started("strace: Process 5 attached", "5", &Value::Nil).is_none());
    }
}
