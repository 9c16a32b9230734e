//! The grains of the operating system as one: kernel, distribution, hardware, virtualisation; in stock's order.

use super::{distro, dmi, hardware, init, pci, read, virt};
use brine_core::{Map, Opts, Value, map};
use std::path::Path;

pub(super) fn collect(opts: &Opts) -> Map {
    let mut g = map! {"num_gpus" => 0, "gpus" => Vec::<Value>::new()};
    if let Ok(uts) = nix::sys::utsname::uname() {
        let text = |s: &std::ffi::OsStr| s.to_string_lossy().into_owned();
        g.insert("kernel", text(uts.sysname()));
        g.insert("nodename", text(uts.nodename()));
        g.insert("kernelrelease", text(uts.release()));
        g.insert("kernelversion", text(uts.version()));
        g.insert("cpuarch", text(uts.machine()));
    }
    if let Some(selinux) = init::selinux() {
        g.insert("selinux", selinux);
    }
    if let Some(systemd) = init::systemd() {
        g.insert("systemd", systemd);
    }
    g.insert("init", init::init_system());
    g.update(distro::grains());
    g.update(hardware::cpu());
    g.update(pci::gpus(opts));
    if Path::new("/proc/device-tree").is_dir() {
        g.update(dmi::device_tree());
    }
    let arch = osarch(g.get_str("os_family").unwrap_or(""), g.get_str("cpuarch").unwrap_or(""));
    g.insert("osarch", arch);
    g.update(hardware::memory());
    g.update(dmi::grains());
    g.update(virt::grains(
        opts,
        g.get_str("productname").unwrap_or(""),
        g.get_str("kernelversion").unwrap_or(""),
    ));
    let ps = match (g.get_str("virtual"), g.get_str("os_family")) {
        (Some("openvzhn"), _) => {
            "ps -fH -p $(grep -l \"^envID:[[:space:]]*0\\$\" /proc/[0-9]*/status | sed -e \"s=/proc/\\([0-9]*\\)/.*=\\1=\")  \
             | awk '{ $7=\"\"; print }'"
        }
        (_, Some("NILinuxRT")) => "ps -o user,pid,ppid,tty,time,comm",
        _ => "ps -efHww",
    };
    g.insert("ps", ps);
    let release = release_grains(
        g.get_str("os").unwrap_or(""),
        g.get_str("osfullname").unwrap_or(""),
        g.get_str("osrelease").unwrap_or(""),
    );
    g.update(release);
    g
}

/// `osrelease_info`, `osmajorrelease`, `osfinger`.
fn release_grains(os: &str, full: &str, release: &str) -> Map {
    if release.is_empty() {
        return Map::new();
    }
    let parts: Vec<Value> = release
        .split('.')
        .map(|p| match p.parse::<i64>() {
            Ok(n) if p.bytes().all(|b| b.is_ascii_digit()) => n.into(),
            _ => p.into(),
        })
        .collect();
    let first = parts.first().cloned().unwrap_or_default();
    let mut out = map! {"osrelease_info" => parts};
    if first.as_int().is_some() {
        out.insert("osmajorrelease", first.clone());
    }
    let name = if matches!(os, "Debian" | "Raspbian") { os } else { full };
    let version =
        if matches!(os, "Ubuntu" | "Pop") { release.into() } else { brine_core::text::python_str(&first) };
    out.insert("osfinger", format!("{name}-{version}"));
    out
}

/// The package manager's name of the architecture.
fn osarch(family: &str, cpu: &str) -> Value {
    match family {
        "Debian" => debian_arch(cpu).into(),
        "RedHat" | "Suse" => read::which("rpm")
            .and_then(|_| read::text("/usr/lib/rpm/macros"))
            .and_then(|m| m.lines().find_map(|l| Some(l.strip_prefix("%_host_cpu")?.trim().to_owned())))
            .unwrap_or_else(|| cpu.to_owned())
            .into(),
        "NILinuxRT" | "Poky" => opkg_archs(),
        _ => cpu.into(),
    }
}

/// What `dpkg --print-architecture` prints: compiled into it, so its own machine code tells.
fn debian_arch(cpu: &str) -> String {
    let Some(tool) = read::which("dpkg") else { return cpu.to_owned() };
    let mut head = [0u8; 40];
    let read_head = std::fs::File::open(&tool).and_then(|mut f| std::io::Read::read_exact(&mut f, &mut head));
    if let (Ok(()), Some(arch)) = (read_head, arch_of_elf(&head)) {
        return arch.to_owned();
    }
    read::output(&tool, &["--print-architecture"]).unwrap_or_else(|| cpu.to_owned())
}

/// Debian's name for the machine an ELF header names; none where the header alone does not tell.
fn arch_of_elf(head: &[u8; 40]) -> Option<&'static str> {
    if !head.starts_with(b"\x7fELF") {
        return None;
    }
    let wide = head[4] == 2;
    let little = head[5] == 1;
    let machine = if little {
        u16::from_le_bytes([head[18], head[19]])
    } else {
        u16::from_be_bytes([head[18], head[19]])
    };
    match (machine, wide, little) {
        (62, true, _) => Some("amd64"),
        (62, false, _) => Some("x32"),
        (3, _, _) => Some("i386"),
        (183, true, true) => Some("arm64"),
        // The hard-float flag of the ARM ABI.
        (40, _, true) => Some(if u32::from_le_bytes([head[36], head[37], head[38], head[39]]) & 0x400 != 0 {
            "armhf"
        } else {
            "armel"
        }),
        (21, true, true) => Some("ppc64el"),
        (21, true, false) => Some("ppc64"),
        (22, true, _) => Some("s390x"),
        (243, true, _) => Some("riscv64"),
        (258, true, _) => Some("loong64"),
        _ => None,
    }
}

/// opkg's architectures, the preferred first.
fn opkg_archs() -> Value {
    let text =
        read::which("opkg").and_then(|t| read::output(&t, &["print-architecture"])).unwrap_or_default();
    let mut found: Vec<(i64, String)> = text
        .lines()
        .filter_map(|l| {
            let words: Vec<&str> = l.split_whitespace().collect();
            let ["arch", name, priority] = words.as_slice() else { return None };
            Some((priority.parse().ok()?, (*name).to_owned()))
        })
        .collect();
    found.sort_by_key(|(priority, _)| std::cmp::Reverse(*priority));
    found.into_iter().map(|(_, name)| name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_taken_apart_as_stock_does() {
        assert_eq!(
            release_grains("Debian", "Debian GNU/Linux", "12"),
            map! {"osrelease_info" => vec![Value::Int(12)], "osmajorrelease" => 12, "osfinger" => "Debian-12"}
        );
        assert_eq!(release_grains("Ubuntu", "Ubuntu", "22.04").get_str("osfinger"), Some("Ubuntu-22.04"));
        assert_eq!(
            release_grains("CentOS", "CentOS Linux", "7.9.2009").get_str("osfinger"),
            Some("CentOS Linux-7")
        );
        assert!(!release_grains("X", "X", "sid").contains("osmajorrelease"));
    }

    #[test]
    fn elf_headers_name_debian_architectures() {
        let mut head = [0u8; 40];
        head[..6].copy_from_slice(b"\x7fELF\x02\x01");
        head[18] = 62;
        assert_eq!(arch_of_elf(&head), Some("amd64"));
        head[4] = 1;
        head[18] = 40;
        head[37] = 4;
        assert_eq!(arch_of_elf(&head), Some("armhf"));
    }
}
