//! Chrome DevTools Protocol over any byte stream.
