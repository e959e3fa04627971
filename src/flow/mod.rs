//! The verbs: the only place where the pure formats meet IO.
