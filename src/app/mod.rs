//! Decides: (model, stamp, intent or news) → model + effects.
