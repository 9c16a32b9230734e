//! In which style a scalar is written, with which tag, and whether it is a simple key.

use super::Style;
use super::analyze::{Analysis, Manner};
use super::emit::{Emitter, Place};
use super::represent::Scalar;

impl Emitter<'_> {
    pub(super) fn is_simple(&self, scalar: &Scalar<'_>, analysis: Analysis) -> bool {
        if analysis.multiline || self.options.canonical && self.flow > 0 {
            return false;
        }
        match self.w.manner {
            Manner::C => {
                let tagged = !scalar.plain_implicit && !scalar.quoted_implicit || self.options.canonical;
                let tag = if tagged { scalar.tag.short().len() } else { 0 };
                tag + scalar.text.len() <= 128
            }
            Manner::Python => {
                let tag = scalar.tag.short().len();
                !scalar.text.is_empty() && tag + scalar.text.chars().count() < 128
            }
        }
    }

    pub(super) fn style_c(
        &self,
        scalar: &Scalar<'_>,
        analysis: Analysis,
        place: Place,
    ) -> (Option<Style>, Option<&'static str>) {
        let tagged = !scalar.plain_implicit && !scalar.quoted_implicit || self.options.canonical;
        let mut style = scalar.style;
        if self.options.canonical || place.simple_key && analysis.multiline {
            style = Some(Style::DoubleQuoted);
        }
        if style.is_none() {
            let allowed = if self.flow > 0 { analysis.flow_plain } else { analysis.block_plain };
            let empty = scalar.text.is_empty() && (self.flow > 0 || place.simple_key);
            if !allowed || empty || !tagged && !scalar.plain_implicit {
                style = Some(Style::SingleQuoted);
            }
        }
        if style == Some(Style::SingleQuoted) && !analysis.single_quoted {
            style = Some(Style::DoubleQuoted);
        }
        if matches!(style, Some(Style::Literal | Style::Folded))
            && (!analysis.block || self.flow > 0 || place.simple_key)
        {
            style = Some(Style::DoubleQuoted);
        }
        let tag = if tagged {
            Some(scalar.tag.short())
        } else if !scalar.quoted_implicit && style.is_some() {
            Some("!")
        } else {
            None
        };
        (style, tag)
    }

    pub(super) fn style_python(
        &self,
        scalar: &Scalar<'_>,
        analysis: Analysis,
        place: Place,
    ) -> (Option<Style>, Option<&'static str>) {
        let simple = place.simple_key;
        let plain = scalar.style.is_none()
            && scalar.plain_implicit
            && !(simple && (scalar.text.is_empty() || analysis.multiline))
            && if self.flow > 0 { analysis.flow_plain } else { analysis.block_plain };
        let style = match scalar.style {
            _ if self.options.canonical => Some(Style::DoubleQuoted),
            Some(Style::DoubleQuoted) => Some(Style::DoubleQuoted),
            _ if plain => None,
            Some(block @ (Style::Literal | Style::Folded)) if self.flow == 0 && !simple && analysis.block => {
                Some(block)
            }
            None | Some(Style::SingleQuoted) if analysis.single_quoted && !(simple && analysis.multiline) => {
                Some(Style::SingleQuoted)
            }
            _ => Some(Style::DoubleQuoted),
        };
        let implicit = if style.is_none() { scalar.plain_implicit } else { scalar.quoted_implicit };
        (style, (!implicit || self.options.canonical).then(|| scalar.tag.short()))
    }
}
