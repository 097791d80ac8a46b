//! What is kept, rolled back and committed, once more with memories looked at as on systems other
//! than Linux.

#[path = "basic.rs"]
mod basic;
#[path = "calls.rs"]
mod calls;
#[path = "install.rs"]
mod install;
#[path = "restart.rs"]
mod restart;
