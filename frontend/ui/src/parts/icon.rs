//! The mark and the icons, drawn as strokes on a 24-unit grid.

use salus_messages::RecordKind;
use yew::{Html, html};

/// An icon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Icon {
    Home,
    Folder,
    People,
    Clock,
    Calendar,
    Bell,
    Person,
    Lock,
    Key,
    Eye,
    Plus,
    Search,
    Check,
    Alert,
    Down,
    Clip,
    Note,
    Pill,
    Heart,
    Shield,
    Syringe,
    Flask,
    Scan,
    Steth,
    List,
    Pencil,
    Arrow,
    Cross,
    Send,
    Link,
}

impl Icon {
    fn path(self) -> &'static str {
        match self {
            Self::Home => "M4 11.5 12 5l8 6.5M6 10v9h4.5v-5h3v5H18v-9",
            Self::Folder => {
                "M3.5 7.5a2 2 0 0 1 2-2h4l2 2.5h7a2 2 0 0 1 2 2v7a2 2 0 0 1-2 2h-13a2 2 0 0 1-2-2z"
            }
            Self::People => {
                "M9 11a3.2 3.2 0 1 0 0-6.400 3.200 3.200 0 0 0 0 6.400zM3 19c.4-3.300 2.800-5 6-5s5.600 1.700 6 5M15.500 5a3 3 0 0 1 0 5.800M17.500 14.300c2 .6 3.200 2.200 3.500 4.700"
            }
            Self::Clock => "M12 20a8 8 0 1 0 0-16 8 8 0 0 0 0 16zM12 7.500V12l3 2",
            Self::Calendar => {
                "M4.500 6.500a1 1 0 0 1 1-1h13a1 1 0 0 1 1 1v13h-15zM4.500 10.500h15M8.500 3.500v4M15.500 3.500v4"
            }
            Self::Bell => {
                "M6 16.500V11a6 6 0 0 1 12 0v5.500l1.500 1.500h-15zM10 20.500c.5.700 1.200 1 2 1s1.500-.3 2-1"
            }
            Self::Person => {
                "M12 11.500a3.700 3.700 0 1 0 0-7.400 3.700 3.700 0 0 0 0 7.400zM5 20c.4-3.800 3.200-5.700 7-5.700s6.600 1.900 7 5.700"
            }
            Self::Lock => "M6.500 11h11v9h-11zM8.500 11V8a3.500 3.500 0 0 1 7 0v3M12 14.500v2",
            Self::Key => {
                "M8 16.500a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM11.800 12H21M17.500 12v3.500M21 12v2.500"
            }
            Self::Eye => {
                "M2.500 12S6 5.500 12 5.500 21.500 12 21.500 12 18 18.500 12 18.500 2.500 12 2.500 12zM12 14.800a2.800 2.800 0 1 0 0-5.600 2.800 2.800 0 0 0 0 5.600z"
            }
            Self::Plus => "M12 5v14M5 12h14",
            Self::Search => {
                "M10.500 17a6.500 6.500 0 1 0 0-13 6.500 6.500 0 0 0 0 13zM15.500 15.500 20 20"
            }
            Self::Check => "m5 12.500 4.500 4.500L19 7.500",
            Self::Alert => "M12 4 2.800 19.500h18.400zM12 10v4.500M12 17v.2",
            Self::Down => "M12 4v11M7 10.500l5 5 5-5M5 20h14",
            Self::Clip => {
                "m19 11-7.500 7.500a4.600 4.600 0 0 1-6.500-6.500L12.500 4.500a3 3 0 0 1 4.300 4.300L9.500 16a1.500 1.500 0 0 1-2.100-2.100L14 7.300"
            }
            Self::Note => "M6 3.500h9l4 4v13H6zM14.500 3.500V8H19M9 12h6.500M9 15.500h6.500",
            Self::Pill => {
                "M5.200 18.800a4.500 4.500 0 0 1 0-6.400l7.200-7.200a4.500 4.500 0 0 1 6.400 6.400l-7.200 7.200a4.500 4.500 0 0 1-6.400 0zM8.800 8.800l6.400 6.400"
            }
            Self::Heart => "M3.500 12h4l2-4.500 4 9 2.200-4.500h4.800",
            Self::Shield => {
                "M12 3.500 5 6v5.500c0 4.300 2.800 7.300 7 9 4.200-1.700 7-4.700 7-9V6zM9 12l2.200 2.200L15.200 10"
            }
            Self::Syringe => {
                "m4 20 3.500-3.500M6 13l5 5 7-7-5-5zM15 4l5 5M9 10l2.500 2.500M17.500 6.500 20 4"
            }
            Self::Flask => {
                "M9.500 3.500h5M10.500 3.500v6L5.500 18a1.700 1.700 0 0 0 1.500 2.500h10a1.700 1.700 0 0 0 1.500-2.500l-5-8.500v-6M8 15h8"
            }
            Self::Scan => "M4 8V4h4M16 4h4v4M20 16v4h-4M8 20H4v-4M8 12h8M12 8v8",
            Self::Steth => {
                "M6 4H5v5a4 4 0 0 0 8 0V4h-1M9 13v2.500a4.500 4.500 0 0 0 9 0V13M18 13a1.800 1.800 0 1 0 0-3.600 1.800 1.800 0 0 0 0 3.600z"
            }
            Self::List => {
                "M9 6.500h11M9 12h11M9 17.500h11M4.500 6.500h.1M4.500 12h.1M4.500 17.500h.1"
            }
            Self::Pencil => "m4.500 19.500 1-4L16 5l3 3L8.500 18.500zM14 7l3 3",
            Self::Arrow => "M5 12h14M13 6l6 6-6 6",
            Self::Cross => "m6 6 12 12M18 6 6 18",
            Self::Send => "M20.500 3.500 3.500 10l6.500 3.500 3.500 6.500zM10 13.500l5-5",
            Self::Link => {
                "M10 14a4 4 0 0 0 5.700 0l3-3A4 4 0 0 0 13 5.300l-1 1M14 10a4 4 0 0 0-5.700 0l-3 3a4 4 0 0 0 5.700 5.700l1-1"
            }
        }
    }
}

/// An icon beside words; screen readers pass over it.
pub(crate) fn icon(which: Icon) -> Html {
    html! {
        <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
            <path d={which.path()} />
        </svg>
    }
}

/// The icon of a kind of record.
pub(crate) fn kind_icon(kind: RecordKind) -> Icon {
    match kind {
        RecordKind::Note => Icon::Note,
        RecordKind::Document => Icon::Clip,
        RecordKind::Condition => Icon::Steth,
        RecordKind::Allergy => Icon::Alert,
        RecordKind::Medication => Icon::Pill,
        RecordKind::Immunization => Icon::Syringe,
        RecordKind::Laboratory => Icon::Flask,
        RecordKind::Vitals => Icon::Heart,
        RecordKind::Procedure => Icon::Shield,
        RecordKind::Encounter => Icon::Calendar,
        RecordKind::CarePlan => Icon::List,
        RecordKind::Imaging => Icon::Scan,
        RecordKind::Demographics => Icon::Person,
        RecordKind::Other => Icon::Folder,
    }
}

/// The mark: a bowl that holds, and what it holds. The same shape as `static/mark.svg`.
pub(crate) fn mark() -> Html {
    html! {
        <svg class="mark" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
            <rect class="mark-ground" width="32" height="32" rx="9" />
            <path class="mark-bowl" d="M6 14.500h20a10 10 0 0 1-20 0z" />
            <path class="mark-foot" d="M12.500 26.500h7" />
            <circle class="mark-sun" cx="16" cy="8.500" r="3.200" />
        </svg>
    }
}
