//! What rules say in Jinja: conditions and texts, over an event. Each is compiled once for a thread and run for many events.

use std::rc::Rc;

use brine_jinja::{Environment, Syntax};
use brine_protocol::Map;
use brine_python::{Dict, Limits, Obj};

use crate::Labels;

/// What one of them may make and do: they are short, and what minions send must not make them long.
const LIMITS: Limits = Limits { bytes: 4 << 20, steps: 100_000 };
/// Characters of a text that is kept.
const LONGEST: usize = 1024;

/// An expression that is true or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expr {
    text: String,
    template: String,
}

impl Expr {
    /// Reads an expression.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn new(text: &str) -> Result<Self, String> {
        // Jinja's own `{{` around it is what people are used to from other files, and there is one meaning only.
        let bare = text.trim();
        let bare = bare.strip_prefix("{{").and_then(|t| t.strip_suffix("}}")).unwrap_or(bare).trim();
        if bare.is_empty() {
            return Err("is empty".into());
        }
        // Nothing but an expression: what would end the tag would be said after it.
        checked(&format!("{{{{ ({bare}) }}}}"))?;
        let template = format!("{{% if ({bare}) %}}1{{% endif %}}");
        checked(&template)?;
        Ok(Self { text: bare.to_owned(), template })
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// A text with expressions in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    text: String,
    plain: bool,
}

impl Text {
    /// Reads a text.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn new(text: &str) -> Result<Self, String> {
        checked(text)?;
        Ok(Self { text: text.to_owned(), plain: !text.contains('{') })
    }
}

/// Whether a template can be compiled, with all filters and tests that it names.
fn checked(text: &str) -> Result<(), String> {
    let tree =
        brine_jinja::parse(text, &Syntax::default()).map_err(|e| format!("is no Jinja: {}", e.message))?;
    drop(tree);
    // What only running shows: that filters and tests exist. Undefined values are none of its business.
    match Runner::new().environment.render(text, &Dict::new(), LIMITS) {
        Err(failure)
            if failure.error.to_string().contains("No filter named")
                || failure.error.to_string().contains("No test named") =>
        {
            Err(format!("is no Jinja: {}", failure.error))
        }
        _ => Ok(()),
    }
}

/// What expressions see of an event.
pub struct Vars(Dict);

impl Vars {
    /// Of an event: `tag`, `data`, `minion`, and `labels`, those of the minion's inventory.
    pub fn new(tag: &str, data: &Map, minion: Option<&str>, labels: &Labels) -> Self {
        let vars = Dict::new();
        vars.set_str("tag", Obj::str(tag));
        vars.set_str("data", Obj::dict(Dict::from(data)));
        vars.set_str("minion", minion.map_or(Obj::None, Obj::str));
        let of = Dict::new();
        for (name, value) in labels {
            of.set_str(name, Obj::str(value));
        }
        vars.set_str("labels", Obj::dict(of));
        Self(vars)
    }
}

/// Runs them, on one thread.
pub struct Runner {
    environment: Rc<Environment>,
}

impl Default for Runner {
    fn default() -> Self {
        Self::new()
    }
}

impl Runner {
    /// A runner for this thread.
    pub fn new() -> Self {
        let mut environment = Environment::new(Syntax::default());
        // `data.return.x.y` of a return that is no dict is not there, which is no error.
        environment.undefined = brine_jinja::Behaviour::Chainable;
        environment.sandboxed = true;
        Self { environment: Rc::new(environment) }
    }

    /// Whether it is true.
    ///
    /// # Errors
    /// Why it cannot be told, in words.
    pub fn holds(&self, expr: &Expr, vars: &Vars) -> Result<bool, String> {
        let done = self.environment.render(&expr.template, &vars.0, LIMITS);
        done.map(|text| !text.is_empty()).map_err(|failure| failure.error.to_string())
    }

    /// The text, in one line of bounded length, without what steers a terminal.
    ///
    /// # Errors
    /// Why there is none, in words.
    pub fn text(&self, text: &Text, vars: &Vars) -> Result<String, String> {
        if text.plain {
            return Ok(tame(&text.text));
        }
        let done = self.environment.render(&text.text, &vars.0, LIMITS);
        done.map(|text| tame(&text)).map_err(|failure| failure.error.to_string())
    }
}

/// A text that strangers may have written, fit for one line.
pub fn tame(text: &str) -> String {
    // At both ends what would be a space is left out.
    let inner = text.trim_matches(|c: char| c.is_whitespace() || c.is_control());
    let tamed = inner.chars().map(|c| if c.is_control() { ' ' } else { c });
    let mut out: String = tamed.take(LONGEST + 1).collect();
    if out.chars().count() > LONGEST {
        out = out.chars().take(LONGEST - 1).collect();
        out.push('\u{2026}');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::map;

    #[test]
    fn conditions_and_texts_see_the_event() {
        let data = map! {"fun" => "test.ping", "retcode" => 2, "return" => map! {"a" => vec![1, 2]}};
        let labels = Labels::from([("site".to_owned(), "akl".to_owned())]);
        let vars = Vars::new("salt/job/1/ret/m1", &data, Some("m1"), &labels);
        let runner = Runner::new();
        for (text, holds) in [
            ("data.retcode != 0", true),
            ("{{ data.retcode == 0 }}", false),
            ("data['return'].a | length == 2", true),
            ("data.nothing.at.all", false),
            ("data.nothing is defined", false),
            ("minion == 'm1' and labels.site == 'akl'", true),
            ("tag.endswith('/m1')", true),
            ("'}}' in tag", false),
        ] {
            assert_eq!(runner.holds(&Expr::new(text).unwrap(), &vars), Ok(holds), "{text}");
        }
        let text = Text::new("{{ data.fun }} failed on {{ minion }}\nwith {{ data.retcode }}").unwrap();
        assert_eq!(runner.text(&text, &vars).unwrap(), "test.ping failed on m1 with 2");
        assert!(runner.holds(&Expr::new("1 / 0").unwrap(), &vars).is_err());
        assert_eq!(tame(&"x".repeat(5000)).chars().count(), LONGEST);
    }

    #[test]
    fn what_is_no_expression_is_refused_at_the_start() {
        for text in
            ["", "data.", "a b", "1) %}x{% if (1", "data | nosuchfilter", "data is nosuchtest", "{% if 1 %}"]
        {
            assert!(Expr::new(text).is_err(), "{text}");
        }
        for text in ["{{ data.", "{{ x | nosuchfilter }}", "{% for %}"] {
            assert!(Text::new(text).is_err(), "{text}");
        }
    }

    #[test]
    fn work_is_bounded() {
        let vars = Vars::new("t", &map! {"n" => 1_000_000_000}, None, &Labels::new());
        let runner = Runner::new();
        assert!(runner.holds(&Expr::new("'x' * data.n").unwrap(), &vars).is_err());
        assert!(runner.holds(&Expr::new("range(data.n) | list").unwrap(), &vars).is_err());
    }
}
