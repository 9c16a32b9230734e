//! Real `os-release` files and what stock 3006.28 makes of them.

use super::*;

fn files(os_release: &str) -> Files {
    Files { os_release: Some(parse_os_release(os_release)), lsb_release: None, other: None, centos: None }
}

fn check(files: &Files, want: &[(&str, &str)]) {
    let got = derive(files);
    for (key, value) in want {
        assert_eq!(got.get_str(key), Some(*value), "{key}");
    }
}

#[test]
fn debian() {
    let f = files(
        "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nNAME=\"Debian GNU/Linux\"\nVERSION_ID=\"12\"\nVERSION=\"12 (bookworm)\"\nVERSION_CODENAME=bookworm\nID=debian\n",
    );
    check(
        &f,
        &[
            ("os", "Debian"),
            ("os_family", "Debian"),
            ("oscodename", "bookworm"),
            ("osfullname", "Debian GNU/Linux"),
            ("osrelease", "12"),
            ("lsb_distrib_id", "Debian GNU/Linux"),
        ],
    );
}

#[test]
fn ubuntu() {
    let mut f = files(
        "NAME=\"Ubuntu\"\nVERSION_ID=\"22.04\"\nVERSION=\"22.04.5 LTS (Jammy Jellyfish)\"\nVERSION_CODENAME=jammy\nID=ubuntu\nID_LIKE=debian\n",
    );
    f.lsb_release = Some("DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=22.04\nDISTRIB_CODENAME=jammy\nDISTRIB_DESCRIPTION=\"Ubuntu 22.04.5 LTS\"\n".into());
    check(
        &f,
        &[
            ("os", "Ubuntu"),
            ("os_family", "Debian"),
            ("osrelease", "22.04"),
            ("oscodename", "jammy"),
            ("lsb_distrib_description", "Ubuntu 22.04.5 LTS"),
        ],
    );
}

#[test]
fn the_red_hat_family() {
    let rhel = files(
        "NAME=\"Red Hat Enterprise Linux\"\nVERSION=\"9.4 (Plow)\"\nID=\"rhel\"\nID_LIKE=\"fedora\"\nVERSION_ID=\"9.4\"\nPRETTY_NAME=\"Red Hat Enterprise Linux 9.4 (Plow)\"\nCPE_NAME=\"cpe:/o:redhat:enterprise_linux:9::baseos\"\n",
    );
    check(&rhel, &[("os", "RedHat"), ("os_family", "RedHat"), ("osrelease", "9.4"), ("oscodename", "Plow")]);
    let rocky = files(
        "NAME=\"Rocky Linux\"\nVERSION=\"9.3 (Blue Onyx)\"\nID=\"rocky\"\nVERSION_ID=\"9.3\"\nPRETTY_NAME=\"Rocky Linux 9.3 (Blue Onyx)\"\n",
    );
    check(
        &rocky,
        &[("os", "Rocky"), ("os_family", "RedHat"), ("osrelease", "9.3"), ("oscodename", "Blue Onyx")],
    );
    let mut centos = files(
        "NAME=\"CentOS Linux\"\nVERSION=\"7 (Core)\"\nID=\"centos\"\nVERSION_ID=\"7\"\nPRETTY_NAME=\"CentOS Linux 7 (Core)\"\n",
    );
    centos.other = Some("CentOS Linux release 7.9.2009 (Core)".into());
    check(&centos, &[("os", "CentOS"), ("osrelease", "7.9.2009"), ("oscodename", "CentOS Linux 7 (Core)")]);
    assert!(!derive(&centos).contains("lsb_distrib_release"));
}

#[test]
fn opensuse() {
    let leap = files(
        "NAME=\"openSUSE Leap\"\nVERSION=\"15.5\"\nID=\"opensuse-leap\"\nVERSION_ID=\"15.5\"\nPRETTY_NAME=\"openSUSE Leap 15.5\"\nCPE_NAME=\"cpe:/o:opensuse:leap:15.5\"\n",
    );
    check(&leap, &[("os", "SUSE"), ("os_family", "Suse"), ("osfullname", "Leap"), ("osrelease", "15.5")]);
}
