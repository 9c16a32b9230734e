//! Functions of `disk` that ask a drive about itself: `hdparm` and `smartctl`.

use crate::tools;
use brine_core::call::{CallError, Cx, Result, exec};
use brine_core::text::python_str;
use brine_core::{Map, Value, map};

/// What `hdparm` prints. A failure is an error only if `failhard`.
fn hdparm(cx: &Cx, option: &str, disk: &str, failhard: bool) -> Result<String> {
    tools::require("hdparm")?;
    let ret = tools::run_all(cx, &["hdparm", option, disk])?;
    if ret.get("retcode") != Some(&0.into()) {
        let text = format!("hdparm {option} {disk}: {}", ret.get_str("stderr").unwrap_or(""));
        if failhard {
            return Err(CallError::execution(text));
        }
        tracing::warn!("{text}");
    }
    Ok(ret.get_str("stdout").unwrap_or("").to_owned())
}

fn list(value: &Value) -> Vec<String> {
    match value {
        Value::List(list) => list.iter().map(python_str).collect(),
        one => vec![python_str(one)],
    }
}

/// Retrieve all info's for all disks, parse 'em into a nice dict: `args` are flags of `hdparm`, by default all that
/// only read.
///
/// CLI Example: salt '*' disk.hdparms sda 'aA'
#[exec]
fn hdparms(cx: &Cx, disks: Value, args: Option<Value>) -> Result<Map> {
    let flags = args.map_or_else(|| "aAbBcCdgHiJkMmNnQrRuW".to_owned(), |a| list(&a).concat());
    parameters(cx, &disks, &flags)
}

fn parameters(cx: &Cx, disks: &Value, flags: &str) -> Result<Map> {
    tools::require("hdparm")?;
    let mut out = Map::new();
    for disk in list(disks) {
        let disk = if disk.starts_with("/dev") { disk } else { format!("/dev/{disk}") };
        let text = hdparm(cx, &format!("-{flags}"), &disk, false)?;
        let data: Map = text
            .lines()
            .map(str::trim)
            .filter(|l| !l.is_empty() && *l != format!("{disk}:"))
            .filter_map(parameter)
            .collect();
        out.insert(disk, data);
    }
    Ok(out)
}

/// A line `name = value (word)`, `name: a, b/c`.
fn parameter(line: &str) -> Option<(String, Value)> {
    let (key, values) = match line.split_once(':') {
        Some((key, values)) => (key.strip_suffix(" is").unwrap_or(key), values),
        None => line.split_once('=')?,
    };
    let key = key.trim().to_lowercase().replace(' ', "_");
    let values = values.trim();
    let (first, rest) = values.split_once(' ').unwrap_or((values, ""));
    if let Ok(number) = first.parse::<i64>()
        && rest.starts_with('(')
        && values.contains(')')
    {
        let word = rest.split(' ').next().unwrap_or("").trim_matches(['(', ')']);
        return Some((key, Value::List(vec![number.into(), word.into()])));
    }
    let (mut all, mut named): (Vec<Value>, Map) = (Vec::new(), Map::new());
    for value in values.split(['/', ',']).map(str::trim) {
        if let Ok(number) = value.parse::<i64>() {
            all.push(number.into());
        } else if let Some((name, value)) = value.split_once('=') {
            if !value.trim().is_empty() {
                named.insert(name.trim(), value.trim());
            }
        } else if !value.is_empty() {
            all.push(value.into());
        }
    }
    if !named.is_empty() {
        all.push(named.into());
    }
    match all.len() {
        0 => None,
        1 => all.pop().map(|one| (key, one)),
        _ => Some((key, all.into())),
    }
}

/// Get/set Host Protected Area settings. `size` is what to hide, in sectors or percent.
///
/// CLI Example: salt '*' disk.hpa /dev/sda 5%
#[exec]
fn hpa(cx: &Cx, disks: Value, size: Option<Value>) -> Result {
    let mut areas = Map::new();
    for (disk, data) in &parameters(cx, &disks, "N")? {
        let values: &[Value] =
            data.as_map().and_then(|d| d.values().next()).and_then(Value::as_list).unwrap_or(&[]);
        let [visible, total, status, ..] = values else {
            return Err(CallError::exception("ValueError", "not enough values to unpack (expected 3)"));
        };
        let (visible, total) = (visible.as_int().unwrap_or(0), total.as_int().unwrap_or(0));
        let whole = visible == total || status.as_str().is_some_and(|s| s.contains("disabled"));
        let area = if whole {
            map! {"total" => total}
        } else {
            map! {"total" => total, "visible" => visible, "hidden" => total - visible}
        };
        areas.insert(disk.clone(), area);
    }
    let Some(size) = size else { return Ok(areas.into()) };
    let size = python_str(&size);
    for (disk, area) in &areas {
        let total = area.get("total").and_then(Value::as_int).unwrap_or(0);
        let shown = match (size.parse::<i64>(), size.trim_end_matches('%').parse::<i64>()) {
            (Ok(sectors), _) => total - sectors,
            (_, Ok(percent)) => (100 - percent) * total / 100,
            _ => {
                return Err(CallError::exception(
                    "ValueError",
                    format!("invalid literal for int() with base 10: '{size}'"),
                ));
            }
        };
        let shown = if shown <= 0 { total } else { shown };
        tools::require("hdparm")?;
        let disk = python_str(disk);
        let ret =
            tools::run_all(cx, &["hdparm", "--yes-i-know-what-i-am-doing", &format!("-Np{shown}"), &disk])?;
        if ret.get("retcode") != Some(&0.into()) {
            let text = ret.get_str("stderr").unwrap_or("");
            return Err(CallError::execution(format!(
                "hdparm --yes-i-know-what-i-am-doing -Np{shown} {disk}: {text}"
            )));
        }
    }
    Ok(Value::Nil)
}

/// Fetch SMART attributes: of the ids in `attributes` only, the columns in `values` only.
///
/// CLI Example: salt '*' disk.smart_attributes /dev/sda attributes='(1,2,3)' values="['raw_value']"
#[exec]
fn smart_attributes(
    cx: &Cx,
    dev: String,
    attributes: Option<Vec<i64>>,
    values: Option<Vec<String>>,
) -> Result<Map> {
    let dev = if dev.starts_with("/dev/") { dev } else { format!("/dev/{dev}") };
    let ret = tools::run_all(cx, &["smartctl", "--attributes", &dev])?;
    if ret.get("retcode") != Some(&0.into()) {
        return Err(CallError::execution(ret.get_str("stderr").unwrap_or("")));
    }
    Ok(smart_table(ret.get_str("stdout").unwrap_or(""), attributes.as_deref(), values.as_deref()))
}

fn smart_table(text: &str, attributes: Option<&[i64]>, wanted: Option<&[String]>) -> Map {
    let mut lines = text.lines().skip_while(|l| !l.starts_with("ID#"));
    let fields: Vec<String> =
        lines.next().unwrap_or("").split_whitespace().skip(1).map(str::to_lowercase).collect();
    let mut out = Map::new();
    for line in lines.take_while(|l| l.trim_start().starts_with(|c: char| c.is_ascii_digit())) {
        let mut rest = line.trim();
        let mut next = |last: bool| {
            let word = if last { rest } else { rest.split_whitespace().next().unwrap_or("") };
            rest = rest.get(word.len()..).unwrap_or("").trim_start();
            word
        };
        let Ok(id) = next(false).parse::<i64>() else { continue };
        if attributes.is_some_and(|a| !a.contains(&id)) {
            continue;
        }
        let mut data = Map::new();
        for (i, field) in fields.iter().enumerate() {
            let word = next(i + 1 == fields.len());
            if word.is_empty() || wanted.is_some_and(|w| !w.contains(field)) {
                continue;
            }
            let numbers: Option<Vec<i64>> = word.split(' ').map(|n| n.parse().ok()).collect();
            let value: Value = match (word.parse::<i64>(), numbers) {
                (Ok(number), _) => number.into(),
                (_, Some(numbers)) => numbers.into_iter().collect(),
                _ => word.into(),
            };
            data.insert(field, value);
        }
        out.insert(id, data);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_of_hdparm_are_read() {
        assert_eq!(
            parameter("readonly      =  0 (off)"),
            Some(("readonly".into(), Value::List(vec![0.into(), "off".into()])))
        );
        assert_eq!(parameter("drive state is:  standby"), Some(("drive_state".into(), "standby".into())));
        assert_eq!(
            parameter("max sectors   = 586070255/586072368, HPA is enabled"),
            Some((
                "max_sectors".into(),
                Value::List(vec![586_070_255.into(), 586_072_368.into(), "HPA is enabled".into()])
            ))
        );
        assert_eq!(
            parameter("geometry      = 36481/255/63, sectors = 586072368, start = 0"),
            Some((
                "geometry".into(),
                Value::List(vec![
                    36481.into(),
                    255.into(),
                    63.into(),
                    map! {"sectors" => "586072368", "start" => "0"}.into(),
                ])
            ))
        );
    }

    #[test]
    fn attributes_of_smartctl_are_read() {
        let text = "=== START ===\nID# ATTRIBUTE_NAME          FLAG     VALUE RAW_VALUE\n  1 Raw_Read_Error_Rate     0x000b   100   0\n194 Temperature_Celsius     0x0002   253   23 (Min/Max 17/40)\n\nmore\n";
        let got = smart_table(text, None, None);
        assert_eq!(
            got.get_key(&1.into()),
            Some(&map! {"attribute_name" => "Raw_Read_Error_Rate", "flag" => "0x000b", "value" => 100, "raw_value" => 0}.into())
        );
        assert_eq!(
            got.get_key(&194.into()).and_then(|a| a.get("raw_value")),
            Some(&"23 (Min/Max 17/40)".into())
        );
        let few = smart_table(text, Some(&[1]), Some(&["value".to_owned()]));
        assert_eq!(few.len(), 1);
        assert_eq!(few.get_key(&1.into()), Some(&map! {"value" => 100}.into()));
    }
}
