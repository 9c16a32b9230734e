//! What is wrong for the servers whose configuration is made of a warehouse: told before it is made.

use crate::export::{Export, Family, Provenance, kea, pxelinux, unbound, zones};
use crate::{Finding, Snapshot};

pub(super) fn check(snap: &Snapshot, out: &mut Vec<Finding>) {
    let made = Provenance::default();
    let mut add = |export: Export| out.extend(export.findings);
    for &id in snap.of_kind("service") {
        let name = snap.pallet(id).full_name();
        if name.starts_with("dhcp-server/") {
            for (family, key) in [(Family::V4, "service.kea_v4"), (Family::V6, "service.kea_v6")] {
                if snap.view(id).get(key).is_some() {
                    add(kea::export(snap, &made, id, family, "kea"));
                }
            }
        }
        if name.starts_with("dns-resolver/") {
            add(unbound::export(snap, &made, id));
        }
    }
    if !snap.of_kind("os").is_empty() {
        add(pxelinux::export(snap, &made));
    }
    out.extend(zones::zones(snap).1);
}
