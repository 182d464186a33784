//! A short run of every target, as in continuous integration.
#![forbid(unsafe_code)]

use std::process::Command;

#[test]
fn damaged_files_are_read_or_refused() {
    let output =
        Command::new(env!("CARGO_BIN_EXE_irtune-fuzz")).arg("all").output().expect("the program starts");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.ends_with("\n0 findings\n"), "{said}");
}
