//! `syncspec report diff`, `matrix`, `trend`: documents from several recorded runs.

use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::nights::{encoded, page, records};
use super::output::{Output, folder_of, unwritable, write_atomically};
use super::recorded::{CutOff, file, open, refused};
use super::report::{deliver, deliver_text};
use super::report_args::{DocumentFormat, MatrixArgs, NightDiffArgs, TrendArgs};
use super::{Exit, FAILED};
use crate::report::{
    Columns, Diff, Differences, Matrix, Partial, Skim, Skimmer, Trend, badge, diff_html, diff_json, diff_markdown,
    diff_text, matrix_html, matrix_json, matrix_markdown, matrix_text, trend_html, trend_markdown, trend_text,
};
use crate::spec::{Catalog, Service};

/// The command that a case's id is added to where a run does not say its own.
const RERUN: &str = "syncspec run";

fn skim(skimmer: &Skimmer, file: &Path, partial: Partial) -> Result<Skim, Exit> {
    skimmer.read(open(file)?, partial).map_err(|error| refused(file, &error, CutOff::CanBeAccepted))
}

/// Prints a document, or writes it to a file.
fn put(text: &str, format: DocumentFormat, output_file: Option<&Path>, output: &Output) -> Result<u8, Exit> {
    match format {
        DocumentFormat::Text => deliver_text(text, output_file, output),
        _ => deliver(text.as_bytes(), output_file, output),
    }
}

fn json(value: &impl serde::Serialize) -> Result<String, Exit> {
    serde_json::to_string_pretty(value).map(|text| text + "\n").map_err(Exit::usage)
}

fn partial(accepted: bool) -> Partial {
    if accepted { Partial::Allow } else { Partial::Refuse }
}

pub(super) fn diff(args: &NightDiffArgs, output: &Output) -> Result<u8, Exit> {
    let (format, skimmer, partial) = (args.form.format()?, Skimmer::default(), partial(args.partial));
    let (old_file, new_file) = (file(&args.old), file(&args.new));
    let (old, new) = std::thread::scope(|scope| {
        let old = scope.spawn(|| skim(&skimmer, &old_file, partial));
        let new = skim(&skimmer, &new_file, partial);
        let old = old.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        Ok::<_, Exit>((old?, new?))
    })?;
    let mut differences = Differences::of(&old, &new);
    if let Some(dir) = &args.history {
        remember(&mut differences, dir, args, [(&old_file, &old), (&new_file, &new)], &skimmer)?;
    }
    let read = differences.read(&mut open(&old_file)?, &mut open(&new_file)?);
    let diff = read.map_err(|error| Exit::usage(format!("cannot read the runs again: {error}")))?;
    let text = rendered(&diff, args, format, &new_file)?;
    put(&text, format, args.form.output.as_deref(), output)?;
    Ok(if diff.is_regression() { FAILED } else { 0 })
}

fn rendered(diff: &Diff, args: &NightDiffArgs, format: DocumentFormat, new: &Path) -> Result<String, Exit> {
    match format {
        DocumentFormat::Text => Ok(diff_text(diff)),
        DocumentFormat::Markdown => Ok(diff_markdown(diff)),
        DocumentFormat::Json => json(&diff_json(diff)),
        DocumentFormat::Html => {
            let page = page(new, folder_of(args.form.output.as_deref()));
            diff_html(diff, page.as_deref(), RERUN).map_err(Exit::usage)
        }
    }
}

/// Takes in the latest runs of the same target that began before the new one, the old one
/// among them.
fn remember(
    differences: &mut Differences<'_>,
    dir: &Path,
    args: &NightDiffArgs,
    [(old_file, old), (new_file, new)]: [(&PathBuf, &Skim); 2],
    skimmer: &Skimmer,
) -> Result<(), Exit> {
    let same = |path: &Path, file: &Path| {
        path.canonicalize().is_ok_and(|path| file.canonicalize().is_ok_and(|file| path == file))
    };
    let mut earlier = vec![(old.header.started.clone(), old_file.clone())];
    for path in records(dir)? {
        if same(&path, old_file) || same(&path, new_file) {
            continue;
        }
        // What is no record of a run tells nothing of its history; `report trend` says so.
        let Ok(header) = crate::report::header(open(&path)?) else { continue };
        if header.target.name == new.header.target.name && header.started <= new.header.started {
            earlier.push((header.started, path));
        }
    }
    earlier.sort();
    let skipped = earlier.len().saturating_sub(usize::from(args.last));
    for (_, path) in earlier.into_iter().skip(skipped) {
        match skimmer.read(open(&path)?, Partial::Allow) {
            Ok(run) => differences.remember(&run),
            Err(error) => {
                return Err(Exit::usage(format!("{}: {error}; move it out of {}", path.display(), dir.display())));
            }
        }
    }
    Ok(())
}

pub(super) fn matrix(args: &MatrixArgs, output: &Output) -> Result<u8, Exit> {
    let format = args.form.format()?;
    let (catalog, disputes) = (Catalog::embedded(), &Service::embedded().disputes);
    if args.pages.as_ref().is_some_and(|pages| !pages.contains("{target}")) {
        return Err(Exit::usage("--pages needs `{target}` in it, where the name of each target is to stand"));
    }
    let mut columns = Columns::default();
    for run in &args.runs {
        let (label, path) = match run.split_once('=') {
            Some((label, path)) if !Path::new(run).exists() && !label.is_empty() => (Some(label), Path::new(path)),
            _ => (None, Path::new(run)),
        };
        let file = file(path);
        let read = columns.read(label, open(&file)?, partial(args.partial), catalog, disputes);
        let column = read.map_err(|error| refused(&file, &error, CutOff::CanBeAccepted))?;
        column.page = match &args.pages {
            Some(pages) => Some(pages.replace("{target}", &encoded(&column.label))),
            None => page(&file, folder_of(args.form.output.as_deref())),
        };
    }
    let matrix = Matrix::of(columns, catalog, disputes);
    if let Some(dir) = &args.badges {
        write_badges(&matrix, dir)?;
    }
    let text = match format {
        DocumentFormat::Text => matrix_text(&matrix),
        DocumentFormat::Markdown => matrix_markdown(&matrix),
        DocumentFormat::Html => matrix_html(&matrix, RERUN).map_err(Exit::usage)?,
        DocumentFormat::Json => json(&matrix_json(&matrix))?,
    };
    put(&text, format, args.form.output.as_deref(), output)
}

fn write_badges(matrix: &Matrix, dir: &Path) -> Result<(), Exit> {
    let unwritable = |path: &Path, error: &std::io::Error| Exit::usage(unwritable(path, error));
    fs::create_dir_all(dir).map_err(|error| unwritable(dir, &error))?;
    let mut taken = HashSet::new();
    for column in &matrix.columns {
        let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_') { c } else { '-' };
        let name: String = column.label.chars().map(plain).collect();
        let mut names = (1..).map(|number| if number == 1 { name.clone() } else { format!("{name}-{number}") });
        let Some(name) = names.find(|name| taken.insert(name.to_lowercase())) else { continue };
        let path = dir.join(format!("{name}.svg"));
        let svg = badge(column, &Service::embedded().name);
        write_atomically(&path, svg.as_bytes()).map_err(|error| unwritable(&path, &error))?;
    }
    Ok(())
}

pub(super) fn trend(args: &TrendArgs, output: &Output) -> Result<u8, Exit> {
    if args.dir.is_file() {
        let message = format!("{} is a file; name the folder that holds the runs", args.dir.display());
        return Err(Exit::usage(message));
    }
    let format = args.form.format()?;
    let (mut trend, skimmer) = (Trend::default(), Skimmer::default());
    let (mut others, mut unread) = (BTreeSet::new(), None);
    let folder = folder_of(args.form.output.as_deref());
    for path in records(&args.dir)? {
        let name = path.strip_prefix(&args.dir).unwrap_or(&path).display().to_string();
        match skimmer.read(open(&path)?, Partial::Allow) {
            Ok(run) if args.target.as_ref().is_some_and(|target| run.header.target.name != *target) => {
                others.insert(run.header.target.name);
            }
            Ok(run) => trend.add(&name, &run, page(&path, folder)),
            Err(error) => {
                trend.add_unreadable(&name, &error.to_string());
                unread.get_or_insert(format!("{name}: {error}"));
            }
        }
    }
    if trend.is_empty() {
        return Err(Exit::usage(no_history(args, &others, unread.as_deref())));
    }
    let trend = trend.sorted();
    let text = match format {
        DocumentFormat::Text => trend_text(&trend),
        DocumentFormat::Markdown => trend_markdown(&trend),
        DocumentFormat::Html => trend_html(&trend).map_err(Exit::usage)?,
        DocumentFormat::Json => json(&trend)?,
    };
    put(&text, format, args.form.output.as_deref(), output)
}

/// Why there is nothing to draw.
fn no_history(args: &TrendArgs, others: &BTreeSet<String>, unread: Option<&str>) -> String {
    let of = args.target.as_ref().map(|target| format!(" of the target `{target}`")).unwrap_or_default();
    let message = format!("there is no recorded run{of} below {}", args.dir.display());
    let names: Vec<_> = others.iter().map(String::as_str).collect();
    match (names.is_empty(), unread) {
        (false, _) => format!("{message}; there are runs of {}", names.join(", ")),
        (true, Some(unread)) => format!("{message}; what is no record: {unread}"),
        (true, None) => message,
    }
}
