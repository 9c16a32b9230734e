//! Labels of a minion, out of what is known of it: where it is, and whose.

use brine_core::Value;
use brine_core::text::python_str;

use crate::Labels;
use crate::config::Origin;
use crate::text::tame;

/// The labels of a minion with this pillar and these grains. What is not there, is empty or is no plain value makes no label; a
/// list is its members, with commas.
pub fn labels(origins: &[(String, Origin)], pillar: &Value, grains: &Value) -> Labels {
    let find = |origin: &Origin| match origin {
        Origin::Pillar(path) => at(pillar, path),
        Origin::Grains(path) => at(grains, path),
        Origin::Either(path) => at(pillar, path).or_else(|| at(grains, path)),
    };
    origins.iter().filter_map(|(name, origin)| Some((name.clone(), find(origin)?))).collect()
}

fn at(data: &Value, path: &str) -> Option<String> {
    let found = path.split(':').try_fold(data, |value, key| value.get(key))?;
    let text = match found {
        Value::Str(text) => text.clone(),
        Value::Int(_) | Value::Float(_) | Value::Bool(_) => python_str(found),
        Value::List(all) => {
            let plain = all.iter().filter(|value| !matches!(value, Value::List(_) | Value::Map(_)));
            plain.map(python_str).collect::<Vec<_>>().join(",")
        }
        _ => return None,
    };
    Some(tame(&text)).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::map;

    #[test]
    fn labels_come_from_pillar_and_grains() {
        let pillar: Value = map! {
            "location" => map! {"site" => "akl", "rack" => 7}, "role" => vec!["web", "db"], "customer" => "", "building" => map! {},
        }
        .into();
        let grains: Value = map! {"site" => "liar", "customer" => "acme"}.into();
        let either = |path: &str| Origin::Either(path.into());
        let origins = [
            ("site", either("location:site")),
            ("rack", Origin::Pillar("location:rack".into())),
            ("role", either("role")),
            ("customer", either("customer")),
            ("building", either("building")),
            ("other", Origin::Grains("site".into())),
        ]
        .map(|(name, origin)| (name.to_owned(), origin));
        let labels = labels(&origins, &pillar, &grains);
        let shown: Vec<String> = labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(shown, ["customer=acme", "other=liar", "rack=7", "role=web,db", "site=akl"]);
    }
}
