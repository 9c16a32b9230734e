//! Firmware's account of the machine: DMI from `/sys/class/dmi/id`, or the device tree.

use super::read;
use brine_core::Map;

const DMI: &str = "/sys/class/dmi/id";

/// One DMI field, without surrounding white space.
pub(super) fn field(name: &str) -> Option<String> {
    read::trimmed(format!("{DMI}/{name}"))
}

/// Whether the kernel knows of DMI at all.
pub(super) fn present() -> bool {
    std::path::Path::new(DMI).exists()
}

/// `biosversion`, `productname`, `serialnumber` and their kin. Those that this user may not read are left out.
pub(super) fn grains() -> Map {
    let mut out = Map::new();
    for (grain, file) in [
        ("biosversion", "bios_version"),
        ("biosvendor", "bios_vendor"),
        ("boardname", "board_name"),
        ("productname", "product_name"),
        ("manufacturer", "sys_vendor"),
        ("biosreleasedate", "bios_date"),
        ("uuid", "product_uuid"),
        ("serialnumber", "product_serial"),
    ] {
        if let Some(value) = field(file) {
            out.insert(grain, if grain == "uuid" { value.to_lowercase() } else { value });
        }
    }
    out
}

/// `manufacturer`, `productname`, `serialnumber` from the device tree.
pub(super) fn device_tree() -> Map {
    let string = |name: &str| {
        read::text(format!("/proc/device-tree/{name}"))
            .map(|s| s.trim_end_matches('\0').to_owned())
            .filter(|s| !s.is_empty())
    };
    let mut out = Map::new();
    if let Some(model) = string("model") {
        match model.split_once(',') {
            Some((maker, product)) => {
                out.insert("manufacturer", maker);
                out.insert("productname", product);
            }
            None => {
                out.insert("productname", model);
            }
        }
    }
    // Both are the serial; the second is the better name where there are both.
    for name in ["system-id", "serial-number"] {
        if let Some(serial) = string(name) {
            out.insert("serialnumber", serial);
        }
    }
    out
}
