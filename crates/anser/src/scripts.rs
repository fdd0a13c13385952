//! The commands on Sieve scripts.

use std::io::Read;
use std::path::Path;

use anser_admin::request::{Applied, Request, SieveAct, Trial};
use anser_base::{Error, Result};

use crate::cli::{self, ScriptPlace, Sieve};
use crate::text::{self, refused};

/// Longest script or form that is read, in bytes: more than any server takes.
const LONGEST: u64 = 8 << 20;

/// What a command asks for, and whether it gives a list.
pub fn asked(sieve: Sieve) -> Result<(Request, bool)> {
    let (whose, what, is_list) = match sieve {
        Sieve::List { whose } => (whose, SieveAct::List, true),
        Sieve::Show { whose, script_name: name } => (whose, SieveAct::Show { name }, false),
        Sieve::Put { whose, script_name: name, file, place } => {
            let place = place.map(|place| word(place).to_owned());
            (whose, SieveAct::Put { name, text: read(file.as_deref())?, place }, false)
        }
        Sieve::Activate { whose, script_name: name, place } => {
            (whose, SieveAct::Place { name, place: word(place).to_owned() }, false)
        }
        Sieve::Remove { whose, script_name: name } => (whose, SieveAct::Remove { name }, false),
        Sieve::Check { file } => (String::new(), SieveAct::Check { text: read(file.as_deref())? }, false),
        Sieve::Form { address, put: None } => (address, SieveAct::Form, false),
        Sieve::Form { address, put: Some(path) } => {
            let form = serde_json::from_str(&read(Some(&path))?);
            let form = form.map_err(|error| refused(text::NO_FORM, &[&error.to_string()]))?;
            (address, SieveAct::PutForm { form }, false)
        }
        Sieve::Try(cli::Trial { address, last, script, folder }) => {
            let script = script.map(|path| read(Some(&path))).transpose()?;
            (address, SieveAct::Try(Trial { folder, last, script }), true)
        }
        Sieve::Apply(cli::Applied { address, last, script, folder, wait }) => {
            let script = script.map(|path| read(Some(&path))).transpose()?;
            (address, SieveAct::Apply(Applied { folder, last, script, wait }), false)
        }
        Sieve::Job { address } => (address, SieveAct::Job, false),
        Sieve::Cancel { address } => (address, SieveAct::Cancel, false),
    };
    Ok((Request::Sieve { whose, what }, is_list))
}

fn word(place: ScriptPlace) -> &'static str {
    match place {
        ScriptPlace::Active => "active",
        ScriptPlace::Before => "before",
        ScriptPlace::After => "after",
        ScriptPlace::Off => "off",
    }
}

/// A file, or standard input; `-` is standard input as well.
fn read(path: Option<&Path>) -> Result<String> {
    let mut text = Vec::new();
    match path.filter(|path| *path != Path::new("-")) {
        Some(path) => std::fs::File::open(path).and_then(|file| file.take(LONGEST).read_to_end(&mut text)),
        None => std::io::stdin().lock().take(LONGEST).read_to_end(&mut text),
    }
    .map_err(Error::io)?;
    String::from_utf8(text).map_err(|_| refused(text::NOT_UTF8, &[]))
}
