//! Signing out, and being asked first where that ends a way to one's records. Must not know what a session
//! is.

use crate::app_context::{leave, use_app};
use crate::parts::{Dialog, Icon, Look, button, icon};
use crate::words;
use salus_messages::Intent;
use yew::{Callback, Html, function_component, html, use_state};

/// Signs out, at once where the browser keeps nothing that would be lost by it.
#[function_component(SignOut)]
pub(crate) fn sign_out() -> Html {
    let app = use_app();
    let t = app.t;
    let asking = use_state(bool::default);
    let (stays, only_words) = app.model.stays_unlocked();
    let out = {
        let app = app.clone();
        Callback::from(move |()| leave(&app, Intent::SignOut))
    };
    let set = |to: bool| {
        let asking = asking.clone();
        Callback::from(move |()| asking.set(to))
    };
    let begin = if stays { set(true) } else { out.clone() };
    let ways = if only_words {
        t.sign_out_words
    } else {
        t.sign_out_other
    };
    html! {
        <>
            { button("sign-out", t.sign_out).look(Look::Quiet).onclick(begin) }
            if *asking {
                <Dialog testid="sign-out-dialog" title={t.sign_out_title} onclose={set(false)}>
                    <div class="stack">
                        <p>{ words::fill(t.sign_out_lead, &[("ways", ways)]) }</p>
                        if only_words {
                            <p class="note warn" data-testid="sign-out-only">{ icon(Icon::Alert) }<span>{ t.sign_out_only }</span></p>
                        }
                        <div class="actions">
                            { button("sign-out-confirm", t.sign_out).look(Look::Danger).onclick(out) }
                            { button("sign-out-cancel", t.cancel).look(Look::Quiet).onclick(set(false)) }
                        </div>
                    </div>
                </Dialog>
            }
        </>
    }
}
