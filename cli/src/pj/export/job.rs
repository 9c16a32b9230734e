//! One export: what is made and where it goes. Command lines and the settings of hooks ask for the same.

use super::write::{Written, write};
use crate::exit::CliError;
use brine_inventory::export::{Body, Export, Family, Knot, Provenance, kea, pxelinux, salt, unbound, zones};
use brine_inventory::{Finding, PalletId, Snapshot};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// What is to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Job {
    /// Files for Salt's pillar, into one directory or two.
    Salt { global: Option<PathBuf>, minion: Option<PathBuf> },
    /// The configuration of one of Kea's servers, to a file or to standard output.
    Kea { service: Option<String>, dhcp6: bool, output: Option<PathBuf> },
    /// Zones. Without a serial number it is the time, and a zone that does not change keeps the one it has.
    Knot { output: PathBuf, format: Knot, serial: Option<u32> },
    /// Configuration of a resolver.
    Unbound { service: Option<String>, output: PathBuf },
    /// Menus to install systems by.
    Pxelinux { output: PathBuf },
}

/// What was made.
#[derive(Debug, Default)]
pub(crate) struct Done {
    /// What was written to which directory.
    pub(crate) written: Vec<Written>,
    /// What goes to standard output instead.
    pub(crate) text: Option<String>,
    /// Warnings.
    pub(crate) findings: Vec<Finding>,
}

/// Why nothing was made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// What is asked for is not clear.
    #[error("{0}")]
    Usage(String),
    /// Values are not fit for it.
    #[error("nothing is written: {} errors", .0.iter().filter(|f| f.is_error()).count())]
    Findings(Vec<Finding>),
    /// Files are there that no export has made.
    #[error("{}: not made by an export, so it is not replaced without --force", .0.display())]
    Foreign(PathBuf),
    /// The list of what was made says something that it cannot say.
    #[error("{}: line {line} is no entry of a list of exported files", .path.display())]
    Manifest { path: PathBuf, line: usize },
    /// A file cannot be read or written.
    #[error("{0}")]
    Io(#[from] CliError),
}

/// What exports come to.
pub(crate) type Result<T = Done> = std::result::Result<T, Error>;

impl Job {
    /// What it is called.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Salt { .. } => "salt",
            Self::Kea { .. } => "kea",
            Self::Knot { .. } => "knot",
            Self::Unbound { .. } => "unbound",
            Self::Pxelinux { .. } => "pxelinux",
        }
    }

    /// Makes it.
    pub(crate) fn run(&self, snap: &Snapshot, made: &Provenance, force: bool) -> Result {
        let mut done = Done::default();
        match self {
            Self::Salt { global, minion } => {
                // Both are made before one is written: an error leaves all as it was.
                let global = global.as_ref().map(|dir| (dir, ".pj-salt-global", salt::global(snap, made)));
                let minion = minion.as_ref().map(|dir| (dir, ".pj-salt-minion", salt::minions(snap, made)));
                let both: Vec<_> = global.into_iter().chain(minion).collect();
                sound(both.iter().map(|(_, _, e)| e))?;
                for (dir, manifest, export) in both {
                    done.write(dir, manifest, export, force)?;
                }
            }
            Self::Kea { service, dhcp6, output } => {
                let family = if *dhcp6 { Family::V6 } else { Family::V4 };
                let service = find_service(snap, "dhcp-server", service.as_deref())?;
                match output {
                    Some(path) => {
                        let (dir, name) = parts(path)?;
                        let export = kea::export(snap, made, service, family, &name);
                        sound([&export])?;
                        done.write(&dir, &format!(".pj-kea-{name}"), export, force)?;
                    }
                    None => {
                        let export = kea::export(snap, made, service, family, "-");
                        sound([&export])?;
                        done.findings = export.findings;
                        let texts = export.files.into_iter().map(|file| match file.body {
                            Body::Text { header, text } => header + &text,
                            Body::Link(to) => to,
                        });
                        done.text = Some(texts.collect());
                    }
                }
            }
            Self::Knot { output, format, serial } => {
                let mut numbers = Serials { fixed: *serial, dir: output };
                let export = zones::export(snap, made, *format, &mut |zone| numbers.of(zone));
                sound([&export])?;
                done.write(output, ".pj-knot", export, force)?;
            }
            Self::Unbound { service, output } => {
                let service = find_service(snap, "dns-resolver", service.as_deref())?;
                let export = unbound::export(snap, made, service);
                sound([&export])?;
                // Several services may have files in one directory.
                let manifest = format!(".pj-unbound-{}", snap.pallet(service).leaf_name());
                done.write(output, &manifest, export, force)?;
            }
            Self::Pxelinux { output } => {
                let export = pxelinux::export(snap, made);
                sound([&export])?;
                done.write(output, ".pj-pxelinux", export, force)?;
            }
        }
        Ok(done)
    }
}

impl Done {
    fn write(&mut self, dir: &Path, manifest: &str, export: Export, force: bool) -> Result<()> {
        self.findings.extend(export.findings);
        self.written.push(write(dir, manifest, &export.files, force)?);
        Ok(())
    }
}

/// With an error in one of them nothing is written.
fn sound<'a>(all: impl IntoIterator<Item = &'a Export> + Clone) -> Result<()> {
    if all.clone().into_iter().all(Export::is_sound) {
        return Ok(());
    }
    Err(Error::Findings(all.into_iter().flat_map(|e| e.findings.iter().cloned()).collect()))
}

/// A file's directory and its name.
fn parts(path: &Path) -> Result<(PathBuf, String)> {
    let name = path.file_name().and_then(|n| n.to_str());
    let name = name.ok_or_else(|| Error::Usage(format!("{} is no file's name", path.display())))?;
    let dir = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Ok((dir.to_owned(), name.to_owned()))
}

/// The service pallet of a name below a type of services; the only one, if no name is said.
fn find_service(snap: &Snapshot, of: &str, name: Option<&str>) -> Result<PalletId> {
    let below = format!("{of}/");
    let inner = |id: &&PalletId| snap.pallet(**id).full_name().starts_with(&below);
    let all: Vec<PalletId> = snap.of_kind("service").iter().filter(inner).copied().collect();
    let names: Vec<&str> = all.iter().map(|id| snap.pallet(*id).full_name()).collect();
    match (name, all.as_slice()) {
        (None, [one]) => Ok(*one),
        (None, []) => Err(Error::Usage(format!("there is no service below {of}"))),
        (None, _) => Err(Error::Usage(format!("option -s is needed: there are {}", names.join(", ")))),
        (Some(name), _) => {
            let found = snap.find("service", &format!("{below}{name}"));
            let found = found.or_else(|| snap.find("service", name).filter(|id| all.contains(id)));
            let all = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            found.ok_or_else(|| {
                Error::Usage(format!("there is no service {name:?} below {of}: there are {all}"))
            })
        }
    }
}

/// The serial numbers of zones.
struct Serials<'a> {
    fixed: Option<u32>,
    dir: &'a Path,
}

impl Serials<'_> {
    /// The number that was said; else the one that the zone has, if it is the same zone; else the time, which must be later.
    fn of(&mut self, zone: &zones::Zone) -> u32 {
        if let Some(fixed) = self.fixed {
            return fixed;
        }
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |d| d.as_secs());
        let now = u32::try_from(now).unwrap_or(u32::MAX);
        let path = self.dir.join(format!("zones/{}.zone", zone.name));
        let Ok(old) = std::fs::read_to_string(path) else { return now };
        match serial(&old) {
            Some(own) if super::write::behind_header(&old) == zone.text(own) => own,
            Some(own) => now.max(own.saturating_add(1)),
            None => now,
        }
    }
}

/// The serial number in a zone's file.
fn serial(text: &str) -> Option<u32> {
    let soa = text.lines().find(|l| l.contains(" IN SOA "))?;
    soa.split_once("( ")?.1.split(' ').next()?.parse().ok()
}

/// A job of the settings of a hook: `{knot: {output: /var/lib/knot}}`. The error says what is wrong.
pub(crate) fn of_settings(said: &brine_protocol::Value) -> std::result::Result<Job, String> {
    let map = said.as_map().filter(|m| m.len() == 1);
    let entry = map.and_then(|m| m.iter().next());
    let (name, options) = entry
        .and_then(|(k, v)| Some((k.as_str()?, v)))
        .ok_or("an export is a mapping with one key: salt, kea, knot, unbound or pxelinux")?;
    let mut given: HashMap<&str, &brine_protocol::Value> = HashMap::new();
    match options {
        brine_protocol::Value::Nil => {}
        brine_protocol::Value::Map(map) => {
            for (key, value) in map.iter() {
                given.insert(key.as_str().ok_or_else(|| format!("{name}: a key is no text"))?, value);
            }
        }
        _ => return Err(format!("{name}: a mapping of options is needed")),
    }
    let job = build(name, &mut given)?;
    match given.keys().next() {
        None => Ok(job),
        Some(key) => Err(format!("{name}: there is no option {key}")),
    }
}

fn build(name: &str, given: &mut HashMap<&str, &brine_protocol::Value>) -> std::result::Result<Job, String> {
    let mut text = |key: &str| match given.remove(key) {
        None => Ok(None),
        Some(value) => match value.as_str() {
            Some(text) if !text.is_empty() => Ok(Some(text.to_owned())),
            _ => Err(format!("{name}: {key} is a text")),
        },
    };
    let output = |output: Option<String>| {
        output.map(PathBuf::from).ok_or_else(|| format!("{name}: output, a directory, is needed"))
    };
    Ok(match name {
        "salt" => {
            let (global, minion) = (text("global")?.map(PathBuf::from), text("minion")?.map(PathBuf::from));
            if global.is_none() && minion.is_none() {
                return Err("salt: global or minion, a directory, is needed".into());
            }
            Job::Salt { global, minion }
        }
        "kea" => {
            let (service, file) = (text("service")?, output(text("output")?)?);
            let dhcp6 = given.remove("dhcp6").is_some_and(brine_protocol::Value::truthy);
            Job::Kea { service, dhcp6, output: Some(file) }
        }
        "knot" => {
            let output = output(text("output")?)?;
            let format = match given.remove("knot").map(|v| v.as_int()) {
                None | Some(Some(2)) => Knot::Two,
                Some(Some(1)) => Knot::One,
                Some(_) => return Err("knot: knot is 1 or 2".into()),
            };
            Job::Knot { output, format, serial: None }
        }
        "unbound" => Job::Unbound { service: text("service")?, output: output(text("output")?)? },
        "pxelinux" => Job::Pxelinux { output: output(text("output")?)? },
        other => return Err(format!("there is no export {other}")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_protocol::map;

    #[test]
    fn settings_say_the_same_as_command_lines() {
        let job = |name: &str, options| of_settings(&map! {name => options}.into());
        assert_eq!(
            job("knot", map! {"output" => "/z", "knot" => 1}),
            Ok(Job::Knot { output: "/z".into(), format: Knot::One, serial: None })
        );
        assert_eq!(
            job("kea", map! {"service" => "x", "output" => "/k/a.conf"}),
            Ok(Job::Kea { service: Some("x".into()), dhcp6: false, output: Some("/k/a.conf".into()) })
        );
        assert_eq!(
            job("salt", map! {"global" => "/g"}),
            Ok(Job::Salt { global: Some("/g".into()), minion: None })
        );
        for (name, options, said) in [
            ("dns", map! {}, "there is no export dns"),
            ("knot", map! {}, "knot: output, a directory, is needed"),
            ("knot", map! {"output" => "/z", "serial" => 1}, "knot: there is no option serial"),
            ("unbound", map! {"output" => 5}, "unbound: output is a text"),
            ("salt", map! {}, "salt: global or minion, a directory, is needed"),
        ] {
            assert_eq!(job(name, options).unwrap_err(), said);
        }
        assert!(of_settings(&"knot".into()).is_err());
    }

    #[test]
    fn serial_numbers_are_read_of_their_record() {
        assert_eq!(serial("x. IN SOA a. b. ( 17 3h 15m 4w 30m )\n"), Some(17));
        assert_eq!(serial("x. IN NS a.\n"), None);
    }
}
