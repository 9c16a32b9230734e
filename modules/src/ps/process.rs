//! One process, as `/proc/<pid>` tells of it. A process may end at any moment: then every answer is `None`.

use crate::grains_core::read;
use brine_core::{Map, Value, map};
use nix::unistd::{SysconfVar, Uid, User, sysconf};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// Clock ticks per second.
static TICKS: LazyLock<f64> =
    LazyLock::new(|| sysconf(SysconfVar::CLK_TCK).ok().flatten().unwrap_or(100) as f64);

/// Bytes of a page.
static PAGE: LazyLock<i64> = LazyLock::new(|| sysconf(SysconfVar::PAGE_SIZE).ok().flatten().unwrap_or(4096));

/// Seconds of a number of clock ticks.
pub(crate) fn seconds(ticks: u64) -> f64 {
    ticks as f64 / *TICKS
}

/// When the machine was started, in seconds since 1970.
pub(crate) fn boot_time() -> f64 {
    read::text("/proc/stat")
        .and_then(|t| t.lines().find_map(|l| l.strip_prefix("btime ")?.trim().parse().ok()))
        .unwrap_or(0.0)
}

/// A process by its id.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Process {
    pub(crate) pid: i32,
}

/// What `/proc/<pid>/stat` holds, as far as it is needed.
pub(crate) struct Stat {
    pub(crate) name: String,
    state: char,
    pub(crate) parent: i32,
    pub(crate) terminal: i64,
    pub(crate) user: f64,
    pub(crate) system: f64,
    children_user: f64,
    children_system: f64,
    pub(crate) nice: i64,
    started: u64,
    pub(crate) cpu: i64,
    iowait: f64,
}

/// Every process there is, by rising id.
pub(crate) fn all() -> Vec<Process> {
    let mut pids: Vec<i32> = read::names("/proc").iter().filter_map(|n| n.parse().ok()).collect();
    pids.sort_unstable();
    pids.into_iter().map(|pid| Process { pid }).collect()
}

impl Process {
    /// A file of this process.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        Path::new("/proc").join(self.pid.to_string()).join(name)
    }

    /// Whether it is a process: threads have a directory too, but belong to another id.
    pub(crate) fn exists(&self) -> bool {
        self.status_field("Tgid").is_some_and(|t| t.parse() == Ok(self.pid))
    }

    pub(crate) fn text(&self, name: &str) -> Option<String> {
        read::text(self.path(name))
    }

    pub(crate) fn stat(&self) -> Option<Stat> {
        parse_stat(&self.text("stat")?)
    }

    /// A field of `/proc/<pid>/status`.
    pub(crate) fn status_field(&self, name: &str) -> Option<String> {
        self.text("status")?
            .lines()
            .find_map(|l| l.strip_prefix(name)?.strip_prefix(':').map(|v| v.trim().to_owned()))
    }

    /// The numbers of a field of `/proc/<pid>/status`.
    pub(crate) fn status_numbers(&self, name: &str) -> Option<Vec<i64>> {
        Some(self.status_field(name)?.split_whitespace().filter_map(|n| n.parse().ok()).collect())
    }

    pub(crate) fn cmdline(&self) -> Option<Vec<String>> {
        let data = self.text("cmdline")?;
        if data.is_empty() {
            return Some(Vec::new());
        }
        let separator = if data.ends_with('\0') { '\0' } else { ' ' };
        let body = data.strip_suffix(separator).unwrap_or(&data);
        let words: Vec<String> = body.split(separator).map(str::to_owned).collect();
        // Some programs overwrite their own title with one text.
        if separator == '\0' && words.len() == 1 && body.contains(' ') {
            return Some(body.split(' ').map(str::to_owned).collect());
        }
        Some(words)
    }

    /// The name; one that the kernel cut short is completed from the command line.
    pub(crate) fn name(&self) -> Option<String> {
        let name = self.stat()?.name;
        if name.len() >= 15
            && let Some(first) = self.cmdline().and_then(|c| c.into_iter().next())
            && let Some(base) = first.rsplit('/').next().filter(|b| b.starts_with(&name))
        {
            return Some(base.to_owned());
        }
        Some(name)
    }

    /// The name of the real user, or its number where it has none.
    pub(crate) fn username(&self) -> Option<String> {
        let uid = u32::try_from(*self.status_numbers("Uid")?.first()?).ok()?;
        Some(User::from_uid(Uid::from_raw(uid)).ok().flatten().map_or_else(|| uid.to_string(), |u| u.name))
    }

    /// When it was started, in seconds since 1970.
    pub(crate) fn create_time(&self) -> Option<f64> {
        Some(seconds(self.stat()?.started) + boot_time())
    }

    /// Memory in bytes: `rss`, `vms`, `shared`, `text`, `lib`, `data`, `dirty`.
    pub(crate) fn memory(&self) -> Option<Map> {
        let pages: Vec<i64> = self.text("statm")?.split_whitespace().filter_map(|n| n.parse().ok()).collect();
        let [vms, rss, shared, text, lib, data, dirty] = *pages.first_chunk::<7>()?;
        let bytes = |pages: i64| pages * *PAGE;
        Some(map! {
            "rss" => bytes(rss), "vms" => bytes(vms), "shared" => bytes(shared), "text" => bytes(text),
            "lib" => bytes(lib), "data" => bytes(data), "dirty" => bytes(dirty),
        })
    }
}

/// The fields after the name, which stands in brackets and may itself hold any.
pub(super) fn parse_stat(text: &str) -> Option<Stat> {
    let (open, close) = (text.find('(')?, text.rfind(')')?);
    let fields: Vec<&str> = text.get(close + 1..)?.split_whitespace().collect();
    let number = |i: usize| fields.get(i).and_then(|f| f.parse::<i64>().ok());
    let time = |i: usize| fields.get(i).and_then(|f| f.parse().ok()).map(seconds);
    Some(Stat {
        name: text.get(open + 1..close)?.to_owned(),
        state: fields.first()?.chars().next()?,
        parent: i32::try_from(number(1)?).ok()?,
        terminal: number(4)?,
        user: time(11)?,
        system: time(12)?,
        children_user: time(13)?,
        children_system: time(14)?,
        nice: number(16)?,
        started: fields.get(19)?.parse().ok()?,
        cpu: number(36).unwrap_or(0),
        iowait: time(39).unwrap_or(0.0),
    })
}

impl Stat {
    /// psutil's word for the state.
    pub(crate) fn status(&self) -> &'static str {
        match self.state {
            'R' => "running",
            'S' => "sleeping",
            'D' => "disk-sleep",
            'T' => "stopped",
            't' => "tracing-stop",
            'Z' => "zombie",
            'X' | 'x' => "dead",
            'K' => "wake-kill",
            'W' => "waking",
            'I' => "idle",
            'P' => "parked",
            _ => "?",
        }
    }

    /// Seconds by kind.
    pub(crate) fn cpu_times(&self) -> Map {
        map! {
            "user" => self.user, "system" => self.system, "children_user" => self.children_user,
            "children_system" => self.children_system, "iowait" => self.iowait,
        }
    }
}

/// The values of a map in order: how psutil's named tuples cross the wire.
pub(crate) fn values(map: Map) -> Value {
    map.values().cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_hold_brackets_and_spaces() {
        let fields: Vec<String> = (4..=52).map(|n| n.to_string()).collect();
        let stat = parse_stat(&format!("7 (a) (b c) S {}", fields.join(" "))).unwrap();
        assert_eq!((stat.name.as_str(), stat.status(), stat.parent), ("a) (b c", "sleeping", 4));
        assert_eq!((stat.user, stat.nice, stat.cpu), (seconds(14), 19, 39));
    }

    #[test]
    fn our_own_process_is_there() {
        let own = Process { pid: std::process::id() as i32 };
        assert!(own.exists());
        assert!(own.cmdline().unwrap()[0].contains("brine_modules"));
        assert!(own.create_time().unwrap() > boot_time());
        assert!(!Process { pid: i32::MAX }.exists());
    }
}
