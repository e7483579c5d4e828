//! A badge: two numbers that fit into a line of text.

use std::fmt::Write as _;

use super::column::Column;
use crate::report::share::percent;
use crate::report::text::printable;

/// Width of a character of the badge's type, in hundredths of a pixel: that of a digit,
/// which most are. The text is stretched or pressed to fit.
const CHAR_WIDTH: usize = 670;

/// Room left and right of a text, in pixels.
const MARGIN: usize = 6;

/// An SVG with what conforms of what was judged, and how much of all could be judged.
/// `name` is what stands at its left.
///
/// Neither number is rounded up to all. Of a run that is partial, or that judged nothing,
/// the badge says that and no number.
pub fn badge(column: &Column, name: &str) -> String {
    let count = column.count();
    let (conforming, judged, all) = (count.conforming(), count.judged(), count.all());
    let stopped = column.footer.as_ref().is_none_or(|footer| footer.stopped.is_some());
    let (left, says) = (printable(name).into_owned(), |part, whole| format!("{} of {whole}", percent(part, whole)));
    let colour = (conforming * 100).checked_div(judged).map(|percent| match percent {
        100 => GREEN,
        90..100 => AMBER,
        _ => RED,
    });
    let segments = match colour {
        _ if stopped => vec![(left, NEUTRAL), ("run not finished".to_owned(), GREY)],
        None => vec![(left, NEUTRAL), ("nothing judged".to_owned(), GREY)],
        Some(colour) => vec![
            (left, NEUTRAL),
            (format!("conforms {}", percent(conforming, judged)), colour),
            (format!("judged {}", percent(judged, all)), GREY),
        ],
    };
    let title = if stopped || colour.is_none() {
        segments.iter().map(|(text, _)| text.as_str()).collect::<Vec<_>>().join(": ")
    } else {
        format!(
            "{}: of the requirements that were judged, {} conform; of all requirements, {} were judged",
            segments[0].0,
            says(conforming, judged),
            says(judged, all)
        )
    };
    svg(&title, &segments)
}

/// Each is dark enough for white text upon it.
const NEUTRAL: &str = "#3b4252";
const GREY: &str = "#5c6370";
const GREEN: &str = "#1a7f37";
const AMBER: &str = "#8a6100";
const RED: &str = "#b3203a";

fn svg(title: &str, segments: &[(String, &str)]) -> String {
    let text_width = |text: &str| text.chars().count() * CHAR_WIDTH / 100;
    let total: usize = segments.iter().map(|(text, _)| text_width(text) + 2 * MARGIN).sum();
    let title = escaped(title);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{total}\" height=\"20\" viewBox=\"0 0 {total} 20\" \
         role=\"img\" aria-label=\"{title}\">\n<title>{title}</title>\n\
         <clipPath id=\"r\"><rect width=\"{total}\" height=\"20\" rx=\"3\"/></clipPath>\n<g clip-path=\"url(#r)\" \
         fill=\"#fff\" font-family=\"Verdana,DejaVu Sans,Geneva,sans-serif\" font-size=\"11\">\n"
    );
    let mut x = 0;
    for (text, colour) in segments {
        let (length, text) = (text_width(text), escaped(text));
        let width = length + 2 * MARGIN;
        // Writing to a string cannot fail.
        let _ = writeln!(
            svg,
            "<rect x=\"{x}\" width=\"{width}\" height=\"20\" fill=\"{colour}\"/><text x=\"{}\" y=\"14\" \
             textLength=\"{length}\">{text}</text>",
            x + MARGIN
        );
        x += width;
    }
    svg + "</g>\n</svg>\n"
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
