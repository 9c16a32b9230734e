//! Runner modules that stock has and that are not here, with the reason that whoever calls one is told.

use brine_core::call::Registry;

const VENDOR: &str = "modules for this vendor's service are not part of Brine";
const NAPALM: &str = "it asks NAPALM proxy minions, and proxy minions are not part of Brine";
const SALT_SSH: &str = "salt-ssh is not part of Brine";
const GUESTS: &str = "managing virtual machines and containers is not part of Brine";

/// Of 3006 to 3008.
const RUNNERS: &[(&str, &str)] = &[
    ("asam", VENDOR),
    (
        "batch",
        "a batch belongs to the command that has started it and ends with it; there is none in the master",
    ),
    ("bgp", NAPALM),
    ("cloud", "salt-cloud is not part of Brine"),
    ("cluster", "clusters of masters are not part of Brine"),
    ("ddns", "updating DNS servers is not part of Brine"),
    ("digicert", VENDOR),
    ("digicertapi", VENDOR),
    ("drac", VENDOR),
    ("f5", VENDOR),
    ("http", "its functions are in the execution module http, as in `salt-run salt.cmd http.query`"),
    ("launchd", "it is for macOS"),
    ("lxc", GUESTS),
    ("mattermost", VENDOR),
    ("nacl", "its functions are in the execution module nacl, as in `salt-call --local nacl.enc`"),
    ("net", NAPALM),
    ("pagerduty", VENDOR),
    ("pkg", "it is a later piece of work"),
    ("pki", "keys are files, and there is no index of them that could be migrated"),
    ("resource", "resources of Salt 3008 are not part of Brine"),
    ("smartos_vmadm", GUESTS),
    ("spacewalk", VENDOR),
    ("ssh", SALT_SSH),
    ("thin", SALT_SSH),
    (
        "vault",
        "minions get no tokens of vault from their master here; the source vault of pillar asks for them",
    ),
    ("venafi", VENDOR),
    ("venafiapi", VENDOR),
    ("virt", GUESTS),
    ("vistara", VENDOR),
    ("vmadm", GUESTS),
    ("winrepo", "package repositories for Windows are not part of Brine"),
];

/// Notes in the table of runners what stock has beyond it.
pub(crate) fn note(registry: &mut Registry) {
    for (module, reason) in RUNNERS {
        registry.refuse(module, reason);
    }
}

#[cfg(test)]
mod tests {
    use crate::run::Kind;
    use std::collections::BTreeSet;

    /// The runner modules of 3006.28, 3007.15 and 3008.3, by the names that calls use.
    const STOCKS: &str = "asam auth batch bgp cache cloud cluster config ddns digicert doc drac error event f5 fileserver \
        git_pillar http jobs launchd lxc manage match mattermost mine nacl net network pagerduty pillar pkg pki queue \
        reactor resource salt saltutil sdb smartos_vmadm spacewalk ssh state survey test thin vault venafi virt vistara \
        vmadm winrepo";

    #[test]
    fn every_runner_of_stock_is_here_or_refused_by_name() {
        let registry = Kind::Runner.registry();
        let here: BTreeSet<&str> = registry.iter().filter_map(|(name, _)| name.split('.').next()).collect();
        for module in STOCKS.split_whitespace() {
            let error = registry.missing(&format!("{module}.no_such")).to_string();
            let refused = error.starts_with(&format!("'{module}' __virtual__ returned False: "));
            assert!(here.contains(module) != refused, "{module}: {error}");
        }
        assert_eq!(registry.missing("nonsense.f").to_string(), "'nonsense.f' is not available.");
    }
}
