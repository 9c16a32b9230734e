//! What `systemd-detect-virt` would print, found the way it finds it: first containers, then virtual machines.

use super::super::{dmi, read};
use std::path::Path;

/// systemd's word for the environment, or `none`.
pub(super) fn virtualization() -> &'static str {
    container().or_else(machine).unwrap_or("none")
}

fn container() -> Option<&'static str> {
    let there = |p: &str| Path::new(p).exists();
    if there("/proc/vz") && !there("/proc/bc") {
        return Some("openvz");
    }
    let release = read::text("/proc/sys/kernel/osrelease").unwrap_or_default();
    if release.contains("Microsoft") || release.contains("WSL") {
        return Some("wsl");
    }
    let manager = ["/run/host/container-manager", "/run/systemd/container"].iter().find_map(|p| {
        read::text(p).and_then(|t| t.lines().next().map(str::to_owned)).filter(|t| !t.is_empty())
    });
    let manager = manager.or_else(|| {
        let environ = read::text("/proc/1/environ")?;
        environ.split('\0').find_map(|v| v.strip_prefix("container=").map(str::to_owned))
    });
    match manager.as_deref() {
        None | Some("") => by_files().or_else(|| in_own_cgroups().then_some("container-other")),
        Some("oci") => Some(by_files().unwrap_or("container-other")),
        Some(name) => Some(
            [
                "systemd-nspawn",
                "lxc-libvirt",
                "lxc",
                "openvz",
                "docker",
                "podman",
                "rkt",
                "wsl",
                "proot",
                "pouch",
            ]
            .into_iter()
            .find(|known| *known == name)
            .unwrap_or("container-other"),
        ),
    }
}

fn by_files() -> Option<&'static str> {
    [("/run/.containerenv", "podman"), ("/.dockerenv", "docker")]
        .into_iter()
        .find(|(file, _)| Path::new(file).exists())
        .map(|(_, name)| name)
}

/// Whether this is not the first cgroup namespace, whose number is fixed.
fn in_own_cgroups() -> bool {
    std::fs::read_link("/proc/self/ns/cgroup").is_ok_and(|l| l.to_string_lossy() != "cgroup:[4026531835]")
}

fn machine() -> Option<&'static str> {
    let by_firmware = firmware();
    // These firmwares are believed before the processor: they run on top of a hypervisor with another name.
    if let Some(name @ ("oracle" | "xen" | "amazon" | "parallels")) = by_firmware {
        return Some(name);
    }
    if read::text("/proc/cpuinfo").is_some_and(|t| t.contains("\nvendor_id\t: User Mode Linux")) {
        return Some("uml");
    }
    if Path::new("/proc/xen").exists() {
        let first_domain = read::text("/proc/xen/capabilities").is_some_and(|t| t.contains("control_d"));
        return (!first_domain).then_some("xen");
    }
    match processor() {
        None => by_firmware.or_else(kernel),
        Some("vm-other") => Some(by_firmware.unwrap_or("vm-other")),
        Some(name) => Some(name),
    }
}

/// The vendor by the firmware's strings.
fn firmware() -> Option<&'static str> {
    const VENDORS: [(&str, &str); 17] = [
        ("KVM", "kvm"),
        ("OpenStack", "kvm"),
        ("KubeVirt", "kvm"),
        ("Amazon EC2", "amazon"),
        ("QEMU", "qemu"),
        ("VMware", "vmware"),
        ("VMW", "vmware"),
        ("innotek GmbH", "oracle"),
        ("VirtualBox", "oracle"),
        ("Oracle Corporation", "oracle"),
        ("Xen", "xen"),
        ("Bochs", "bochs"),
        ("Parallels", "parallels"),
        ("BHYVE", "bhyve"),
        ("Hyper-V", "microsoft"),
        ("Apple Virtualization", "apple"),
        ("Google Compute Engine", "google"),
    ];
    ["product_name", "sys_vendor", "board_vendor", "bios_vendor", "product_version"].iter().find_map(|name| {
        let value = dmi::field(name)?;
        VENDORS.into_iter().find(|(prefix, _)| value.starts_with(prefix)).map(|(_, name)| name)
    })
}

/// The hypervisor by what the processor says of it; `vm-other` for one without a known name.
#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
fn processor() -> Option<&'static str> {
    #[cfg(target_arch = "x86")]
    use std::arch::x86::__cpuid;
    #[cfg(target_arch = "x86_64")]
    use std::arch::x86_64::__cpuid;
    if __cpuid(1).ecx & 0x8000_0000 == 0 {
        return None;
    }
    let leaf = __cpuid(0x4000_0000);
    let mut name = [0u8; 12];
    for (to, from) in name.chunks_mut(4).zip([leaf.ebx, leaf.ecx, leaf.edx]) {
        to.copy_from_slice(&from.to_le_bytes());
    }
    Some(match &name {
        b"XenVMMXenVMM" => "xen",
        b"KVMKVMKVM\0\0\0" | b"Linux KVM Hv" => "kvm",
        b"TCGTCGTCGTCG" => "qemu",
        b"VMwareVMware" => "vmware",
        b"Microsoft Hv" => "microsoft",
        b"bhyve bhyve " => "bhyve",
        b"QNXQVMBSQG\0\0" => "qnx",
        b"ACRNACRNACRN" => "acrn",
        b"SRESRESRESRE" => "sre",
        b"Apple VZ\0\0\0\0" => "apple",
        _ => "vm-other",
    })
}

#[cfg(not(any(target_arch = "x86", target_arch = "x86_64")))]
fn processor() -> Option<&'static str> {
    None
}

/// The hypervisor by what the kernel was told: sysfs, the device tree, z/VM's service.
fn kernel() -> Option<&'static str> {
    if let Some(kind) = read::trimmed("/sys/hypervisor/type") {
        return Some(if kind == "xen" { "xen" } else { "vm-other" });
    }
    if let Some(kind) = read::text("/proc/device-tree/hypervisor/compatible") {
        return Some(match kind.trim_end_matches('\0') {
            "linux,kvm" => "kvm",
            k if k.contains("xen") => "xen",
            k if k.contains("vmware") => "vmware",
            _ => "vm-other",
        });
    }
    let info = read::text("/proc/sysinfo")?;
    let program = info.lines().find_map(|l| l.strip_prefix("VM00 Control Program:"))?;
    Some(if program.trim().starts_with("z/VM") { "zvm" } else { "kvm" })
}
