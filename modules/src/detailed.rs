//! Errors that tell more than their message: `CommandExecutionError` with `info`, in stock's words.

use brine_core::Opts;
use brine_core::call::{CallError, Detailed};
use brine_core::{Map, Value, map};
use brine_render::out::{Style, nested};

fn shown(info: &Value) -> String {
    let style = Style::new(&Opts::new(map! {"no_color" => true}), false);
    nested(info, &style).trim_end().to_owned()
}

/// The error of this message with what else is known.
pub(crate) fn error(message: &str, info: Map) -> CallError {
    if info.is_empty() {
        return CallError::execution(message);
    }
    let mut begin = message.to_owned();
    if let Some(last) = message.chars().last() {
        begin.push_str(if ".?!".contains(last) { " " } else { ". " });
    }
    begin.push_str("Additional info follows:\n\n");
    let mut rest = info.clone();
    rest.remove("changes");
    let info = Value::from(info);
    let without_changes =
        if rest.is_empty() { message.to_owned() } else { format!("{begin}{}", shown(&rest.into())) };
    CallError::Detailed(Box::new(Detailed {
        text: format!("{begin}{}", shown(&info)),
        without_changes,
        info,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn details_are_told_as_stock_tells_them() {
        let info = map! {
            "errors" => vec!["E: a\nb"], "changes" => map! {"x" => map! {"old" => "", "new" => "1"}},
        };
        let e = error("Problem encountered installing package(s)", info);
        assert_eq!(
            e.to_string(),
            "Problem encountered installing package(s). Additional info follows:\n\nchanges:\n    ----------\n    x:\n        \
             ----------\n        new:\n            1\n        old:\nerrors:\n    - E: a\n      b"
        );
        let (text, changes) = e.details().unwrap();
        assert_eq!(
            text,
            "Problem encountered installing package(s). Additional info follows:\n\nerrors:\n    - E: a\n      b"
        );
        assert_eq!(changes.as_map().unwrap().len(), 1);
        assert_eq!(error("abc", map! {"changes" => Map::new()}).details().unwrap().0, "abc");
    }
}
