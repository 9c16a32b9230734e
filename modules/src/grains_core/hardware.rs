//! CPU and memory grains from `/proc/cpuinfo` and `/proc/meminfo`.

use super::read;
use brine_core::{Map, Value, map};

/// `num_cpus`, `cpu_model`, `cpu_flags`.
pub(super) fn cpu() -> Map {
    parse_cpu(&read::text("/proc/cpuinfo").unwrap_or_default())
}

fn parse_cpu(cpuinfo: &str) -> Map {
    let mut count: i64 = 0;
    let mut model = "Unknown";
    let mut flags = "";
    let mut found = Vec::new();
    let mut note = |what: &'static str| {
        if !found.contains(&what) {
            found.push(what);
        }
    };
    for line in cpuinfo.lines() {
        let Some((key, value)) = line.split_once(':') else { continue };
        // As stock, only what stands before a second colon counts.
        let value = value.split(':').next().unwrap_or("").trim();
        match key.trim() {
            "processor" => count += 1,
            "# processors" => count = value.parse().unwrap_or(count),
            "vendor_id" | "model name" | "cpu" => {
                model = value;
                note("cpu_model");
            }
            "flags" | "Features" => {
                flags = value;
                note("cpu_flags");
            }
            "Processor" => {
                model = value.split('-').next().unwrap_or("");
                count = 1;
                note("cpu_model");
            }
            _ => {}
        }
    }
    let mut out = map! {"num_cpus" => count};
    for key in found.into_iter().chain(["cpu_model", "cpu_flags"]) {
        let value: Value = match key {
            "cpu_model" => model.into(),
            _ => flags.split_whitespace().collect(),
        };
        out.insert(key, value);
    }
    out
}

/// `mem_total`, `swap_total`, in MiB.
pub(super) fn memory() -> Map {
    let text = read::text("/proc/meminfo").unwrap_or_default();
    let mib = |name: &str| -> i64 {
        text.lines()
            .filter_map(|l| l.split_once(':'))
            .find(|(k, _)| k.trim() == name)
            .and_then(|(_, v)| v.split_whitespace().next()?.parse::<i64>().ok())
            .map_or(0, |kib| kib / 1024)
    };
    map! {"mem_total" => mib("MemTotal"), "swap_total" => mib("SwapTotal")}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_family_of_cpuinfo_is_read() {
        let x86 = "processor\t: 0\nvendor_id\t: GenuineIntel\nmodel name\t: Xeon\nflags\t\t: fpu vme\n\nprocessor\t: 1\n";
        assert_eq!(
            parse_cpu(x86),
            map! {"num_cpus" => 2, "cpu_model" => "Xeon", "cpu_flags" => vec!["fpu", "vme"]}
        );
        let arm = "Processor\t: ARMv6-compatible processor rev 7 (v6l)\nFeatures\t: swp half\n";
        assert_eq!(
            parse_cpu(arm),
            map! {"num_cpus" => 1, "cpu_model" => "ARMv6", "cpu_flags" => vec!["swp", "half"]}
        );
        let s390 = "vendor_id       : IBM/S390\n# processors    : 2\n";
        assert_eq!(
            parse_cpu(s390),
            map! {"num_cpus" => 2, "cpu_model" => "IBM/S390", "cpu_flags" => Vec::<Value>::new()}
        );
    }
}
