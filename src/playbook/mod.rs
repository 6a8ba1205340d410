//! Playbooks: model, lint, expressions, steps, run as a fold; a step asks, it never does.
