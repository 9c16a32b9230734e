//! PCI devices from `/sys/bus/pci`: graphics adapters with names from the PCI id list (`gpus`), and vendors for the
//! detection of hypervisors. Only where `lspci` is installed, because stock asks it.

use super::read;
use brine_core::{Map, Opts, Value, map};

const KNOWN_VENDORS: [&str; 8] =
    ["nvidia", "amd", "ati", "intel", "cirrus logic", "vmware", "matrox", "aspeed"];

struct Device {
    class: u32,
    vendor: u16,
    device: u16,
}

fn devices() -> Vec<Device> {
    let hex = |slot: &str, file: &str| {
        let text = read::trimmed(format!("/sys/bus/pci/devices/{slot}/{file}"))?;
        u32::from_str_radix(text.trim_start_matches("0x"), 16).ok()
    };
    read::names("/sys/bus/pci/devices")
        .iter()
        .filter_map(|slot| {
            Some(Device {
                class: hex(slot, "class")? >> 8,
                vendor: hex(slot, "vendor")? as u16,
                device: hex(slot, "device")? as u16,
            })
        })
        .collect()
}

/// Whether the options let graphics adapters be looked for.
fn wanted(opts: &Opts) -> bool {
    let off = |name| opts.get(name) == Some(&Value::Bool(false));
    !off("enable_lspci") && !off("enable_gpu_grains")
}

/// `num_gpus`, `gpus`.
pub(super) fn gpus(opts: &Opts) -> Map {
    if !wanted(opts) || read::which("lspci").is_none() {
        return Map::new();
    }
    // VGA, 3D, display, and all processing accelerators.
    let found: Vec<Device> = devices()
        .into_iter()
        .filter(|d| matches!(d.class, 0x300 | 0x302 | 0x380) || d.class >> 8 == 0x12)
        .collect();
    let list = if found.is_empty() { None } else { id_list() };
    let gpus: Vec<Value> = found
        .iter()
        .map(|d| {
            let (vendor, model) = name_of(list.as_deref().unwrap_or(""), d.vendor, d.device);
            let lower = vendor.to_lowercase();
            let words: Vec<&str> = lower.split(|c: char| !c.is_ascii_alphanumeric()).collect();
            let known = KNOWN_VENDORS.into_iter().find(|k| words.contains(k)).unwrap_or("unknown");
            map! {"vendor" => known, "model" => model}.into()
        })
        .collect();
    map! {"num_gpus" => gpus.len(), "gpus" => gpus}
}

fn id_list() -> Option<String> {
    ["/usr/share/misc/pci.ids", "/usr/share/hwdata/pci.ids", "/usr/share/pci.ids"].iter().find_map(read::text)
}

/// Vendor and device name, or what `lspci` prints for an unknown one.
fn name_of(list: &str, vendor: u16, device: u16) -> (String, String) {
    let mut names = (format!("Vendor {vendor:04x}"), format!("Device {device:04x}"));
    let (vendor, device) = (format!("{vendor:04x}  "), format!("\t{device:04x}  "));
    let mut lines = list.lines().skip_while(|l| !l.starts_with(&vendor));
    if let Some(line) = lines.next() {
        names.0 = line[vendor.len()..].to_owned();
        if let Some(line) = lines.take_while(|l| l.starts_with(['\t', '#'])).find(|l| l.starts_with(&device))
        {
            names.1 = line[device.len()..].to_owned();
        }
    }
    names
}

/// The hypervisor that `lspci`'s listing betrays, by the vendors of virtual devices.
pub(super) fn hypervisor() -> Option<&'static str> {
    let vendors: Vec<u16> = devices().iter().map(|d| d.vendor).collect();
    [(0x15ad, "VMware"), (0x80ee, "VirtualBox"), (0x1b36, "kvm"), (0x1af4, "kvm")]
        .into_iter()
        .find(|(id, _)| vendors.contains(id))
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn graphics_adapters_are_looked_for_unless_an_option_forbids_it() {
        assert!(wanted(&Opts::default()));
        assert!(!wanted(&Opts::new(map! {"enable_gpu_grains" => false})));
        assert!(!wanted(&Opts::new(map! {"enable_lspci" => false})));
        assert!(wanted(&Opts::new(map! {"enable_gpu_grains" => true})));
    }

    #[test]
    fn names_come_from_the_list() {
        let list = "# list\n1002  AMD\n\t1111  Other\n10de  NVIDIA Corporation\n# note\n\t1eb8  TU104GL [Tesla T4]\n\t\t10de 12a2  Tesla T4\nC 03  Display\n";
        assert_eq!(name_of(list, 0x10de, 0x1eb8), ("NVIDIA Corporation".into(), "TU104GL [Tesla T4]".into()));
        assert_eq!(name_of(list, 0x10de, 0x1111), ("NVIDIA Corporation".into(), "Device 1111".into()));
        assert_eq!(name_of(list, 0xffff, 1).0, "Vendor ffff");
    }
}
