//! Shows the model, turns keys into intents.
