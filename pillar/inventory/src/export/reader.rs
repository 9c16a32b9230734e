//! Reading values of a snapshot for an export: texts of a kind that fits, or a finding with the place of what does not.

use super::check;
use crate::{Finding, Node, PalletId, Place, Severity, Snapshot};
use std::net::IpAddr;

/// A snapshot that is being read, and what is wrong with it.
pub(crate) struct Reader<'s> {
    pub(crate) snap: &'s Snapshot,
    pub(crate) findings: Vec<Finding>,
}

impl<'s> Reader<'s> {
    pub(crate) fn new(snap: &'s Snapshot) -> Self {
        Self { snap, findings: Vec::new() }
    }

    /// The text at a path of a pallet's view. Empty text is what skeletons have where something is still to be filled in: nothing.
    pub(crate) fn text(&self, id: PalletId, path: &str) -> Option<&'s str> {
        self.snap.view(id).get(path).and_then(Node::str).filter(|t| !t.is_empty())
    }

    /// The same, if it is fit for what it is needed for; else a finding: `what` says what it must be.
    pub(crate) fn fit<T>(
        &mut self,
        id: PalletId,
        path: &str,
        what: &str,
        fits: impl FnOnce(&'s str) -> Option<T>,
    ) -> Option<T> {
        let text = self.text(id, path)?;
        let found = fits(text);
        if found.is_none() {
            self.unfit(id, path, text, what);
        }
        found
    }

    /// A name of the domain name system.
    pub(crate) fn name(&mut self, id: PalletId, path: &str) -> Option<&'s str> {
        self.fit(id, path, "a domain name", |t| check::is_name(t).then_some(t))
    }

    /// The items of a list; one item may stand without a list. Empty ones are left out.
    pub(crate) fn items(&self, id: PalletId, path: &str) -> Vec<&'s Node> {
        let blank = |n: &&Node| n.str() != Some("");
        match self.snap.view(id).get(path) {
            None => Vec::new(),
            Some(Node::List(list)) => list.items().iter().filter(blank).collect(),
            Some(one) => std::iter::once(one).filter(blank).collect(),
        }
    }

    /// The texts of a list, each of which must fit.
    pub(crate) fn texts(
        &mut self,
        id: PalletId,
        path: &str,
        what: &str,
        fits: impl Fn(&str) -> bool,
    ) -> Vec<&'s str> {
        let mut all = Vec::new();
        for item in self.items(id, path) {
            match item.str().filter(|t| fits(t)) {
                Some(text) => all.push(text),
                None => self.unfit(id, path, item.str().unwrap_or("a list or mapping"), what),
            }
        }
        all
    }

    /// Says that a value cannot be used.
    pub(crate) fn unfit(&mut self, id: PalletId, path: &str, value: &str, what: &str) {
        let message = format!("{path} is {}, not {what}", shown(value));
        self.say("unfit-value", Severity::Error, id, path, message);
    }

    /// Says something about the value at a path.
    pub(crate) fn say(
        &mut self,
        code: &'static str,
        severity: Severity,
        id: PalletId,
        path: &str,
        message: String,
    ) {
        let pallet = self.snap.pallet(id);
        let place = self.snap.story(id, path).map(|s| s.winner.place);
        let place = Some(place.unwrap_or_else(|| Place::whole(pallet.path())));
        let pallet = Some((pallet.kind().into(), pallet.full_name().into()));
        self.findings.push(Finding { code, severity, message, place, pallet });
    }
}

/// A value within a message: short, and on one line.
pub(crate) fn shown(value: &str) -> String {
    let cut: String = value.chars().take(60).collect();
    let more = if cut.len() < value.len() { "..." } else { "" };
    format!("{cut:?}{more}")
}

/// An address on a network interface.
#[derive(Clone, Debug)]
pub(crate) struct Interface<'s> {
    pub(crate) id: PalletId,
    pub(crate) address: IpAddr,
    /// The first label, mostly: relative to the domain.
    pub(crate) name: Option<&'s str>,
    /// The whole name, without a dot at its end.
    pub(crate) fqdn: Option<&'s str>,
    /// `52:54:00:12:34:56`.
    pub(crate) mac: Option<String>,
}

/// The kinds of pallets that are an address, with the key that has it.
pub(crate) const INTERFACES: [(&str, &str); 2] =
    [("ipv4_interface", "net.ipv4.address"), ("ipv6_interface", "net.ipv6.address")];

/// The interfaces among some pallets, by address. What has no address is told.
pub(crate) fn interfaces<'s>(
    reader: &mut Reader<'s>,
    among: impl IntoIterator<Item = PalletId>,
) -> Vec<Interface<'s>> {
    let mut all = Vec::new();
    for id in among {
        let kind = reader.snap.pallet(id).kind();
        let Some((kind, key)) = INTERFACES.into_iter().find(|(k, _)| *k == kind) else { continue };
        // The transforms of a warehouse may know nothing of this kind: the name is the address, too.
        let (path, text) = match reader.text(id, key) {
            Some(text) => (key, text),
            None => ("", reader.snap.pallet(id).leaf_name()),
        };
        let v4 = kind == "ipv4_interface";
        let Some(address) = check::address(text).filter(|a| a.is_ipv4() == v4) else {
            let what = if v4 { "an IPv4 address" } else { "an IPv6 address" };
            reader.unfit(id, if path.is_empty() { "the name" } else { path }, text, what);
            continue;
        };
        let mac = reader.fit(id, "net.layer2.address", "a MAC address", |t| check::mac(t, ':'));
        let (name, fqdn) = (reader.name(id, "net.dns.name"), reader.name(id, "net.dns.fqdn"));
        let fqdn = fqdn.map(|n| n.trim_end_matches('.'));
        all.push(Interface { id, address, name, fqdn, mac });
    }
    all.sort_by_key(|i| (i.address.is_ipv6(), i.address));
    all
}
