//! The part of a history that is wrong, as a picture.
//!
//! One lane for each client, one bar for each call from its sending to its answer.
//! What is sent or answered one after the other stands one beside the other at equal
//! distances: the order is what counts, and it can be read however far apart the
//! moments lie. The picture needs nothing else: no script, no font, no address.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::operation::{History, Operation, Outcome};
use super::verdict::Part;
use super::words::{first_sent, in_short, what, when};

/// Calls beside the part's own that are shown because they overlap with it.
const MOST_OTHERS: usize = 12;

/// Sizes, in pixels.
const LEFT: usize = 92;
const STEP: usize = 44;
const TOP: usize = 74;
const LANE: usize = 58;
const BAR: usize = 20;
const LINE: usize = 20;
/// About the width of a character of a label.
const CHARACTER: usize = 7;
const LEAST_WIDTH: usize = 760;

/// Colours stand in plain rules, no variables: many programs that show pictures know
/// no more of CSS.
const STYLE: &str = "\
svg{background:#fff}
text{font:12px ui-monospace,Menlo,Consolas,monospace;fill:#1c1f24}
.title{font:600 14px system-ui,sans-serif}
.faint{fill:#667080}
.lane{stroke:#e3e6ea;stroke-width:1}
.bar{fill:#b9c4d0}
.wrong{fill:#f6c9c9;stroke:#c62828;stroke-width:2}
.lost{stroke:#667080;stroke-dasharray:4 3}
.wrong.lost{stroke:#c62828}
.number{font-weight:700;fill:#c62828}
@media (prefers-color-scheme:dark){
svg{background:#16191d}
text{fill:#e8eaed}
.faint{fill:#9aa4b2}
.lane{stroke:#2c3238}
.bar{fill:#4a5766}
.wrong{fill:#5c2b2b;stroke:#ff8a80}
.lost{stroke:#9aa4b2}
.wrong.lost{stroke:#ff8a80}
.number{fill:#ff8a80}
}";

/// A timeline of the part and of what overlapped with it, as an SVG document.
pub fn timeline(history: &History, part: &Part) -> String {
    let shown = shown(history, part);
    let lanes: BTreeSet<u32> = shown.iter().map(|place| history.operations[*place].client).collect();
    let lanes: BTreeMap<u32, usize> = lanes.into_iter().enumerate().map(|(lane, client)| (client, lane)).collect();
    let moments: BTreeSet<u64> = (shown.iter())
        .flat_map(|place| [history.operations[*place].invoked, history.operations[*place].returned])
        .collect();
    let moments: Vec<u64> = moments.into_iter().collect();
    let explained: Vec<String> = explained(history, part);
    let longest = explained.iter().chain([&part.reason]).map(|line| line.chars().count()).max().unwrap_or(0);
    let width = (LEFT + (moments.len() + 2) * STEP).max(longest * CHARACTER + 40).max(LEAST_WIDTH);
    let below = TOP + lanes.len() * LANE + LINE;
    let height = below + explained.len() * LINE + LINE;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
         height=\"{height}\" role=\"img\">\n<title>{reason}</title>\n<style>\n{STYLE}\n</style>\n\
         <text class=\"title\" x=\"20\" y=\"26\">{reason}</text>\n\
         <text class=\"faint\" x=\"20\" y=\"46\">{requirement}; time runs to the right, not to scale</text>\n",
        reason = escaped(&part.reason),
        requirement = escaped(part.requirement),
    );
    let mut put = |line: std::fmt::Arguments<'_>| {
        // Writing to a `String` cannot fail.
        let _ = writeln!(svg, "{line}");
    };
    for (client, lane) in &lanes {
        let y = TOP + lane * LANE + LANE / 2 + BAR / 2;
        put(format_args!("<text class=\"faint\" x=\"20\" y=\"{}\">client {client}</text>", y + 4));
        put(format_args!("<line class=\"lane\" x1=\"{LEFT}\" y1=\"{y}\" x2=\"{}\" y2=\"{y}\"/>", width - 20));
    }
    let at = |time: u64| LEFT + STEP / 2 + moments.partition_point(|moment| *moment < time) * STEP;
    for place in &shown {
        let operation = &history.operations[*place];
        let y = TOP + lanes[&operation.client] * LANE + LANE / 2;
        let next = (shown.iter().map(|other| &history.operations[*other]))
            .filter(|other| other.client == operation.client && other.invoked > operation.invoked)
            .map(|other| at(other.invoked))
            .min();
        let bar = Bar { y, from: at(operation.invoked), to: at(operation.returned), room: next.unwrap_or(width) };
        let number = part.operations.iter().position(|other| other == place);
        put(format_args!("{}", bar.drawn(history, operation, number)));
    }
    for (line, text) in explained.iter().enumerate() {
        put(format_args!("<text x=\"20\" y=\"{}\">{}</text>", below + line * LINE, escaped(text)));
    }
    svg.push_str("</svg>\n");
    svg
}

/// Where a call is drawn.
struct Bar {
    y: usize,
    from: usize,
    to: usize,
    /// Up to where its label may go.
    room: usize,
}

impl Bar {
    fn drawn(&self, history: &History, operation: &Operation, number: Option<usize>) -> String {
        let lost = operation.outcome == Outcome::Unknown;
        let class = match (number.is_some(), lost) {
            (true, true) => "bar wrong lost",
            (true, false) => "bar wrong",
            (false, true) => "bar lost",
            (false, false) => "bar",
        };
        let mark = number.map(|number| format!("<tspan class=\"number\">{} </tspan>", number + 1)).unwrap_or_default();
        let taken = if number.is_some() { 2 } else { 0 };
        let most = (self.room.saturating_sub(self.from) / CHARACTER).saturating_sub(taken + 1);
        format!(
            "<g><title>{whole}</title><rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{BAR}\" \
             rx=\"3\"/><text x=\"{x}\" y=\"{above}\">{mark}{label}</text></g>",
            whole = escaped(&what(history, operation)),
            x = self.from,
            y = self.y,
            width = (self.to - self.from).max(4),
            above = self.y - 6,
            label = escaped(&cut(&in_short(history, operation), most)),
        )
    }
}

/// The part's calls, and those on the dataset that overlap with one of them, by time.
fn shown(history: &History, part: &Part) -> Vec<usize> {
    let own: Vec<&Operation> = part.operations.iter().map(|place| &history.operations[*place]).collect();
    let overlaps = |other: &Operation| {
        own.iter()
            .any(|own| other.dataset == own.dataset && other.invoked <= own.returned && other.returned >= own.invoked)
    };
    let mut others: Vec<usize> = (0..history.operations.len())
        .filter(|place| !part.operations.contains(place) && overlaps(&history.operations[*place]))
        .collect();
    others.sort_by_key(|place| history.operations[*place].invoked);
    others.truncate(MOST_OTHERS);
    let mut shown = [part.operations.clone(), others].concat();
    shown.sort_by_key(|place| (history.operations[*place].invoked, *place));
    shown
}

fn explained(history: &History, part: &Part) -> Vec<String> {
    let start = first_sent(history, &part.operations);
    let line = |(number, place): (usize, &usize)| {
        let operation = &history.operations[*place];
        format!("{}  {}: {}", number + 1, when(operation, start), what(history, operation))
    };
    part.operations.iter().enumerate().map(line).collect()
}

fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Text as it may stand in XML; what XML cannot hold becomes U+FFFD.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            c if c.is_control() => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}
