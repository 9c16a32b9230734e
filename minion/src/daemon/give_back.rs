//! Memory that an idle minion does not need. Most of what a minion holds is its own program, of which the start and each job read
//! pages that waiting for the next job does not need; and the allocator keeps what a large job left. Once all is quiet, both are
//! given back. Pages of the program are read again by whoever comes there.
#![expect(unsafe_code, reason = "there is no safe way to say that memory is not needed")]

use super::state::Minion;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// For how long no job has run when all is quiet.
const QUIET: Duration = Duration::from_secs(3);

/// Gives memory back after the start, and after jobs.
pub(super) fn start(minion: &Arc<Minion>) {
    let minion = minion.clone();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(QUIET).await;
            // Otherwise the end of that job comes.
            if !minion.table.owes() {
                give_back();
            }
            minion.table.worked().await;
        }
    });
}

/// Gives back what the allocator keeps for later, and the pages of the program that nobody has written to.
fn give_back() {
    // SAFETY: it may be called at any time, and touches nothing that is in use.
    #[cfg(target_env = "gnu")]
    unsafe {
        nix::libc::malloc_trim(0);
    }
    let (Ok(program), Ok(maps)) =
        (std::fs::read_link("/proc/self/exe"), std::fs::read_to_string("/proc/self/smaps"))
    else {
        return;
    };
    for (from, length) in unwritten(&maps, &program) {
        // SAFETY: the kernel named this mapping of the program's file a moment ago. It can be read only, and no page of it is any
        // other than the file's; where it is touched next, by this thread or another, the kernel reads the file's page again.
        let done = unsafe {
            nix::libc::madvise(std::ptr::without_provenance_mut(from), length, nix::libc::MADV_DONTNEED)
        };
        if done != 0 {
            tracing::debug!("memory cannot be given back: {}", std::io::Error::last_os_error());
        }
    }
}

/// Beginning and length of the mappings of a file, in the text of `smaps`, that cannot be written and were not.
fn unwritten(maps: &str, program: &Path) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut candidate = None;
    for line in maps.lines() {
        if let Some(kb) = line.strip_prefix("Anonymous:") {
            // Pages that are not the file's: relocated, or those of a debugger.
            found.extend(candidate.take().filter(|_| kb.trim() == "0 kB"));
        } else if let Some(mapping) = mapping(line, program) {
            candidate = mapping;
        }
    }
    found
}

/// A line that begins a mapping: its place, if it is one of the file that can be read only.
fn mapping(line: &str, program: &Path) -> Option<Option<(usize, usize)>> {
    let mut words = line.splitn(6, ' ');
    let (range, access) = (words.next()?, words.next()?);
    let (from, to) = range.split_once('-')?;
    let from = usize::from_str_radix(from, 16).ok()?;
    let length = usize::from_str_radix(to, 16).ok()?.checked_sub(from)?;
    let is_programs = words.nth(3).is_some_and(|name| Path::new(name.trim_start()) == program);
    Some((is_programs && matches!(access, "r--p" | "r-xp")).then_some((from, length)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAPS: &str = "\
1000-3000 r--p 00000000 fe:00 35444                   /a b/salt-minion\nSize:  8 kB\nAnonymous:             0 kB\nVmFlags: rd
3000-9000 r-xp 00002000 fe:00 35444                   /a b/salt-minion\nAnonymous:             0 kB
9000-a000 r--p 00008000 fe:00 35444                   /a b/salt-minion\nAnonymous:             4 kB
a000-b000 rw-p 00009000 fe:00 35444                   /a b/salt-minion\nAnonymous:             0 kB
b000-c000 rw-p 00000000 00:00 0 \nAnonymous:             0 kB
c000-d000 r-xp 00000000 fe:00 35445                   /lib/libc.so.6\nAnonymous:             0 kB
";

    #[test]
    fn only_what_is_the_programs_and_unwritten_is_given_back() {
        assert_eq!(unwritten(MAPS, Path::new("/a b/salt-minion")), [(0x1000, 0x2000), (0x3000, 0x6000)]);
        assert_eq!(unwritten(MAPS, Path::new("/other")), []);
        assert_eq!(unwritten("nonsense\n\nAnonymous: 0 kB\n", Path::new("")), []);
    }

    #[test]
    fn memory_is_given_back_and_the_program_goes_on() {
        let program = std::fs::read_link("/proc/self/exe").unwrap();
        let held = || {
            let maps = std::fs::read_to_string("/proc/self/smaps").unwrap();
            let (mut ours, mut kb) = (false, 0);
            for line in maps.lines() {
                if let Some(mapping) = mapping(line, &program) {
                    ours = mapping.is_some();
                } else if let Some(rss) = line.strip_prefix("Rss:").filter(|_| ours) {
                    kb += rss.trim().trim_end_matches(" kB").parse::<u64>().unwrap();
                }
            }
            kb
        };
        let touched = brine_modules::grains(&brine_core::Opts::default()).len();
        let before = held();
        give_back();
        let after = held();
        assert!(after * 2 < before, "{before} kB before, {after} kB after");
        assert_eq!(brine_modules::grains(&brine_core::Opts::default()).len(), touched);
    }
}
