//! The world's time. It is the caller's clock, so that nobody who looks at the world from outside can tell that time is fast.

use std::sync::{Arc, OnceLock};

use chrono::{DateTime, Utc};

use crate::base::Clock;

static CLOCK: OnceLock<Arc<dyn Clock>> = OnceLock::new();

/// Sets the world's clock for the rest of the program; the first one stays.
pub(super) fn set(clock: Arc<dyn Clock>) {
    let _ = CLOCK.set(clock);
}

/// The time in the world.
pub(super) fn now() -> DateTime<Utc> {
    CLOCK.get().map_or_else(Utc::now, |clock| clock.now().wall)
}
