//! A modal dialog on the platform's own element: it traps focus and closes on Escape.

use crate::app_context::use_app;
use crate::parts::{Icon, icon};
use web_sys::{Event, HtmlDialogElement, MouseEvent};
use yew::{
    AttrValue, Callback, Html, NodeRef, Properties, function_component, html, use_effect_with,
    use_node_ref,
};

#[derive(Properties, PartialEq)]
pub(crate) struct Dialogs {
    pub(crate) testid: AttrValue,
    pub(crate) title: AttrValue,
    pub(crate) onclose: Callback<()>,
    pub(crate) children: Html,
}

/// Open as long as it is rendered.
#[function_component(Dialog)]
pub(crate) fn dialog(props: &Dialogs) -> Html {
    let app = use_app();
    let node = use_node_ref();
    {
        let node: NodeRef = node.clone();
        use_effect_with((), move |()| {
            let dialog = node.cast::<HtmlDialogElement>();
            if let Some(dialog) = &dialog {
                let _ = dialog.show_modal();
            }
            move || {
                if let Some(dialog) = dialog {
                    dialog.close();
                }
            }
        });
    }
    let oncancel = props.onclose.reform(|event: Event| event.prevent_default());
    let onclick = props.onclose.reform(|_: MouseEvent| ());
    let labelled = format!("{}-title", props.testid);
    html! {
        <dialog class="dialog" ref={node} data-testid={props.testid.clone()}
            aria-labelledby={labelled.clone()} {oncancel}>
            <div class="dialog-head">
                <h2 id={labelled}>{ &props.title }</h2>
                <button type="button" class="button quiet square" aria-label={app.t.close}
                    data-testid={format!("{}-close", props.testid)} {onclick}>
                    { icon(Icon::Cross) }
                </button>
            </div>
            { props.children.clone() }
        </dialog>
    }
}
