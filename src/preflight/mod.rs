//! Facts → risk with numbers, remedies, race, capture progress.
