//! `acr-sign ci` as the two hosts run it: their environments, and their own rules for what comes out.

mod attacks;
mod host;
mod outputs;
mod parse;
mod sources;
mod steps;
