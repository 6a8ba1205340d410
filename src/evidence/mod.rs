//! Files that prove something: growing, sealed with sha256, provenance, index cache.
