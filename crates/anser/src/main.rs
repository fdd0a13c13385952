//! The program: reads the command line and the boot file, and wires the crates below together.

mod cli;
mod clients;
mod command;
mod config;
mod dev;
mod doors;
mod files;
mod help;
mod house;
mod init;
mod logging;
mod memory;
mod metrics;
mod moves;
mod password;
mod people;
mod scripts;
mod serve;
mod show;
mod submit;
mod text;
mod watch;

use std::process::ExitCode;

use anser_base::Result;
use nix::sys::stat::{Mode, umask};

use crate::cli::{Cli, Verb};
use crate::config::Config;
use crate::doors::Allowed;
use crate::text::Language;

fn main() -> ExitCode {
    // Before anything else: a worker reads what strangers sent.
    if std::env::args_os().nth(1).is_some_and(|verb| verb == anser_store::WORKER) {
        return anser_store::work_as_worker();
    }
    memory::keep_few_arenas();
    let language = Language::of_environment();
    let cli = cli::read(language);
    logging::start();
    // Mail is its owner's alone, in whatever folder it is written.
    umask(Mode::from_bits_truncate(0o077));
    match run(cli, language) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) if error.source.as_ref().is_some_and(|source| source.is::<show::Closed>()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}", language.say(text::ERROR, &[&language.error(&error)]));
            ExitCode::FAILURE
        }
    }
}

/// Tells whether all is well.
fn run(cli: Cli, language: Language) -> Result<bool> {
    match &cli.verb {
        Verb::Init(init) => init::run(init, &cli.place, language).map(|()| true),
        Verb::Dev(dev) => dev::run(dev, &cli.place, language).map(|()| true),
        Verb::Serve => {
            let config = Config::read(&cli.place.boot_file())?;
            let allowed =
                Allowed { plaintext_auth: false, local_only: config.smarthost.is_none() && config.outward.is_none() };
            serve::run(serve::prepare(config)?, allowed, async |_| Ok(()), || ())?;
            Ok(true)
        }
        _ => command::run(cli, language),
    }
}
