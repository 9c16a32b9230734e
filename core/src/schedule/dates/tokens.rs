//! A text cut into words, numbers and single characters, the way dateutil cuts: a dot is part of a number or word until
//! what follows tells otherwise.

#[derive(Clone, Copy, PartialEq)]
enum State {
    Start,
    Word,
    Number,
    WordDot,
    NumberDot,
}

/// The pieces of a text, in order; white space is one space each.
pub(super) fn split(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().filter(|c| *c != '\0').collect();
    let mut out = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        let (token, state, letters, end) = one(&chars, at);
        at = end;
        let dotted = matches!(state, State::WordDot | State::NumberDot);
        let dots = token.matches('.').count();
        if dotted && (letters || dots > 1 || token.ends_with(['.', ','])) {
            push_split(&token, &mut out);
        } else if state == State::NumberDot && dots == 0 {
            out.push(token.replace(',', "."));
        } else {
            out.push(token);
        }
    }
    out
}

fn one(chars: &[char], from: usize) -> (String, State, bool, usize) {
    let (mut token, mut state, mut letters) = (String::new(), State::Start, false);
    let mut at = from;
    while let Some(&c) = chars.get(at) {
        let (word, number) = (c.is_alphabetic(), c.is_numeric());
        let dot_last = token.ends_with('.');
        state = match state {
            State::Start => {
                at += 1;
                if word {
                    token.push(c);
                    State::Word
                } else if number {
                    token.push(c);
                    State::Number
                } else {
                    token.push(if c.is_whitespace() { ' ' } else { c });
                    break;
                }
            }
            State::Word | State::WordDot => {
                letters = true;
                let next = match (c, state) {
                    _ if word => state,
                    ('.', _) => State::WordDot,
                    (_, State::WordDot) if number && dot_last => State::NumberDot,
                    _ => break,
                };
                token.push(c);
                at += 1;
                next
            }
            State::Number | State::NumberDot => {
                let next = match (c, state) {
                    _ if number => state,
                    ('.', _) => State::NumberDot,
                    (',', State::Number) if token.chars().count() >= 2 => State::NumberDot,
                    (_, State::NumberDot) if word && dot_last => State::WordDot,
                    _ => break,
                };
                token.push(c);
                at += 1;
                next
            }
        };
    }
    (token, state, letters, at)
}

/// At each dot and comma; those are pieces too.
fn push_split(token: &str, out: &mut Vec<String>) {
    let mut piece = String::new();
    let mut first = true;
    for c in token.chars() {
        if matches!(c, '.' | ',') {
            // The very first piece counts even if it is empty, as Python's split has it.
            if first || !piece.is_empty() {
                out.push(std::mem::take(&mut piece));
            }
            first = false;
            out.push(c.to_string());
        } else {
            piece.push(c);
        }
    }
    if !piece.is_empty() {
        out.push(piece);
    }
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn pieces_are_dateutils() {
        assert_eq!(split("Sep.20.2009"), ["Sep", ".", "20", ".", "2009"]);
        assert_eq!(split("4:30:21.447"), ["4", ":", "30", ":", "21.447"]);
        assert_eq!(split("5:00pm, Mon"), ["5", ":", "00", "pm", ",", " ", "Mon"]);
        assert_eq!(split("10:00:00,5"), ["10", ":", "00", ":", "00.5"]);
    }
}
