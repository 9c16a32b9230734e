//! Writes indicators, indentation, and scalars that are plain or quoted.

use super::analyze::Manner;

/// Text that grows, and what must be known of its end.
pub(super) struct Writer {
    pub(super) out: String,
    pub(super) manner: Manner,
    pub(super) unicode: bool,
    pub(super) line_break: &'static str,
    pub(super) best_indent: usize,
    pub(super) width: usize,
    pub(super) column: usize,
    /// Below zero before anything is begun.
    pub(super) indent: isize,
    /// The last character was blank.
    pub(super) whitespace: bool,
    /// So far there is only indentation on the line.
    pub(super) indention: bool,
    /// A block scalar's end may be missed: `...` must follow.
    pub(super) open_ended: bool,
}

impl Writer {
    fn put(&mut self, c: char) {
        self.out.push(c);
        self.column += 1;
    }

    pub(super) fn put_text(&mut self, text: &str) {
        self.out.push_str(text);
        self.column += if text.is_ascii() { text.len() } else { text.chars().count() };
    }

    pub(super) fn line_end(&mut self) {
        self.out.push_str(self.line_break);
        self.column = 0;
        if self.manner == Manner::Python {
            self.whitespace = true;
            self.indention = true;
        }
    }

    /// A line end that is part of a text.
    fn text_break(&mut self, c: char) {
        if c == '\n' {
            self.line_end();
            return;
        }
        self.out.push(c);
        self.column = 0;
        if self.manner == Manner::Python {
            self.whitespace = true;
            self.indention = true;
        }
    }

    pub(super) fn indicator(&mut self, text: &str, need_blank: bool, is_blank: bool, is_indention: bool) {
        if need_blank && !self.whitespace {
            self.put(' ');
        }
        self.put_text(text);
        self.whitespace = is_blank;
        self.indention = self.indention && is_indention;
        if self.manner == Manner::Python {
            self.open_ended = false;
        }
    }

    pub(super) fn write_indent(&mut self) {
        let indent = self.indent.max(0) as usize;
        if !self.indention || self.column > indent || (self.column == indent && !self.whitespace) {
            self.line_end();
        }
        if self.column < indent {
            self.out.extend(std::iter::repeat_n(' ', indent - self.column));
            self.column = indent;
            self.whitespace = true;
        }
        if self.manner == Manner::C {
            self.whitespace = true;
            self.indention = true;
        }
    }

    pub(super) fn plain(&mut self, text: &str, split: bool) {
        if text.is_empty() {
            return;
        }
        if !self.whitespace {
            self.put(' ');
        }
        self.indention = false;
        // A plain scalar has no line ends.
        self.folded_at_spaces(text, split);
        self.whitespace = false;
        self.indention = false;
    }

    /// Text in which a single space may become a line end.
    fn folded_at_spaces(&mut self, text: &str, split: bool) {
        let room = self.width.saturating_sub(self.column);
        if !split || text.len() <= room {
            self.put_text(text);
            return;
        }
        let mut from = 0;
        for (at, _) in text.match_indices(' ') {
            let bytes = text.as_bytes();
            let alone = bytes.get(at + 1) != Some(&b' ') && (at == 0 || bytes[at - 1] != b' ');
            let edge = at == 0 || at + 1 == text.len();
            self.put_text(&text[from..at]);
            from = at;
            if alone && !edge && self.column > self.width {
                self.write_indent();
                from = at + 1;
            }
        }
        self.put_text(&text[from..]);
    }

    pub(super) fn single_quoted(&mut self, text: &str, split: bool) {
        self.indicator("'", true, false, false);
        let manner = self.manner;
        let mut rest = text;
        let mut first = true;
        while !rest.is_empty() {
            let end = rest.find(|c| manner.is_break(c)).unwrap_or(rest.len());
            let (line, after) = rest.split_at(end);
            self.single_line(line, split, first, after.is_empty());
            first = false;
            rest = self.breaks(after, true);
        }
        self.indicator("'", false, false, false);
        self.whitespace = false;
        self.indention = false;
    }

    /// A line within single quotes. At the edges of the whole text nothing is folded.
    fn single_line(&mut self, line: &str, split: bool, first: bool, last: bool) {
        let mut from = 0;
        let bytes = line.as_bytes();
        for (at, c) in line.char_indices().filter(|(_, c)| matches!(c, ' ' | '\'')) {
            if c == '\'' {
                self.put_text(&line[from..=at]);
                self.put('\'');
                from = at + 1;
                continue;
            }
            let alone = bytes.get(at + 1) != Some(&b' ') && (at == 0 || bytes[at - 1] != b' ');
            let edge = first && at == 0 || last && at + 1 == line.len();
            self.put_text(&line[from..at]);
            from = at;
            if split && alone && !edge && self.column > self.width {
                self.write_indent();
                from = at + 1;
            }
        }
        self.put_text(&line[from..]);
        if !line.is_empty() {
            self.indention = false;
        }
    }

    /// Line ends at the start of a text, with an empty line for the first as YAML folds them; then the indentation. Returns the rest.
    pub(super) fn breaks<'t>(&mut self, text: &'t str, doubled: bool) -> &'t str {
        let manner = self.manner;
        let end = text.find(|c| !manner.is_break(c)).unwrap_or(text.len());
        if end == 0 {
            return text;
        }
        if doubled && text.starts_with('\n') {
            self.line_end();
        }
        for c in text[..end].chars() {
            self.text_break(c);
        }
        self.indention = true;
        if doubled {
            self.write_indent();
        }
        &text[end..]
    }

    pub(super) fn double_quoted(&mut self, text: &str, split: bool) {
        self.indicator("\"", true, false, false);
        match self.manner {
            Manner::C => self.double_c(text, split),
            Manner::Python => self.double_python(text, split),
        }
        self.indicator("\"", false, false, false);
        self.whitespace = false;
        self.indention = false;
    }

    fn double_c(&mut self, text: &str, split: bool) {
        let mut after_space = false;
        for (at, c) in text.char_indices() {
            if c == ' ' {
                let edge = at == 0 || at + 1 == text.len();
                if split && !after_space && !edge && self.column > self.width {
                    self.write_indent();
                    if text.as_bytes().get(at + 1) == Some(&b' ') {
                        self.put('\\');
                    }
                } else {
                    self.put(' ');
                }
                after_space = true;
                continue;
            }
            after_space = false;
            if self.manner.is_unescaped(c, self.unicode) {
                self.put(c);
            } else {
                self.put_text(&escaped(c));
            }
        }
    }

    fn double_python(&mut self, text: &str, split: bool) {
        let chars: Vec<char> = text.chars().collect();
        let mut start = 0;
        let piece = |this: &mut Self, from: usize, to: usize| {
            chars[from..to].iter().for_each(|c| this.put(*c));
        };
        for end in 0..=chars.len() {
            let c = chars.get(end).copied();
            if c.is_none_or(|c| !self.manner.is_unescaped(c, self.unicode)) {
                piece(self, start, end);
                start = end;
                if let Some(c) = c {
                    self.put_text(&escaped(c));
                    start = end + 1;
                }
            }
            let inner = end > 0 && end + 1 < chars.len();
            let stop = c == Some(' ') || start >= end;
            let column = (self.column + end).saturating_sub(start);
            if inner && stop && split && column > self.width {
                if start < end {
                    piece(self, start, end);
                    start = end;
                }
                self.put('\\');
                self.write_indent();
                self.whitespace = false;
                self.indention = false;
                if chars.get(start) == Some(&' ') {
                    self.put('\\');
                }
            }
        }
    }
}

/// A character as double quotes hold it.
fn escaped(c: char) -> String {
    let short = match c {
        '\0' => '0',
        '\x07' => 'a',
        '\x08' => 'b',
        '\t' => 't',
        '\n' => 'n',
        '\x0b' => 'v',
        '\x0c' => 'f',
        '\r' => 'r',
        '\x1b' => 'e',
        '"' => '"',
        '\\' => '\\',
        '\u{85}' => 'N',
        '\u{a0}' => '_',
        '\u{2028}' => 'L',
        '\u{2029}' => 'P',
        c => {
            return match u32::from(c) {
                n @ 0..=0xff => format!("\\x{n:02X}"),
                n @ 0x100..=0xffff => format!("\\u{n:04X}"),
                n => format!("\\U{n:08X}"),
            };
        }
    };
    format!("\\{short}")
}
