//! `urlize`: links out of addresses in text.

use super::args::filter_error;
use super::html::not_text;
use crate::env::State;
use crate::markup::{Markup, escape};
use brine_python::{
    Args, Cmp, Obj, PyErr, R, Signature, call_method, compare, is_alnum, is_decimal, is_space, need_bytes,
    take_steps, truth,
};
use fancy_regex::Regex;
use std::collections::BTreeSet;
use std::sync::OnceLock;

/// What an address begins with, and what it may be. Text is matched by kinds of characters, see [`kinds`].
const WEB: &str = r"^(?:(?:https?://|www\.)(?:(?:[w%-]+\.)+)?(?:[a-z]{2,63}|xn--[w%]{2,59})|(?:[w%-]{2,63}\.)+(?:com|net|int|edu|gov|org|info|mil)|https?://(?:[0-9]{1,3}(?:\.[0-9]{1,3}){3}|\[(?:[0-9a-f]{0,4}:){2}(?:[0-9a-f]{0,4}:?){1,6}\]))(?::[0-9]{1,5})?(?:[/?#][^ ]*)?$";
const MAIL: &str = r"^[^ ]+@w[w.-]*\.w+$";

fn pattern(of: &'static OnceLock<Option<Regex>>, text: &str) -> Option<&'static Regex> {
    // A word character is a letter, a digit, `_`, or any that stands for the rest.
    let classes =
        text.replace("[w", "[a-z0-9_W").replace("@w", "@[a-z0-9_W]").replace(r"\.w", r"\.[a-z0-9_W]");
    of.get_or_init(|| Regex::new(&classes).ok()).as_ref()
}

fn matches(of: &'static OnceLock<Option<Regex>>, text: &str, kinds: &str) -> bool {
    pattern(of, text).is_some_and(|regex| regex.is_match(kinds).unwrap_or(false))
}

fn is_web(kinds: &str) -> bool {
    static REGEX: OnceLock<Option<Regex>> = OnceLock::new();
    matches(&REGEX, WEB, kinds)
}

fn is_mail(kinds: &str) -> bool {
    static REGEX: OnceLock<Option<Regex>> = OnceLock::new();
    matches(&REGEX, MAIL, kinds)
}

/// Each character as one of ASCII that Python's patterns treat alike, whatever its case.
fn kinds(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\u{130}' | '\u{131}' => 'i',
            '\u{17f}' => 's',
            '\u{212a}' => 'k',
            c if is_space(c) => ' ',
            c if c.is_ascii() => c.to_ascii_lowercase(),
            c if is_decimal(c) => '0',
            c if is_alnum(c) => 'W',
            _ => '\x01',
        })
        .collect()
}

/// The attributes that links get, and how they are shown.
struct Links<'a> {
    limit: Option<&'a Obj>,
    attributes: String,
    schemes: Option<Obj>,
}

pub(super) fn urlize(state: &State, args: &Args) -> R {
    const S: Signature = Signature::new(
        "do_urlize",
        1,
        &["eval_ctx", "value", "trim_url_limit", "nofollow", "target", "rel", "extra_schemes"],
        2,
    );
    let args = S.bind(args)?;
    let mut rel = BTreeSet::from(["noopener".to_owned()]);
    if let Some(given) = args.get(4)
        && truth(given)?
    {
        let words = call_method(given, "split", &Args::default())?.items()?;
        for word in &words {
            let word = word.as_str().ok_or_else(|| {
                let of = word.type_name();
                PyErr::ty(format!("'<' not supported between instances of '{of}' and 'str'"))
            })?;
            rel.insert(word.to_owned());
        }
    }
    if args.truth(2, false)? {
        rel.insert("nofollow".into());
    }
    let rel = rel.into_iter().collect::<Vec<_>>().join(" ");
    let schemes = args.some(5).cloned();
    if let Some(schemes) = &schemes {
        let iter = schemes.iter()?;
        while let Some(scheme) = iter.next()? {
            if !is_scheme(scheme.as_str().ok_or_else(|| not_text(&scheme))?) {
                let scheme = brine_python::repr(&scheme)?;
                return Err(filter_error(format!("{scheme} is not a valid URI scheme prefix.")));
            }
        }
    }
    let text = escape(args.at(0))?;
    let mut attributes = format!(" rel=\"{}\"", brine_python::str(&escape(&rel.into())?)?);
    if let Some(target) = args.some(3)
        && truth(target)?
    {
        attributes += &format!(" target=\"{}\"", brine_python::str(&escape(target)?)?);
    }
    let links = Links { limit: args.some(1), attributes, schemes };
    let mut out = String::new();
    let mut rest = text.as_str().unwrap_or_default();
    while !rest.is_empty() {
        let end = rest.find(is_space).unwrap_or(rest.len());
        let word = links.word(&rest[..end])?;
        need_bytes(word.len())?;
        out.push_str(&word);
        rest = &rest[end..];
        let end = rest.find(|c| !is_space(c)).unwrap_or(rest.len());
        out.push_str(&rest[..end]);
        rest = &rest[end..];
    }
    Ok(if state.autoescape { Markup::new(out) } else { out.into() })
}

/// `[\w.+-]{2,}:(/){0,2}`.
fn is_scheme(text: &str) -> bool {
    let Some((name, slashes)) = text.rsplit_once(':') else { return false };
    name.chars().count() >= 2
        && name.chars().all(|c| is_alnum(c) || matches!(c, '_' | '.' | '+' | '-'))
        && matches!(slashes, "" | "/" | "//")
}

/// What stands before an address: brackets.
fn head(text: &str) -> usize {
    let mut rest = text;
    while let Some(after) = ["(", "<", "&lt;"].iter().find_map(|mark| rest.strip_prefix(mark)) {
        rest = after;
    }
    text.len() - rest.len()
}

/// Where what stands behind an address begins: brackets and stops.
fn tail(text: &str) -> usize {
    let mut rest = text;
    while let Some(before) =
        [")", ">", ".", ",", "\n", "&gt;"].iter().find_map(|mark| rest.strip_suffix(mark))
    {
        rest = before;
    }
    rest.len()
}

impl Links<'_> {
    /// The address as it is shown.
    fn shown(&self, text: &str) -> R<String> {
        let Some(limit) = self.limit else { return Ok(text.into()) };
        if !compare(Cmp::Gt, &text.chars().count().into(), limit)? {
            return Ok(text.into());
        }
        let cut = brine_python::slice(&text.into(), &Obj::None, limit, &Obj::None)?;
        Ok(format!("{}...", cut.as_str().unwrap_or_default()))
    }

    fn word(&self, word: &str) -> R<String> {
        take_steps(1)?;
        let (head, rest) = word.split_at(head(word));
        let (middle, tail) = rest.split_at(tail(rest));
        let (mut middle, mut tail) = (middle.to_owned(), tail.to_owned());
        for (open, close) in [("(", ")"), ("<", ">"), ("&lt;", "&gt;")] {
            let opened = middle.matches(open).count();
            if opened <= middle.matches(close).count() {
                continue;
            }
            // As many as possible come back, with all that stands before them.
            let moved = opened.min(tail.matches(close).count());
            if let Some(last) = moved.checked_sub(1)
                && let Some((at, _)) = tail.match_indices(close).nth(last)
            {
                let end = at + close.len();
                middle.push_str(&tail[..end]);
                tail.replace_range(..end, "");
            }
        }
        Ok(format!("{head}{}{tail}", self.link(middle)?))
    }

    fn link(&self, mut middle: String) -> R<String> {
        let attributes = &self.attributes;
        let seen = kinds(&middle);
        if is_web(&seen) {
            let shown = self.shown(&middle)?;
            let scheme =
                if middle.starts_with("https://") || middle.starts_with("http://") { "" } else { "https://" };
            return Ok(format!("<a href=\"{scheme}{middle}\"{attributes}>{shown}</a>"));
        }
        if let Some(address) = middle.strip_prefix("mailto:")
            && is_mail(&kinds(address))
        {
            return Ok(format!("<a href=\"{middle}\">{address}</a>"));
        }
        let mail = middle.contains('@')
            && !middle.starts_with("www.")
            && !middle.starts_with('@')
            && !middle.contains(':')
            && is_mail(&seen);
        if mail {
            return Ok(format!("<a href=\"mailto:{middle}\">{middle}</a>"));
        }
        if let Some(schemes) = &self.schemes {
            let schemes = schemes.iter()?;
            while let Some(scheme) = schemes.next()? {
                let scheme = scheme.as_str().unwrap_or_default();
                if middle != scheme && middle.starts_with(scheme) {
                    middle = format!("<a href=\"{middle}\"{attributes}>{middle}</a>");
                }
            }
        }
        Ok(middle)
    }
}
