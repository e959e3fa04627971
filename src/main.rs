//! Hands the arguments to [`acr_sign::run`] and exits with its code; nothing else.

use std::process::ExitCode;

use acr_sign::{Process, run};

fn main() -> ExitCode {
    run(std::env::args_os(), &mut Process::real()).code().into()
}
