//! The network edge: every byte that leaves the machine passes here.
