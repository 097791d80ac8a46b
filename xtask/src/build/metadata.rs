//! Metadata sections of a canister's Wasm, as the Internet Computer reads them.

/// Appends the custom section `icp:public NAME`, which anyone may read from the state tree.
pub(super) fn append_public(wasm: &mut Vec<u8>, name: &str, content: &[u8]) {
    let name = format!("icp:public {name}");
    let mut section = Vec::with_capacity(content.len() + name.len() + 8);
    leb128(&mut section, name.len());
    section.extend_from_slice(name.as_bytes());
    section.extend_from_slice(content);
    wasm.push(0); // the id of custom sections
    leb128(wasm, section.len());
    wasm.extend_from_slice(&section);
}

fn leb128(out: &mut Vec<u8>, mut value: usize) {
    loop {
        let low = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 {
            out.push(low);
            return;
        }
        out.push(low | 0x80);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_is_id_length_name_and_content() {
        let mut wasm = b"\0asm".to_vec();
        append_public(&mut wasm, "a", b"xy");
        assert_eq!(wasm, b"\0asm\x00\x0f\x0cicp:public axy");
    }

    #[test]
    fn lengths_beyond_a_byte_take_more() {
        let mut out = Vec::new();
        leb128(&mut out, 300);
        assert_eq!(out, [0xac, 0x02]);
    }
}
