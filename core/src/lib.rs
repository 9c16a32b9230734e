//! The shared words above the wire: calls and their registry, options, targeting, jobs, errors, logging.
