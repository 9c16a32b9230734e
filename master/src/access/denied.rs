//! Refusals, in the words that callers get and in those of the log.

use std::fmt;

use brine_protocol::{Map, Value, map};

/// How a caller tried to prove himself: stock's `auth_type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// By a key.
    User,
    /// By a password.
    Eauth,
    /// By a token.
    Token,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Kind::User => "user",
            Kind::Eauth => "eauth",
            Kind::Token => "token",
        }
    }

    /// Stock's error for it.
    fn error(self) -> &'static str {
        match self {
            Kind::User => "UserAuthenticationError",
            Kind::Eauth => "EauthAuthenticationError",
            Kind::Token => "TokenAuthenticationError",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Why {
    /// He did not prove who he is.
    Unknown(&'static str),
    /// He may not do this.
    Forbidden(String),
    /// What he asks for has no module and function.
    Syntax,
}

/// Why a request is refused. Callers are told no more than stock tells them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denied {
    kind: Kind,
    user: String,
    why: Why,
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Authentication failure of type \"{}\" occurred.", self.kind.word())?;
        match &self.why {
            Why::Unknown(why) => write!(f, " ({:?}: {why})", self.user),
            Why::Forbidden(what) => write!(f, " ({what})"),
            Why::Syntax => write!(f, " (no module and function)"),
        }
    }
}

impl Denied {
    /// He did not prove that he is `user`.
    pub(super) fn unknown(kind: Kind, user: &str, why: &'static str) -> Self {
        Self { kind, user: user.to_owned(), why: Why::Unknown(why) }
    }

    /// He may not do this.
    pub(super) fn forbidden(kind: Kind, user: &str, what: String) -> Self {
        Self { kind, user: user.to_owned(), why: Why::Forbidden(what) }
    }

    pub(super) fn syntax(kind: Kind, user: &str) -> Self {
        Self { kind, user: user.to_owned(), why: Why::Syntax }
    }

    /// Whether he proved who he is, and only may not do what he asks for.
    pub fn is_known(&self) -> bool {
        !matches!(self.why, Why::Unknown(_))
    }

    /// Whom he says he is, or is.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// How he tried to prove it.
    pub fn how(&self) -> &'static str {
        match self.kind {
            Kind::User => "key",
            other => other.word(),
        }
    }

    /// The `error` of a refused publish.
    pub fn publish_error(&self) -> Map {
        if self.is_known() {
            map! {"name" => "AuthorizationError", "message" => "Authorization error occurred."}
        } else {
            map! {"name" => "AuthenticationError", "message" => "Authentication error occurred."}
        }
    }

    /// The reply to a refused wheel or runner call.
    pub fn reply(&self) -> Value {
        let (word, user) = (self.kind.word(), &self.user);
        let failure = format!("Authentication failure of type \"{word}\" occurred");
        let (name, message) = match (&self.why, self.kind) {
            (Why::Syntax, _) => {
                ("SaltInvocationError", "A command invocation error occurred: Check syntax.".into())
            }
            (_, Kind::User) => (self.kind.error(), failure),
            (Why::Unknown(_), Kind::Token) => (self.kind.error(), failure + "."),
            _ => (self.kind.error(), format!("{failure} for user {user}.")),
        };
        map! {"error" => map! {"name" => name, "message" => message}}.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callers_are_told_stocks_words_and_no_more() {
        let said = |denied: Denied| {
            let reply = denied.reply();
            let text = |key: &str| {
                reply.get("error").and_then(|e| e.get(key)).and_then(Value::as_str).unwrap().to_owned()
            };
            (text("name"), text("message"))
        };
        let (name, message) = said(Denied::unknown(Kind::Token, "UNKNOWN", "secret reason"));
        assert_eq!(name, "TokenAuthenticationError");
        assert_eq!(message, "Authentication failure of type \"token\" occurred.");
        let (name, message) = said(Denied::unknown(Kind::Eauth, "fred", "secret reason"));
        assert_eq!(name, "EauthAuthenticationError");
        assert_eq!(message, "Authentication failure of type \"eauth\" occurred for user fred.");
        let (_, message) = said(Denied::forbidden(Kind::Token, "fred", "secret reason".into()));
        assert_eq!(message, "Authentication failure of type \"token\" occurred for user fred.");
        let (name, message) = said(Denied::unknown(Kind::User, "fred", "secret reason"));
        assert_eq!((name.as_str(), message.contains("fred")), ("UserAuthenticationError", false));
        let (name, message) = said(Denied::syntax(Kind::Eauth, "fred"));
        assert_eq!((name.as_str(), message.contains("Check syntax")), ("SaltInvocationError", true));
    }
}
