//! Bodies that people write, in Jinja.

use std::path::PathBuf;
use std::rc::Rc;

use brine_core::{Map, Value, map};
use brine_jinja::{Behaviour, Environment, Syntax};
use brine_python::{Dict, Limits};

use super::text::{date, summary};
use crate::Labels;
use crate::conf::{ConfError, Keys};
use crate::queue::Item;

/// What one body may use.
const LIMITS: Limits = Limits { bytes: 16 << 20, steps: 1_000_000 };

/// A template: from the configuration, or from a file, which is read each time.
#[derive(Clone, Debug)]
pub(super) enum Template {
    Text(String),
    File(PathBuf),
}

fn texts(labels: &Labels) -> Value {
    Value::Map(labels.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect())
}

/// A notice, as templates see it.
pub(super) fn seen(item: &Item) -> Map {
    let notice = &item.notice;
    map! {
        "id" => item.id.as_str(), "fingerprint" => notice.fingerprint(), "status" => notice.status.text(),
        "labels" => texts(&notice.labels), "annotations" => texts(&notice.annotations), "summary" => summary(notice),
        "starts_at" => date(notice.starts_at), "ends_at" => notice.ends_at.map_or(Value::Nil, |t| date(t).into()),
    }
}

impl Template {
    /// `template` or `template_file`, if there is one.
    pub(super) fn read(keys: &mut Keys<'_>) -> Result<Option<Self>, ConfError> {
        let template = match (keys.text("template")?, keys.path("template_file")?) {
            (None, None) => return Ok(None),
            (Some(_), Some(_)) => return Err(keys.error("template", "is there beside template_file")),
            (Some(text), None) => Self::Text(text),
            (None, Some(path)) => Self::File(path),
        };
        let text = template.text().map_err(|why| keys.error("template_file", why))?;
        let parsed = brine_jinja::parse(&text, &Syntax::default());
        parsed.map_err(|e| keys.error("template", e.to_string()))?;
        Ok(Some(template))
    }

    fn text(&self) -> Result<String, String> {
        match self {
            Self::Text(text) => Ok(text.clone()),
            Self::File(path) => std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display())),
        }
    }

    /// The body for notices: `alerts` are all, `alert` is the first, `status` is firing if any is.
    pub(super) fn render(&self, items: &[Item]) -> Result<String, String> {
        let alerts: Vec<Map> = items.iter().map(seen).collect();
        let firing = alerts.iter().any(|alert| alert.get_str("status") == Some("firing"));
        let vars = map! {
            "alert" => alerts.first().cloned().unwrap_or_default(),
            "alerts" => alerts.into_iter().map(Value::Map).collect::<Value>(),
            "status" => if firing { "firing" } else { "resolved" },
        };
        let mut env = Environment::new(Syntax::default());
        env.undefined = Behaviour::Strict;
        env.sandboxed = true;
        let failed = |failure: brine_jinja::Failure| format!("the template: {}", failure.error);
        Rc::new(env).render(&self.text()?, &Dict::from(&vars), LIMITS).map_err(failed)
    }
}

#[cfg(test)]
mod tests {
    use super::super::text::tests::item;
    use super::*;
    use crate::Status;

    #[test]
    fn a_template_sees_all_of_the_notices() {
        let items = [
            item(1, Status::Resolved, &[("alertname", "A"), ("site", "\"akl\"")]),
            item(2, Status::Firing, &[("alertname", "B")]),
        ];
        let text = "{{ status }} {{ alert.labels.site | tojson }}{% for a in alerts %} {{ a.id }}/{{ a.summary }}{% endfor %}";
        assert_eq!(
            Template::Text(text.into()).render(&items).unwrap(),
            "firing \"\\\"akl\\\"\" id-1/A site=\"akl\" id-2/B "
        );
        let error = Template::Text("{{ alert.absent }}".into()).render(&items).unwrap_err();
        assert!(error.contains("absent"), "{error}");
    }

    #[test]
    fn a_template_that_is_none_is_refused_at_the_start() {
        let value = Value::Map(map! {"template" => "{% if %}"});
        let error = Template::read(&mut Keys::of(&value, "x").unwrap()).unwrap_err();
        assert_eq!(error.at, "x:template");
    }
}
