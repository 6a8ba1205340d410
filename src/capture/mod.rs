//! Survey of facts, capture methods, transfer, watch.
