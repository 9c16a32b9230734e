//! Prometheus' text format.

use std::fmt::{Display, Write as _};

use super::number::{BOUNDS, Histogram};

/// The text, as it grows.
#[derive(Debug, Default)]
pub(super) struct Text(String);

/// What a metric is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    /// It only grows.
    Counter,
    /// It goes up and down.
    Gauge,
}

/// Names of labels and their values.
pub(super) type Labels<'a> = &'a [(&'a str, &'a str)];

impl Text {
    fn head(&mut self, name: &str, help: &str, kind: &str) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn line(&mut self, name: &str, labels: Labels<'_>, value: impl Display) {
        self.0.push_str(name);
        for (n, (label, text)) in labels.iter().enumerate() {
            let _ = write!(self.0, "{}{label}=\"", if n == 0 { "{" } else { "," });
            for c in text.chars() {
                match c {
                    '\\' => self.0.push_str("\\\\"),
                    '"' => self.0.push_str("\\\""),
                    '\n' => self.0.push_str("\\n"),
                    c => self.0.push(c),
                }
            }
            self.0.push('"');
        }
        let _ = writeln!(self.0, "{}{value}", if labels.is_empty() { " " } else { "} " });
    }

    /// A metric of one number.
    pub(super) fn one(&mut self, of: Of, name: &str, help: &str, value: impl Display) {
        self.all(of, name, help, [(&[] as Labels<'_>, value)]);
    }

    /// A metric with labels. The order is the caller's.
    pub(super) fn all<'a, L: AsRef<[(&'a str, &'a str)]>, V: Display>(
        &mut self,
        of: Of,
        name: &str,
        help: &str,
        rows: impl IntoIterator<Item = (L, V)>,
    ) {
        self.head(name, help, if of == Of::Counter { "counter" } else { "gauge" });
        rows.into_iter().for_each(|(labels, value)| self.line(name, labels.as_ref(), value));
    }

    /// How long things took, by one label.
    pub(super) fn histograms<'a, L: AsRef<[(&'a str, &'a str)]>>(
        &mut self,
        name: &str,
        help: &str,
        rows: impl IntoIterator<Item = (L, &'a Histogram)>,
    ) {
        self.head(name, help, "histogram");
        for (labels, histogram) in rows {
            let (labels, (classes, seconds)) = (labels.as_ref(), histogram.get());
            let mut bucket = |bound: &str, count: u64| {
                let with: Vec<(&str, &str)> = labels.iter().copied().chain([("le", bound)]).collect();
                self.line(&format!("{name}_bucket"), &with, count);
            };
            for (bound, count) in BOUNDS.iter().zip(classes) {
                #[allow(clippy::cast_precision_loss, reason = "bounds are small")]
                let bound = *bound as f64 / 1000.0;
                bucket(&bound.to_string(), count);
            }
            let all = classes[BOUNDS.len()];
            bucket("+Inf", all);
            self.line(&format!("{name}_sum"), labels, seconds);
            self.line(&format!("{name}_count"), labels, all);
        }
    }

    /// The text.
    pub(super) fn done(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn the_format_is_prometheus() {
        let mut text = Text::default();
        text.one(Of::Gauge, "brine_a", "A number.", 1.5);
        text.all(Of::Counter, "brine_b_total", "More.", [(&[("x", "a\"\\\nb"), ("y", "")] as Labels<'_>, 2)]);
        let histogram = Histogram::default();
        histogram.note(Duration::from_millis(40));
        text.histograms("brine_c_seconds", "Time.", [(&[("k", "v")] as Labels<'_>, &histogram)]);
        let text = text.done();
        assert!(text.starts_with("# HELP brine_a A number.\n# TYPE brine_a gauge\nbrine_a 1.5\n"), "{text}");
        assert!(text.contains("\nbrine_b_total{x=\"a\\\"\\\\\\nb\",y=\"\"} 2\n"), "{text}");
        for line in [
            "brine_c_seconds_bucket{k=\"v\",le=\"0.03\"} 0",
            "brine_c_seconds_bucket{k=\"v\",le=\"0.1\"} 1",
            "brine_c_seconds_bucket{k=\"v\",le=\"+Inf\"} 1",
            "brine_c_seconds_sum{k=\"v\"} 0.04",
            "brine_c_seconds_count{k=\"v\"} 1",
        ] {
            assert!(text.contains(line), "{line} is not in {text}");
        }
    }
}
