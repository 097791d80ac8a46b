//! Records by compartment, with a search and a way to add either.

use crate::app_context::{App, use_app};
use crate::hooks::{use_act, use_list, use_load};
use crate::parts::{
    Dialog, Icon, Look, button, empty, field, head, icon, list, loaded, problem, record_list,
};
use crate::route::Route;
use crate::screens::home::{compartments, records};
use crate::words;
use salus_messages::{Compartment, CompartmentId, Intent, NewCompartment, Topic};
use web_sys::SubmitEvent;
use yew::{Callback, Html, Properties, function_component, html, use_state};

#[derive(Properties, PartialEq)]
pub(crate) struct RecordsProps {
    pub(crate) compartment: Option<CompartmentId>,
}

/// The person's own records.
#[function_component(Records)]
pub(crate) fn records_screen(props: &RecordsProps) -> Html {
    let app = use_app();
    let t = app.t;
    let search = use_state(String::new);
    let naming = use_state(bool::default);
    let folders = use_load(
        Intent::Compartments { patient: None },
        &[Topic::Compartments, Topic::Records],
        compartments,
    );
    let all = use_list(
        Intent::Records {
            patient: None,
            compartment: props.compartment.clone(),
            search: search.trim().to_owned(),
            cursor: None,
        },
        &[Topic::Records],
        records,
    );
    let actions = html! {
        <a href={Route::Add(None).href()} class="button primary" data-testid="add-record">{ icon(Icon::Plus) }{ t.add_record }</a>
    };
    let searching = !search.trim().is_empty();
    let type_search = {
        let search = search.clone();
        Callback::from(move |value| search.set(value))
    };
    let name_one = {
        let naming = naming.clone();
        Callback::from(move |()| naming.set(true))
    };
    let named = {
        let naming = naming.clone();
        Callback::from(move |()| naming.set(false))
    };
    html! {
        <>
            { head(t.nav_records, html! { <p class="lead">{ t.promise_line }</p> }, actions) }
            { loaded(t, &folders, |folders| filters(&app, folders, props.compartment.as_ref(), name_one)) }
            <div class="search" role="search">
                { field("search", t.search, &search, type_search).kind("search") }
            </div>
            { list(t, &all, |items| if items.is_empty() {
                html! {
                    { empty(if searching { Icon::Search } else { Icon::Folder }, if searching { t.nothing_found } else { t.no_records }, html! { if !searching { <p>{ t.no_records_more }</p> } }) }
                }
            } else {
                html! { { record_list(&app, items, None) } }
            }) }
            if *naming { <NameCompartment onclose={named} /> }
        </>
    }
}

fn filters(
    app: &App,
    folders: &[Compartment],
    chosen: Option<&CompartmentId>,
    add: Callback<()>,
) -> Html {
    let t = app.t;
    let chip = |folder: &Compartment| {
        let current = chosen == Some(&folder.id);
        html! {
            <li data-testid="compartment-filter" data-compartment={folder.id.0.clone()}>
                <a href={Route::Records(Some(folder.id.clone())).href()} class="chip" aria-current={(current).then_some("page")}>
                    { &folder.name }<span class="number">{ folder.records }</span>
                </a>
            </li>
        }
    };
    html! {
        <nav class="filters" aria-label={t.compartments}>
            <ul>
                <li><a href={Route::Records(None).href()} class="chip" data-testid="compartment-all" aria-current={(chosen.is_none()).then_some("page")}>{ t.all }</a></li>
                { for folders.iter().map(chip) }
                <li>{ button("add-compartment", t.add_compartment).look(Look::Quiet).icon(Icon::Plus).onclick(add) }</li>
            </ul>
        </nav>
    }
}

#[derive(Properties, PartialEq)]
struct Names {
    onclose: Callback<()>,
}

#[function_component(NameCompartment)]
fn name_compartment(props: &Names) -> Html {
    let app = use_app();
    let t = app.t;
    let name = use_state(String::new);
    let act = {
        let (app, onclose, name) = (app.clone(), props.onclose.clone(), name.clone());
        use_act(Callback::from(move |_| {
            app.say(words::fill(t.compartment_added, &[("name", name.trim())]));
            onclose.emit(());
        }))
    };
    let onsubmit = {
        let (act, name) = (act.clone(), name.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            act.send(Intent::AddCompartment {
                compartment: NewCompartment {
                    name: name.trim().to_owned(),
                    category: None,
                },
            });
        })
    };
    let empty = name.trim().is_empty();
    let oninput = {
        let name = name.clone();
        Callback::from(move |value| name.set(value))
    };
    html! {
        <Dialog testid="compartment-dialog" title={t.add_compartment} onclose={props.onclose.clone()}>
            <form class="stack" {onsubmit}>
                { field("compartment-name", t.compartment_name, &name, oninput).hint(t.compartment_name_hint).maxlength(80).required() }
                if let Some(failure) = act.failure.clone() { { problem(t, &failure) } }
                <div class="actions">
                    { button("compartment-save", t.save).look(Look::Primary).submit().busy(act.is_busy()).disabled(empty) }
                </div>
            </form>
        </Dialog>
    }
}
