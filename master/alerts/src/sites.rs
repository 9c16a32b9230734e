//! Which minions are at which site, and which of them are down: whether a whole site is.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::Labels;

/// The label whose values are sites.
pub(crate) const SITE: &str = "site";

/// A site.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Site {
    members: usize,
    down: BTreeSet<String>,
    /// What all its minions have in common.
    labels: Labels,
}

/// All sites.
#[derive(Debug, Default)]
pub(crate) struct Sites {
    sites: BTreeMap<String, Site>,
    at: HashMap<String, String>,
    down: BTreeSet<String>,
    /// How many sites are down altogether.
    sites_down: usize,
}

/// How a site is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Health {
    /// Its minions.
    pub(crate) members: usize,
    /// Those that are down.
    pub(crate) down: usize,
}

impl Health {
    /// Whether all are.
    pub(crate) fn is_down(self) -> bool {
        self.members > 0 && self.down == self.members
    }
}

impl Sites {
    /// Notes where a minion is; the sites whose health may have changed.
    pub(crate) fn place(&mut self, minion: &str, labels: &Labels) -> Vec<String> {
        let new = labels.get(SITE).filter(|site| !site.is_empty());
        if self.at.get(minion) == new {
            return Vec::new();
        }
        let mut touched: Vec<String> = self.take_out(minion).into_iter().collect();
        if let Some(name) = new {
            self.at.insert(minion.to_owned(), name.clone());
            let is_down = self.down.contains(minion);
            self.change(name, |site| {
                if site.members == 0 {
                    site.labels.clone_from(labels);
                } else {
                    site.labels.retain(|label, value| labels.get(label) == Some(value));
                }
                site.members += 1;
                if is_down {
                    site.down.insert(minion.to_owned());
                }
            });
            touched.push(name.clone());
        }
        touched
    }

    /// Forgets a minion; the site whose health may have changed.
    pub(crate) fn remove(&mut self, minion: &str) -> Option<String> {
        let site = self.take_out(minion);
        self.down.remove(minion);
        site
    }

    fn take_out(&mut self, minion: &str) -> Option<String> {
        let name = self.at.remove(minion)?;
        self.change(&name, |site| {
            site.members -= 1;
            site.down.remove(minion);
        });
        if self.sites.get(&name).is_some_and(|site| site.members == 0) {
            self.sites.remove(&name);
        }
        Some(name)
    }

    /// Notes that a minion is down or not; the site whose health has changed.
    pub(crate) fn mark(&mut self, minion: &str, down: bool) -> Option<String> {
        let changed = if down { self.down.insert(minion.to_owned()) } else { self.down.remove(minion) };
        if !changed {
            return None;
        }
        let name = self.at.get(minion)?.clone();
        self.change(&name, |site| {
            if down {
                site.down.insert(minion.to_owned());
            } else {
                site.down.remove(minion);
            }
        });
        Some(name)
    }

    fn change(&mut self, name: &str, change: impl FnOnce(&mut Site)) {
        let site = self.sites.entry(name.to_owned()).or_default();
        let health = |site: &Site| Health { members: site.members, down: site.down.len() }.is_down();
        let before = health(site);
        change(site);
        let after = health(site);
        self.sites_down = self.sites_down + usize::from(after) - usize::from(before);
    }

    /// How a site is.
    pub(crate) fn health(&self, site: &str) -> Health {
        self.sites.get(site).map_or(Health { members: 0, down: 0 }, |site| Health {
            members: site.members,
            down: site.down.len(),
        })
    }

    /// What all minions of a site have in common.
    pub(crate) fn labels(&self, site: &str) -> Labels {
        self.sites.get(site).map(|site| site.labels.clone()).unwrap_or_default()
    }

    /// Every site, with what its minions have in common.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&str, &Labels)> {
        self.sites.iter().map(|(name, site)| (name.as_str(), &site.labels))
    }

    /// How many there are, and how many of them are down.
    pub(crate) fn count(&self) -> (usize, usize) {
        (self.sites.len(), self.sites_down)
    }

    /// The minions that are down.
    pub(crate) fn down(&self) -> impl Iterator<Item = &str> {
        self.down.iter().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where each minion is and whether it is down, looked through each time.
    #[derive(Default)]
    struct Model {
        at: BTreeMap<String, String>,
        down: BTreeSet<String>,
    }

    #[test]
    fn counts_are_those_of_a_look_at_everything() {
        let mut random = brine_testing::Random::new(11);
        let (mut sites, mut model) = (Sites::default(), Model::default());
        for _ in 0..20_000 {
            let minion = format!("m{}", random.below(12));
            match random.below(5) {
                0 => {
                    sites.remove(&minion);
                    model.at.remove(&minion);
                    model.down.remove(&minion);
                }
                1 => {
                    let site = format!("s{}", random.below(4));
                    sites.place(&minion, &Labels::from([(SITE.to_owned(), site.clone())]));
                    model.at.insert(minion, site);
                }
                n => {
                    sites.mark(&minion, n % 2 == 0);
                    if n % 2 == 0 {
                        model.down.insert(minion);
                    } else {
                        model.down.remove(&minion);
                    }
                }
            }
            let names: BTreeSet<&String> = model.at.values().collect();
            let mut all_down = 0;
            for name in &names {
                let members: Vec<&String> =
                    model.at.iter().filter(|(_, s)| s == name).map(|(m, _)| m).collect();
                let down = members.iter().filter(|m| model.down.contains(**m)).count();
                assert_eq!(sites.health(name), Health { members: members.len(), down });
                all_down += usize::from(down == members.len());
            }
            assert_eq!(sites.count(), (names.len(), all_down));
        }
    }

    #[test]
    fn a_site_has_the_labels_that_all_its_minions_have() {
        let labels = |rack: &str| {
            Labels::from(
                [("site", "akl"), ("building", "b1"), ("rack", rack)].map(|(l, v)| (l.into(), v.into())),
            )
        };
        let mut sites = Sites::default();
        assert_eq!(sites.place("m1", &labels("r1")), ["akl"]);
        assert_eq!(sites.labels("akl").len(), 3);
        assert!(sites.place("m1", &labels("r1")).is_empty());
        sites.place("m2", &labels("r2"));
        assert_eq!(sites.labels("akl").keys().collect::<Vec<_>>(), ["building", "site"]);
    }
}
