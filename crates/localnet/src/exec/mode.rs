//! The interface specification's contexts in which canister code runs, as sets: a system call
//! names the set it is allowed in.

/// Pages of 4 KiB of stable memory one execution may touch, and of those it may write: an update,
/// a query, an installation (`dfinity/ic`, `rs/config/src/embedders.rs`).
const PAGES_OF_UPDATE: u64 = (2 << 30) / 4096;
const PAGES_OF_QUERY: u64 = (1 << 30) / 4096;
const PAGES_OF_INSTALL: u64 = (8 << 30) / 4096;

/// A set of contexts, each one bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mode(u32);

impl Mode {
    /// `canister_init` and `canister_post_upgrade` ("I").
    pub(crate) const INIT: Self = Self(1);
    /// `canister_pre_upgrade` ("G").
    pub(crate) const PRE_UPGRADE: Self = Self(1 << 1);
    /// Updates ("U").
    pub(crate) const UPDATE: Self = Self(1 << 2);
    /// Queries run as updates ("RQ").
    pub(crate) const REPLICATED_QUERY: Self = Self(1 << 3);
    /// Queries ("NRQ").
    pub(crate) const QUERY: Self = Self(1 << 4);
    /// Composite queries ("CQ").
    pub(crate) const COMPOSITE: Self = Self(1 << 5);
    /// Reply callbacks ("Ry").
    pub(crate) const REPLY: Self = Self(1 << 6);
    /// Reject callbacks ("Rt").
    pub(crate) const REJECT: Self = Self(1 << 7);
    /// Reply callbacks of composite queries ("CRy").
    pub(crate) const COMPOSITE_REPLY: Self = Self(1 << 8);
    /// Reject callbacks of composite queries ("CRt").
    pub(crate) const COMPOSITE_REJECT: Self = Self(1 << 9);
    /// Cleanup callbacks ("C").
    pub(crate) const CLEANUP: Self = Self(1 << 10);
    /// Cleanup callbacks of composite queries ("CC").
    pub(crate) const COMPOSITE_CLEANUP: Self = Self(1 << 11);
    /// `canister_inspect_message` ("F").
    pub(crate) const INSPECT: Self = Self(1 << 12);
    /// `canister_global_timer`, one of the system tasks.
    pub(crate) const TIMER: Self = Self(1 << 13);
    /// `canister_heartbeat`, one of the system tasks.
    pub(crate) const HEARTBEAT: Self = Self(1 << 14);
    /// `canister_on_low_wasm_memory`, one of the system tasks.
    pub(crate) const LOW_WASM_MEMORY: Self = Self(1 << 15);
    /// The start function ("s").
    pub(crate) const START: Self = Self(1 << 16);
    /// System tasks ("T").
    pub(crate) const TASK: Self = Self::TIMER.or(Self::HEARTBEAT).or(Self::LOW_WASM_MEMORY);
    /// Every context but the start function ("*").
    pub(crate) const ALL: Self = Self(Self::START.0 - 1);
    /// Every context.
    pub(crate) const ALL_AND_START: Self = Self(Self::ALL.0 | Self::START.0);
    /// What keeps nothing and is not agreed on by all nodes.
    const NON_REPLICATED: Self = Self::QUERY
        .or(Self::COMPOSITE)
        .or(Self::COMPOSITE_REPLY)
        .or(Self::COMPOSITE_REJECT)
        .or(Self::COMPOSITE_CLEANUP)
        .or(Self::INSPECT);

    /// The union.
    pub(crate) const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether the two share a context.
    pub(crate) const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether what happens here is agreed on by all nodes and kept.
    pub(crate) const fn is_replicated(self) -> bool {
        !self.meets(Self::NON_REPLICATED)
    }

    /// Whether changes of memory are noticed here, and so charged for.
    pub(crate) const fn keeps_changes(self) -> bool {
        self.is_replicated() && !self.meets(Self::REPLICATED_QUERY)
    }

    /// How many pages of stable memory one execution may touch.
    pub(crate) const fn stable_pages(self) -> u64 {
        if self.meets(Self::INIT.or(Self::PRE_UPGRADE).or(Self::START)) {
            PAGES_OF_INSTALL
        } else if self.meets(Self::NON_REPLICATED.or(Self::REPLICATED_QUERY)) {
            PAGES_OF_QUERY
        } else {
            PAGES_OF_UPDATE
        }
    }

    /// What the replica calls it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::INIT => "init",
            Self::PRE_UPGRADE => "pre upgrade",
            Self::UPDATE => "update",
            Self::REPLICATED_QUERY => "replicated query",
            Self::QUERY => "non replicated query",
            Self::COMPOSITE => "composite query",
            Self::REPLY => "reply callback",
            Self::REJECT => "reject callback",
            Self::COMPOSITE_REPLY => "composite reply callback",
            Self::COMPOSITE_REJECT => "composite reject callback",
            Self::CLEANUP => "cleanup",
            Self::COMPOSITE_CLEANUP => "composite cleanup",
            Self::INSPECT => "inspect message",
            Self::TIMER => "global timer",
            Self::HEARTBEAT => "heartbeat",
            Self::LOW_WASM_MEMORY => "on low Wasm memory",
            _ => "start",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_stable_memory_are_limited_by_context() {
        let gib = |mode: Mode| (mode.stable_pages() * 4096) >> 30;
        for mode in [Mode::INIT, Mode::PRE_UPGRADE, Mode::START] {
            assert_eq!(gib(mode), 8);
        }
        for mode in [
            Mode::UPDATE,
            Mode::REPLY,
            Mode::REJECT,
            Mode::CLEANUP,
            Mode::TIMER,
            Mode::HEARTBEAT,
            Mode::LOW_WASM_MEMORY,
        ] {
            assert_eq!(gib(mode), 2);
        }
        for mode in [
            Mode::QUERY,
            Mode::REPLICATED_QUERY,
            Mode::COMPOSITE,
            Mode::COMPOSITE_REPLY,
            Mode::COMPOSITE_REJECT,
            Mode::COMPOSITE_CLEANUP,
            Mode::INSPECT,
        ] {
            assert_eq!(gib(mode), 1);
        }
    }
}
