//! The text of a crontab: what stands before the line that says that the rest is managed, and the rest. Pure.

use brine_core::text::{python_str, splitlines};
use brine_core::{Map, Value, map};

/// From here on a crontab is managed.
const TAG: &str = "# Lines below here are managed by Salt, do not edit";
/// What stands in front of a job's identifier.
const IDENTIFIER: &str = "SALT_CRON_IDENTIFIER";
/// What stands in front of a job that is switched off.
const DISABLED: &str = "#DISABLED#";

/// A crontab.
#[derive(Default)]
pub(super) struct Tab {
    pre: Vec<String>,
    pub(super) crons: Vec<Map>,
    pub(super) special: Vec<Map>,
    pub(super) env: Vec<(Value, Value)>,
}

impl Tab {
    pub(super) fn parse(text: &str) -> Self {
        let mut tab = Self::default();
        let mut managed = false;
        let (mut comment, mut identifier) = (Value::Nil, Value::Nil);
        for line in splitlines(text, false) {
            if line == TAG {
                managed = true;
                continue;
            }
            if !managed {
                tab.pre.push(line.to_owned());
                continue;
            }
            let (line, commented) = line.strip_prefix(DISABLED).map_or((line, false), |rest| (rest, true));
            if line.starts_with('@') {
                let words: Vec<&str> = line.split_whitespace().collect();
                if words.len() < 2 {
                    continue;
                }
                tab.special.push(map! {
                    "spec" => words[0],
                    "cmd" => words[1..].join(" "),
                    "identifier" => std::mem::take(&mut identifier),
                    "comment" => std::mem::take(&mut comment),
                    "commented" => commented,
                });
            } else if line.starts_with('#') {
                let mut said = line.trim_start_matches(['#', ' ']);
                if let Some((before, after)) = said.split_once(IDENTIFIER) {
                    let after = after.split(IDENTIFIER).next().unwrap_or_default();
                    said = before.trim_end();
                    let mut letters = after.chars();
                    if letters.next().is_some() && !letters.as_str().is_empty() {
                        identifier = letters.as_str().into();
                    }
                }
                comment = match comment {
                    Value::Str(known) => format!("{known}\n{said}").into(),
                    _ => said.into(),
                };
            } else if let Some((name, value)) = variable(line) {
                tab.env.push((name.into(), value.into()));
            } else {
                let words: Vec<&str> = line.split(' ').collect();
                if words.len() > 5 {
                    tab.crons.push(map! {
                        "minute" => words[0],
                        "hour" => words[1],
                        "daymonth" => words[2],
                        "month" => words[3],
                        "dayweek" => words[4],
                        "identifier" => std::mem::take(&mut identifier),
                        "cmd" => words[5..].join(" "),
                        "comment" => std::mem::take(&mut comment),
                        "commented" => commented,
                    });
                }
            }
        }
        tab
    }

    pub(super) fn render(&self) -> String {
        let mut out = String::new();
        for line in &self.pre {
            out += &format!("{line}\n");
        }
        out += &format!("{TAG}\n");
        for (name, value) in &self.env {
            let value = if value.is_nil() || value.as_str() == Some("") { "\"\"".into() } else { python_str(value) };
            out += &format!("{}={value}\n", python_str(name));
        }
        for job in self.crons.iter().chain(&self.special) {
            let text = |key: &str| job.get(key).map(python_str).unwrap_or_default();
            let is_set = |key: &str| job.get(key).is_some_and(|value| !value.is_nil());
            let is_true = |key: &str| job.get(key).is_some_and(Value::truthy);
            let special = job.contains("spec");
            if is_set("comment") || is_set("identifier") {
                out += "#";
                if is_true("comment") {
                    let comment = text("comment");
                    let comment = if special { comment.trim_end() } else { &comment };
                    out += &format!(" {}", comment.replace('\n', "\n# "));
                }
                if is_true("identifier") {
                    out += &format!(" {IDENTIFIER}:{}", text("identifier"));
                }
                out += "\n";
            }
            if job.get("commented") == Some(&true.into()) {
                out += DISABLED;
            }
            let times: &[&str] = if special { &["spec"] } else { &super::TIMES };
            for key in times {
                out += &format!("{} ", text(key));
            }
            out += &format!("{}\n", text("cmd"));
        }
        out
    }
}

/// Name and value of a line that sets a variable.
fn variable(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once('=')?;
    (!name.is_empty() && !name.contains(' ')).then_some((name, value))
}

impl From<Tab> for Map {
    fn from(tab: Tab) -> Self {
        let variable = |(name, value): (Value, Value)| Value::Map(map! { "name" => name, "value" => value });
        map! {
            "pre" => tab.pre,
            "crons" => tab.crons.into_iter().collect::<Value>(),
            "special" => tab.special.into_iter().collect::<Value>(),
            "env" => tab.env.into_iter().map(variable).collect::<Value>(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crontab_is_written_as_it_was_read() {
        let text = "# mine\n1 * * * * a\n# Lines below here are managed by Salt, do not edit\nA=b=c\n# why\n# and SALT_CRON_IDENTIFIER:x y\n\
                    5 * * * 1 echo  two\n#DISABLED#@daily run it\n";
        let tab = Tab::parse(text);
        assert_eq!(tab.pre, ["# mine", "1 * * * * a"]);
        assert_eq!(tab.crons[0].get_str("identifier"), Some("x y"));
        assert_eq!(tab.crons[0].get_str("comment"), Some("why\nand"));
        assert_eq!(tab.special[0].get("commented"), Some(&true.into()));
        assert_eq!(tab.render(), text);
    }
}
