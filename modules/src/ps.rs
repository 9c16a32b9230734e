//! The `ps` execution module: processes and the machine they run on, from `/proc`, with the meaning and the names that
//! psutil gives them.

mod counters;
mod info;
mod machine;
mod maps;
pub(crate) mod process;
mod search;
mod sockets;
pub(crate) mod volumes;

use brine_core::call::{CallError, Cx, Result, exec, module};
use brine_core::target::{Anchor, Regex};
use brine_core::{Map, Value, map};
use counters::*;
use machine::*;
use nix::sys::signal::kill;
use nix::unistd::Pid;
use process::Process;
use search::*;
use std::time::{Duration, Instant};
use volumes::*;

module! {
    "ps":
    boot_time, cpu_percent, cpu_times, disk_io_counters, disk_partition_usage, disk_partitions, disk_usage,
    get_pid_list, get_users, kill_pid, lsof, netstat, network_io_counters, num_cpus, pgrep, pkill, proc_info, psaux, ss,
    status, swap_memory, top, total_physical_memory, virtual_memory
}

/// Waits, but not beyond a cancelled job.
fn wait(cx: &Cx, seconds: f64) -> Result<()> {
    let length = Duration::try_from_secs_f64(seconds.max(0.0)).map_err(|_| {
        CallError::exception("OverflowError", "timestamp too large to convert to C _PyTime_t")
    })?;
    let end = Instant::now() + length;
    while let Some(left) = end.checked_duration_since(Instant::now()).filter(|l| !l.is_zero()) {
        cx.cancel.check()?;
        std::thread::sleep(left.min(Duration::from_millis(100)));
    }
    Ok(())
}

/// Return a list of the most CPU-hungry processes during an interval of some seconds.
///
/// CLI Example: salt '*' ps.top 5 10
#[exec]
fn top(cx: &Cx, #[default(5)] num_processes: usize, #[default(3)] interval: f64) -> Result<Vec<Value>> {
    let start: Vec<(Process, f64)> =
        process::all().into_iter().filter_map(|p| p.stat().map(|s| (p, s.user + s.system))).collect();
    wait(cx, interval)?;
    let mut used: Vec<(f64, Process)> = start
        .into_iter()
        .filter_map(|(p, before)| p.stat().map(|s| (s.user + s.system - before, p)))
        .collect();
    used.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut out = Vec::new();
    for (_, p) in used {
        let (Some(stat), Some(memory)) = (p.stat(), p.memory()) else { continue };
        let cmd = match p.cmdline() {
            Some(words) if !words.is_empty() => words.into(),
            _ => Value::from(p.name().unwrap_or_default()),
        };
        out.push(
            map! {
                "cmd" => cmd,
                "user" => p.username(),
                "status" => stat.status(),
                "pid" => p.pid,
                "create_time" => p.create_time(),
                "cpu" => stat.cpu_times(),
                "mem" => memory,
            }
            .into(),
        );
        if out.len() >= num_processes {
            break;
        }
    }
    Ok(out)
}

/// Return a list of process ids (PIDs) for all running processes.
///
/// CLI Example: salt '*' ps.get_pid_list
#[exec]
fn get_pid_list() -> Result<Vec<Value>> {
    Ok(process::all().iter().map(|p| p.pid.into()).collect())
}

/// Return a dictionary of information for a process id (PID); only the named attributes if some are named.
///
/// CLI Example: salt '*' ps.proc_info 2322 attrs='["pid", "name"]'
#[exec]
fn proc_info(pid: i32, attrs: Option<Value>) -> Result<Map> {
    let process =
        found(pid)?.ok_or_else(|| CallError::execution(format!("process PID not found (pid={pid})")))?;
    let attrs = match attrs {
        None => None,
        Some(Value::List(list)) => Some(list.iter().map(brine_core::text::python_str).collect::<Vec<_>>()),
        Some(_) => return Err(CallError::exception("TypeError", "invalid attrs type <class 'str'>")),
    };
    info::as_map(&process, attrs.as_deref())
}

/// The process of that id, if there is one.
fn found(pid: i32) -> Result<Option<Process>> {
    if pid < 0 {
        return Err(CallError::exception(
            "ValueError",
            format!("pid must be a positive integer (got {pid})"),
        ));
    }
    Ok(Some(Process { pid }).filter(|p| pid != 0 && p.exists()))
}

/// Sends a signal; whether the process was there to take it.
fn signal(process: &Process, number: i32) -> Result<bool> {
    let sent = match nix::sys::signal::Signal::try_from(number) {
        Ok(signal) => kill(Pid::from_raw(process.pid), signal),
        Err(_) if number == 0 => kill(Pid::from_raw(process.pid), None),
        Err(_) => return Err(CallError::exception("OSError", "[Errno 22] Invalid argument")),
    };
    match sent {
        Ok(()) => Ok(true),
        Err(nix::errno::Errno::ESRCH) => Ok(false),
        Err(_) => {
            let name = process.name().unwrap_or_default();
            Err(CallError::exception("AccessDenied", format!("(pid={}, name='{name}')", process.pid)))
        }
    }
}

/// Kill a process by PID.
///
/// CLI Example: salt 'minion' ps.kill_pid pid signal=15
#[exec]
fn kill_pid(pid: i32, #[default(15)] signal: i32) -> Result<bool> {
    match found(pid)? {
        Some(process) => self::signal(&process, signal),
        None => Ok(false),
    }
}

/// Kill processes matching a pattern: part of the name, or of the whole command line with `full`.
///
/// CLI Example: salt '*' ps.pkill pattern user=username signal=9 full=(true|false)
#[exec]
fn pkill(
    pattern: String,
    user: Option<String>,
    #[default(15)] signal: i32,
    #[default(false)] full: bool,
) -> Result {
    let mut killed: Vec<Value> = Vec::new();
    for process in process::all() {
        if matches(&process, full, user.as_deref(), |text| Ok(text.contains(&pattern)))?
            && self::signal(&process, signal)?
        {
            killed.push(process.pid.into());
        }
    }
    Ok(if killed.is_empty() { Value::Nil } else { map! {"killed" => killed}.into() })
}

/// Return the pids for processes matching a pattern: part of the name, or of the whole command line with `full`.
///
/// CLI Example: salt '*' ps.pgrep 'salt.*' full=True pattern_is_regex=True
#[exec]
fn pgrep(
    pattern: String,
    user: Option<String>,
    #[default(false)] full: bool,
    #[default(false)] pattern_is_regex: bool,
) -> Result {
    let regex = if pattern_is_regex { Some(expression(&pattern)?) } else { None };
    let mut pids: Vec<Value> = Vec::new();
    for process in process::all() {
        let hit = matches(&process, full, user.as_deref(), |text| match &regex {
            Some(regex) => regex.is_match(text).map_err(|e| CallError::execution(e.to_string())),
            None => Ok(text.contains(&pattern)),
        })?;
        if hit {
            pids.push(process.pid.into());
        }
    }
    Ok(if pids.is_empty() { Value::Nil } else { pids.into() })
}

/// A Python expression that may match anywhere.
fn expression(pattern: &str) -> Result<Regex> {
    Regex::new(pattern, Anchor::Search).map_err(|e| CallError::exception("error", e.to_string()))
}

fn matches(
    process: &Process,
    full: bool,
    user: Option<&str>,
    pattern: impl Fn(&str) -> Result<bool>,
) -> Result<bool> {
    let text = if full {
        process.cmdline().unwrap_or_default().join(" ")
    } else {
        process.name().unwrap_or_default()
    };
    Ok(pattern(&text)? && user.is_none_or(|u| process.username().as_deref() == Some(u)))
}

/// Returns a list of processes according to their state (`running`, `sleeping`, `zombie`, ..).
///
/// CLI Example: salt '*' ps.status status=<status>
#[exec]
fn status(status: Option<String>) -> Result<Vec<Value>> {
    let Some(wanted) = status.filter(|s| !s.is_empty()) else {
        return Err(CallError::invocation("Filter is required for ps.status"));
    };
    Ok(process::all()
        .iter()
        .filter(|p| p.stat().is_some_and(|s| s.status() == wanted))
        .filter_map(|p| Some(map! {"pid" => p.pid, "name" => p.name()?}.into()))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::text::python_str;

    #[test]
    fn a_child_is_found_and_killed() {
        let mut child = std::process::Command::new("sleep").arg("321.5").spawn().unwrap();
        let pid = child.id() as i32;
        // The parent may go on before the child's command line is in place.
        let deadline = Instant::now() + Duration::from_secs(10);
        let mut found = Value::Nil;
        while found.is_nil() && Instant::now() < deadline {
            found = pgrep("sleep 321.5".into(), None, true, false).unwrap();
        }
        assert_eq!(found, vec![Value::from(pid)].into());
        let info = proc_info(pid, Some(vec!["pid", "name", "cmdline"].into())).unwrap();
        assert_eq!(info, map! {"cmdline" => vec!["sleep", "321.5"], "name" => "sleep", "pid" => pid});
        assert_eq!(
            pkill("sleep 321.5".into(), None, 15, true).unwrap(),
            map! {"killed" => vec![Value::from(pid)]}.into()
        );
        child.wait().unwrap();
        assert_eq!(pgrep("^sleep 321[.]5$".into(), None, true, true).unwrap(), Value::Nil);
        assert!(!kill_pid(pid, 15).unwrap());
        assert_eq!(
            proc_info(pid, None).unwrap_err().to_string(),
            format!("process PID not found (pid={pid})")
        );
    }

    #[test]
    fn processes_that_are_none_are_refused() {
        assert!(kill_pid(-1, 9).is_err());
        assert!(!kill_pid(0, 9).unwrap());
        let wrong = proc_info(std::process::id() as i32, Some(vec!["nothing"].into())).unwrap_err();
        assert_eq!(wrong.to_string(), "ValueError: invalid attr name 'nothing'");
    }

    #[test]
    fn every_attribute_of_our_own_process_is_known() {
        let info = proc_info(std::process::id() as i32, None).unwrap();
        assert!(info.len() >= 29, "{}", info.len());
        for (key, value) in &info {
            let optional = ["terminal", "ionice"].contains(&python_str(key).as_str());
            assert!(optional || !value.is_nil(), "{key:?} is unknown");
        }
    }
}
