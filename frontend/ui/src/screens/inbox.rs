//! Notifications. Seeing the list marks it as seen.

use crate::app_context::{App, use_app};
use crate::channel;
use crate::hooks::use_list;
use crate::model::Action;
use crate::parts::{Icon, empty, head, icon, list};
use crate::remote::Remote;
use crate::route::Route;
use crate::words;
use salus_messages::{Intent, Notification, NotificationKind, Page, RecordAddress, Reply, Topic};
use yew::{Html, function_component, html, use_effect_with};

fn inbox(reply: Reply) -> Option<Page<Notification>> {
    match reply {
        Reply::Inbox(page) => Some(page),
        _ => None,
    }
}

/// The inbox.
#[function_component(Inbox)]
pub(crate) fn inbox_screen() -> Html {
    let app = use_app();
    let t = app.t;
    // Marking as seen does not load it again: what is new stays marked while one looks.
    let all = use_list(Intent::Inbox { cursor: None }, &[Topic::Inbox], inbox);
    let newest = match &all.pages.items {
        Remote::Ready(items) => items
            .iter()
            .filter(|one| one.unread)
            .map(|one| one.number)
            .max(),
        _ => None,
    };
    {
        let dispatch = app.dispatch.clone();
        use_effect_with(newest, move |newest| {
            if let Some(up_to) = *newest {
                channel::ask(Intent::MarkSeen { up_to }, &[], move |answer| {
                    if answer.is_ok() {
                        dispatch.emit(Action::Unread(0));
                    }
                });
            }
        });
    }
    html! {
        <>
            { head(t.nav_inbox, html! { <p class="lead">{ t.inbox_lead }</p> }, Html::default()) }
            { list(t, &all, |items| if items.is_empty() {
                html! { { empty(Icon::Bell, t.inbox_empty, Html::default()) } }
            } else {
                html! { <ul class="notifications">{ for items.iter().map(|one| item(&app, one)) }</ul> }
            }) }
        </>
    }
}

/// Where a notification leads.
fn target(one: &Notification) -> Route {
    let own_record = || {
        one.record.clone().map(|record| {
            Route::Record(
                RecordAddress {
                    patient: None,
                    record,
                },
                None,
            )
        })
    };
    match one.kind {
        NotificationKind::RequestReceived => {
            one.request.clone().map_or(Route::Sharing, Route::Review)
        }
        NotificationKind::RequestApproved | NotificationKind::GrantReceived => one
            .other
            .as_ref()
            .and_then(|other| other.account.clone())
            .map_or(Route::Patients, Route::Patient),
        NotificationKind::RequestDenied => Route::Outgoing,
        NotificationKind::GrantRevoked => Route::Patients,
        NotificationKind::RecordReceived => own_record().unwrap_or(Route::Records(None)),
        NotificationKind::RecordOpened => Route::Activity,
        NotificationKind::SecurityChanged | NotificationKind::Other => Route::Account,
    }
}

fn item(app: &App, one: &Notification) -> Html {
    let t = app.t;
    let who = one
        .other
        .as_ref()
        .map_or_else(|| t.someone.to_owned(), |other| words::person(t, other));
    let (text, name) = words::notification(t, one.kind, &who);
    let sign = match one.kind {
        NotificationKind::RequestReceived => Icon::Send,
        NotificationKind::RequestApproved | NotificationKind::GrantReceived => Icon::Check,
        NotificationKind::RequestDenied | NotificationKind::GrantRevoked => Icon::Cross,
        NotificationKind::RecordReceived => Icon::Note,
        NotificationKind::RecordOpened => Icon::Eye,
        NotificationKind::SecurityChanged => Icon::Key,
        NotificationKind::Other => Icon::Bell,
    };
    html! {
        <li key={one.number} data-testid="notification" data-kind={name} data-unread={one.unread.to_string()}>
            <a href={target(one).href()} class={if one.unread { "notification unread" } else { "notification" }}>
                <span class="kind-icon">{ icon(sign) }</span>
                <span class="record-words">
                    <span>{ text }if one.unread { <span class="visually-hidden">{ t.new }</span> }</span>
                    <span class="quiet-text">{ words::moment(app.language(), one.at) }</span>
                </span>
            </a>
        </li>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_leads_to_its_answer() {
        let one = Notification {
            number: 1,
            at: 0,
            kind: NotificationKind::RequestReceived,
            other: None,
            request: Some("q".into()),
            record: None,
            unread: true,
        };
        assert_eq!(target(&one), Route::Review("q".into()));
        let gone = Notification {
            request: None,
            ..one
        };
        assert_eq!(target(&gone), Route::Sharing);
    }
}
