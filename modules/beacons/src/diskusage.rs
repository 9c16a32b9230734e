//! How full file systems are: tells of those above a bound.

use crate::config::{list, no_attribute, percent, share, shown};
use crate::{Beacon, Kept, always, config, proc};
use brine_core::call::{CallError, Cx, Result};
use brine_core::kernel::mount_word;
use brine_core::target::{Anchor, Regex};
use brine_core::{Map, Value, map};
use nix::sys::statvfs::statvfs;

pub(crate) static BEACON: Beacon =
    Beacon { name: "diskusage", unavailable: always, validate, look, lets_go: false };

fn validate(_: &Cx, config: &Value) -> Result<()> {
    list("diskusage", config).map(drop)
}

fn look(_: &Cx, config: &[Value], _: &mut Kept) -> Result<Vec<Map>> {
    let mut told = Vec::new();
    let mounts = mount_points(&proc::read("/proc/self/mounts")?);
    for entry in shown(config)? {
        // Stock looks at the first key of each dict.
        let Some((name, bound)) = config::map(entry)?.iter().next() else {
            return Err(CallError::exception("StopIteration", ""));
        };
        let name = name.as_str().ok_or_else(|| no_attribute(name, "endswith"))?;
        let end = if name.ends_with('$') { "" } else { "$" };
        let pattern = Regex::new(&format!("{name}{end}"), Anchor::Match)
            .map_err(|e| CallError::exception("error", e.to_string()))?;
        for mount in &mounts {
            if !pattern.is_match(mount).unwrap_or(false) {
                continue;
            }
            let Ok(stat) = statvfs(mount.as_str()) else {
                tracing::warn!("{mount} is not a valid mount point.");
                continue;
            };
            let unit = stat.fragment_size() as f64;
            let used = (stat.blocks() as f64 - stat.blocks_free() as f64) * unit;
            let usage = share(used, used + stat.blocks_available() as f64 * unit);
            if usage >= percent(bound)? {
                told.push(map! { "diskusage" => usage, "mount" => mount.as_str() });
            }
        }
    }
    Ok(told)
}

/// The second column, with what the kernel writes as octal numbers.
fn mount_points(mounts: &str) -> Vec<String> {
    mounts.lines().filter_map(|line| line.split(' ').nth(1)).map(mount_word).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mount_points_are_read_as_they_were_written() {
        let text = "/dev/sda1 / ext4 rw 0 0\nnone /mnt/a\\040b\\134c tmpfs rw 0 0\n";
        assert_eq!(mount_points(text), ["/", "/mnt/a b\\c"]);
    }
}
