//! Records in lists, and the sections of an opened one.

use crate::app_context::App;
use crate::parts::{Icon, icon, kind_icon};
use crate::route::Route;
use crate::texts::Texts;
use crate::words;
use salus_messages::{AccountId, RecordAddress, RecordSummary, Row, Section, SectionBody, Trust};
use yew::{AttrValue, Html, html};

/// A list of records, each a link; of a patient, or one's own. Items:
/// `data-testid="record-item"`.
pub(crate) fn record_list(
    app: &App,
    records: &[RecordSummary],
    patient: Option<&AccountId>,
) -> Html {
    let (t, language) = (app.t, app.language());
    let item = |record: &RecordSummary| {
        let route = Route::Record(
            RecordAddress {
                patient: patient.cloned(),
                record: record.id.clone(),
            },
            None,
        );
        let date = record.clinical_date.as_deref().map_or_else(
            || words::day(language, record.added_at),
            |date| words::clinical_date(language, date),
        );
        let type_label = if record.type_label.is_empty() {
            words::kind(t, record.kind).to_owned()
        } else {
            record.type_label.clone()
        };
        html! {
            <li key={record.id.0.clone()} data-testid="record-item" data-record={record.id.0.clone()}>
                <a href={route.href()} class="record-item">
                    <span class="kind-icon">{ icon(kind_icon(record.kind)) }</span>
                    <span class="record-words">
                        <span class="record-title" data-testid="record-title">{ &record.title }</span>
                        <span class="quiet-text">{ format!("{type_label} · {date}") }</span>
                        <span class="record-by">
                            { author_words(app, record) }
                            if record.version > 1 {
                                <span class="badge">{ words::fill(t.version_n, &[("n", &record.version.to_string())]) }</span>
                            }
                            if record.attachments > 0 {
                                <span class="badge">{ icon(Icon::Clip) }{ record.attachments }
                                    <span class="visually-hidden">{ t.attachments }</span></span>
                            }
                            if record.unfiled {
                                <span class="badge notice-badge" data-testid="unfiled">{ t.unfiled }</span>
                            }
                        </span>
                    </span>
                </a>
            </li>
        }
    };
    html! {
        <ul class="record-list" data-testid="record-list">
            { for records.iter().map(item) }
        </ul>
    }
}

fn author_words(app: &App, record: &RecordSummary) -> Html {
    let t = app.t;
    let person = &record.author.person;
    let by = if person.trust == Trust::Own {
        t.by_you.to_owned()
    } else {
        words::fill(t.by_author, &[("who", &words::person(t, person))])
    };
    let (class, sign, note) = if record.author.verified {
        ("author verified", Icon::Shield, t.author_verified)
    } else {
        ("author unverified", Icon::Alert, t.author_unverified)
    };
    html! {
        <span {class} data-testid="author" data-verified={record.author.verified.to_string()}>
            { icon(sign) }
            { by }
            <span class="visually-hidden">{ note }</span>
        </span>
    }
}

/// The structured content of a record.
pub(crate) fn sections(t: &'static Texts, sections: &[Section]) -> Html {
    let row = |row: &Row| {
        let flag = row.flag.map(|flag| {
            html! { <span class="flag">{ words::flag(t, flag) }</span> }
        });
        html! {
            <div class="row">
                <dt>{ &row.label }</dt>
                <dd>
                    <span class="row-value">{ &row.value }</span>
                    { flag }
                    if !row.remark.is_empty() { <span class="quiet-text">{ &row.remark }</span> }
                </dd>
            </div>
        }
    };
    let section = |section: &Section| {
        let body = match &section.body {
            SectionBody::Rows(rows) => html! { <dl class="rows">{ for rows.iter().map(row) }</dl> },
            SectionBody::Text(text) => paragraphs(text),
            SectionBody::Table { columns, rows } => html! {
                <div class="table-scroll" tabindex="0" role="region" aria-label={section.heading.clone()}>
                    <table>
                        <thead><tr>{ for columns.iter().map(|cell| html! { <th scope="col">{ cell }</th> }) }</tr></thead>
                        <tbody>{ for rows.iter().map(|row| html! {
                            <tr>{ for row.iter().map(|cell| html! { <td>{ cell }</td> }) }</tr>
                        }) }</tbody>
                    </table>
                </div>
            },
        };
        html! {
            <section class="record-section" data-testid="record-section">
                if !section.heading.is_empty() { <h3>{ &section.heading }</h3> }
                { body }
            </section>
        }
    };
    html! { <>{ for sections.iter().map(section) }</> }
}

/// Text as it was written: blank lines part paragraphs, other line ends stay.
pub(crate) fn paragraphs(text: &str) -> Html {
    html! {
        <div class="prose">
            { for text.split("\n\n").map(|part| html! { <p>{ AttrValue::from(part.trim().to_owned()) }</p> }) }
        </div>
    }
}
