//! Events → state: clock plan, cut-off, escalation, hypotheses, roles, acts, changes, provenance, posts.
