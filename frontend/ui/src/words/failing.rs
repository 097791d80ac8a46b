//! What went wrong, and what to do about it.

use crate::texts::Texts;
use crate::words::{fill, size};
use salus_messages::{Failure, FailureKind};

/// A failure's title and what to do about it.
pub(crate) fn failure(t: &'static Texts, failure: &Failure) -> (String, String) {
    if let FailureKind::Partly { stored, total, why } = &failure.kind {
        let counts = [("stored", stored.to_string()), ("total", total.to_string())];
        let counts = counts
            .each_ref()
            .map(|(name, count)| (*name, count.as_str()));
        return (kind(t, why).0, fill(t.failure_partly_advice, &counts));
    }
    let (title, advice) = kind(t, &failure.kind);
    match failure.message_key.as_str() {
        "failure-popup" => (
            t.failure_popup.to_owned(),
            t.failure_popup_advice.to_owned(),
        ),
        "failure-window-closed" => (
            t.failure_window.to_owned(),
            t.failure_window_advice.to_owned(),
        ),
        "failure-prf" => (t.failure_prf.to_owned(), t.failure_prf_advice.to_owned()),
        "failure-passkey" => (
            t.failure_passkey.to_owned(),
            t.failure_passkey_advice.to_owned(),
        ),
        "failure-passkey-not-made" => (
            t.failure_passkey_not_made.to_owned(),
            t.failure_passkey_not_made_advice.to_owned(),
        ),
        "failure-passkey-closed" => (
            t.failure_passkey_closed.to_owned(),
            t.failure_passkey_closed_advice.to_owned(),
        ),
        "failure-start" => (
            t.failure_start.to_owned(),
            t.failure_start_advice.to_owned(),
        ),
        _ => (title, advice),
    }
}

fn kind(t: &'static Texts, kind: &FailureKind) -> (String, String) {
    let (title, advice) = match kind {
        FailureKind::NotSignedIn => (t.failure_not_signed_in, t.failure_not_signed_in_advice),
        FailureKind::Locked => (t.failure_locked, t.failure_locked_advice),
        FailureKind::WrongPhrase => (t.failure_wrong_phrase, t.failure_wrong_phrase_advice),
        FailureKind::NotFound => (t.failure_not_found, t.failure_not_found_advice),
        FailureKind::Expired => (t.failure_expired, t.failure_expired_advice),
        FailureKind::Conflict => (t.failure_conflict, t.failure_conflict_advice),
        FailureKind::StaleHead => (t.failure_stale, t.failure_stale_advice),
        FailureKind::Quota => (t.failure_quota, t.failure_quota_advice),
        FailureKind::TooLarge { limit } => {
            let advice = fill(t.failure_too_large_advice, &[("limit", &size(*limit))]);
            return (t.failure_too_large.to_owned(), advice);
        }
        FailureKind::Network => (t.failure_network, t.failure_network_advice),
        FailureKind::Integrity => (t.failure_integrity, t.failure_integrity_advice),
        FailureKind::Invalid { .. } => (t.failure_invalid, t.failure_invalid_advice),
        FailureKind::Cancelled => (t.failure_cancelled, t.failure_cancelled_advice),
        FailureKind::Unsupported => (t.failure_unsupported, t.failure_unsupported_advice),
        FailureKind::Internal => (t.failure_internal, t.failure_internal_advice),
        FailureKind::Refused => (t.failure_refused, t.failure_refused_advice),
        FailureKind::WrongSecret => (t.failure_secret, t.failure_secret_advice),
        FailureKind::TakenOver => (t.failure_taken_over, t.failure_taken_over_advice),
        FailureKind::Behind => (t.failure_behind, t.failure_behind_advice),
        FailureKind::Contradicted(what) if what.proven => {
            (t.failure_went_back, t.failure_went_back_advice)
        }
        FailureKind::Contradicted(_) => (t.failure_other_answer, t.failure_other_answer_advice),
        FailureKind::ProofNeeded => (t.failure_proof, t.failure_proof_advice),
        FailureKind::KeysChanged => (t.failure_keys_changed, t.failure_keys_changed_advice),
        FailureKind::NotTheSame => (t.failure_not_the_same, t.failure_not_the_same_advice),
        FailureKind::Partly { why, .. } => return self::kind(t, why),
    };
    (title.to_owned(), advice.to_owned())
}

/// A kind of failure as tests name it.
pub(crate) fn failure_name(kind: &FailureKind) -> &'static str {
    match kind {
        FailureKind::NotSignedIn => "not-signed-in",
        FailureKind::Locked => "locked",
        FailureKind::WrongPhrase => "wrong-phrase",
        FailureKind::NotFound => "not-found",
        FailureKind::Expired => "expired",
        FailureKind::Conflict => "conflict",
        FailureKind::StaleHead => "stale-head",
        FailureKind::Quota => "quota",
        FailureKind::TooLarge { .. } => "too-large",
        FailureKind::Network => "network",
        FailureKind::Integrity => "integrity",
        FailureKind::Invalid { .. } => "invalid",
        FailureKind::Cancelled => "cancelled",
        FailureKind::Partly { why, .. } => failure_name(why),
        FailureKind::Unsupported => "unsupported",
        FailureKind::Internal => "internal",
        FailureKind::Refused => "refused",
        FailureKind::ProofNeeded => "proof-needed",
        FailureKind::KeysChanged => "keys-changed",
        FailureKind::NotTheSame => "not-the-same",
        FailureKind::WrongSecret => "wrong-secret",
        FailureKind::TakenOver => "taken-over",
        FailureKind::Behind => "behind",
        FailureKind::Contradicted(_) => "contradicted",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::texts::Language;

    #[test]
    fn what_is_stored_of_a_broken_off_import_is_said() {
        for language in Language::ALL {
            let t = language.texts();
            let partly = Failure::from(FailureKind::Partly {
                stored: 48,
                total: 133,
                why: Box::new(FailureKind::Cancelled),
            });
            let (title, advice) = failure(t, &partly);
            assert_eq!(title, t.failure_cancelled);
            assert!(advice.contains("48") && advice.contains("133"), "{advice}");
            assert_ne!(advice, t.failure_cancelled_advice);
            assert_eq!(failure_name(&partly.kind), "cancelled");
        }
    }
}
