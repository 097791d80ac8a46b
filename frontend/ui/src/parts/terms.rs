//! The terms of access: who decides them chooses among these.

use crate::parts::{check, choice, field, select};
use crate::texts::Texts;
use crate::words;
use salus_messages::{Category, Compartment, CompartmentId, GrantView, Rights, Scope, Terms, Wish};
use yew::{AttrValue, Callback, Html, html};

const DAYS: [u32; 6] = [1, 7, 30, 90, 180, 365];

fn day_options(t: &Texts, chosen: u32) -> Vec<(AttrValue, AttrValue)> {
    let mut days: Vec<u32> = DAYS.to_vec();
    if !days.contains(&chosen) {
        let place = days.iter().take_while(|day| **day < chosen).count();
        days.insert(place, chosen);
    }
    days.into_iter()
        .map(|n| {
            (
                AttrValue::from(n.to_string()),
                AttrValue::from(words::days(t, n)),
            )
        })
        .collect()
}

fn purposes(t: &'static Texts) -> Vec<&'static str> {
    vec![
        t.purpose_treatment,
        t.purpose_second_opinion,
        t.purpose_follow_up,
        t.purpose_prescription,
    ]
}

/// What a grant reaches, in words.
pub(crate) fn scope_words(t: &'static Texts, grant: &GrantView) -> String {
    let reach = reach_words(t, grant);
    if grant.follows {
        words::fill(t.scope_follows, &[("records", &reach)])
    } else {
        reach
    }
}

fn reach_words(t: &'static Texts, grant: &GrantView) -> String {
    match &grant.scope {
        Scope::Everything => t.scope_everything.to_owned(),
        Scope::Compartments(ids) if grant.names.is_empty() => {
            words::count(ids.len() as u64, t.compartments_one, t.compartments_many)
        }
        Scope::Records(ids) if grant.names.is_empty() => {
            words::count(ids.len() as u64, t.records_one, t.records_many)
        }
        _ => grant.names.join(", "),
    }
}

fn with_rights(terms: &Terms, rights: Rights) -> Terms {
    Terms {
        rights,
        ..terms.clone()
    }
}

/// The fields of a grant about to be given.
///
/// `own_purpose`: whether the purpose is the person's to write.
pub(crate) fn terms_form(
    t: &'static Texts,
    terms: &Terms,
    compartments: &[Compartment],
    own_purpose: bool,
    onchange: &Callback<Terms>,
) -> Html {
    let change = |make: fn(&Terms) -> Terms| {
        let terms = terms.clone();
        onchange.reform(move |()| make(&terms))
    };
    let chosen: Vec<CompartmentId> = match &terms.scope {
        Scope::Compartments(ids) => ids.clone(),
        _ => Vec::new(),
    };
    let compartment = |compartment: &Compartment| {
        let (id, terms, chosen) = (compartment.id.clone(), terms.clone(), chosen.clone());
        let checked = chosen.contains(&id);
        let onchange = onchange.reform(move |on: bool| {
            let mut ids = chosen.clone();
            ids.retain(|other| *other != id);
            if on {
                ids.push(id.clone());
            }
            Terms {
                scope: Scope::Compartments(ids),
                ..terms.clone()
            }
        });
        html! {
            { check(format!("scope-{}", compartment.id), compartment.name.clone(), checked, onchange) }
        }
    };
    let rights = terms.rights;
    let read = {
        let terms = terms.clone();
        onchange.reform(move |read| with_rights(&terms, Rights { read, ..rights }))
    };
    let append = {
        let terms = terms.clone();
        onchange.reform(move |append| with_rights(&terms, Rights { append, ..rights }))
    };
    let follows = {
        let terms = terms.clone();
        onchange.reform(move |follows| Terms {
            follows,
            ..terms.clone()
        })
    };
    let days = {
        let terms = terms.clone();
        onchange.reform(move |days: String| Terms {
            days: days.parse().unwrap_or(terms.days),
            ..terms.clone()
        })
    };
    let purpose = {
        let terms = terms.clone();
        onchange.reform(move |purpose: String| Terms {
            purpose,
            ..terms.clone()
        })
    };
    html! {
        <div class="stack">
            <fieldset>
                <legend>{ t.terms_what }</legend>
                if let Scope::Records(ids) = &terms.scope {
                    <p data-testid="scope-records">{ words::count(ids.len() as u64, t.scope_only_records_one, t.scope_only_records_many) }</p>
                    if rights.read {
                        { check("scope-follows", t.scope_follows_label, terms.follows, follows).hint(t.scope_follows_hint) }
                    }
                } else {
                    { choice("scope-everything", "scope", t.scope_everything, terms.scope == Scope::Everything, change(|terms| Terms { scope: Scope::Everything, ..terms.clone() })).hint(t.scope_everything_hint) }
                    { choice("scope-compartments", "scope", t.scope_some, terms.scope != Scope::Everything, change(|terms| Terms { scope: Scope::Compartments(Vec::new()), ..terms.clone() })).hint(t.scope_some_hint) }
                    if terms.scope != Scope::Everything {
                        <div class="nested" data-testid="scope-list">{ for compartments.iter().map(compartment) }</div>
                    }
                }
            </fieldset>
            <fieldset>
                <legend>{ t.terms_rights }</legend>
                { check("right-read", t.right_read, rights.read, read).hint(t.right_read_hint) }
                { check("right-append", t.right_append, rights.append, append).hint(t.right_append_hint) }
            </fieldset>
            { select("terms-days", t.terms_until, terms.days.to_string(), day_options(t, terms.days), days).hint(t.terms_until_hint) }
            if own_purpose {
                { field("terms-purpose", t.terms_why, &terms.purpose, purpose).hint(t.terms_why_hint).suggestions(purposes(t)).maxlength(200) }
            }
        </div>
    }
}

/// Whether there is anything to give.
pub(crate) fn terms_complete(terms: &Terms) -> bool {
    let reaches = match &terms.scope {
        Scope::Everything => true,
        Scope::Compartments(ids) => !ids.is_empty(),
        Scope::Records(ids) => !ids.is_empty(),
    };
    reaches && (terms.rights.read || terms.rights.append) && !terms.purpose.trim().is_empty()
}

/// What a provider would like.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Wanted {
    pub(crate) wish: Wish,
    pub(crate) rights: Rights,
    pub(crate) purpose: String,
    pub(crate) days: u32,
}

/// Whether there is anything to ask for.
pub(crate) fn wanted_complete(wanted: &Wanted) -> bool {
    let reaches = !matches!(&wanted.wish, Wish::Categories(chosen) if chosen.is_empty());
    reaches && (wanted.rights.read || wanted.rights.append) && !wanted.purpose.trim().is_empty()
}

/// The fields of a request about to be made.
pub(crate) fn wish_form(t: &'static Texts, wanted: &Wanted, onchange: &Callback<Wanted>) -> Html {
    let chosen: Vec<Category> = match &wanted.wish {
        Wish::Categories(chosen) => chosen.clone(),
        _ => Vec::new(),
    };
    let change = |make: fn(&Wanted) -> Wanted| {
        let wanted = wanted.clone();
        onchange.reform(move |()| make(&wanted))
    };
    let category = |category: &Category| {
        let (category, wanted, chosen) = (*category, wanted.clone(), chosen.clone());
        let checked = chosen.contains(&category);
        let onchange = onchange.reform(move |on: bool| {
            let all = words::CATEGORIES.into_iter().filter(|one| {
                if *one == category {
                    on
                } else {
                    chosen.contains(one)
                }
            });
            Wanted {
                wish: Wish::Categories(all.collect()),
                ..wanted.clone()
            }
        });
        html! {
            { check(words::wish_id(category), words::category(t, category), checked, onchange) }
        }
    };
    let rights = wanted.rights;
    let read = {
        let wanted = wanted.clone();
        onchange.reform(move |read| Wanted {
            rights: Rights { read, ..rights },
            ..wanted.clone()
        })
    };
    let append = {
        let wanted = wanted.clone();
        onchange.reform(move |append| Wanted {
            rights: Rights { append, ..rights },
            ..wanted.clone()
        })
    };
    let days = {
        let wanted = wanted.clone();
        onchange.reform(move |days: String| Wanted {
            days: days.parse().unwrap_or(wanted.days),
            ..wanted.clone()
        })
    };
    let purpose = {
        let wanted = wanted.clone();
        onchange.reform(move |purpose: String| Wanted {
            purpose,
            ..wanted.clone()
        })
    };
    html! {
        <div class="stack">
            <fieldset>
                <legend>{ t.ask_what }</legend>
                { choice("wish-everything", "wish", t.wish_everything, wanted.wish == Wish::Everything, change(|wanted| Wanted { wish: Wish::Everything, ..wanted.clone() })) }
                { choice("wish-some", "wish", t.wish_some, wanted.wish != Wish::Everything, change(|wanted| Wanted { wish: Wish::Categories(Vec::new()), ..wanted.clone() })).hint(t.wish_some_hint) }
                if wanted.wish != Wish::Everything {
                    <div class="nested">{ for words::CATEGORIES.iter().map(category) }</div>
                }
            </fieldset>
            <fieldset>
                <legend>{ t.ask_rights }</legend>
                { check("ask-read", t.ask_read, rights.read, read) }
                { check("ask-append", t.ask_append, rights.append, append).hint(t.ask_append_hint) }
            </fieldset>
            { field("ask-purpose", t.ask_why, &wanted.purpose, purpose).hint(t.ask_why_hint).suggestions(purposes(t)).maxlength(200).required() }
            { select("ask-days", t.ask_days, wanted.days.to_string(), day_options(t, wanted.days), days) }
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::texts::Language;
    use salus_messages::{GrantStatus, Person, Trust};

    fn terms(scope: Scope) -> Terms {
        Terms {
            scope,
            rights: Rights {
                read: true,
                append: false,
            },
            follows: false,
            purpose: "Treatment".to_owned(),
            days: 30,
        }
    }

    #[test]
    fn it_is_said_whether_later_versions_are_granted() {
        let grant = |follows| GrantView {
            id: "g".into(),
            other: Person {
                account: None,
                principal: String::new(),
                name: String::new(),
                specialty: String::new(),
                trust: Trust::Pinned,
                attestation: None,
            },
            scope: Scope::Records(vec!["r".into()]),
            names: vec!["Letter".to_owned()],
            rights: Rights {
                read: true,
                append: false,
            },
            follows,
            purpose: String::new(),
            from: 0,
            until: None,
            status: GrantStatus::Active,
            records: Some(1),
        };
        for language in Language::ALL {
            let t = language.texts();
            assert_eq!(scope_words(t, &grant(false)), "Letter");
            let more = scope_words(t, &grant(true));
            assert!(more.starts_with("Letter") && more != "Letter", "{more}");
        }
    }

    #[test]
    fn nothing_is_given_without_a_reach_a_right_and_a_reason() {
        assert!(terms_complete(&terms(Scope::Everything)));
        assert!(!terms_complete(&terms(Scope::Compartments(Vec::new()))));
        let none = Rights {
            read: false,
            append: false,
        };
        assert!(!terms_complete(&with_rights(
            &terms(Scope::Everything),
            none
        )));
        let silent = Terms {
            purpose: "  ".to_owned(),
            ..terms(Scope::Everything)
        };
        assert!(!terms_complete(&silent));
    }

    #[test]
    fn an_unusual_duration_can_still_be_chosen() {
        let options = day_options(crate::texts::Language::English.texts(), 45);
        assert!(options.iter().any(|(value, _)| value == "45"));
        assert_eq!(options.len(), DAYS.len() + 1);
    }
}
