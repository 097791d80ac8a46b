//! The development identity provider.

pub(crate) mod routes;
