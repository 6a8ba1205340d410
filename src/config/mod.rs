//! Composes the rooms' options; schema, example, paths, where each value came from.
