//! The workshop: what the checkout needs besides the product. `./x` calls it.

mod tidy;

use std::process::ExitCode;

fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        Some("tidy") => tidy::run(),
        _ => {
            eprintln!("xtask tidy");
            ExitCode::from(2)
        }
    }
}
