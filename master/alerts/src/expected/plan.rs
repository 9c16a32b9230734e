//! Silences for a job, out of what it disturbs where.

use std::collections::{BTreeMap, BTreeSet};

use super::{Conf, Disturbed, Say, Unknown, Words};
use crate::silence::Kind;
use crate::{Labels, Matcher, Op, Silence, SilenceId};

/// Longest expression; more names are silenced by another silence.
const LONGEST: usize = 1500;

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Plan {
    /// These silences are to stand before the job starts.
    Silence(Vec<Silence>),
    /// The job is not to start: of these minions nobody knows what it would disturb.
    Refuse(Vec<String>),
}

/// Where a silence reaches.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    label: String,
    value: String,
}

/// The silences of the job `jid`, set by `author`, for minions of which each has what it disturbs, or nothing where that is not
/// known. `labels` gives the labels of a minion.
pub fn plan(
    conf: &Conf,
    words: &Words,
    (jid, author, comment): (&str, &str, &str),
    minions: &BTreeMap<String, Option<Disturbed>>,
    labels: impl Fn(&str) -> Labels,
) -> Plan {
    if words.silence == Say::Nothing {
        return Plan::Silence(Vec::new());
    }
    let unknown: Vec<String> =
        minions.iter().filter(|(_, d)| d.is_none()).map(|(id, _)| id.clone()).collect();
    if conf.unknown == Unknown::Refuse && !unknown.is_empty() && words.silence != Say::Place {
        return Plan::Refuse(unknown);
    }
    let mut whole: BTreeSet<Place> = BTreeSet::new();
    let mut services: BTreeMap<Place, BTreeSet<&str>> = BTreeMap::new();
    for (minion, disturbed) in minions {
        let own = || Place { label: "minion".into(), value: minion.clone() };
        let site = labels(minion).get(&conf.place).filter(|value| !value.is_empty()).cloned();
        let place = site.map_or_else(own, |value| Place { label: conf.place.clone(), value });
        match disturbed {
            _ if words.silence == Say::Place => {
                whole.insert(place);
            }
            None if conf.unknown == Unknown::Place => {
                whole.insert(place);
            }
            None => {}
            Some(disturbed) => {
                if disturbed.host {
                    whole.insert(own());
                }
                let names = disturbed.services.iter().map(String::as_str);
                services.entry(place).or_default().extend(names);
            }
        }
    }
    let mut all: Vec<(Kind, Vec<Matcher>)> = Vec::new();
    for place in &whole {
        let kind = if place.label == "minion" { Kind::Expected } else { Kind::Place };
        all.extend(is(&place.label, &place.value).map(|place| (kind, vec![place])));
    }
    for (place, names) in &services {
        if !whole.contains(place)
            && let Some(place) = is(&place.label, &place.value)
        {
            all.extend(
                named(names).into_iter().map(|service| (Kind::Expected, vec![place.clone(), service])),
            );
        }
    }
    if let Say::Also(matchers) = &words.silence {
        all.push((Kind::Manual, matchers.clone()));
    }
    let now = crate::clock::now();
    let silence = |(n, (kind, matchers)): (usize, (Kind, Vec<Matcher>))| {
        Some(Silence {
            id: SilenceId::parse(&format!("{jid}-{n}"))?,
            kind,
            matchers,
            starts_at: now,
            ends_at: now + conf.ttl,
            author: author.to_owned(),
            comment: comment.to_owned(),
            job: Some(jid.to_owned()),
            change_id: words.change_id.clone(),
        })
    };
    Plan::Silence(all.into_iter().enumerate().filter_map(silence).collect())
}

/// None where the value is longer than a matcher can be.
fn is(label: &str, value: &str) -> Option<Matcher> {
    Matcher::new(label, Op::Is, value).ok()
}

/// One matcher for a service, or as few expressions as they fit in.
fn named(names: &BTreeSet<&str>) -> Vec<Matcher> {
    let mut out = Vec::new();
    if names.len() == 1 {
        return names.first().and_then(|name| is("service", name)).into_iter().collect();
    }
    let mut text = String::new();
    for name in names {
        let name = regex::escape(name);
        if !text.is_empty() && text.len() + name.len() > LONGEST {
            out.extend(Matcher::new("service", Op::Fits, &text));
            text.clear();
        }
        if !text.is_empty() {
            text.push('|');
        }
        text.push_str(&name);
    }
    if !text.is_empty() {
        out.extend(Matcher::new("service", Op::Fits, &text));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn conf(unknown: Unknown) -> Conf {
        Conf {
            place: "site".into(),
            ttl: Duration::from_secs(300),
            grace: Duration::from_secs(60),
            longest: Duration::from_secs(3600),
            patience: Duration::from_secs(15),
            unknown,
            change_id: None,
        }
    }

    fn some(services: &[&str], host: bool) -> Option<Disturbed> {
        Some(Disturbed { services: services.iter().map(|s| (*s).to_owned()).collect(), host })
    }

    fn made(conf: &Conf, words: &Words, minions: &[(&str, Option<Disturbed>)]) -> Vec<String> {
        let labels = |id: &str| -> Labels {
            let site = id.split_once('-').map(|(site, _)| site.to_owned());
            site.into_iter().map(|site| ("site".to_owned(), site)).collect()
        };
        let minions = minions.iter().map(|(id, d)| ((*id).to_owned(), d.clone())).collect();
        match plan(conf, words, ("20261126000000000000", "ann", ""), &minions, labels) {
            Plan::Silence(all) => all.iter().map(|s| format!("{} {}", s.kind.text(), s.scope())).collect(),
            Plan::Refuse(who) => vec![format!("refuse {}", who.join(" "))],
        }
    }

    #[test]
    fn exactly_the_site_and_the_service() {
        let all = [
            ("akl-1", some(&["nginx"], false)),
            ("akl-2", some(&["nginx"], false)),
            ("wlg-1", some(&["a+b", "nginx"], false)),
            ("alone", some(&["x"], false)),
            ("akl-3", some(&[], false)),
        ];
        assert_eq!(
            made(&conf(Unknown::Place), &Words::default(), &all),
            [
                "expected minion=alone service=x",
                "expected site=akl service=nginx",
                "expected site=wlg service=~a\\+b|nginx"
            ]
        );
    }

    #[test]
    fn a_host_is_silenced_alone_and_what_is_not_known_by_the_place() {
        let all = [("akl-1", some(&["nginx"], true)), ("akl-2", None)];
        let words = Words::default();
        assert_eq!(made(&conf(Unknown::Place), &words, &all), ["expected minion=akl-1", "place site=akl"]);
        assert_eq!(made(&conf(Unknown::Refuse), &words, &all), ["refuse akl-2"]);
        assert_eq!(
            made(&conf(Unknown::Nothing), &words, &all),
            ["expected minion=akl-1", "expected site=akl service=nginx"]
        );
    }

    #[test]
    fn what_is_said_of_a_job_goes_before() {
        let all = [("akl-1", some(&["nginx"], false)), ("akl-2", None)];
        let say = |silence| Words { silence, ..Words::default() };
        assert!(made(&conf(Unknown::Refuse), &say(Say::Nothing), &all).is_empty());
        assert_eq!(made(&conf(Unknown::Refuse), &say(Say::Place), &all), ["place site=akl"]);
        let also = say(Say::Also(vec![Matcher::parse("rack=7").unwrap()]));
        assert_eq!(
            made(&conf(Unknown::Nothing), &also, &all),
            ["expected site=akl service=nginx", "manual rack=7"]
        );
    }

    #[test]
    fn many_services_make_expressions_that_hold_of_each_and_of_no_other() {
        let names: Vec<String> = (0..200).map(|n| format!("service-number.{n}")).collect();
        let disturbed = Some(Disturbed { services: names.iter().cloned().collect(), host: false });
        let minions = BTreeMap::from([("akl-1".to_owned(), disturbed)]);
        let Plan::Silence(all) =
            plan(&conf(Unknown::Place), &Words::default(), ("1", "a", ""), &minions, |_| Labels::new())
        else {
            panic!()
        };
        assert!(all.len() > 1);
        let covers = |name: &str| {
            let labels =
                [("minion", "akl-1"), ("service", name)].map(|(k, v)| (k.to_owned(), v.to_owned())).into();
            all.iter().filter(|silence| silence.covers(&labels)).count()
        };
        assert!(names.iter().all(|name| covers(name) == 1));
        assert_eq!(covers("service-number.200") + covers("service-numberx1") + covers(""), 0);
    }
}
