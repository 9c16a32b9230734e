//! Which sinks a notice is meant for.

use brine_core::Value;

use crate::conf::{ConfError, Keys};
use crate::{Labels, Matcher, NOWHERE};

struct Route {
    matchers: Vec<Matcher>,
    sinks: Vec<usize>,
    goes_on: bool,
}

impl Route {
    /// Whether it asks for notices that are to go nowhere.
    fn wants_nowhere(&self) -> bool {
        self.matchers.iter().any(|matcher| matcher.name == NOWHERE.0)
    }
}

/// The routes, in order. Without any, every sink gets everything.
pub(super) struct Routes(Option<Vec<Route>>);

impl Routes {
    /// Reads `routes:`; the sinks are named by their places.
    pub(super) fn read(value: Option<&Value>, sinks: &[&str]) -> Result<Self, ConfError> {
        const AT: &str = "alerts:routes";
        let Some(value) = value else { return Ok(Self(None)) };
        let all = value.as_list().ok_or_else(|| ConfError::new(AT, "has to be a list"))?;
        let route = |(n, value): (usize, &Value)| {
            let mut keys = Keys::of(value, &format!("{AT}:{}", n + 1))?;
            let matchers =
                keys.texts("match")?.iter().map(|text| Matcher::parse(text)).collect::<Result<_, _>>();
            let matchers = matchers.map_err(|e| keys.error("match", e.to_string()))?;
            let named = keys.texts("sinks")?;
            let place = |name: &String| {
                sinks.iter().position(|sink| sink == name).ok_or_else(|| {
                    keys.error("sinks", format!("there is no sink {name:?}; there are {}", sinks.join(", ")))
                })
            };
            let places = named.iter().map(place).collect::<Result<_, _>>()?;
            let goes_on = keys.flag("continue", false)?;
            keys.end()?;
            Ok(Route { matchers, sinks: places, goes_on })
        };
        Ok(Self(Some(all.iter().enumerate().map(route).collect::<Result<_, ConfError>>()?)))
    }

    /// The places of the sinks for these labels, each once. A notice that is to go nowhere is for those that have all, and for
    /// whoever asks for such by name.
    pub(super) fn meant(&self, labels: &Labels, sinks: usize, has_all: impl Fn(usize) -> bool) -> Vec<usize> {
        let nowhere = labels.get(NOWHERE.0).is_some_and(|value| value == NOWHERE.1);
        let mut meant = vec![false; sinks];
        match &self.0 {
            None => meant.iter_mut().enumerate().for_each(|(at, place)| *place = !nowhere || has_all(at)),
            Some(routes) => {
                for route in routes {
                    if nowhere && !route.wants_nowhere() || !route.matchers.iter().all(|m| m.holds(labels)) {
                        continue;
                    }
                    route.sinks.iter().for_each(|at| meant[*at] = true);
                    if !route.goes_on {
                        break;
                    }
                }
                if nowhere {
                    meant.iter_mut().enumerate().for_each(|(at, place)| *place |= has_all(at));
                }
            }
        }
        meant.iter().enumerate().filter_map(|(at, meant)| meant.then_some(at)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::map;

    fn labels(pairs: &[(&str, &str)]) -> Labels {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn routes(all: Vec<brine_core::Map>) -> Result<Routes, ConfError> {
        let all: Value = all.into_iter().map(Value::Map).collect();
        Routes::read(Some(&all), &["pager", "mail", "log"])
    }

    #[test]
    fn the_first_route_that_fits_counts_unless_it_goes_on() {
        let routes = routes(vec![
            map! {"sinks" => vec!["log"], "continue" => true},
            map! {"match" => vec!["severity=critical", "site!=lab"], "sinks" => vec!["pager", "mail"]},
            map! {"match" => "severity=~(warning|info)", "sinks" => "mail"},
            map! {"match" => vec!["route=none"], "sinks" => vec!["log"]},
        ])
        .unwrap();
        let meant = |pairs: &[(&str, &str)]| routes.meant(&labels(pairs), 3, |at| at == 0);
        assert_eq!(meant(&[("severity", "critical"), ("site", "akl")]), [0, 1, 2]);
        assert_eq!(meant(&[("severity", "critical"), ("site", "lab")]), [2]);
        assert_eq!(meant(&[("severity", "info")]), [1, 2]);
        assert_eq!(meant(&[("severity", "critical"), ("route", "none")]), [0, 2]);
    }

    #[test]
    fn without_routes_all_get_all_but_what_goes_nowhere() {
        let routes = Routes::read(None, &["a", "b"]).unwrap();
        assert_eq!(routes.meant(&labels(&[]), 2, |_| false), [0, 1]);
        assert_eq!(routes.meant(&labels(&[("route", "none")]), 2, |at| at == 1), [1]);
    }

    #[test]
    fn a_route_that_is_none_is_refused_by_number() {
        let error = |map| routes(vec![map! {"sinks" => "log"}, map]).err().unwrap().to_string();
        assert!(
            error(map! {"sinks" => "pgaer"}).starts_with("alerts:routes:2:sinks: there is no sink \"pgaer\"")
        );
        assert!(error(map! {"match" => "severity"}).starts_with("alerts:routes:2:match: "));
        assert!(error(map! {"sink" => "log"}).starts_with("alerts:routes:2:sink: is not known"));
    }
}
