#![doc = include_str!("ARCHITECTURE.md")]

pub mod app;
pub mod base;
pub mod capture;
pub mod cli;
pub mod cluster;
pub mod config;
pub mod demo;
pub mod disk;
pub mod evidence;
pub mod git;
pub mod heap;
pub mod incident;
pub mod inspector;
pub mod journal;
pub mod metrics;
pub mod node;
pub mod notify;
pub mod playbook;
pub mod preflight;
pub mod pressure;
pub mod report;
pub mod runtime;
#[cfg(test)]
mod skips;
pub mod source;
pub mod ui;
