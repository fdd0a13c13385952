//! What `--help` says, in both languages.

mod arguments;
mod commands;

pub use arguments::ARGUMENTS;
pub use commands::COMMANDS;
