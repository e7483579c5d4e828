//! The flags of `syncspec serve`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Parser, ValueEnum};

#[derive(Debug, Parser)]
pub(super) struct ServeArgs {
    /// Address to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:4580")]
    pub(super) listen: SocketAddr,
    /// Write a target file that leads to the server
    #[arg(long, value_name = "FILE")]
    pub(super) write_target: Option<PathBuf>,
    /// Serve the accounts, pools and identities of this file (default: one account with public
    /// keys, see `syncspec schema world`)
    #[arg(long, value_name = "FILE")]
    pub(super) world: Option<PathBuf>,
    /// With `--world` and `--write-target`: the account that the target file is for (default: the
    /// first)
    #[arg(long, value_name = "ID", requires_all = ["world", "write_target"])]
    pub(super) account: Option<String>,
    /// Keep everything in this file; what was answered is still there after any kind of end
    /// (default: in memory only)
    #[arg(long, value_name = "FILE", conflicts_with = "mutant")]
    pub(super) state: Option<PathBuf>,
    /// Tell of each request on standard error
    #[arg(long, value_name = "FORMAT", default_value_t, value_enum)]
    pub(super) log: LogFormat,
    /// Serve a server with one requirement broken, or one that makes another legal choice
    #[arg(long, value_name = "NAME")]
    pub(super) mutant: Option<String>,
    /// List the names for `--mutant` (those that begin with NAME, if given), and serve nothing
    #[arg(long)]
    pub(super) list_mutants: bool,
}

/// Form of the access log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum LogFormat {
    /// Nothing.
    Off,
    /// One line for people.
    #[default]
    Short,
    /// One JSON object.
    Json,
}
