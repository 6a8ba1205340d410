//! The demo's kubelet: runs the pods of the store on the machine, accounts and limits their memory, keeps their logs.

mod container;
mod log;
mod memory;
mod metrics;
mod node;
mod resize;
mod worker;

pub(crate) use log::LogBook;
pub(crate) use node::Kubelet;
