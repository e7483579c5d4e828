//! The command line as people and scripts meet it: the real binary in an empty
//! folder. What it prints is kept in `snapshots/cli`; `cargo insta review` shows
//! what changed.

#[path = "cli/again.rs"]
mod again;
#[path = "support/calls.rs"]
mod calls;
#[path = "cli/clean.rs"]
mod clean;
#[path = "support/command.rs"]
mod command;
#[path = "cli/faults.rs"]
mod faults;
#[path = "cli/fuzz.rs"]
mod fuzz;
#[path = "support/gate.rs"]
mod gate;
#[path = "support/half_built.rs"]
mod half_built;
#[path = "cli/judging.rs"]
mod judging;
#[path = "cli/look.rs"]
mod look;
#[cfg(target_os = "linux")]
#[path = "cli/lost.rs"]
mod lost;
#[path = "support/model.rs"]
mod model;
#[path = "cli/places.rs"]
mod places;
#[path = "cli/played.rs"]
mod played;
#[path = "support/port.rs"]
mod port;
#[path = "cli/protocol.rs"]
mod protocol;
#[path = "cli/prove.rs"]
mod prove;
#[path = "support/proxy.rs"]
mod proxy;
#[path = "cli/record.rs"]
mod record;
#[path = "cli/report.rs"]
mod report;
#[path = "cli/resume.rs"]
mod resume;
#[path = "cli/runs.rs"]
mod runs;
#[path = "cli/serve.rs"]
mod serve;
#[path = "cli/several.rs"]
mod several;
#[path = "cli/shards.rs"]
mod shards;
#[path = "cli/spec.rs"]
mod spec;
#[path = "cli/stops.rs"]
mod stops;
#[path = "cli/target.rs"]
mod target;
#[path = "cli/wrong.rs"]
mod wrong;

/// Compares with the snapshot of this name.
fn check(name: &str, text: &str) {
    let mut settings = insta::Settings::new();
    settings.set_snapshot_path("../snapshots/cli");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}
