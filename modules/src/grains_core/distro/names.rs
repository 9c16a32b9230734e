//! Salt's names of distributions and of their families.

/// The `os` grain for a distribution's full name and its `os-release` id.
pub(super) fn os_of(full: &str, id: Option<&str>) -> String {
    match (id, full) {
        (Some("astra"), "Astra Linux (Orel)") => return "AstraLinuxCE".into(),
        (Some("astra"), "Astra Linux (Smolensk)") => return "AstraLinuxSE".into(),
        (Some("pop"), "Pop!_OS") => return "Pop".into(),
        _ => {}
    }
    let plain = without_linux(full).trim().to_owned();
    let short: String = plain.replace(' ', "").to_lowercase().chars().take(10).collect();
    SHORT.iter().find(|(s, _)| *s == short).map_or(plain, |(_, os)| (*os).to_owned())
}

/// Drops every ` Linux` and ` GNU/Linux`, whatever their case; the character before must be no word's.
fn without_linux(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    let mut out = String::new();
    let mut i = 0;
    let at = |i: usize, word: &str| {
        word.chars().enumerate().all(|(n, w)| chars.get(i + n).is_some_and(|c| c.to_ascii_lowercase() == w))
    };
    while i < chars.len() {
        let boundary = !(chars[i].is_alphanumeric() || chars[i] == '_');
        if boundary && at(i + 1, "gnu/linux") {
            i += 10;
        } else if boundary && at(i + 1, "linux") {
            i += 6;
        } else {
            out.push(chars[i]);
            i += 1;
        }
    }
    out
}

/// The `os_family` grain for an `os` grain: itself where it is no descendant.
pub(super) fn family_of(os: &str) -> &str {
    FAMILIES.iter().find(|(_, members)| members.contains(&os)).map_or(os, |(family, _)| family)
}

/// At most ten characters of the name, lower case, no spaces.
const SHORT: &[(&str, &str)] = &[
    ("redhatente", "RedHat"),
    ("gentoobase", "Gentoo"),
    ("archarm", "Arch ARM"),
    ("arch", "Arch"),
    ("debian", "Debian"),
    ("raspbian", "Raspbian"),
    ("fedoraremi", "Fedora"),
    ("chapeau", "Chapeau"),
    ("korora", "Korora"),
    ("amazonami", "Amazon"),
    ("alt", "ALT"),
    ("enterprise", "OEL"),
    ("oracleserv", "OEL"),
    ("cloudserve", "CloudLinux"),
    ("cloudlinux", "CloudLinux"),
    ("almalinux", "AlmaLinux"),
    ("pidora", "Fedora"),
    ("scientific", "ScientificLinux"),
    ("synology", "Synology"),
    ("nilrt", "NILinuxRT"),
    ("poky", "Poky"),
    ("manjaro", "Manjaro"),
    ("manjarolin", "Manjaro"),
    ("univention", "Univention"),
    ("antergos", "Antergos"),
    ("sles", "SUSE"),
    ("void", "Void"),
    ("slesexpand", "RES"),
    ("linuxmint", "Mint"),
    ("neon", "KDE neon"),
    ("pop", "Pop"),
    ("rocky", "Rocky"),
    ("alibabaclo", "Alinux"),
    ("mendel", "Mendel"),
    ("photon", "VMware Photon OS"),
];

const FAMILIES: &[(&str, &[&str])] = &[
    (
        "Debian",
        &[
            "Ubuntu",
            "Mint",
            "Trisquel",
            "GCEL",
            "Linaro",
            "elementary OS",
            "elementary",
            "Univention",
            "Raspbian",
            "Devuan",
            "antiX",
            "Kali",
            "Parrot OS",
            "neon",
            "Cumulus",
            "Deepin",
            "KDE neon",
            "IDMS",
            "TurnKey",
            "Pop",
            "AstraLinuxCE",
            "AstraLinuxSE",
            "Mendel",
            "OSMC",
        ],
    ),
    (
        "RedHat",
        &[
            "Fedora",
            "Chapeau",
            "Korora",
            "FedBerry",
            "CentOS",
            "CentOS Stream",
            "GoOSe",
            "Scientific",
            "Amazon",
            "CloudLinux",
            "AlmaLinux",
            "OVS",
            "OEL",
            "XCP",
            "XCP-ng",
            "XenServer",
            "RES",
            "Sangoma",
            "VMware Photon OS",
            "AlterOS",
            "RED OS",
            "ALT",
            "ScientificLinux",
            "Rocky",
            "Alinux",
        ],
    ),
    (
        "Suse",
        &[
            "SLES",
            "SUSE Enterprise Server",
            "SUSE  Enterprise Server",
            "SLED",
            "openSUSE",
            "SUSE",
            "openSUSE Leap",
            "openSUSE Tumbleweed",
            "SLES_SAP",
            "alfaLinux",
            "alfaLinux Rise",
        ],
    ),
    ("Arch", &["Arch ARM", "Manjaro", "Manjaro ARM", "Antergos", "EndeavourOS"]),
    ("Mandriva", &["Mandrake"]),
    ("VMware", &["VMwareESX"]),
    ("Bluewhite", &["Bluewhite64"]),
    ("Slackware", &["Slamd64"]),
    ("Gentoo", &["Funtoo"]),
];
