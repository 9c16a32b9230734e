//! Menus of PXELINUX: `config/linux.menu` of operating systems, `config/<os>.menu` of the ways to install one,
//! `config/<way>.menu` that starts one, and `pxelinux.cfg/01-<mac>`, links from each network card to the menu of its system.

use super::reader::{Interface, interfaces};
use super::{Body, Export, File, Provenance, Reader, check, text_file};
use crate::{PalletId, Severity, Snapshot};
use std::collections::{BTreeMap, BTreeSet};

/// The end of each menu.
const BACK: &str = "\nLABEL MainMenu\n  MENU LABEL ^Main Menu\n  KERNEL menu.c32\n  APPEND /config/default\n";
/// The head of each menu.
const HEAD: &str = "\nUI menu.c32\nPROMPT 0\nMENU INCLUDE /config/graphics.conf\n";

/// One way to install a system.
struct Way<'s> {
    /// `host.pxelinux.config`: the name of its menu.
    menu: &'s str,
    label: String,
    kernel: &'s str,
    append: &'s str,
}

/// All files.
pub fn export(snap: &Snapshot, made: &Provenance) -> Export {
    let mut reader = Reader::new(snap);
    let header = made.header("##");
    let mut menus: BTreeMap<String, String> = BTreeMap::new();
    let mut systems = String::new();
    for &os in snap.of_kind("os") {
        let Some(menu) = menu_name(&mut reader, os) else { continue };
        let name = menu.replace('-', " ");
        systems.push_str(&entry(
            menu,
            &format!("Install {name}"),
            "menu.c32",
            &format!("/config/{menu}.menu"),
        ));
        let mut list = format!("{HEAD}\nMENU TITLE {name} Installation Menu\n");
        for way in ways(&mut reader, os, &name) {
            list.push_str(&entry(way.menu, &way.label, "menu.c32", &format!("/config/{}.menu", way.menu)));
            put(&mut reader, &mut menus, Some(os), way.menu, start(&way));
        }
        put(&mut reader, &mut menus, Some(os), menu, list + BACK);
    }
    let linux = format!("{HEAD}\nMENU TITLE Linux Installation Menu\n{systems}");
    put(&mut reader, &mut menus, None, "linux", linux);
    let mut files: Vec<File> = menus
        .iter()
        .map(|(name, text)| text_file(format!("config/{name}.menu"), header.clone(), text.clone()))
        .collect();
    let cards = ["ipv4_interface", "ipv6_interface"].into_iter().flat_map(|k| snap.of_kind(k)).copied();
    // Their other faults are told with the zones.
    let cards = interfaces(&mut Reader::new(snap), cards);
    files.extend(links(&mut reader, &cards, &menus));
    Export { files, findings: reader.findings }
}

fn put(
    reader: &mut Reader<'_>,
    menus: &mut BTreeMap<String, String>,
    of: Option<PalletId>,
    name: &str,
    text: String,
) {
    let of = of.or_else(|| reader.snap.of_kind("os").first().copied());
    if menus.insert(name.to_owned(), text).is_some()
        && let Some(of) = of
    {
        let message = format!("there is another menu {name}.menu");
        reader.say("duplicate-menu", Severity::Error, of, "host.pxelinux.config", message);
    }
}

fn menu_name<'s>(reader: &mut Reader<'s>, id: PalletId) -> Option<&'s str> {
    let what = "a file's name without blanks";
    let fits = |t: &str| check::is_file_name(t) && check::is_word(t);
    reader.fit(id, "host.pxelinux.config", what, |t| fits(t).then_some(t))
}

/// The ways to install an operating system that can start: the netinstall pallets linked with it, or below those.
fn ways<'s>(reader: &mut Reader<'s>, os: PalletId, name: &str) -> Vec<Way<'s>> {
    let snap = reader.snap;
    let mut all = Vec::new();
    let mut below: Vec<PalletId> = snap.descendants(os);
    below.retain(|id| {
        let own = |id: &PalletId| snap.pallet(*id).kind() == "netinstall";
        // Those that have others below them are what the others have in common.
        own(id) && !snap.children(*id).iter().any(own)
    });
    below.sort_by_key(|id| snap.pallet(*id).full_name().to_owned());
    for id in below {
        let Some(menu) = menu_name(reader, id) else { continue };
        let line = |t: &'s str| check::is_line(t).then_some(t);
        let kernel = reader.fit(id, "host.pxelinux.kernel", "one line", line);
        let append = reader.fit(id, "host.pxelinux.append", "one line", line);
        let label = reader.fit(id, "host.kickstart.label", "one line", line);
        let (Some(kernel), Some(append)) = (kernel, append) else {
            let message =
                "it has no host.pxelinux.kernel or no host.pxelinux.append, so there is no menu of it";
            reader.say("no-kernel", Severity::Warning, id, "", message.into());
            continue;
        };
        let label = label.unwrap_or(snap.pallet(id).leaf_name());
        all.push(Way { menu, label: format!("Install {name} ({label})"), kernel, append });
    }
    all
}

fn entry(label: &str, shown: &str, kernel: &str, append: &str) -> String {
    format!("\nLABEL {label}\n  MENU LABEL {shown}\n  KERNEL {kernel}\n  APPEND {append}\n")
}

/// The menu that starts a way by itself after ten seconds.
fn start(way: &Way<'_>) -> String {
    let Way { menu, label, kernel, append } = way;
    let automatic = label.replacen("Install", "Installing", 1);
    format!(
        "{HEAD}MENU AUTOBOOT {automatic} in # seconds\nTIMEOUT 100\n\nMENU TITLE {label}\n\nLABEL {menu}\n  MENU LABEL ^{label}\n  \
         MENU DEFAULT\n  KERNEL {kernel}\n  APPEND {append}\n{BACK}"
    )
}

/// A link for each card whose system has a menu.
fn links(reader: &mut Reader<'_>, cards: &[Interface<'_>], menus: &BTreeMap<String, String>) -> Vec<File> {
    let mut done: BTreeMap<String, String> = BTreeMap::new();
    let mut missing = BTreeSet::new();
    for card in cards {
        let Some(mac) = card.mac.as_deref().and_then(|m| check::mac(m, '-')) else { continue };
        let Some(menu) = menu_name(reader, card.id) else { continue };
        if !menus.contains_key(menu) {
            if missing.insert(menu) {
                let message = format!("there is no menu {menu}.menu for it");
                reader.say("no-menu", Severity::Warning, card.id, "host.pxelinux.config", message);
            }
            continue;
        }
        let path = format!("pxelinux.cfg/01-{mac}");
        let target = format!("../config/{menu}.menu");
        match done.get(&path) {
            None => {
                done.insert(path, target);
            }
            Some(other) if *other == target => {}
            Some(_) => {
                let message = format!("{mac} starts another system, too");
                reader.say("two-systems", Severity::Error, card.id, "host.pxelinux.config", message);
            }
        }
    }
    done.into_iter().map(|(path, to)| File { path, body: Body::Link(to) }).collect()
}
