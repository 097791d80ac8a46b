//! Records out of a FHIR file: what would become of it, and what did.

use crate::app_context::App;
use crate::hooks::Act;
use crate::parts::{Look, button, problem, progress};
use crate::route::Route;
use crate::screens::editor::file_ref;
use crate::words;
use salus_messages::{ImportLine, ImportSummary, Inspection, Intent};
use wasm_bindgen::JsValue;
use web_sys::File;
use yew::{Callback, Html, html};

/// Larger files than this are not looked into for records.
const INSPECT_LIMIT: f64 = 64.0 * 1024.0 * 1024.0;

/// A single JSON file of moderate size.
pub(super) fn may_hold_records(files: &[File]) -> Option<File> {
    let [file] = files else { return None };
    let json = file.name().to_ascii_lowercase().ends_with(".json") || file.type_().contains("json");
    (json && file.size() < INSPECT_LIMIT).then(|| file.clone())
}

fn lines(app: &App, lines: &[ImportLine]) -> Html {
    html! {
        <ul class="import-lines">
            { for lines.iter().map(|line| html! {
                <li><strong class="number">{ line.records }</strong>{ words::category(app.t, line.category) }</li>
            }) }
        </ul>
    }
}

/// What was found in a file, and the choice to sort it in.
pub(super) fn import_offer(
    app: &App,
    found: &Inspection,
    files: &[File],
    import: &Act,
    offer: yew::UseStateSetter<Option<Inspection>>,
) -> Html {
    let t = app.t;
    let Inspection::Fhir {
        patient,
        lines: found,
        ..
    } = found
    else {
        return Html::default();
    };
    let title = if patient.is_empty() {
        t.import_offer.to_owned()
    } else {
        words::fill(t.import_offer_for, &[("name", patient)])
    };
    let onimport = {
        let (go, files) = (import.go.clone(), files.to_vec());
        Callback::from(move |()| {
            if let Some(file) = files.first() {
                let intent = Intent::Import {
                    file: file_ref((0, file)),
                    compartment: None,
                };
                go.emit((intent, vec![JsValue::from(file)]));
            }
        })
    };
    let keep = Callback::from(move |()| offer.set(None));
    html! {
        <section class="note good stack" data-testid="import-offer">
            <div class="stack">
                <h2>{ title }</h2>
                { lines(app, found) }
                <p>{ t.import_explained }</p>
                if let Some(failure) = import.failure.clone() { { problem(t, &failure) } }
                { progress(app, import.busy, true) }
                <div class="actions">
                    { button("import-bundle", t.import_now).look(Look::Primary).busy(import.is_busy()).onclick(onimport) }
                    { button("keep-as-file", t.keep_as_file).look(Look::Quiet).disabled(import.is_busy()).onclick(keep) }
                </div>
            </div>
        </section>
    }
}

/// What an import did.
pub(super) fn import_done(app: &App, summary: &ImportSummary) -> Html {
    let t = app.t;
    html! {
        <section class="panel stack" role="status" data-testid="import-summary">
            <h2 data-testid="import-count" data-count={summary.records.to_string()}>{ words::count(u64::from(summary.records), t.imported_one, t.imported_many) }</h2>
            { lines(app, &summary.lines) }
            if summary.unchanged > 0 { <p>{ words::count(u64::from(summary.unchanged), t.import_unchanged_one, t.import_unchanged_many) }</p> }
            if summary.skipped > 0 { <p class="quiet-text">{ words::count(u64::from(summary.skipped), t.import_skipped_one, t.import_skipped_many) }</p> }
            <a href={Route::Records(None).href()} class="button primary" data-testid="import-done">{ t.all_records }</a>
        </section>
    }
}
