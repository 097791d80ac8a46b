//! The terms of access: who decides them chooses among these.

use crate::app_context::use_app;
use crate::parts::{Check, Choice, Field, Select};
use crate::texts::Texts;
use crate::words;
use salus_messages::{Category, Compartment, CompartmentId, GrantView, Rights, Scope, Terms, Wish};
use yew::{AttrValue, Callback, Html, Properties, function_component, html};

const DAYS: [u32; 6] = [1, 7, 30, 90, 180, 365];

fn day_options(t: &Texts, chosen: u32) -> Vec<(AttrValue, AttrValue)> {
    let mut days: Vec<u32> = DAYS.to_vec();
    if !days.contains(&chosen) {
        days.push(chosen);
        days.sort_unstable();
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

fn purposes(t: &'static Texts) -> Vec<AttrValue> {
    [
        t.purpose_treatment,
        t.purpose_second_opinion,
        t.purpose_follow_up,
        t.purpose_prescription,
    ]
    .into_iter()
    .map(AttrValue::from)
    .collect()
}

/// What a grant reaches, in words.
pub(crate) fn scope_words(t: &'static Texts, grant: &GrantView) -> String {
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

#[derive(Properties, PartialEq)]
pub(crate) struct TermsForms {
    pub(crate) terms: Terms,
    pub(crate) compartments: Vec<Compartment>,
    /// Whether the purpose is the person's to write.
    pub(crate) own_purpose: bool,
    pub(crate) onchange: Callback<Terms>,
}

fn with_rights(terms: &Terms, rights: Rights) -> Terms {
    Terms {
        rights,
        ..terms.clone()
    }
}

/// The fields of a grant about to be given.
#[function_component(TermsForm)]
pub(crate) fn terms_form(props: &TermsForms) -> Html {
    let t = use_app().t;
    let terms = &props.terms;
    let change = |make: fn(&Terms) -> Terms| {
        let terms = terms.clone();
        props.onchange.reform(move |()| make(&terms))
    };
    let chosen: Vec<CompartmentId> = match &terms.scope {
        Scope::Compartments(ids) => ids.clone(),
        _ => Vec::new(),
    };
    let compartment = |compartment: &Compartment| {
        let (id, terms, chosen) = (compartment.id.clone(), terms.clone(), chosen.clone());
        let checked = chosen.contains(&id);
        let onchange = props.onchange.reform(move |on: bool| {
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
            <Check id={format!("scope-{}", compartment.id)} label={compartment.name.clone()}
                {checked} {onchange} />
        }
    };
    let rights = terms.rights;
    let read = {
        let terms = terms.clone();
        props
            .onchange
            .reform(move |read| with_rights(&terms, Rights { read, ..rights }))
    };
    let append = {
        let terms = terms.clone();
        props
            .onchange
            .reform(move |append| with_rights(&terms, Rights { append, ..rights }))
    };
    let days = {
        let terms = terms.clone();
        props.onchange.reform(move |days: String| Terms {
            days: days.parse().unwrap_or(terms.days),
            ..terms.clone()
        })
    };
    let purpose = {
        let terms = terms.clone();
        props.onchange.reform(move |purpose: String| Terms {
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
                } else {
                    <Choice id="scope-everything" group="scope" label={t.scope_everything}
                        hint={t.scope_everything_hint} chosen={terms.scope == Scope::Everything}
                        onchoose={change(|terms| Terms { scope: Scope::Everything, ..terms.clone() })} />
                    <Choice id="scope-compartments" group="scope" label={t.scope_some}
                        hint={t.scope_some_hint} chosen={terms.scope != Scope::Everything}
                        onchoose={change(|terms| Terms { scope: Scope::Compartments(Vec::new()), ..terms.clone() })} />
                    if terms.scope != Scope::Everything {
                        <div class="nested" data-testid="scope-list">{ for props.compartments.iter().map(compartment) }</div>
                    }
                }
            </fieldset>
            <fieldset>
                <legend>{ t.terms_rights }</legend>
                <Check id="right-read" label={t.right_read} hint={t.right_read_hint}
                    checked={rights.read} onchange={read} />
                <Check id="right-append" label={t.right_append} hint={t.right_append_hint}
                    checked={rights.append} onchange={append} />
            </fieldset>
            <Select id="terms-days" label={t.terms_until} hint={t.terms_until_hint}
                value={terms.days.to_string()} options={day_options(t, terms.days)} onchange={days} />
            if props.own_purpose {
                <Field id="terms-purpose" label={t.terms_why} hint={t.terms_why_hint}
                    value={terms.purpose.clone()} suggestions={purposes(t)} oninput={purpose} maxlength={200} />
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

#[derive(Properties, PartialEq)]
pub(crate) struct WishForms {
    pub(crate) wanted: Wanted,
    pub(crate) onchange: Callback<Wanted>,
}

/// The fields of a request about to be made.
#[function_component(WishForm)]
pub(crate) fn wish_form(props: &WishForms) -> Html {
    let t = use_app().t;
    let wanted = &props.wanted;
    let chosen: Vec<Category> = match &wanted.wish {
        Wish::Categories(chosen) => chosen.clone(),
        _ => Vec::new(),
    };
    let change = |make: fn(&Wanted) -> Wanted| {
        let wanted = wanted.clone();
        props.onchange.reform(move |()| make(&wanted))
    };
    let category = |category: &Category| {
        let (category, wanted, chosen) = (*category, wanted.clone(), chosen.clone());
        let checked = chosen.contains(&category);
        let onchange = props.onchange.reform(move |on: bool| {
            let mut all = chosen.clone();
            all.retain(|other| *other != category);
            if on {
                all.push(category);
            }
            all.sort_unstable();
            Wanted {
                wish: Wish::Categories(all),
                ..wanted.clone()
            }
        });
        html! {
            <Check id={format!("wish-{category:?}").to_lowercase()} label={words::category(t, category)}
                {checked} {onchange} />
        }
    };
    let rights = wanted.rights;
    let read = {
        let wanted = wanted.clone();
        props.onchange.reform(move |read| Wanted {
            rights: Rights { read, ..rights },
            ..wanted.clone()
        })
    };
    let append = {
        let wanted = wanted.clone();
        props.onchange.reform(move |append| Wanted {
            rights: Rights { append, ..rights },
            ..wanted.clone()
        })
    };
    let days = {
        let wanted = wanted.clone();
        props.onchange.reform(move |days: String| Wanted {
            days: days.parse().unwrap_or(wanted.days),
            ..wanted.clone()
        })
    };
    let purpose = {
        let wanted = wanted.clone();
        props.onchange.reform(move |purpose: String| Wanted {
            purpose,
            ..wanted.clone()
        })
    };
    html! {
        <div class="stack">
            <fieldset>
                <legend>{ t.ask_what }</legend>
                <Choice id="wish-everything" group="wish" label={t.wish_everything}
                    chosen={wanted.wish == Wish::Everything}
                    onchoose={change(|wanted| Wanted { wish: Wish::Everything, ..wanted.clone() })} />
                <Choice id="wish-some" group="wish" label={t.wish_some} hint={t.wish_some_hint}
                    chosen={wanted.wish != Wish::Everything}
                    onchoose={change(|wanted| Wanted { wish: Wish::Categories(Vec::new()), ..wanted.clone() })} />
                if wanted.wish != Wish::Everything {
                    <div class="nested">{ for words::CATEGORIES.iter().map(category) }</div>
                }
            </fieldset>
            <fieldset>
                <legend>{ t.ask_rights }</legend>
                <Check id="ask-read" label={t.ask_read} checked={rights.read} onchange={read} />
                <Check id="ask-append" label={t.ask_append} hint={t.ask_append_hint}
                    checked={rights.append} onchange={append} />
            </fieldset>
            <Field id="ask-purpose" label={t.ask_why} hint={t.ask_why_hint} value={wanted.purpose.clone()}
                suggestions={purposes(t)} oninput={purpose} maxlength={200} required=true />
            <Select id="ask-days" label={t.ask_days} value={wanted.days.to_string()}
                options={day_options(t, wanted.days)} onchange={days} />
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(scope: Scope) -> Terms {
        Terms {
            scope,
            rights: Rights {
                read: true,
                append: false,
            },
            purpose: "Treatment".to_owned(),
            days: 30,
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
