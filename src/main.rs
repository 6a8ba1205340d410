//! The binary: everything is in the library's `cli` room.

fn main() -> std::process::ExitCode {
    cutoff::cli::main(std::env::args_os())
}
