//! Parses the arguments and hands over.

use std::process::ExitCode;

fn main() -> ExitCode {
    yobiban::cli::main(std::env::args_os())
}
