//! Tells cargo that the case files and snapshots are part of the program.

fn main() {
    println!("cargo::rerun-if-changed=cases");
    println!("cargo::rerun-if-changed=snapshots");
}
