//! Source files in the views that the checks need, and as much reading of Rust
//! as that takes: comments, quotes, items, and paths that begin with `crate::`.

use std::fs;
use std::path::Path;

/// A source file in three views with the same lines.
pub(crate) struct Source {
    /// Path from the package's root, with slashes.
    pub(crate) path: String,
    /// Without comments and without what stands in quotes.
    pub(crate) code: String,
    /// Without tests, but with comments and quotes.
    pub(crate) shipped: String,
    /// Without tests, comments and quotes.
    pub(crate) shipped_code: String,
}

impl Source {
    fn new(path: &str, text: &str) -> Self {
        let code = without_comments_and_quotes(text);
        let tests = tests(&code);
        let (shipped, shipped_code) = (blank(text, &tests), blank(&code, &tests));
        Self { path: path.to_owned(), code, shipped, shipped_code }
    }

    /// The room that the file belongs to; none for `lib.rs` and `main.rs`.
    pub(crate) fn room(&self) -> Option<&str> {
        self.path.strip_prefix("src/")?.split_once('/').map(|(room, _)| room)
    }

    pub(crate) fn is_in(&self, rooms: &[&str]) -> bool {
        self.room().is_some_and(|room| rooms.contains(&room))
    }

    /// How many modules deep the file's module is; 0 for the crate's root.
    pub(crate) fn depth(&self) -> usize {
        let modules = self.path.trim_start_matches("src/").trim_end_matches(".rs");
        modules.split('/').filter(|name| !matches!(*name, "mod" | "lib" | "main")).count()
    }

    /// Where the files of a module declared in this file begin.
    fn below(&self, module: &str) -> String {
        let (folder, file) = self.path.rsplit_once('/').unwrap_or(("", &self.path));
        match file {
            "mod.rs" | "lib.rs" | "main.rs" => format!("{folder}/{module}"),
            _ => format!("{}/{module}", self.path.trim_end_matches(".rs")),
        }
    }
}

pub(crate) fn sources() -> Vec<Source> {
    let files = files_below("src");
    let texts = files.iter().filter(|path| path.ends_with(".rs")).map(|path| (path.as_str(), read(path)));
    prepared(texts)
}

/// The sources, with modules that are declared for tests only emptied.
pub(crate) fn prepared<'p>(texts: impl IntoIterator<Item = (&'p str, String)>) -> Vec<Source> {
    let mut sources: Vec<_> = texts.into_iter().map(|(path, text)| Source::new(path, &text)).collect();
    let for_tests: Vec<_> = (sources.iter())
        .flat_map(|source| test_modules(&source.code).into_iter().map(|module| source.below(&module)))
        .collect();
    for source in &mut sources {
        let is_for_tests = |below: &String| {
            source.path.strip_prefix(below.as_str()).is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
        };
        if for_tests.iter().any(is_for_tests) {
            source.shipped.clear();
            source.shipped_code.clear();
        }
    }
    sources
}

pub(crate) fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// Paths of all files below a folder, from the package's root, sorted.
pub(crate) fn files_below(folder: &str) -> Vec<String> {
    let mut files = Vec::new();
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).unwrap() {
        let entry = entry.unwrap();
        let path = format!("{folder}/{}", entry.file_name().to_str().unwrap());
        if entry.file_type().unwrap().is_dir() {
            files.extend(files_below(&path));
        } else {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// The text with comments and the insides of quotes as blanks; line breaks stay.
fn without_comments_and_quotes(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let end = skipped(&chars, at);
        if end == at {
            out.push(chars[at]);
            at += 1;
        } else {
            out.extend(chars[at..end].iter().map(|c| blanked(*c)));
            at = end;
        }
    }
    out
}

/// A character as blanks of the same length in bytes, so that offsets and line
/// numbers stay true.
fn blanked(c: char) -> &'static str {
    if c == '\n' { "\n" } else { &"    "[..c.len_utf8()] }
}

/// Where the comment or literal that begins at `at` ends; `at` when none does.
fn skipped(chars: &[char], at: usize) -> usize {
    let find = |from: usize, what: &str| {
        let what: Vec<char> = what.chars().collect();
        (from..chars.len()).find(|i| chars[*i..].starts_with(&what)).map_or(chars.len(), |i| i + what.len())
    };
    let next = |ahead: usize| chars.get(at + ahead).copied().unwrap_or(' ');
    let in_word = at > 0 && is_word(chars[at - 1]);
    match chars[at] {
        '/' if next(1) == '/' => find(at, "\n") - 1,
        '/' if next(1) == '*' => find(at + 2, "*/"),
        'r' if !in_word || chars[at - 1] == 'b' => {
            let hashes = chars[at + 1..].iter().take_while(|c| **c == '#').count();
            if next(1 + hashes) == '"' { find(at + hashes + 2, &format!("\"{}", "#".repeat(hashes))) } else { at }
        }
        '"' => {
            let mut end = at + 1;
            while end < chars.len() && chars[end] != '"' {
                end += if chars[end] == '\\' { 2 } else { 1 };
            }
            (end + 1).min(chars.len())
        }
        '\'' if next(1) == '\\' => find(at + 3, "'"),
        '\'' if next(2) == '\'' => at + 3,
        _ => at,
    }
}

pub(crate) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Where `word` stands as a whole word, as byte offsets.
pub(crate) fn words<'t>(text: &'t str, word: &'t str) -> impl Iterator<Item = usize> + 't {
    let goes_on = move |at: usize| {
        let before = text[..at].ends_with(is_word);
        let after = word.ends_with(is_word) && text[at + word.len()..].starts_with(is_word);
        before || after
    };
    text.match_indices(word).map(|(at, _)| at).filter(move |at| !goes_on(*at))
}

pub(crate) fn line_of(text: &str, offset: usize) -> usize {
    text[..offset].matches('\n').count() + 1
}

/// The end of the item that begins at `from`: after its `;` or closing brace.
pub(crate) fn item_end(code: &str, from: usize) -> usize {
    let (mut depth, mut nested) = (0_usize, 0_usize);
    for (at, c) in code[from..].char_indices() {
        match c {
            '(' | '[' => nested += 1,
            ')' | ']' => nested = nested.saturating_sub(1),
            '{' => depth += 1,
            '}' if depth <= 1 => return from + at + 1,
            '}' => depth -= 1,
            ';' if depth == 0 && nested == 0 => return from + at + 1,
            _ => {}
        }
    }
    code.len()
}

const FOR_TESTS: &str = "#[cfg(test)]";

/// Byte ranges of items that exist in tests only.
fn tests(code: &str) -> Vec<(usize, usize)> {
    code.match_indices(FOR_TESTS).map(|(at, _)| (at, item_end(code, at))).collect()
}

/// Names of modules that exist in tests only and have a file of their own.
fn test_modules(code: &str) -> Vec<String> {
    let item = |(from, to): (usize, usize)| code[from + FOR_TESTS.len()..to].trim().to_owned();
    let module = |item: String| Some(item.strip_suffix(';')?.rsplit_once("mod ")?.1.trim().to_owned());
    tests(code).into_iter().map(item).filter_map(module).collect()
}

/// The text with these byte ranges as blanks; line breaks stay.
fn blank(text: &str, ranges: &[(usize, usize)]) -> String {
    let mut out = String::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        if ranges.iter().any(|(from, to)| (*from..*to).contains(&at)) {
            out.push_str(blanked(c));
        } else {
            out.push(c);
        }
    }
    out
}

/// Every path that begins with `crate::`, with its line; groups are taken apart.
pub(crate) fn crate_paths(code: &str) -> Vec<(usize, Vec<String>)> {
    let mut paths = Vec::new();
    for at in words(code, "crate::") {
        let mut found = Vec::new();
        path_tree(&code[at + "crate::".len()..], &[], &mut found);
        paths.extend(found.into_iter().map(|path| (line_of(code, at), path)));
    }
    paths
}

/// Reads one path or group after `prefix`; gives back what follows it.
fn path_tree<'c>(code: &'c str, prefix: &[String], found: &mut Vec<Vec<String>>) -> &'c str {
    let code = code.trim_start();
    if let Some(mut rest) = code.strip_prefix('{') {
        loop {
            rest = rest.trim_start();
            match rest.chars().next() {
                None => return rest,
                Some('}') => return &rest[1..],
                Some(',') => rest = &rest[1..],
                Some(_) => {
                    let after = path_tree(rest, prefix, found);
                    rest = after.trim_start_matches(|c| c != ',' && c != '}');
                }
            }
        }
    }
    let end = code.find(|c| !is_word(c)).unwrap_or(code.len());
    let path: Vec<_> = prefix.iter().cloned().chain([code[..end].to_owned()]).collect();
    match code[end..].strip_prefix("::") {
        Some(rest) if rest.trim_start().starts_with(|c| is_word(c) || c == '{') => path_tree(rest, &path, found),
        _ => {
            found.push(path);
            &code[end..]
        }
    }
}
