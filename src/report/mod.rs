//! What a person or a program is told; pure functions of one report.
