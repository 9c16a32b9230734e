//! Mounting and unmounting.

use super::active::mounts;
use crate::{settings, tools};
use brine_core::Value;
use brine_core::call::{Args, CallError, Cx, Result, exec};
use brine_core::text::python_str;

/// A place or a device in quotes, as one word.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', "'\"'\"'"))
}

/// Options as a list; `None` where there are none to be named.
fn listed(opts: &Value) -> Option<Vec<String>> {
    match opts {
        Value::Nil => None,
        Value::List(all) => Some(all.iter().map(python_str).collect()),
        one => Some(python_str(one).split(',').map(str::to_owned).collect()),
    }
}

/// True, or what the program says of its failure.
fn done(cx: &Cx, line: &str, user: &Value) -> Result {
    let args = Args::positional([line]).with("runas", user.clone()).with("python_shell", false);
    let out = cx.call("cmd.run_all", args)?;
    let out = out.as_map().ok_or_else(|| CallError::execution("cmd.run_all returned no dict"))?;
    Ok(if settings::code(out) != 0 { settings::said(out, "stderr").into() } else { true.into() })
}

fn words(opts: Option<&[String]>, fstype: &str) -> String {
    let mut words = opts.map(|opts| format!("-o {}", opts.join(","))).unwrap_or_default();
    if !fstype.is_empty() {
        words += &format!(" -t {fstype}");
    }
    words
}

fn attach(cx: &Cx, name: &str, device: &Value, mkmnt: bool, fstype: &str, opts: &Value, user: &Value) -> Result {
    if mkmnt && !std::path::Path::new(name).exists() {
        cx.call("file.mkdir", Args::positional([name]).with("user", user.clone()))?;
    }
    let line = if device.truthy() {
        let words = words(listed(opts).as_deref(), fstype);
        format!("mount {words} {} {} ", quoted(&python_str(device)), quoted(name))
    } else {
        format!("mount {} ", quoted(name))
    };
    done(cx, &line, user)
}

/// Mount a device at a place; without a device, what `fstab` says of the place. True, or what went wrong. With `util`, an image
/// of a machine is mounted by another module.
///
/// CLI Example: salt '*' mount.mount /mnt/foo /dev/sdz1 True
#[exec]
#[expect(clippy::too_many_arguments, reason = "the signature is stock's")]
pub(super) fn mount(
    cx: &Cx,
    name: String,
    #[default(false)] device: Value,
    #[default(false)] mkmnt: bool,
    #[default("")] fstype: String,
    #[default("defaults")] opts: Value,
    user: Option<Value>,
    #[default("mount")] util: String,
) -> Result {
    match util.as_str() {
        "mount" => attach(cx, &name, &device, mkmnt, &fstype, &opts, &user.unwrap_or_default()),
        "guestfs" => cx.call("guestfs.mount", Args::positional([name]).with("root", device)),
        "qemu_nbd" => {
            let places = cx.call("qemu_nbd.init", Args::positional([Value::from(name), device]))?;
            let Some(first) = places.as_map().and_then(|places| places.keys().next().cloned()) else {
                return Ok(false.into());
            };
            cx.job.set_context(&format!("img.mnt_{}", python_str(&first)), places);
            Ok(first)
        }
        _ => Ok(false.into()),
    }
}

/// Mount what is mounted anew, with other options; mount it if it is not.
///
/// CLI Example: salt '*' mount.remount /mnt/foo /dev/sdz1 True
#[exec]
pub(super) fn remount(
    cx: &Cx,
    name: String,
    device: Value,
    #[default(false)] mkmnt: bool,
    #[default("")] fstype: String,
    #[default("defaults")] opts: Value,
    user: Option<Value>,
) -> Result {
    let user = user.unwrap_or_default();
    let mut opts = listed(&opts).unwrap_or_default();
    if !mounts(cx)?.contains(&name) {
        return attach(cx, &name, &device, mkmnt, &fstype, &opts.into(), &user);
    }
    if !opts.iter().any(|opt| opt == "remount") {
        opts.push("remount".to_owned());
    }
    let words = words(Some(&opts), &fstype);
    done(cx, &format!("mount {words} {} {} ", quoted(&python_str(&device)), quoted(&name)), &user)
}

/// Unmount a place; with a device, that. True, or what went wrong.
///
/// CLI Example: salt '*' mount.umount /mnt/foo
#[exec]
pub(super) fn umount(
    cx: &Cx,
    name: String,
    device: Option<Value>,
    user: Option<Value>,
    #[default("mount")] util: String,
) -> Result {
    match util.as_str() {
        "guestfs" => {
            let args = Args::positional([name]).with("disk", device.unwrap_or_default());
            return cx.call("guestfs.umount", args).map(|_| Value::Nil);
        }
        "qemu_nbd" if cx.registry.get("qemu_nbd.clear").is_some() => {
            if let Some(places) = cx.job.context(&format!("img.mnt_{name}")) {
                return cx.call("qemu_nbd.clear", Args::positional([places])).map(|_| Value::Nil);
            }
        }
        _ => {}
    }
    if !mounts(cx)?.contains(&name) {
        return Ok(format!("{name} does not have anything mounted").into());
    }
    let what = device.filter(Value::truthy).map_or(name, |device| python_str(&device));
    done(cx, &format!("umount {}", quoted(&what)), &user.unwrap_or_default())
}

/// Whether a program is linked with `libfuse`.
///
/// CLI Example: salt '*' mount.is_fuse_exec sshfs
#[exec]
pub(super) fn is_fuse_exec(cx: &Cx, cmd: String) -> Result<bool> {
    let Some(path) = crate::cmd::which::which(&cmd) else { return Ok(false) };
    if crate::cmd::which::which("ldd").is_none() {
        return Err(CallError::CommandNotFound("ldd".to_owned()));
    }
    Ok(tools::run(cx, &["ldd", &path])?.contains("libfuse"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_keeps_its_words() {
        assert_eq!(words(listed(&"ro,nosuid".into()).as_deref(), "ext4"), "-o ro,nosuid -t ext4");
        assert_eq!(words(None, ""), "");
        let line = format!("umount {}", quoted("/a 'b"));
        assert_eq!(crate::python::shlex::split(&line).unwrap(), ["umount", "/a 'b"]);
    }
}
