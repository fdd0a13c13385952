//! Takes in what `./x web` built of the browser side (`web/dist`). It is never built from here.

use std::path::{Path, PathBuf};
use std::{env, fs};

/// Each is there as it is and, with `.gz`, compressed.
const FILES: [&str; 9] = [
    "login.js",
    "login.css",
    "webmail.js",
    "webmail.css",
    "more.js",
    "pdf.js",
    "pdf.css",
    "pdfworker.js",
    "pdfparts.bin",
];

fn main() {
    let dist = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../web/dist");
    println!("cargo:rerun-if-changed={}", dist.display());
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo names the folder"));
    let is_there = |name: &str| dist.join(name).is_file() && dist.join(format!("{name}.gz")).is_file();
    assert!(
        FILES.iter().all(|name| is_there(name)) || env::var("PROFILE").as_deref() != Ok("release"),
        "the browser side is not built: run `./x web` first"
    );
    for file in FILES {
        for name in [file.to_owned(), format!("{file}.gz")] {
            let bytes =
                if is_there(file) { fs::read(dist.join(&name)).expect("it was just there") } else { Vec::new() };
            fs::write(out.join(name), bytes).expect("the folder is ours");
        }
    }
}
