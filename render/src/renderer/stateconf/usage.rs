//! The words after `stateconf`: options, then a data and a template renderer.

use super::super::render_error;
use super::{Part, part};
use brine_python::{Kind, PyErr, R};

/// What stock says to other words.
const USAGE: &str = "Invalid use of stateconf.py renderer!
Usage: #!stateconf.py [-GoSp] [<data_renderer> [options] . <template_renderer> [options]]

where an example <data_renderer> would be yaml and a <template_renderer> might
be jinja. Each renderer can be passed its renderer specific options.

Options(for this renderer):

  -G   Do not generate the goal state that requires all other states in the sls.

  -o   Indirectly order the states by adding requires such that they will be
       executed in the order they are defined in the sls. Implies using yaml -o.

  -s   Generate the start state that gets inserted as the first state in
       the sls. This only makes sense if your high state data dict is ordered.

  -p   Assume high state input. This option allows you to pipe high state data
       through this renderer. With this option, the use of stateconf.set state
       in the sls will have no effect, but other features of the renderer still
       apply.

  ";

/// The letters of the options, and the words that follow.
///
/// # Errors
/// `GetoptError` for others.
pub(super) fn options(argline: &str) -> R<(String, String)> {
    let unknown =
        |option: &str| PyErr::new(Kind::Other("GetoptError"), format!("option {option} not recognized"));
    let mut words = argline.split_whitespace().peekable();
    let mut letters = String::new();
    while let Some(word) = words.next_if(|word| word.starts_with('-') && *word != "-") {
        if word == "--" {
            break;
        }
        if let Some(long) = word.strip_prefix("--") {
            return Err(unknown(&format!("--{}", long.split('=').next().unwrap_or(long))));
        }
        for letter in word[1..].chars() {
            if !"Gosp".contains(letter) {
                return Err(unknown(&format!("-{letter}")));
            }
            letters.push(letter);
        }
    }
    let rest: Vec<&str> = words.collect();
    Ok((letters, if rest.is_empty() { "yaml . jinja".into() } else { rest.join(" ") }))
}

/// The data renderer and the template renderer.
///
/// # Errors
/// `SaltRenderError`: one is unknown, the second is missing, or the order cannot be kept.
pub(super) fn parts(words: &str, implicit: bool) -> R<(Part, Part)> {
    let (data, template) = match words.split_once(" . ") {
        Some((data, template)) => (data, Some(template)),
        None => (words, None),
    };
    let clean = |words: &str| words.trim().replace("\\.", ".");
    let mut data = part(&clean(data))?;
    if implicit {
        if data.renderer.name != "yaml" {
            let text = "Implicit ordering is only supported if the yaml renderer is used!";
            return Err(render_error(text));
        }
        data.argline.insert_str(0, "-o ");
    }
    let template = template.ok_or_else(|| render_error(USAGE))?;
    Ok((data, part(&clean(template))?))
}
