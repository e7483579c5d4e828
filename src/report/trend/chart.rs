//! The history of one target as a drawing: three lines above each other, each with a
//! scale of its own, so that two failures show beside a thousand passes.

use std::fmt::Write as _;

use super::{History, Night};

/// All in pixels.
const WIDTH: i64 = 760;
const LEFT: i64 = 60;
const RIGHT: i64 = 16;
const TOP: i64 = 28;
const PANEL: i64 = 72;
const BETWEEN: i64 = 40;

/// A line of the drawing.
struct Panel {
    name: &'static str,
    class: &'static str,
    value: fn(&Night) -> usize,
}

const PANELS: [Panel; 3] = [
    Panel { name: "failed", class: "failed", value: |night| night.failed },
    Panel { name: "not judged", class: "open", value: |night| night.not_judged },
    Panel { name: "passed", class: "passed", value: |night| night.passed },
];

/// The drawing as SVG that can stand in a page. It holds numbers, times and our own words
/// only.
pub(super) fn chart(history: &History) -> String {
    let panels = i64::try_from(PANELS.len()).unwrap_or_default();
    let height = TOP + panels * (PANEL + BETWEEN);
    let label = "Cases that failed, could not be judged, and passed, over time; the table below has the numbers";
    let mut svg = format!("<svg class=\"chart\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{label}\">");
    let bottom = height - BETWEEN;
    for (index, night) in history.nights.iter().enumerate() {
        // Writing to a string cannot fail.
        let x = x(history, night);
        if night.after_gap {
            let before = self::x(history, &history.nights[index - 1]);
            let width = x - before;
            let _ = write!(
                svg,
                "<rect class=\"gap\" x=\"{before}\" y=\"{TOP}\" width=\"{width}\" height=\"{}\"/>",
                bottom - TOP
            );
        }
        if night.other_suite {
            let _ = write!(svg, "<line class=\"suite\" x1=\"{x}\" x2=\"{x}\" y1=\"{TOP}\" y2=\"{bottom}\"/>");
        }
    }
    for (number, panel) in PANELS.iter().enumerate() {
        let top = TOP + i64::try_from(number).unwrap_or_default() * (PANEL + BETWEEN);
        draw(&mut svg, history, panel, top);
    }
    if let (Some(first), Some(last)) = (history.nights.first(), history.nights.last()) {
        let (y, right) = (height - 8, WIDTH - RIGHT);
        let _ = write!(svg, "<text x=\"{LEFT}\" y=\"{y}\">{}</text>", first.at.date());
        let _ = write!(svg, "<text x=\"{right}\" y=\"{y}\" text-anchor=\"end\">{}</text>", last.at.date());
    }
    svg + "</svg>"
}

fn draw(svg: &mut String, history: &History, panel: &Panel, top: i64) {
    let most = history.nights.iter().map(panel.value).max().unwrap_or(0);
    let (base, right, class) = (top + PANEL, WIDTH - RIGHT, panel.class);
    let y = |night: &Night| base - scaled((panel.value)(night), most, PANEL);
    let _ = write!(svg, "<text class=\"name\" x=\"{LEFT}\" y=\"{}\">{}</text>", top - 6, panel.name);
    let _ = write!(svg, "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{most}</text>", LEFT - 6, top + 4);
    let _ = write!(svg, "<text x=\"{}\" y=\"{base}\" text-anchor=\"end\">0</text>", LEFT - 6);
    let _ = write!(svg, "<line class=\"axis\" x1=\"{LEFT}\" x2=\"{right}\" y1=\"{base}\" y2=\"{base}\"/>");
    let mut points = String::new();
    for night in &history.nights {
        if night.after_gap {
            line(svg, class, &points);
            points.clear();
        }
        let _ = write!(points, "{},{} ", x(history, night), y(night));
    }
    line(svg, class, &points);
    for night in &history.nights {
        let partial = if night.partial { " partial" } else { "" };
        let (value, note) = ((panel.value)(night), if night.partial { ", run not finished" } else { "" });
        let _ = write!(
            svg,
            "<circle class=\"{class}{partial}\" cx=\"{}\" cy=\"{}\" r=\"3\"><title>{}: {value} {}{note}</title></circle>",
            x(history, night),
            y(night),
            night.at.date(),
            panel.name
        );
    }
}

fn line(svg: &mut String, class: &str, points: &str) {
    let _ = write!(svg, "<polyline class=\"line {class}\" points=\"{}\"/>", points.trim_end());
}

/// Where a run stands, by the time at which it began, so that a time without runs takes
/// its room.
fn x(history: &History, night: &Night) -> i64 {
    let (Some(first), Some(last)) = (history.nights.first(), history.nights.last()) else { return LEFT };
    let seconds = |time: time::Duration| usize::try_from(time.whole_seconds()).unwrap_or(0);
    LEFT + scaled(seconds(night.at - first.at), seconds(last.at - first.at), WIDTH - LEFT - RIGHT)
}

/// `value` of `most`, as so many of `length` pixels.
fn scaled(value: usize, most: usize, length: i64) -> i64 {
    let [value, most] = [value, most].map(|number| i128::try_from(number).unwrap_or(i128::MAX));
    let pixels = (value * i128::from(length)).checked_div(most).unwrap_or(0);
    i64::try_from(pixels).unwrap_or(length)
}
