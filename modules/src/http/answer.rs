//! What a web server answered, and what of it was asked for.

use brine_core::call::{CallError, Given, Result};
use brine_core::text::python_str;
use brine_core::{Map, Value};
use brine_dial::http::Stream;
use std::io::Read;

/// What is asked of an answer.
pub(super) struct Wanted {
    status: bool,
    headers: bool,
    text: bool,
    decode: bool,
    kind: String,
    raise: bool,
    as_text: bool,
    text_out: Option<String>,
    headers_out: Option<String>,
    decode_out: Option<String>,
}

/// What comes of a question without an answer. Stock shows Python's texts.
pub(super) fn failed(mut answer: Map, error: &str, wanted: &Wanted) -> Map {
    let code = error.rsplit_once("(os error ").and_then(|(before, code)| {
        let text = before.trim_end().rsplit(": ").next()?;
        Some(format!("[Errno {}] {text}", code.trim_end_matches(')')))
    });
    let unknown_host = error.contains("failed to lookup address") || error.contains("host not found");
    if error.contains("timeout") {
        let when = if error.contains("connect") { "while connecting" } else { "during request" };
        answer.insert("status", 599);
        answer.insert("error", format!("HTTP 599: Timeout {when}"));
        return answer;
    }
    if wanted.status {
        answer.insert("status", 0);
    }
    answer.insert(
        "error",
        match code {
            Some(text) => text,
            None if unknown_host => "[Errno -2] Name or service not known".to_owned(),
            None => error.to_owned(),
        },
    );
    answer
}

/// `content-type` as stock's library writes names of headers.
fn written(name: &str) -> String {
    let parts = name.split('-').map(|part| {
        let mut letters = part.chars();
        let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
        first + &letters.as_str().to_lowercase()
    });
    parts.collect::<Vec<_>>().join("-")
}

impl Wanted {
    pub(super) fn new(given: &Given) -> Self {
        let is = |key: &str| given.get(key) == Some(&Value::Bool(true));
        let unless_false = |key: &str| given.get(key).is_none_or(Value::truthy);
        Self {
            status: is("status"),
            headers: is("headers"),
            text: is("text"),
            decode: is("decode"),
            kind: given.text("decode_type").unwrap_or_else(|| "auto".into()),
            raise: unless_false("raise_error"),
            as_text: unless_false("decode_body"),
            text_out: given.text("text_out"),
            headers_out: given.text("headers_out"),
            decode_out: given.text("decode_out").filter(|path| !path.is_empty()),
        }
    }

    /// Reads an answer.
    pub(super) fn read(self, reply: Stream, most: usize, answer: &mut Map) -> Result<()> {
        let (code, reason) = (reply.status, reply.reason());
        let mut headers = Map::new();
        for (name, value) in reply.headers() {
            let name = written(name);
            let value = match headers.get(&name) {
                Some(before) => format!("{},{value}", python_str(before)),
                None => value.to_owned(),
            };
            headers.insert(name, value);
        }
        let mut bytes = Vec::new();
        let read = reply.reader().take(most as u64).read_to_end(&mut bytes);
        read.map_err(|e| CallError::execution(e.to_string()))?;
        let body = self.body(&headers, bytes)?;
        if code >= 400 && self.raise {
            answer.insert("status", code);
            answer.insert("error", format!("HTTP {code}: {reason}"));
            answer.insert("body", body);
            return Ok(());
        }
        answer.insert("body", body.clone());
        write(self.text_out.as_deref(), &body)?;
        if let Some(path) = self.headers_out.as_deref().filter(|path| std::path::Path::new(path).exists()) {
            write(Some(path), &python_str(&headers.clone().into()).into())?;
        }
        if self.status {
            answer.insert("status", code);
        }
        if self.headers {
            answer.insert("headers", headers.clone());
        }
        let mut text = self.text;
        if self.decode {
            text |= self.decoded(&headers, &body, answer)?;
            if answer.contains("error") {
                return Ok(());
            }
            write(self.decode_out.as_deref(), &body)?;
        }
        if text {
            answer.insert("text", body);
        }
        Ok(())
    }

    fn body(&self, headers: &Map, bytes: Vec<u8>) -> Result {
        let kind = headers.get_str("Content-Type").unwrap_or_default().to_ascii_lowercase();
        let charset = kind.split("charset=").nth(1).map(|set| set.trim_matches([' ', '"', '\'', ';']).to_owned());
        let latin = matches!(charset.as_deref(), Some("iso-8859-1" | "latin-1" | "latin1"));
        if latin && kind.starts_with("text/") {
            return Ok(bytes.iter().map(|byte| char::from(*byte)).collect::<String>().into());
        }
        let named = kind.starts_with("text/") && charset.is_some();
        if !self.as_text && !named {
            return Ok(bytes.into());
        }
        match String::from_utf8(bytes) {
            Ok(text) => Ok(text.into()),
            Err(e) => match brine_python::decode_utf8(e.into_bytes()) {
                Ok(text) => Ok(text.into()),
                Err(e) => Err(CallError::execution(e.to_string())),
            },
        }
    }

    /// Puts what the body says into the answer. Whether its text is wanted instead.
    fn decoded(&self, headers: &Map, body: &Value, answer: &mut Map) -> Result<bool> {
        let kind = match self.kind.as_str() {
            "auto" => {
                let kind = headers.get_str("Content-Type").unwrap_or("application/json");
                ["xml", "json", "yaml"].into_iter().find(|known| kind.contains(known)).unwrap_or("plain")
            }
            kind => kind,
        };
        let text = python_str(body);
        match kind {
            "json" => {
                let read = brine_render::json::loads(&text).and_then(|data| brine_python::to_value(&data));
                answer.insert("dict", read.map_err(brine_render::template::call_error)?);
            }
            "yaml" => {
                let read = brine_render::yaml::load(&text);
                answer.insert("dict", read.map_err(|e| CallError::execution(e.to_string()))?);
            }
            "xml" => return Err(CallError::execution("http.query: answers in XML are not decoded")),
            "plain" => return Ok(true),
            _ => {
                let text = "Invalid decode_type specified. Valid decode types are: ('json', 'xml', 'yaml', 'plain')";
                tracing::error!("{text}");
                answer.insert("error", text);
            }
        }
        Ok(false)
    }
}

fn write(path: Option<&str>, text: &Value) -> Result<()> {
    let Some(path) = path else { return Ok(()) };
    let bytes = text.as_bytes().unwrap_or_default();
    let written = brine_files::put_bytes(bytes, std::path::Path::new(path));
    written.map_err(|e| CallError::execution(brine_core::text::python_os_error(&e, path)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_pythons() {
        let wanted = Wanted::new(&Given::default());
        let text = |error: &str| failed(Map::new(), error, &wanted).get_str("error").unwrap().to_owned();
        assert_eq!(text("http://h: io: Connection refused (os error 111)"), "[Errno 111] Connection refused");
        assert_eq!(text("x: timeout: connect"), "HTTP 599: Timeout while connecting");
        assert_eq!(written("x-frame-options"), "X-Frame-Options");
    }
}
