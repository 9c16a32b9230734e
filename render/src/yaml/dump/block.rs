//! Writes block scalars, literal and folded.

use super::analyze::Manner;
use super::write::Writer;

impl Writer {
    /// What follows the indicator of a block scalar.
    fn hints(&mut self, text: &str) -> String {
        let manner = self.manner;
        let mut hints = String::new();
        if text.starts_with(|c| c == ' ' || manner.is_break(c)) {
            hints.push_str(&self.best_indent.to_string());
        }
        let mut end = text.chars().rev();
        self.open_ended = false;
        if !end.next().is_some_and(|c| manner.is_break(c)) {
            hints.push('-');
        } else if end.next().is_none_or(|c| manner.is_break(c)) {
            hints.push('+');
        }
        hints
    }

    fn block_head(&mut self, indicator: char, text: &str) {
        let hints = self.hints(text);
        self.indicator(&format!("{indicator}{hints}"), true, false, false);
        self.open_ended = hints.ends_with('+');
        self.line_end();
        self.whitespace = true;
        self.indention = true;
    }

    pub(super) fn literal(&mut self, text: &str) {
        self.block_head('|', text);
        let manner = self.manner;
        let mut rest = self.breaks(text, false);
        while !rest.is_empty() {
            let end = rest.find(|c| manner.is_break(c)).unwrap_or(rest.len());
            self.write_indent();
            self.put_text(&rest[..end]);
            self.indention = false;
            rest = self.breaks(&rest[end..], false);
        }
        if manner == Manner::Python && !text.ends_with(|c| manner.is_break(c)) {
            self.line_end();
        }
    }

    pub(super) fn folded(&mut self, text: &str) {
        self.block_head('>', text);
        let manner = self.manner;
        let mut rest = self.breaks(text, false);
        while !rest.is_empty() {
            let end = rest.find(|c| manner.is_break(c)).unwrap_or(rest.len());
            let (line, after) = rest.split_at(end);
            self.write_indent();
            let leading = line.starts_with(' ') || manner == Manner::C && line.starts_with('\t');
            // The first character of a line is never where it is folded.
            self.folded_line(line);
            self.indention = false;
            if after.starts_with('\n') && !leading {
                let next = after.chars().find(|c| !manner.is_break(*c));
                let folds = match manner {
                    Manner::C => !is_blank_or_nul(next),
                    Manner::Python => next.is_some_and(|c| c != ' '),
                };
                if folds {
                    self.line_end();
                }
            }
            rest = self.breaks(after, false);
        }
        if manner == Manner::Python && !text.ends_with(|c| manner.is_break(c)) {
            self.line_end();
        }
    }

    fn folded_line(&mut self, line: &str) {
        let mut from = 0;
        let bytes = line.as_bytes();
        for (at, _) in line.match_indices(' ') {
            let next_blank = bytes.get(at + 1) == Some(&b' ');
            let alone = !next_blank && (self.manner == Manner::C || at == 0 || bytes[at - 1] != b' ');
            self.put_text(&line[from..at]);
            from = at;
            if (at > 0 || self.manner == Manner::Python) && alone && self.column > self.width {
                self.write_indent();
                from = at + 1;
            }
        }
        self.put_text(&line[from..]);
    }
}

fn is_blank_or_nul(c: Option<char>) -> bool {
    matches!(c, None | Some(' ' | '\t' | '\0' | '\r' | '\n' | '\u{85}' | '\u{2028}' | '\u{2029}'))
}
