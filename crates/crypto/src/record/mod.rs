//! A version's descriptor and parts: their contents, padding and sealing. Must not know where they
//! are filed or stored.

mod descriptor;
mod part;

pub use descriptor::{
    Coding, DESCRIPTOR_LIMIT, Descriptor, DescriptorPart, SEALED_DESCRIPTOR_LIMIT,
};
pub use part::{
    OpenedPart, PART_LIMIT, PartOpener, PartSealer, SealedPart, open_part, seal_part,
    sealed_part_len,
};
