//! `virtual`, `virtual_subtype` and Xen's `virtual_hv_*`: stock's rules, fed from files instead of tools.

mod detect;

use super::{dmi, pci, read};
use brine_core::{Map, Opts, Value, map};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// What is known so far: the `virtual` and the `virtual_subtype` grain.
#[derive(Default)]
struct Found {
    kind: String,
    subtype: Option<String>,
}

impl Found {
    fn is(&mut self, kind: &str) {
        self.kind = kind.to_owned();
    }

    fn of(&mut self, kind: &str, subtype: &str) {
        self.kind = kind.to_owned();
        self.subtype = Some(subtype.to_owned());
    }
}

pub(super) fn grains(opts: &Opts, product: &str, kernel_version: &str) -> Map {
    let mut found = Found { kind: "physical".into(), subtype: None };
    if kernel_version.contains("BrandZ virtual linux") {
        return map! {"virtual" => "zone"};
    }
    by_tools(opts, &mut found);
    by_proc(&mut found, product);
    by_product_name(&mut found);
    by_container_files(&mut found);
    if found.subtype.as_deref().is_some_and(|s| !s.is_empty()) && found.kind == "physical" {
        found.is("virtual");
    }
    if matches!(found.kind.as_str(), "qemu" | "kvm" | "xen") && read::which("dmidecode").is_some() {
        amazon(&mut found);
    }
    let mut out = map! {"virtual" => found.kind.clone()};
    if let Some(subtype) = found.subtype {
        out.insert("virtual_subtype", subtype);
    }
    if found.kind.contains("xen") {
        out.update(xen_details());
    }
    out
}

/// What stock learns from `virt-what` alone where that is installed, else from the first of `systemd-detect-virt`,
/// `dmidecode` and `lspci` that knows.
fn by_tools(opts: &Opts, found: &mut Found) {
    if let Some(tool) = read::which("virt-what") {
        let text = read::output(&tool, &[]).unwrap_or_default();
        text.lines().any(|line| by_virt_what(line, found));
        return;
    }
    if read::which("systemd-detect-virt").is_some() && by_detected(detect::virtualization(), found) {
        return;
    }
    if read::which("dmidecode").is_some() && dmi::present() && nix::unistd::Uid::effective().is_root() {
        by_dmi(found);
        return;
    }
    let lspci = opts.get("enable_lspci").is_none_or(|v| *v == Value::Bool(true));
    if lspci
        && Path::new("/proc/bus/pci").exists()
        && read::which("lspci").is_some()
        && let Some(kind) = pci::hypervisor()
    {
        found.is(kind);
    }
}

fn by_virt_what(line: &str, found: &mut Found) -> bool {
    match line {
        "kvm" | "qemu" | "uml" | "xen" => found.is(line),
        "ibm_power-kvm" => found.is("kvm"),
        "ibm_power-lpar_shared" => found.of("LPAR", "shared"),
        "ibm_power-lpar_dedicated" => found.of("LPAR", "dedicated"),
        l if l.contains("lxc") => found.of("container", "LXC"),
        l if l.contains("docker") => found.of("container", "Docker"),
        l if l.contains("vmware") => found.is("VMware"),
        l if l.contains("parallels") => found.is("Parallels"),
        l if l.contains("hyperv") => found.is("HyperV"),
        _ => return false,
    }
    true
}

/// Takes systemd's word; whether stock knows that word.
fn by_detected(word: &str, found: &mut Found) -> bool {
    match word {
        "qemu" | "kvm" | "oracle" | "xen" | "bochs" | "chroot" | "uml" | "systemd-nspawn" => found.is(word),
        w if w.contains("vmware") => found.is("VMware"),
        w if w.contains("microsoft") => found.is("VirtualPC"),
        w if w.contains("lxc") => found.of("container", "LXC"),
        w if w.contains("podman") => found.of("container", "Podman"),
        w if w.contains("docker") => found.of("container", "Docker"),
        w if w.contains("amazon") => found.of("Nitro", "Amazon EC2"),
        _ => return false,
    }
    true
}

fn by_dmi(found: &mut Found) {
    let value = |name: &str| dmi::field(name).unwrap_or_default();
    let vendor = value("bios_vendor");
    let makers = [value("sys_vendor"), value("board_vendor"), value("chassis_vendor")];
    let products = [value("product_name"), value("board_name")];
    let everything = [
        makers.join("\n"),
        products.join("\n"),
        vendor.clone(),
        value("bios_version"),
        value("product_version"),
    ]
    .join("\n");
    let maker = |prefix: &str| makers.iter().any(|m| m.starts_with(prefix));
    if ["QEMU", "Bochs"].iter().any(|n| vendor.starts_with(n) || maker(n)) {
        found.is("kvm");
    }
    if everything.contains("BHYVE") {
        found.is("bhyve");
    } else if maker("oVirt") {
        found.of("kvm", "ovirt");
    } else if products.iter().any(|p| p.starts_with("RHEV Hypervisor")) {
        found.of("kvm", "rhev");
    } else if everything.contains("VirtualBox") {
        found.is("VirtualBox");
    } else if everything.contains("VMware") {
        found.is("VMware");
    } else if maker("Microsoft") && everything.contains("Virtual Machine") {
        found.is("VirtualPC");
    } else if everything.contains("Parallels Software") {
        found.is("Parallels");
    } else if maker("Google") || vendor.starts_with("SeaBIOS") {
        found.is("kvm");
    }
}

fn by_proc(found: &mut Found, product: &str) {
    let there = |p: &str| Path::new(p).exists();
    let root = |p: &str| {
        std::fs::metadata(p)
            .ok()
            .map(|m| (m.dev(), m.ino(), m.mode(), m.nlink(), m.uid(), m.gid(), m.size(), m.mtime()))
    };
    if let (Some(own), Some(init)) = (root("/"), root("/proc/1/root/."))
        && own != init
    {
        found.subtype = Some("chroot".into());
    }
    if there("/proc/vz/version") {
        found.is("openvzhn");
    } else if there("/proc/vz/veinfo") {
        found.is("openvzve");
    }
    for line in read::text("/proc/self/status").unwrap_or_default().lines() {
        if let Some(id) = line.strip_prefix("envID:").and_then(|v| v.trim().parse::<u64>().ok()) {
            found.is(if id == 0 { "openvzhn" } else { "openvzve" });
        }
    }
    if there("/proc/sys/xen") || there("/sys/bus/xen") || there("/proc/xen") {
        let subtype = if there("/proc/xen/xsd_kva") {
            Some("Xen Dom0")
        } else if product == "HVM domU" {
            Some("Xen HVM DomU")
        } else if let Some(capabilities) = read::text("/proc/xen/capabilities") {
            Some(if capabilities.contains("control_d") { "Xen Dom0" } else { "Xen PV DomU" })
        } else {
            there("/sys/bus/xen/drivers/xenconsole").then_some("Xen PV DomU")
        };
        if let Some(subtype) = subtype {
            found.subtype = Some(subtype.into());
        }
        if found.subtype.as_deref().unwrap_or("").to_lowercase().contains("dom") {
            found.is("xen");
        }
    }
    if read::text("/proc/cpuinfo").is_some_and(|t| t.contains("QEMU Virtual CPU")) {
        found.is("kvm");
    }
}

fn by_product_name(found: &mut Found) {
    let Some(product) = read::text("/sys/devices/virtual/dmi/id/product_name") else { return };
    if product.contains("VirtualBox") {
        found.is("VirtualBox");
    } else if product.contains("RHEV Hypervisor") {
        found.of("kvm", "rhev");
    } else if product.contains("oVirt Node") {
        found.of("kvm", "ovirt");
    } else if product.contains("Google") {
        found.is("gce");
    } else if product.contains("BHYVE") {
        found.is("bhyve");
    }
}

fn by_container_files(found: &mut Found) {
    if let Some(groups) = read::text("/proc/1/cgroup") {
        if groups.contains(":/lxc/") {
            found.of("container", "LXC");
        } else if groups.contains(":/kubepods/") {
            found.subtype = Some("kubernetes".into());
        } else if groups.contains(":/libpod_parent/") {
            found.subtype = Some("libpod".into());
        } else if [":/system.slice/docker", ":/docker/", ":/docker-ce/"].iter().any(|m| groups.contains(m)) {
            found.of("container", "Docker");
        }
    }
    if found.subtype.as_deref() != Some("LXC")
        && read::text("/proc/1/environ").is_some_and(|e| e.contains("container=lxc"))
    {
        found.of("container", "LXC");
    }
}

fn amazon(found: &mut Found) {
    if dmi::field("sys_vendor").is_some_and(|v| v.starts_with("Amazon EC2")) {
        if found.kind != "xen" {
            found.is("Nitro");
        }
        let product = dmi::field("product_name").map(|p| format!("Amazon EC2 ({p})"));
        found.subtype = Some(product.unwrap_or_else(|| "Amazon EC2".into()));
    } else if dmi::field("product_version").is_some_and(|v| v.contains(".amazon")) {
        found.subtype = Some("Amazon EC2".into());
    }
}

/// Bits of Xen's feature word, by position; the positions left empty have no name.
const XEN_FEATURES: [&str; 15] = [
    "writable_page_tables",
    "writable_descriptor_tables",
    "auto_translated_physmap",
    "supervisor_mode_kernel",
    "pae_pgdir_above_4gb",
    "mmu_pt_update_preserve_ad",
    "",
    "gnttab_map_avail_bits",
    "hvm_callback_vector",
    "hvm_safe_pvclock",
    "hvm_pirqs",
    "dom0",
    "grant_map_identity",
    "memory_op_vnode_supported",
    "ARM_SMCCC_supported",
];

fn xen_details() -> Map {
    let mut out = Map::new();
    let version = |n: &str| read::trimmed(format!("/sys/hypervisor/version/{n}"));
    if let (Some(major), Some(minor), Some(extra)) = (version("major"), version("minor"), version("extra")) {
        out.insert("virtual_hv_version", format!("{major}.{minor}{extra}"));
        out.insert("virtual_hv_version_info", vec![major, minor, extra]);
    }
    if let Some(features) = read::trimmed("/sys/hypervisor/properties/features") {
        let bits = u64::from_str_radix(features.trim_start_matches("0x"), 16).unwrap_or(0);
        let names: Vec<&str> = XEN_FEATURES
            .iter()
            .enumerate()
            .filter(|(bit, name)| !name.is_empty() && bits & (1 << bit) != 0)
            .map(|(_, name)| *name)
            .collect();
        out.insert("virtual_hv_features", features);
        out.insert("virtual_hv_features_list", names);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stocks_words_for_systemds() {
        for (word, kind, subtype) in [
            ("kvm", "kvm", None),
            ("vmware", "VMware", None),
            ("microsoft", "VirtualPC", None),
            ("docker", "container", Some("Docker")),
            ("amazon", "Nitro", Some("Amazon EC2")),
        ] {
            let mut found = Found::default();
            assert!(by_detected(word, &mut found));
            assert_eq!((found.kind.as_str(), found.subtype.as_deref()), (kind, subtype));
        }
        assert!(!by_detected("container-other", &mut Found::default()));
    }

    #[test]
    fn detection_agrees_with_the_tool() {
        let Some(tool) = read::which("systemd-detect-virt") else { return };
        // It exits with 1 where it prints `none`.
        let out = std::process::Command::new(tool).output().unwrap();
        assert_eq!(detect::virtualization(), String::from_utf8_lossy(&out.stdout).trim());
    }
}
