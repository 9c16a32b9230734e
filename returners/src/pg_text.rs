//! Values as psycopg2 puts them into columns of text.

use brine_core::Value;
use brine_core::text::python_str;

/// A boolean is `true` or `false` there, a list an array's text.
pub(crate) fn text(value: &Value) -> String {
    match value {
        Value::Bool(b) => b.to_string(),
        Value::List(list) => {
            let members: Vec<_> = list.iter().map(|member| quoted(&python_str(member))).collect();
            format!("{{{}}}", members.join(","))
        }
        other => python_str(other),
    }
}

fn quoted(member: &str) -> String {
    let special = |c: char| c.is_whitespace() || matches!(c, '{' | '}' | ',' | '"' | '\\');
    if member.is_empty() || member.eq_ignore_ascii_case("null") || member.contains(special) {
        format!("\"{}\"", member.replace('\\', "\\\\").replace('"', "\\\""))
    } else {
        member.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_and_booleans_have_the_databases_form() {
        assert_eq!(text(&false.into()), "false");
        assert_eq!(text(&vec!["test.ping", "a b", ""].into()), r#"{test.ping,"a b",""}"#);
        assert_eq!(text(&5.into()), "5");
    }
}
