//! The map of the automounter that is managed as a whole.

use super::{joined, only_asks, unread, unwritten, write};
use crate::settings;
use brine_core::call::{Args, CallError, Cx, KwArgs, Result, exec};
use brine_core::{Map, Value, map};
use std::path::Path;

/// The three words of a line; `None` for a line that is no entry.
fn words(line: &str) -> Option<[&str; 3]> {
    let words: Vec<&str> = line.split_whitespace().collect();
    if line.starts_with('#') { None } else { words.try_into().ok() }
}

fn device(word: &str) -> Result<&str> {
    word.split(':').nth(1).ok_or_else(|| CallError::exception("IndexError", "list index out of range"))
}

fn read(config: &str) -> Result<Map> {
    let mut all = Map::new();
    if !Path::new(config).is_file() {
        return Ok(all);
    }
    let text = settings::text(config).map_err(|e| crate::hashutil::file_error(&e, config))?;
    for [name, opts, what] in settings::lines(&text).filter_map(words) {
        let opts: Vec<&str> = opts.split(',').collect();
        let (fstype, opts) = (opts[0], opts[1..].to_vec());
        all.insert(name.replace("/..", ""), map! { "device" => device(what)?, "fstype" => fstype, "opts" => opts });
    }
    Ok(all)
}

/// What the map says, by place.
///
/// CLI Example: salt '*' mount.automaster
#[exec]
pub(super) fn automaster(#[default("/etc/auto_salt")] config: String) -> Result<Map> {
    read(&config)
}

/// Remove the entry of a place and a device, and tell the automounter.
///
/// CLI Example: salt '*' mount.rm_automaster /mnt/foo /dev/sdg
#[exec]
pub(super) fn rm_automaster(
    cx: &Cx,
    name: String,
    device: Value,
    #[default("/etc/auto_salt")] config: String,
) -> Result<bool> {
    if !read(&config)?.contains(&name) {
        return Ok(true);
    }
    let text = settings::text(&config).map_err(|e| unread(&config, &e))?;
    let mut left = String::new();
    for line in settings::lines(&text) {
        let goes = match words(line) {
            Some([place, _, what]) if place.replace("/..", "") == name => {
                !device.truthy() || self::device(what)? == brine_core::text::python_str(&device)
            }
            _ => false,
        };
        if !goes {
            left += line;
        }
    }
    settings::write(&config, left.as_bytes()).map_err(|e| unwritten(&config, &e))?;
    cx.call("cmd.run", Args::positional(["automount -cv"]))?;
    Ok(true)
}

/// Set the entry of a place or a device: `present`, `change` or `new`.
///
/// CLI Example: salt '*' mount.set_automaster /mnt/foo /dev/sdz1 ext4
#[exec]
#[expect(clippy::too_many_arguments, reason = "the signature is stock's")]
pub(super) fn set_automaster(
    cx: &Cx,
    name: String,
    device: String,
    fstype: String,
    #[default("")] opts: Value,
    #[default("/etc/auto_salt")] config: String,
    #[default(false)] test: Value,
    #[default(false)] not_change: bool,
    kwargs: KwArgs,
) -> Result<&'static str> {
    if !Path::new(&config).is_file() {
        cx.call("file.touch", Args::positional([config.as_str()]))?;
        cx.call("file.append", Args::positional(["/etc/auto_master".to_owned(), format!("/-\t\t\t{config}")]))?;
    }
    let place = format!("/..{name}");
    let mut what = format!("{fstype}:{device}");
    let how = format!("-fstype={fstype},{}", joined(&opts));
    if fstype == "smbfs" {
        what = what.replace(&fstype, "");
    }
    let entry = format!("{place}\t{how}\t{what}\n");
    let text = settings::text(&config).map_err(|e| unread(&config, &e))?;
    let (mut out, mut change, mut present) = (String::new(), false, false);
    for line in settings::lines(&text) {
        match words(line) {
            Some(words) if words[0] == place || words[2] == what => {
                present = true;
                if !not_change {
                    change |= words != [&place, &how, &what];
                    if change {
                        out += &entry;
                    }
                }
            }
            _ => out += line,
        }
    }
    let asks = only_asks(&test, &kwargs);
    if change {
        if !asks {
            write(&config, &out)?;
        }
        return Ok("change");
    }
    if present {
        return Ok("present");
    }
    if !asks {
        write(&config, &(out + &entry))?;
    }
    Ok("new")
}
