//! Documents made from the events of a run.
