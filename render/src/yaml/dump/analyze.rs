//! Which styles a scalar may be written in.

/// What was found out about a text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Analysis {
    pub(super) multiline: bool,
    pub(super) flow_plain: bool,
    pub(super) block_plain: bool,
    pub(super) single_quoted: bool,
    pub(super) block: bool,
}

/// Whether libyaml or PyYAML's own emitter is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    C,
    Python,
}

impl Manner {
    /// Line ends.
    pub(super) fn is_break(self, c: char) -> bool {
        matches!(c, '\n' | '\u{85}' | '\u{2028}' | '\u{2029}') || c == '\r' && self == Manner::C
    }

    /// What a quoted text may hold as it is, if it may be beyond ASCII at all.
    fn is_printable(self, c: char) -> bool {
        match c {
            '\n' | ' '..='~' | '\u{a0}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}' => true,
            '\u{85}' | '\u{10000}'..='\u{10fffe}' => self == Manner::Python,
            _ => false,
        }
    }

    /// What double quotes hold as it is.
    pub(super) fn is_unescaped(self, c: char, unicode: bool) -> bool {
        match c {
            '"' | '\\' => false,
            ' '..='~' => true,
            '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{10000}'.. => false,
            c => unicode && c != '\n' && self.is_printable(c),
        }
    }
}

fn is_blank_or_end(c: Option<char>) -> bool {
    matches!(c, None | Some('\0' | ' ' | '\t' | '\r' | '\n' | '\u{85}' | '\u{2028}' | '\u{2029}'))
}

/// What most texts are: words without anything that means something to YAML.
fn is_word(text: &str) -> bool {
    let bytes = text.as_bytes();
    let first = bytes.first().is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'/'));
    first
        && bytes
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'/' | b'.' | b'-' | b'+' | b'='))
}

/// Which styles a text may have.
pub(super) fn analyze(text: &str, manner: Manner, unicode: bool) -> Analysis {
    let all = |allowed| Analysis {
        multiline: false,
        flow_plain: allowed,
        block_plain: true,
        single_quoted: true,
        block: allowed,
    };
    if is_word(text) {
        return all(true);
    }
    if text.is_empty() {
        return all(false);
    }
    let marker = text.starts_with("---") || text.starts_with("...");
    let (mut block_indicators, mut flow_indicators) = (marker, marker);
    let (mut breaks, mut special) = (false, false);
    let (mut break_space, mut space_break) = (false, false);
    let (mut after_space, mut after_break, mut after_blank) = (false, false, true);
    let mut chars = text.chars().peekable();
    let mut first = true;
    while let Some(c) = chars.next() {
        let before_blank = is_blank_or_end(chars.peek().copied());
        match c {
            '#' | ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@'
            | '`'
                if first =>
            {
                flow_indicators = true;
                block_indicators = true;
            }
            '?' if first => {
                flow_indicators = true;
                block_indicators |= before_blank;
            }
            '-' if first && before_blank => {
                flow_indicators = true;
                block_indicators = true;
            }
            ',' | '?' | '[' | ']' | '{' | '}' => flow_indicators = true,
            ':' => {
                flow_indicators = true;
                block_indicators |= before_blank;
            }
            '#' if after_blank => {
                flow_indicators = true;
                block_indicators = true;
            }
            _ => {}
        }
        special |= !manner.is_printable(c) || (!unicode && !c.is_ascii());
        let is_break = manner.is_break(c);
        breaks |= is_break;
        break_space |= c == ' ' && after_break;
        space_break |= is_break && after_space;
        (after_space, after_break) = (c == ' ', is_break);
        after_blank = is_blank_or_end(Some(c));
        first = false;
    }
    let edge = |c: Option<char>| c.is_some_and(|c| c == ' ' || manner.is_break(c));
    let plain = !edge(text.chars().next())
        && !edge(text.chars().next_back())
        && !break_space
        && !space_break
        && !special
        && !breaks;
    Analysis {
        multiline: breaks,
        flow_plain: plain && !flow_indicators,
        block_plain: plain && !block_indicators,
        single_quoted: !break_space && !space_break && !special,
        block: !text.ends_with(' ') && !space_break && !special,
    }
}
