//! What follows from connections: a minion is down, a site is, many sites are.

use std::collections::BTreeSet;
use std::time::SystemTime;

use super::{Core, labels_of};
use crate::Labels;
use crate::config::Builtin;
use crate::event::Event;
use crate::signal::Signal;
use crate::sites::SITE;

impl Core {
    /// A minion's connection came or went.
    pub fn presence(&mut self, minion: &str, now: SystemTime) {
        // Before that, whoever is not here yet is on his way back.
        if self.settled && self.around.is_accepted(minion) {
            let down = self.around.is_absent(minion);
            self.mark(minion, down, now);
        }
    }

    /// Looks at all minions. Once after the start, and when it cannot be told who went.
    pub(super) fn sweep(&mut self, now: SystemTime) {
        self.settled = true;
        let minions = self.around.minions();
        let known: BTreeSet<&str> = minions.iter().map(String::as_str).collect();
        for minion in &minions {
            let labels = self.labels_of(minion);
            self.sites.place(minion, &labels);
        }
        for minion in &minions {
            let down = self.around.is_absent(minion);
            // Sites are looked at below, when all is known.
            self.mark_alone(minion, down, now);
        }
        let strangers: Vec<String> =
            self.sites.down().filter(|minion| !known.contains(minion)).map(str::to_owned).collect();
        let alert = |(_, alert): (&str, &crate::state::Alert)| alert.labels.get("minion").cloned();
        let down = self.table.all().filter(|(_, alert)| alert.name() == Builtin::MinionDown.name());
        let forgotten: Vec<String> = down.filter_map(alert).filter(|m| !known.contains(m.as_str())).collect();
        for minion in strangers.iter().chain(&forgotten) {
            self.forget(minion, now);
        }
        let sites: Vec<String> = self.sites.all().map(|(site, _)| site.to_owned()).collect();
        for site in &sites {
            self.site(site, now);
        }
        self.sites_that_are_no_more(now);
        self.shares(now);
    }

    /// What an event says of where minions are.
    pub(super) fn minion_event(&mut self, event: &Event) {
        if !self.settled || !matches!(event.tag.as_str(), "salt/auth" | "salt/key") {
            return;
        }
        let Some(id) = event.data.get_str("id") else { return };
        match event.data.get_str("act") {
            Some("accept") => self.place(id, event.at),
            Some("delete" | "reject") if !self.around.is_accepted(id) => self.forget(id, event.at),
            _ => {}
        }
    }

    fn labels_of(&mut self, minion: &str) -> Labels {
        labels_of(&mut self.labels, self.around.as_ref(), minion)
    }

    /// Looks where a minion is.
    pub(super) fn place(&mut self, minion: &str, now: SystemTime) {
        let labels = self.labels_of(minion);
        let touched = self.sites.place(minion, &labels);
        for site in &touched {
            self.site(site, now);
        }
        if !touched.is_empty() {
            self.shares(now);
        }
    }

    /// A minion is no longer one of this master's.
    fn forget(&mut self, minion: &str, now: SystemTime) {
        if let Some(rule) = self.book.index(Builtin::MinionDown) {
            self.signal(&Signal::off(rule).about(minion), now);
        }
        self.labels.remove(minion);
        if let Some(site) = self.sites.remove(minion) {
            self.site(&site, now);
            self.shares(now);
        }
    }

    fn mark(&mut self, minion: &str, down: bool, now: SystemTime) {
        if let Some(site) = self.mark_alone(minion, down, now) {
            self.site(&site, now);
            self.share_down(now);
        }
    }

    /// Notes of the minion alone that it is down or not; the site whose health has changed.
    fn mark_alone(&mut self, minion: &str, down: bool, now: SystemTime) -> Option<String> {
        let touched = self.sites.mark(minion, down);
        if let Some(rule) = self.book.index(Builtin::MinionDown) {
            let signal = if down {
                let labels = Labels::from([("minion".to_owned(), minion.to_owned())]);
                // Said once: it does not become truer.
                if self.table.has_member(Builtin::MinionDown.name(), &labels) {
                    None
                } else {
                    let summary = format!("{minion} is not connected");
                    Some(Signal::on(rule).about(minion).note("summary", &summary))
                }
            } else {
                Some(Signal::off(rule).about(minion))
            };
            if let Some(signal) = signal {
                self.signal(&signal, now);
            }
        }
        touched
    }

    /// Whether a site is down as a whole.
    fn site(&mut self, site: &str, now: SystemTime) {
        let Some((rule, conf)) = self.book.builtin(Builtin::SiteDown) else { return };
        let health = self.sites.health(site);
        let own = Labels::from([(SITE.to_owned(), site.to_owned())]);
        if !health.is_down() || health.members < conf.count {
            self.signal(&Signal::off(rule).label(SITE, site), now);
        } else if !self.table.has_member(Builtin::SiteDown.name(), &own) {
            let summary = format!("All {} minions of {site} are not connected", health.members);
            let signal = Signal::on(rule).label(SITE, site).at(self.sites.labels(site));
            self.signal(&signal.note("summary", &summary), now);
        }
    }

    fn sites_that_are_no_more(&mut self, now: SystemTime) {
        let Some(rule) = self.book.index(Builtin::SiteDown) else { return };
        let down = self.table.all().filter(|(_, alert)| alert.name() == Builtin::SiteDown.name());
        let of = down.filter_map(|(_, alert)| alert.labels.get(SITE).cloned());
        let gone: Vec<String> = of.filter(|site| self.sites.health(site).members == 0).collect();
        for site in gone {
            self.signal(&Signal::off(rule).label(SITE, site), now);
        }
    }

    /// Whether many sites are down, or silenced.
    fn shares(&mut self, now: SystemTime) {
        self.share_down(now);
        // Only where there are silences is there anything to count.
        if !self.standing.is_empty() {
            self.silenced_share(now);
        }
    }

    /// Whether many sites are down. Whether they are silenced is another matter, which does not change with that.
    fn share_down(&mut self, now: SystemTime) {
        if let Some((rule, conf)) = self.book.builtin(Builtin::TooManySitesDown) {
            let (all, down) = self.sites.count();
            let many = down >= conf.count && down * 100 > conf.share * all;
            let summary = format!("{down} of {all} sites are down");
            let signal = if many { Signal::on(rule).note("summary", &summary) } else { Signal::off(rule) };
            self.signal(&signal, now);
        }
    }
}
