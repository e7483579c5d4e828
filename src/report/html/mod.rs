//! A recorded run as one page of HTML: nothing is loaded from elsewhere, and the
//! worst stands first.
//!
//! The page is made here, whole and readable without its script; the script adds
//! the list of all cases with its filters, the theme and deep links
//! (`#case/ID`, `#rule/ID`). The evidence of a failure is kept for one case of each
//! broken requirement, then for more of them up to a bound, so that a page of many
//! failures stays small; `run.jsonl` holds the rest.

mod anchor;
mod difference;
mod evidence;
pub(super) mod filters;
mod index;
mod numbers;
mod page;
mod sections;
mod wire;

pub(super) use anchor::anchor;
pub use page::html;
