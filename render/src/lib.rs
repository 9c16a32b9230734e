//! Text to data and back: YAML and outputters.
