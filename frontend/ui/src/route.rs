//! Every place of the page, and its address after `#`. Pure: must not know the browser.
//!
//! Addresses hold opaque ids only. An invitation's one-time code does stand in an
//! [`Route::Ask`] address, for that is how a provider brings it here.

use salus_messages::{AccountId, CompartmentId, RecordAddress, RecordId, RequestId};

/// Which of the two sides of an account is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// "My health".
    Health,
    /// "My practice".
    Practice,
}

/// A place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Route {
    Home,
    Records(Option<CompartmentId>),
    Record(RecordAddress, Option<u32>),
    Add(Option<AccountId>),
    Amend(RecordAddress),
    Sharing,
    Review(RequestId),
    /// Give access without having been asked; to one record, when there is one.
    Give(Option<RecordId>),
    Activity,
    Inbox,
    Account,
    /// Letting a device in, with the code it shows or without one yet; where the records are not open
    /// and there is no code, being let in.
    Pair(String),
    /// Ways to unlock and sign-ins.
    Security,
    /// What to look at after the records were taken back from somebody else.
    TakenBack,
    Patients,
    Patient(AccountId),
    Outgoing,
    /// With the text of a link, or without one yet.
    Ask(String),
    Lost,
}

impl Route {
    /// The place at `hash`, with or without its `#`.
    pub(crate) fn parse(hash: &str) -> Self {
        let path = hash.trim_start_matches('#').trim_matches('/');
        if let Some(link) = path.strip_prefix("ask/") {
            return Self::Ask(link.to_owned());
        }
        let parts: Vec<&str> = path.split('/').collect();
        match parts.as_slice() {
            [""] => Self::Home,
            ["records"] => Self::Records(None),
            ["records", compartment] => Self::Records(Some((*compartment).into())),
            ["record", record, rest @ ..] => Self::record(None, record, rest),
            ["add"] => Self::Add(None),
            ["sharing"] => Self::Sharing,
            ["sharing", "give"] => Self::Give(None),
            ["sharing", "give", record] => Self::Give(Some((*record).into())),
            ["sharing", "request", request] => Self::Review((*request).into()),
            ["activity"] => Self::Activity,
            ["inbox"] => Self::Inbox,
            ["account"] => Self::Account,
            ["pair"] => Self::Pair(String::new()),
            ["pair", code] => Self::Pair((*code).to_owned()),
            ["security"] => Self::Security,
            ["security", "taken-back"] => Self::TakenBack,
            ["practice"] => Self::Patients,
            ["practice", "requests"] => Self::Outgoing,
            ["ask"] => Self::Ask(String::new()),
            ["patient", patient] => Self::Patient((*patient).into()),
            ["patient", patient, "add"] => Self::Add(Some((*patient).into())),
            ["patient", patient, "record", record, rest @ ..] => {
                Self::record(Some((*patient).into()), record, rest)
            }
            _ => Self::Lost,
        }
    }

    fn record(patient: Option<AccountId>, record: &str, rest: &[&str]) -> Self {
        let address = RecordAddress {
            patient,
            record: RecordId(record.to_owned()),
        };
        match rest {
            [] => Self::Record(address, None),
            ["amend"] => Self::Amend(address),
            ["version", number] => match number.parse() {
                Ok(number) => Self::Record(address, Some(number)),
                Err(_) => Self::Lost,
            },
            _ => Self::Lost,
        }
    }

    /// The address, with its `#`.
    pub(crate) fn href(&self) -> String {
        let of = |address: &RecordAddress| match &address.patient {
            None => format!("#/record/{}", address.record),
            Some(patient) => format!("#/patient/{patient}/record/{}", address.record),
        };
        match self {
            Self::Home | Self::Lost => "#/".to_owned(),
            Self::Records(None) => "#/records".to_owned(),
            Self::Records(Some(compartment)) => format!("#/records/{compartment}"),
            Self::Record(address, None) => of(address),
            Self::Record(address, Some(version)) => format!("{}/version/{version}", of(address)),
            Self::Add(None) => "#/add".to_owned(),
            Self::Add(Some(patient)) => format!("#/patient/{patient}/add"),
            Self::Amend(address) => format!("{}/amend", of(address)),
            Self::Sharing => "#/sharing".to_owned(),
            Self::Review(request) => format!("#/sharing/request/{request}"),
            Self::Give(None) => "#/sharing/give".to_owned(),
            Self::Give(Some(record)) => format!("#/sharing/give/{record}"),
            Self::Activity => "#/activity".to_owned(),
            Self::Inbox => "#/inbox".to_owned(),
            Self::Account => "#/account".to_owned(),
            Self::Pair(code) if code.is_empty() => "#/pair".to_owned(),
            Self::Pair(code) => format!("#/pair/{code}"),
            Self::Security => "#/security".to_owned(),
            Self::TakenBack => "#/security/taken-back".to_owned(),
            Self::Patients => "#/practice".to_owned(),
            Self::Outgoing => "#/practice/requests".to_owned(),
            Self::Patient(patient) => format!("#/patient/{patient}"),
            Self::Ask(link) if link.is_empty() => "#/ask".to_owned(),
            Self::Ask(link) => format!("#/ask/{link}"),
        }
    }

    /// The side it belongs to; `None` for what both share.
    pub(crate) fn side(&self) -> Option<Side> {
        match self {
            Self::Home
            | Self::Records(_)
            | Self::Sharing
            | Self::Review(_)
            | Self::Give(_)
            | Self::Activity => Some(Side::Health),
            Self::Record(address, _) | Self::Amend(address) => Some(side_of(&address.patient)),
            Self::Add(patient) => Some(side_of(patient)),
            Self::Patients | Self::Patient(_) | Self::Outgoing | Self::Ask(_) => {
                Some(Side::Practice)
            }
            Self::Inbox
            | Self::Account
            | Self::Pair(_)
            | Self::Security
            | Self::TakenBack
            | Self::Lost => None,
        }
    }

    /// The entry of the navigation it belongs under.
    pub(crate) fn root(&self) -> Self {
        match self {
            Self::Records(_) => Self::Records(None),
            Self::Record(address, _) | Self::Amend(address) => match &address.patient {
                None => Self::Records(None),
                Some(_) => Self::Patients,
            },
            Self::Add(None) => Self::Records(None),
            Self::Add(Some(_)) | Self::Patient(_) => Self::Patients,
            Self::Review(_) | Self::Give(_) => Self::Sharing,
            Self::Ask(_) => Self::Ask(String::new()),
            Self::Pair(_) | Self::Security | Self::TakenBack => Self::Account,
            other => other.clone(),
        }
    }
}

fn side_of(patient: &Option<AccountId>) -> Side {
    match patient {
        None => Side::Health,
        Some(_) => Side::Practice,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_is_found_again_by_its_address() {
        let own = RecordAddress {
            patient: None,
            record: "r1".into(),
        };
        let theirs = RecordAddress {
            patient: Some("p1".into()),
            record: "r1".into(),
        };
        for route in [
            Route::Home,
            Route::Records(None),
            Route::Records(Some("c".into())),
            Route::Record(own.clone(), None),
            Route::Record(own.clone(), Some(3)),
            Route::Record(theirs.clone(), None),
            Route::Record(theirs.clone(), Some(1)),
            Route::Amend(own),
            Route::Amend(theirs),
            Route::Add(None),
            Route::Add(Some("p1".into())),
            Route::Sharing,
            Route::Review("q".into()),
            Route::Give(None),
            Route::Give(Some("r1".into())),
            Route::Activity,
            Route::Inbox,
            Route::Account,
            Route::Pair(String::new()),
            Route::Pair("MPJT-B9D5-1".to_owned()),
            Route::Security,
            Route::TakenBack,
            Route::Patients,
            Route::Patient("p1".into()),
            Route::Outgoing,
            Route::Ask(String::new()),
            Route::Ask("v/p.f-c".to_owned()),
        ] {
            assert_eq!(Route::parse(&route.href()), route, "{}", route.href());
        }
    }

    #[test]
    fn unknown_addresses_are_lost_and_the_empty_one_is_home() {
        assert_eq!(Route::parse(""), Route::Home);
        assert_eq!(Route::parse("#"), Route::Home);
        assert_eq!(Route::parse("#/nowhere"), Route::Lost);
        assert_eq!(Route::parse("#/record/r/version/x"), Route::Lost);
    }

    #[test]
    fn a_patients_record_is_on_the_side_of_the_practice() {
        assert_eq!(
            Route::parse("#/patient/p/record/r").side(),
            Some(Side::Practice)
        );
        assert_eq!(Route::parse("#/record/r").side(), Some(Side::Health));
        assert_eq!(Route::Inbox.side(), None);
    }
}
