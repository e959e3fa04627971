//! `acr-sign ci` as the two hosts run it: their environments, and their own rules for what comes out.

mod answers;
mod attacks;
mod fields;
mod files;
mod fresh;
mod host;
mod outputs;
mod parse;
mod program;
mod secrets;
mod sources;
mod steps;
mod written;
