//! The workshop: what the checkout needs besides the product. `./x` calls it.

mod protocols;
mod tidy;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.split_first() {
        Some((verb, _)) if verb == "protocols" => protocols::run(),
        Some((verb, _)) if verb == "tidy" => tidy::run(),
        _ => {
            eprintln!("xtask protocols | tidy");
            ExitCode::from(2)
        }
    }
}
