//! `mount.mounted`: a device is mounted at a place, with these options, and is again when the machine starts.

use super::options::{Extra, missing};
use super::{add, note_line, plain};
use brine_core::call::{Args, CallError, Cx, KwArgs, Result, exec};
use brine_core::posixpath::{dirname, realpath};
use brine_core::state::Outcome;
use brine_core::target::{Anchor, Regex};
use brine_core::text::python_str;
use brine_core::{Map, Value};
use std::path::Path;

/// What is wanted, and what was found out about it.
struct Want {
    name: String,
    device: String,
    fstype: String,
    mkmnt: Value,
    opts: Vec<String>,
    user: Value,
    /// Where the place really is, and how the kernel's list names it.
    real_name: String,
    listed: String,
    /// Whether the mount cache is to be written.
    keep: bool,
}

fn texts(value: Option<Value>) -> Vec<String> {
    match value {
        None => Vec::new(),
        Some(Value::List(all)) => all.iter().map(python_str).collect(),
        Some(one) => python_str(&one).split(',').map(str::to_owned).collect(),
    }
}

fn active(cx: &Cx) -> Result<Map> {
    match cx.call("mount.active", Args::none().with("extended", true))? {
        Value::Map(all) => Ok(all),
        _ => Ok(Map::new()),
    }
}

fn text_of(what: Option<&Value>, key: &str) -> Option<String> {
    what.and_then(|what| what.get(key)).filter(|value| value.truthy()).map(python_str)
}

/// A list of options in the list of what is mounted.
fn opts_of(what: Option<&Value>, key: &str) -> Vec<String> {
    texts(what.and_then(|what| what.get(key)).cloned())
}

impl Want {
    fn mount(&self, cx: &Cx, name: &str) -> Result {
        let args = Args::positional([name, &self.device]).with("mkmnt", self.mkmnt.clone());
        cx.call("mount.mount", args.with("fstype", self.fstype.as_str()).with("opts", self.opts.clone()))
    }

    /// The device of a bind mount: that of what holds the folder. Its options are ours too.
    fn bound(&mut self, all: &mut Map, copy: bool) -> String {
        let own = text_of(all.get(&self.listed), "device").unwrap_or_default();
        let mut device = self.device.replace(' ', "\\040");
        let up = own.starts_with('/');
        let found = loop {
            if all.contains(&device) {
                break true;
            }
            let above = dirname(&device.replace("\\040", " ")).to_owned();
            if !up || above == device {
                break false;
            }
            device = above;
        };
        let mut real = own;
        if found {
            let below = all.get(&device);
            if copy {
                self.opts.extend(opts_of(below, "opts"));
                self.opts.extend(opts_of(below, "superopts"));
                self.opts.sort_unstable();
                self.opts.dedup();
            }
            if up {
                real = text_of(below, "device").unwrap_or_default();
            }
            if let Some(Value::List(opts)) =
                all.get_mut(&self.listed).and_then(Value::as_map_mut).and_then(|what| what.get_mut("opts"))
            {
                opts.push("bind".into());
            }
        }
        real
    }

    /// What the kernel would call the device. With what is known of it beside; an error is a comment.
    fn real_device(&mut self, cx: &Cx, all: &mut Map, copy: bool) -> Result<std::result::Result<(String, Vec<String>), String>> {
        let device = self.device.clone();
        let mut names = Vec::new();
        let upper = device.to_uppercase();
        let value = || device.split('=').nth(1).unwrap_or_default().to_owned();
        let mut real = if device.starts_with('/') {
            if self.opts.iter().any(|opt| opt == "bind") && all.contains(&self.listed) {
                self.bound(all, copy)
            } else {
                realpath(&device)
            }
        } else if upper.starts_with("UUID=") {
            value().trim_matches('"').to_lowercase()
        } else if upper.starts_with("LABEL=") {
            let label = value();
            let out = cx.call("cmd.run_all", Args::positional([vec!["blkid".to_owned(), "-t".into(), format!("LABEL={label}")]]))?;
            if out.get("retcode").and_then(Value::as_int).unwrap_or(1) > 0 {
                return Ok(Err(format!("Unable to find device with label {label}.")));
            }
            // As in stock, which reads the device's name letter by letter: any device counts as the labelled one.
            let first = out.get("stdout").map(python_str).unwrap_or_default().chars().next();
            let first = first.ok_or_else(|| CallError::exception("IndexError", "list index out of range"))?;
            names.push(first.to_string());
            first.to_string()
        } else {
            device.clone()
        };
        if let Some((group, volume)) = device.strip_prefix("/dev/").and_then(|rest| rest.split_once('/'))
            && !group.is_empty()
            && !volume.is_empty()
            && !volume.contains('/')
        {
            let mapper = format!("/dev/mapper/{}-{}", group.replace('-', "--"), volume.replace('-', "--"));
            if Path::new(&mapper).exists() {
                real = mapper;
            }
        }
        if let Some((kind, rest)) = device.split_once('#')
            && !kind.is_empty()
            && kind.chars().all(|c| c.is_alphanumeric() || c == '_')
            && !rest.is_empty()
        {
            real = rest.lines().next().unwrap_or_default().to_owned();
        }
        Ok(Ok((real, names)))
    }

    /// Mounts anew with other options. `false`: it could not be unmounted, and that is all.
    fn anew(&mut self, cx: &Cx, outcome: &mut Outcome, changed: &str) -> Result<bool> {
        let by_unmount = matches!(self.fstype.as_str(), "nfs" | "cvfs") || self.fstype.starts_with("fuse");
        let how = if by_unmount { "unmount and mount" } else { "remount" };
        outcome.changes.insert("umount", format!("Forced {how} because options ({changed}) changed"));
        let result = if by_unmount {
            let gone = cx.call("mount.umount", Args::positional([self.real_name.as_str()]))?;
            if gone != Value::Bool(true) {
                outcome.result = Some(false);
                outcome.comment = format!("Unable to unmount {}: {}.", self.real_name, python_str(&gone)).into();
                return Ok(false);
            }
            self.mount(cx, &self.real_name)?
        } else {
            let args = Args::positional([self.real_name.as_str(), &self.device])
                .with("mkmnt", self.mkmnt.clone())
                .with("fstype", self.fstype.as_str())
                .with("opts", self.opts.clone());
            let result = cx.call("mount.remount", args)?;
            if let Some(at) = self.opts.iter().position(|opt| opt == "remount") {
                self.opts.remove(at);
            }
            result
        };
        match result {
            Value::Bool(done) => outcome.result = Some(done),
            // What the program said is the result, as in stock.
            said => drop(outcome.more.insert("result", said)),
        }
        self.keep = true;
        Ok(true)
    }

    /// Compares the options with those in force. `false`: the outcome is settled.
    fn compare(&mut self, cx: &Cx, outcome: &mut Outcome, what: &mut Map, extra: &Extra) -> Result<bool> {
        let (mut differing, last) = missing(cx, &self.opts, &self.fstype, what, extra)?;
        if !differing.is_empty() {
            differing.sort_unstable();
            let changed = differing.join(",");
            if cx.test {
                outcome.result = None;
                outcome.comment = format!("Remount would be forced because options ({changed}) changed").into();
                return Ok(false);
            }
            if !self.anew(cx, outcome, &changed)? {
                return Ok(false);
            }
        }
        let cached = cx.call("mount.read_mount_cache", Args::positional([self.real_name.as_str()]))?;
        let Some(cached) = cached.get("opts") else {
            self.keep = true;
            return Ok(true);
        };
        let gone: Vec<String> =
            texts(Some(cached.clone())).into_iter().filter(|opt| !self.opts.contains(opt)).collect();
        if gone.is_empty() {
            return Ok(true);
        }
        if cx.test {
            outcome.result = None;
            outcome.comment = format!("Remount would be forced because options ({})changed", gone.join(",")).into();
            return Ok(false);
        }
        self.anew(cx, outcome, &last)
    }

    /// Compares the device with the one that is mounted. `false`: the outcome is settled.
    fn same_device(
        &mut self,
        cx: &Cx,
        outcome: &mut Outcome,
        [real, regexes]: [&[String]; 2],
        devices: &[String],
        all: &mut Map,
    ) -> Result<bool> {
        let real = &real[0];
        if devices.contains(real) {
            outcome.comment = "Target was already mounted".into();
            return Ok(true);
        }
        let mut ignored = None;
        for regex in regexes {
            let regex = Regex::new(regex, Anchor::Match).map_err(|e| CallError::exception("error", e.to_string()))?;
            ignored = devices.iter().find(|device| regex.is_match(device).unwrap_or(false)).or(ignored);
        }
        if let Some(ignored) = ignored {
            outcome.result = Some(true);
            outcome.comment =
                format!("An umount will not be forced because device matched device_name_regex: {ignored}").into();
            return Ok(true);
        }
        if cx.test {
            outcome.result = None;
            outcome.comment = format!(
                "An umount would have been forced because devices do not match.  Watched: {}",
                self.device
            )
            .into();
            return Ok(true);
        }
        let mut why = format!("Forced unmount because devices don't match. Wanted: {}", self.device);
        if *real != self.device {
            why += &format!(" ({real})");
        }
        outcome.changes.insert("umount", format!("{why}, current: {}", devices.join(", ")));
        cx.call("mount.umount", Args::positional([self.real_name.as_str()]).with("user", self.user.clone()))?;
        *all = active(cx)?;
        if all.contains(&self.listed) {
            outcome.comment = "Unable to unmount".into();
            outcome.result = None;
            return Ok(false);
        }
        self.keep = true;
        Ok(true)
    }

    /// Mounts what is not mounted, or says that it is not. `false`: the outcome is settled.
    fn attach(&mut self, cx: &Cx, outcome: &mut Outcome, mount: bool) -> Result<bool> {
        let name = self.name.clone();
        let (exists, make) = (Path::new(&name).exists(), self.mkmnt.truthy());
        if mount && cx.test {
            outcome.result = None;
            outcome.comment = match (exists, make) {
                (true, _) => format!("{name} would be mounted"),
                (false, true) => format!("{name} would be created and mounted"),
                (false, false) => format!("{name} does not exist and would not be created"),
            }
            .into();
            return Ok(false);
        }
        if mount {
            if !exists && !make {
                outcome.result = Some(false);
                outcome.comment = "Mount directory is not present".into();
                return Ok(false);
            }
            let args = Args::positional([
                Value::from(name),
                self.device.as_str().into(),
                self.mkmnt.clone(),
                self.fstype.as_str().into(),
                self.opts.clone().into(),
            ]);
            let out = cx.call("mount.mount", args.with("user", self.user.clone()))?;
            let there = active(cx)?.contains(&self.listed);
            self.keep = true;
            if let Value::Str(error) = out {
                outcome.comment = error.into();
                outcome.result = Some(false);
                return Ok(false);
            }
            if there {
                outcome.comment = "Target was successfully mounted".into();
                outcome.changes.insert("mount", true);
            }
            return Ok(true);
        }
        let said = match (exists, cx.test, make) {
            (true, true, _) => format!("{name} would not be mounted"),
            (true, false, _) => format!("{name} not mounted"),
            (false, true, true) => format!("{name} would be created, but not mounted"),
            (false, true, false) => format!("{name} does not exist and would neither be created nor mounted"),
            (false, false, true) => {
                cx.call("file.mkdir", Args::positional([name.as_str()]).with("user", self.user.clone()))?;
                format!("{name} was created, not mounted")
            }
            (false, false, false) => format!("{name} not present and not mounted"),
        };
        if cx.test && !exists {
            outcome.result = None;
        }
        outcome.comment = said.into();
        Ok(true)
    }

    /// Sets the line in `fstab`.
    fn persist(&self, cx: &Cx, outcome: &mut Outcome, line: &Line, mount: bool) -> Result<()> {
        let args = Args::positional([
            Value::from(self.name.as_str()),
            self.device.as_str().into(),
            self.fstype.as_str().into(),
            self.opts.clone().into(),
            line.dump.clone(),
            line.pass.clone(),
            line.config.clone(),
        ])
        .with("match_on", line.match_on.clone());
        let args = if cx.test { args.with("test", true) } else { args };
        let out = cx.call("mount.set_fstab", args)?;
        let name = &self.name;
        if cx.test && out.as_str() != Some("present") {
            outcome.result = None;
            let said = match (out.as_str(), mount) {
                (Some("new"), true) => {
                    format!("{name} is mounted, but needs to be written to the fstab in order to be made persistent.")
                }
                (Some("new"), false) => {
                    format!("{name} needs to be written to the fstab in order to be made persistent.")
                }
                (Some("change"), true) => format!("{name} is mounted, but its fstab entry must be updated."),
                _ => format!("The {name} fstab entry must be updated."),
            };
            add(outcome, &format!(". {said}"));
            return Ok(());
        }
        if self.keep && !cx.test {
            let args = Args::positional([self.real_name.as_str(), &self.device])
                .with("mkmnt", self.mkmnt.clone())
                .with("fstype", self.fstype.as_str())
                .with("mount_opts", self.opts.clone());
            cx.call("mount.write_mount_cache", args)?;
        }
        match out.as_str() {
            Some("present") => add(outcome, ". Entry already exists in the fstab."),
            _ => note_line(outcome, &out),
        }
        Ok(())
    }
}

/// What `fstab` is to say beside.
struct Line {
    dump: Value,
    pass: Value,
    config: Value,
    match_on: Value,
}

/// A device is mounted at a place, and the line in `fstab` says so.
///
/// name: the place; device, fstype, opts, dump, pass_num: as in `fstab`; mkmnt: make the place; config: another file; persist:
/// write the line; mount: mount it now; user: who mounts; match_on: what a line is found by; device_name_regex: other names of
/// the device that are as good; extra_mount_invisible_options, extra_mount_invisible_keys, extra_mount_ignore_fs_keys,
/// extra_mount_translate_options, hidden_opts: what the kernel does not show, or shows otherwise; bind_mount_copy_active_opts:
/// whether a bind mount has the options of what it shows
#[exec]
#[expect(clippy::too_many_arguments, reason = "the signature is stock's")]
pub(super) fn mounted(
    cx: &Cx,
    name: Value,
    device: Value,
    fstype: Value,
    #[default(false)] mkmnt: Value,
    #[default("defaults")] opts: Value,
    #[default(0)] dump: Value,
    #[default(0)] pass_num: Value,
    #[default("/etc/fstab")] config: Value,
    #[default(true)] persist: bool,
    #[default(true)] mount: bool,
    user: Option<Value>,
    #[default("auto")] match_on: Value,
    device_name_regex: Option<Value>,
    extra_mount_invisible_options: Option<Value>,
    extra_mount_invisible_keys: Option<Value>,
    extra_mount_ignore_fs_keys: Option<Map>,
    extra_mount_translate_options: Option<Map>,
    hidden_opts: Option<Value>,
    #[default(true)] bind_mount_copy_active_opts: bool,
    kwargs: KwArgs,
) -> Result<Outcome> {
    let _unread = kwargs;
    for (given, what) in [(&name, "name"), (&device, "device"), (&fstype, "fstype")] {
        if !given.truthy() {
            return Ok(Outcome::failed(name.clone(), format!("Must provide {what} to mount.mounted")));
        }
    }
    let mut outcome = Outcome::new(name.clone());
    let place = plain(&python_str(&name));
    let real_name = realpath(&place);
    let mut want = Want {
        listed: real_name.replace(' ', "\\040"),
        real_name,
        name: place,
        device: python_str(&device),
        fstype: python_str(&fstype),
        mkmnt,
        opts: texts(Some(opts)),
        user: user.unwrap_or_default(),
        keep: false,
    };
    let mut extra = Extra {
        invisible: texts(extra_mount_invisible_options),
        invisible_keys: texts(extra_mount_invisible_keys),
        ignored_keys: extra_mount_ignore_fs_keys.unwrap_or_default(),
        translations: extra_mount_translate_options.unwrap_or_default(),
    };
    extra.invisible.extend(texts(hidden_opts));
    let mut all = active(cx)?;
    let (real, mut devices) = match want.real_device(cx, &mut all, bind_mount_copy_active_opts)? {
        Ok(found) => found,
        Err(comment) => return Ok(Outcome::failed(name, comment)),
    };
    if mount && let Some(Value::Map(mut what)) = all.get(&want.listed).cloned() {
        let whole = Value::Map(what.clone());
        devices.push(text_of(Some(&whole), "device").unwrap_or_default());
        devices.push(realpath(&devices[0]));
        for key in ["alt_device", "device_uuid", "device_label"] {
            devices.extend(text_of(Some(&whole), key).filter(|name| !devices.contains(name)));
        }
        if !want.opts.is_empty() && !want.compare(cx, &mut outcome, &mut what, &extra)? {
            return Ok(outcome);
        }
        let regexes = match device_name_regex {
            Some(Value::Str(letters)) => letters.chars().map(String::from).collect(),
            other => texts(other),
        };
        if !want.same_device(cx, &mut outcome, [&[real], &regexes], &devices, &mut all)? {
            return Ok(outcome);
        }
    }
    if !all.contains(&want.listed) && !want.attach(cx, &mut outcome, mount)? {
        return Ok(outcome);
    }
    if persist {
        let line = Line { dump, pass: pass_num, config, match_on };
        want.persist(cx, &mut outcome, &line, mount)?;
    }
    Ok(outcome)
}
