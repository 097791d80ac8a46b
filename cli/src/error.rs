//! Why a command failed: one type, with the exit status and the JSON form that `cli/README.md`
//! promises. Must not know any command.

use serde::Serialize;
use std::fmt;
use std::path::Path;

/// Result of anything here.
pub(crate) type Result<T> = std::result::Result<T, Error>;

/// What kind of failure it is; decides the exit status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// The command line or what it names is wrong.
    Usage,
    /// There is no such thing, or it is not the caller's to see, or no longer.
    NotFound,
    /// Something of the same name exists, or someone else was faster.
    Conflict,
    /// A signature, certificate, hash or chain does not hold.
    Integrity,
    /// The vault could not be reached, or was not ready.
    Network,
    /// Anything else: limits, files, the vault itself.
    Other,
}

impl Kind {
    /// The process's exit status.
    pub(crate) const fn exit(self) -> u8 {
        match self {
            Self::Other => 1,
            Self::Usage => 2,
            Self::NotFound => 3,
            Self::Conflict => 4,
            Self::Integrity => 5,
            Self::Network => 6,
        }
    }
}

/// A failure, in plain words.
#[derive(Debug, Serialize, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Error {
    /// What kind.
    pub(crate) kind: Kind,
    /// One stable word that says more than the kind.
    pub(crate) reason: &'static str,
    /// What happened.
    pub(crate) message: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hint: Option<String>,
    /// What the name could have meant.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) candidates: Vec<String>,
    /// What is still to be done, of something that was stopped.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) left: Vec<String>,
}

impl Error {
    /// A failure of a kind.
    pub(crate) fn new(kind: Kind, reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            kind,
            reason,
            message: message.into(),
            hint: None,
            candidates: Vec::new(),
            left: Vec::new(),
        }
    }

    /// The command line is wrong.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Kind::Usage, "usage", message)
    }

    /// There is no such thing.
    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(Kind::NotFound, "not_found", message)
    }

    /// Something with this name exists.
    pub(crate) fn exists(message: impl Into<String>) -> Self {
        Self::new(Kind::Conflict, "exists", message)
    }

    /// A file could not be read or written.
    pub(crate) fn file(what: &str, path: &Path, error: &std::io::Error) -> Self {
        let kind = match error.kind() {
            std::io::ErrorKind::NotFound => Kind::Usage,
            std::io::ErrorKind::AlreadyExists => Kind::Conflict,
            _ => Kind::Other,
        };
        Self::new(
            kind,
            "file",
            format!("could not {what} {}: {error}", path.display()),
        )
    }

    /// With a word on what to do.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// With what the name could have meant.
    pub(crate) fn candidates(mut self, candidates: Vec<String>) -> Self {
        self.candidates = candidates;
        self
    }

    /// With what is still to be done.
    pub(crate) fn left(mut self, left: Vec<String>) -> Self {
        self.left = left;
        self
    }

    /// The JSON form: `{"error":{…}}`.
    pub(crate) fn to_json(&self) -> String {
        serde_json::json!({ "error": self }).to_string()
    }

    /// The plain form, one or more lines.
    pub(crate) fn to_text(&self) -> String {
        let mut out = format!("error: {}", crate::text::shown(&self.message));
        for candidate in &self.candidates {
            out.push_str("\n  ");
            out.push_str(&crate::text::shown(candidate));
        }
        if !self.left.is_empty() {
            out.push_str("\nstill to be done:");
        }
        for left in &self.left {
            out.push_str("\n  ");
            out.push_str(&crate::text::shown(left));
        }
        if let Some(hint) = &self.hint {
            out.push_str("\nhint: ");
            out.push_str(&crate::text::shown(hint));
        }
        out
    }
}

impl From<fmt::Error> for Error {
    fn from(_: fmt::Error) -> Self {
        Self::new(Kind::Other, "output", "could not write the answer")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_has_the_documented_fields_and_no_empty_ones() {
        let error = Error::not_found("no such record").hint("see `salus record list`");
        let value: serde_json::Value = serde_json::from_str(&error.to_json()).unwrap();
        assert_eq!(value["error"]["kind"], "not_found");
        assert_eq!(value["error"]["message"], "no such record");
        assert_eq!(value["error"]["hint"], "see `salus record list`");
        assert!(value["error"].get("candidates").is_none());
        assert!(value["error"].get("left").is_none());
        let stopped = Error::usage("stopped").left(vec!["a".into(), "b".into()]);
        assert_eq!(
            stopped.to_text(),
            "error: stopped\nstill to be done:\n  a\n  b"
        );
    }

    #[test]
    fn exit_statuses_are_the_documented_ones() {
        let all = [
            (Kind::Other, 1),
            (Kind::Usage, 2),
            (Kind::NotFound, 3),
            (Kind::Conflict, 4),
            (Kind::Integrity, 5),
            (Kind::Network, 6),
        ];
        for (kind, status) in all {
            assert_eq!(kind.exit(), status);
        }
    }

    #[test]
    fn what_others_wrote_cannot_drive_the_terminal() {
        let error = Error::usage("a\u{1b}[2Jb");
        assert_eq!(error.to_text(), "error: a[2Jb");
    }
}
