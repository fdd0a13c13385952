//! A store that wants to have included scripts at hand can ask the program for their names.

use anser_sieve::{EXTENSIONS, Extension, Program};

#[test]
fn names_are_told_wherever_they_stand() {
    let script = "require \"include\"; include \"a\"; if true { if true { include :global :optional \"乙\"; } } else { include :once \"c\"; }";
    let program = Program::compile(script.as_bytes()).unwrap();
    assert_eq!(program.includes(), [(false, "a"), (true, "乙"), (false, "c")]);
}

#[test]
fn capabilities_are_told_by_their_names() {
    for (extension, name) in EXTENSIONS {
        assert_eq!((Extension::named(name), extension.name()), (Some(*extension), *name));
        assert!(Program::compile(format!("require \"{name}\";").as_bytes()).is_ok());
    }
    assert_eq!(Extension::named("FileInto"), None);
}
