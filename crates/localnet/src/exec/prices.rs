//! What things cost in cycles: the published prices of an application subnet of 13 nodes
//! (`dfinity/ic`, `rs/config/src/subnet_config.rs`, as read in autumn 2026).

/// One execution, and each instruction of it.
pub(crate) const EXECUTION: u128 = 5_000_000;
pub(crate) const INSTRUCTION: u128 = 1;
/// A request by an agent that is let in, and each byte of it.
pub(crate) const INGRESS: u128 = 1_200_000;
pub(crate) const INGRESS_BYTE: u128 = 2_000;
/// A call between canisters, and each byte of it and of its answer.
pub(crate) const CALL: u128 = 260_000;
pub(crate) const CALL_BYTE: u128 = 1_000;
/// A new canister.
pub(crate) const CREATE: u128 = 500_000_000_000;
/// A threshold signature or derived key under `key_1`, and under the test keys.
pub(crate) const KEY: u128 = 26_153_846_153;
pub(crate) const TEST_KEY: u128 = 10_000_000_000;
/// A GiB kept for a second.
pub(crate) const GIB_SECOND: u128 = 127_000;
/// A percent of compute allocation for a second.
pub(crate) const COMPUTE_SECOND: u128 = 10_000_000;
/// Largest answer a caller must be able to pay for, bytes.
pub(crate) const MAX_RESPONSE: u128 = 2 << 20;
/// Instructions a caller must be able to pay for when the answer comes.
pub(crate) const MAX_CALLBACK: u128 = 40_000_000_000;

const GIB: u128 = 1 << 30;

/// Executing so many instructions.
pub(crate) fn execution(instructions: u64) -> u128 {
    EXECUTION + INSTRUCTION * u128::from(instructions)
}

/// What is taken when a call is made: the call itself, and what its answer may cost at most.
pub(crate) fn call_sent(bytes: u128) -> u128 {
    CALL + CALL_BYTE * bytes
}

/// What is put aside for a call's answer and given back as far as it is not used.
pub(crate) fn call_answer() -> u128 {
    CALL_BYTE * MAX_RESPONSE + EXECUTION + INSTRUCTION * MAX_CALLBACK
}

/// Keeping so many bytes and reserving so much compute for so many ns.
pub(crate) fn keeping(bytes: u64, compute: u64, ns: u128) -> u128 {
    let second = 1_000_000_000;
    u128::from(bytes) * GIB_SECOND * ns / GIB / second
        + u128::from(compute) * COMPUTE_SECOND * ns / second
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gib_costs_about_four_trillion_a_year() {
        let year = 365 * 24 * 3_600 * 1_000_000_000_u128;
        let cost = keeping(1 << 30, 0, year);
        assert_eq!(cost, 4_005_072_000_000);
    }
}
