//! Delivers one post: channels, retry rules. When and why is not its business.
