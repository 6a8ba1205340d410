//! Performs effects, brings news, owns tasks.
