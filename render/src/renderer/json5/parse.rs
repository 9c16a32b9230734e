//! The reader of JSON5. Errors name the farthest place that was reached, as the library's do.

use brine_python::{Dict, Obj, PyErr, R};

/// How deep a text may be nested.
const MAX_DEPTH: usize = 200;

/// Reads a text.
///
/// # Errors
/// `ValueError` with line and column, `RecursionError` for what is nested too deep.
pub(super) fn loads(text: &str) -> R {
    let mut reader = Reader { text: text.chars().collect(), at: 0, depth: 0 };
    reader.space()?;
    let value = reader.value()?;
    reader.space()?;
    if reader.peek().is_some() { Err(reader.unexpected()) } else { Ok(value) }
}

struct Reader {
    text: Vec<char>,
    at: usize,
    depth: usize,
}

impl Reader {
    fn peek(&self) -> Option<char> {
        self.text.get(self.at).copied()
    }

    fn take(&mut self, c: char) -> bool {
        let found = self.peek() == Some(c);
        self.at += usize::from(found);
        found
    }

    /// What is at this place does not belong there.
    fn unexpected(&self) -> PyErr {
        let before = &self.text[..self.at.min(self.text.len())];
        let line = before.iter().filter(|c| **c == '\n').count() + 1;
        let column = before.iter().rev().take_while(|c| **c != '\n').count() + 1;
        let what = self.peek().map_or("end of input".to_owned(), |c| format!("\"{c}\""));
        PyErr::value(format!("<string>:{line} Unexpected {what} at column {column}"))
    }

    fn word(&mut self, word: &str) -> R<()> {
        for c in word.chars() {
            if !self.take(c) {
                return Err(self.unexpected());
            }
        }
        Ok(())
    }

    /// White space and comments.
    fn space(&mut self) -> R<()> {
        loop {
            match self.peek() {
                Some(c) if c.is_whitespace() || c == '\u{feff}' => self.at += 1,
                Some('/') => {
                    self.at += 1;
                    if self.take('/') {
                        while self.peek().is_some_and(|c| !newline(c)) {
                            self.at += 1;
                        }
                        // A comment ends with its line; the end of the text is not one.
                        if self.peek().is_none() {
                            return Err(self.unexpected());
                        }
                    } else if self.take('*') {
                        while !(self.peek() == Some('*') && self.text.get(self.at + 1) == Some(&'/')) {
                            if self.peek().is_none() {
                                return Err(self.unexpected());
                            }
                            self.at += 1;
                        }
                        self.at += 2;
                    } else {
                        return Err(self.unexpected());
                    }
                }
                _ => return Ok(()),
            }
        }
    }

    fn value(&mut self) -> R {
        match self.peek() {
            Some('n') => self.word("null").map(|()| Obj::None),
            Some('t') => self.word("true").map(|()| Obj::Bool(true)),
            Some('f') => self.word("false").map(|()| Obj::Bool(false)),
            Some('{') => self.nested(Self::object),
            Some('[') => self.nested(Self::array),
            Some('"' | '\'') => self.string().map(Obj::from),
            _ => self.number(),
        }
    }

    fn nested(&mut self, read: fn(&mut Self) -> R) -> R {
        self.at += 1;
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(PyErr::recursion(""));
        }
        let value = read(self);
        self.depth -= 1;
        value
    }

    fn array(&mut self) -> R {
        let mut items = Vec::new();
        loop {
            self.space()?;
            if self.take(']') {
                return Ok(Obj::list(items));
            }
            items.push(self.value()?);
            self.space()?;
            if !self.take(',') && self.peek() != Some(']') {
                return Err(self.unexpected());
            }
        }
    }

    fn object(&mut self) -> R {
        let dict = Dict::new();
        loop {
            self.space()?;
            if self.take('}') {
                return Ok(Obj::dict(dict));
            }
            let key = if matches!(self.peek(), Some('"' | '\'')) { self.string()? } else { self.name()? };
            self.space()?;
            if !self.take(':') {
                return Err(self.unexpected());
            }
            self.space()?;
            let value = self.value()?;
            dict.set(key.into(), value)?;
            self.space()?;
            if !self.take(',') && self.peek() != Some('}') {
                return Err(self.unexpected());
            }
        }
    }

    /// A key without quotes.
    fn name(&mut self) -> R<String> {
        let mut name = String::new();
        loop {
            match self.peek() {
                Some('\\') => {
                    self.at += 1;
                    if !self.take('u') {
                        return Err(self.unexpected());
                    }
                    name.push(self.hex(4)?);
                }
                Some(c) if c.is_alphabetic() || matches!(c, '$' | '_') || (!name.is_empty() && inner(c)) => {
                    self.at += 1;
                    name.push(c);
                }
                _ if name.is_empty() => return Err(self.unexpected()),
                _ => return Ok(name),
            }
        }
    }

    fn string(&mut self) -> R<String> {
        let quote = self.peek();
        self.at += 1;
        let mut out = String::new();
        loop {
            match self.peek() {
                None | Some('\n' | '\r') => return Err(self.unexpected()),
                c if c == quote => {
                    self.at += 1;
                    return Ok(out);
                }
                Some('\\') => {
                    self.at += 1;
                    self.escape(&mut out)?;
                }
                Some(c) => {
                    self.at += 1;
                    out.push(c);
                }
            }
        }
    }

    fn escape(&mut self, out: &mut String) -> R<()> {
        let Some(c) = self.peek() else { return Err(self.unexpected()) };
        if c.is_ascii_digit() && c != '0' {
            return Err(self.unexpected());
        }
        self.at += 1;
        out.push(match c {
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\u{b}',
            '0' if self.peek().is_some_and(|c| c.is_ascii_digit()) => return Err(self.unexpected()),
            '0' => '\0',
            'x' => self.hex(2)?,
            'u' => self.hex(4)?,
            '\r' => {
                self.take('\n');
                return Ok(());
            }
            c if newline(c) => return Ok(()),
            c => c,
        });
        Ok(())
    }

    /// A character by its number; two halves of one count as that.
    fn hex(&mut self, digits: usize) -> R<char> {
        let first = self.code(digits)?;
        if (0xd800..0xdc00).contains(&first) && self.text[self.at..].starts_with(&['\\', 'u']) {
            self.at += 2;
            let second = self.code(4)?;
            let both = 0x10000 + ((first - 0xd800) << 10) + second.wrapping_sub(0xdc00);
            return char::from_u32(both)
                .filter(|_| (0xdc00..0xe000).contains(&second))
                .ok_or_else(|| self.half());
        }
        char::from_u32(first).ok_or_else(|| self.half())
    }

    /// Half a character cannot be held.
    fn half(&self) -> PyErr {
        PyErr::value("surrogates are not supported")
    }

    fn code(&mut self, digits: usize) -> R<u32> {
        let mut code = 0;
        for _ in 0..digits {
            let Some(digit) = self.peek().and_then(|c| c.to_digit(16)) else { return Err(self.unexpected()) };
            self.at += 1;
            code = code * 16 + digit;
        }
        Ok(code)
    }

    fn number(&mut self) -> R {
        let negative = !self.take('+') && self.take('-');
        let sign = |x: f64| Obj::Float(if negative { -x } else { x });
        match self.peek() {
            Some('I') => return self.word("Infinity").map(|()| sign(f64::INFINITY)),
            Some('N') => return self.word("NaN").map(|()| sign(f64::NAN)),
            _ => {}
        }
        let mut digits = String::from(if negative { "-" } else { "" });
        let start = self.at;
        if self.take('0') && matches!(self.peek(), Some('x' | 'X')) {
            self.at += 1;
            let first = self.at;
            while let Some(c) = self.peek().filter(char::is_ascii_hexdigit) {
                digits.push(c);
                self.at += 1;
            }
            if self.at == first {
                return Err(self.unexpected());
            }
            return brine_python::int(&digits.into(), Some(&Obj::Int(16)));
        }
        // After a zero comes no digit.
        if self.at == start {
            self.digits();
        }
        let whole = self.at > start;
        let mut float = false;
        if self.take('.') {
            float = true;
            let from = self.at;
            self.digits();
            if !whole && self.at == from {
                return Err(self.unexpected());
            }
        } else if !whole {
            return Err(self.unexpected());
        }
        if matches!(self.peek(), Some('e' | 'E')) {
            float = true;
            self.at += 1;
            if matches!(self.peek(), Some('+' | '-')) {
                self.at += 1;
            }
            self.digits();
        }
        digits.extend(&self.text[start..self.at]);
        let digits = Obj::from(digits);
        if float { brine_python::float(&digits).map(Obj::Float) } else { brine_python::int(&digits, None) }
    }

    fn digits(&mut self) {
        while self.peek().is_some_and(|c| c.is_ascii_digit()) {
            self.at += 1;
        }
    }
}

fn newline(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{2028}' | '\u{2029}')
}

/// What may stand in a bare key, not at its beginning.
fn inner(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '\u{200c}' | '\u{200d}' | '\u{300}'..='\u{36f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Python's json5 0.17 gives for these.
    #[test]
    fn it_reads_what_the_library_reads() {
        let cases = [
            ("{", "<string>:1 Unexpected end of input at column 2"),
            ("{a:1,}", "{'a': 1}"),
            ("[1,,2]", "<string>:1 Unexpected \",\" at column 4"),
            ("{a:1}}", "<string>:1 Unexpected \"}\" at column 6"),
            ("\n\n {a:\"x", "<string>:3 Unexpected end of input at column 7"),
            ("0x1G", "<string>:1 Unexpected \"G\" at column 4"),
            ("+1", "1"),
            (".5", "0.5"),
            ("5.", "5.0"),
            ("-0x10", "-16"),
            ("01", "<string>:1 Unexpected \"1\" at column 2"),
            ("\"\\x41\\u0041\\\n\"", "'AA'"),
            ("-Infinity", "-inf"),
            ("+NaN", "nan"),
            ("{a:1,a:2}", "{'a': 2}"),
            ("tru", "<string>:1 Unexpected end of input at column 4"),
            ("/*", "<string>:1 Unexpected end of input at column 3"),
            ("1e5", "100000.0"),
            ("1e", "could not convert string to float: '1e'"),
            ("{\"a\" 1}", "<string>:1 Unexpected \"1\" at column 6"),
            ("{\\u0061b:1}", "{'ab': 1}"),
            ("12345678901234567890", "12345678901234567890"),
            ("\"a\nb\"", "<string>:1 Unexpected \"\n\" at column 3"),
            ("'it\\'s'", "\"it's\""),
            ("{$a:null,_b:[]} // end\n", "{'$a': None, '_b': []}"),
            ("1 2", "<string>:1 Unexpected \"2\" at column 3"),
            ("\"\\0\"", "'\\x00'"),
            ("- 1", "<string>:1 Unexpected \" \" at column 2"),
            ("0x", "<string>:1 Unexpected end of input at column 3"),
            ("\u{feff}{true:/* c */true}", "{'true': True}"),
        ];
        for (text, expected) in cases {
            let got = match loads(text) {
                Ok(value) => brine_python::repr(&value).unwrap(),
                Err(e) => e.to_string(),
            };
            assert_eq!(got, expected, "{text:?}");
        }
    }

    #[test]
    fn nesting_has_a_bound() {
        assert!(loads(&"[".repeat(1_000_000)).is_err());
    }
}
