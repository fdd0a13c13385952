//! Every transcript says what happens: one file an extension, with the examples of its RFC and its errors.

macro_rules! transcripts {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                crate::transcript::run(include_str!(concat!("../transcripts/", stringify!($name), ".txt")));
            }
        )*

        #[test]
        fn every_file_is_run() {
            let named = [$(stringify!($name)),*];
            let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/transcripts");
            for file in std::fs::read_dir(folder).unwrap() {
                let name = file.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned();
                assert!(named.contains(&name.as_str()), "{name}.txt is not run");
            }
        }
    };
}

transcripts! {
    grammar
    base
    encoded_character
    comparators
    variables
    body
    date
    regex
    flags
    deliver
    reject
    editheader
    vacation
    enotify
    include
    duplicate
    metadata
    extlists
    verdicts
    ihave
    parts
}
