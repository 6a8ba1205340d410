//! What is true of a Node process, read from text that others fetched: probe, flags, V8 limits, log lines, reports, how it died.
