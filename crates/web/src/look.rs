//! The look of a house on its login page: its colour made readable on light and dark paper, its logo within the page.

use anser_directory::looks::{Colour, Look, logo_type};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Contrast of a text of normal size with what is below it (WCAG 2.2 §1.4.3), and a little.
const CONTRAST: f64 = 4.6;
/// What the pages lay texts on that makes them hardest to read, light and dark: `--paper` and the dark `--raised` of `tokens.css`.
const PAPERS: [Colour; 2] = [Colour([0xf3, 0xef, 0xe6]), Colour([0x22, 0x29, 0x33])];
const WHITE: Colour = Colour([0xff; 3]);
const BLACK: Colour = Colour([0; 3]);

/// What the page's `body` says of its look: its layout, and the colour for light and for dark paper, each with the ink upon it. The colour
/// is made darker, or lighter, until it can be read.
pub(crate) fn attributes(look: &Look) -> String {
    let layout = look.layout.unwrap_or_default().as_str();
    let Some(colour) = look.colour else { return format!(" class=\"{layout}\"") };
    let light = readable(colour, PAPERS[0], BLACK);
    let dark = readable(colour, PAPERS[1], WHITE);
    let (on_light, on_dark) = (ink(light), ink(dark));
    format!(
        " class=\"{layout} coloured\" style=\"--light:{light};--on-light:{on_light};--dark:{dark};--on-dark:{on_dark}\""
    )
}

/// The logo, or the seal of the goose.
pub(crate) fn logo(look: &Look) -> String {
    let picture = look.logo.as_deref().and_then(|logo| Some((logo_type(logo)?, STANDARD.encode(logo))));
    match picture {
        Some((kind, bytes)) => format!("<img class=\"logo\" alt=\"\" src=\"data:{kind};base64,{bytes}\">"),
        None => "<div class=\"seal\" aria-hidden=\"true\">雁</div>".to_owned(),
    }
}

/// A colour, mixed with another in steps until it can be read on paper.
fn readable(colour: Colour, paper: Colour, with: Colour) -> Colour {
    let mixed = |share: u32| {
        let mix = |at: usize| {
            let (own, other) = (u32::from(colour.0[at]), u32::from(with.0[at]));
            ((own * (20 - share) + other * share) / 20) as u8
        };
        Colour([mix(0), mix(1), mix(2)])
    };
    (0..=20).map(mixed).find(|mixed| contrast(*mixed, paper) >= CONTRAST).unwrap_or(with)
}

/// What is written on a colour: black or white, whichever can be read better.
fn ink(colour: Colour) -> Colour {
    if contrast(colour, WHITE) >= contrast(colour, BLACK) { WHITE } else { BLACK }
}

/// Contrast ratio (WCAG 2.2, "contrast ratio").
fn contrast(a: Colour, b: Colour) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

/// Relative luminance (WCAG 2.2, "relative luminance").
fn luminance(colour: Colour) -> f64 {
    let linear = |part: u8| {
        let part = f64::from(part) / 255.0;
        if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
    };
    let [red, green, blue] = colour.0.map(linear);
    0.2126 * red + 0.7152 * green + 0.0722 * blue
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_colour_can_be_read_on_both_papers_and_under_its_ink() {
        for colour in [[0; 3], [255; 3], [255, 255, 0], [0, 0, 255], [200, 16, 46], [119, 119, 119], [0, 255, 128]] {
            for (paper, with) in PAPERS.into_iter().zip([BLACK, WHITE]) {
                let seen = readable(Colour(colour), paper, with);
                assert!(contrast(seen, paper) >= CONTRAST, "{colour:?} {seen} on {paper}");
                assert!(contrast(seen, ink(seen)) >= 4.5, "{colour:?} {seen}");
            }
        }
        assert_eq!(
            readable(Colour([0x1a, 0x3c, 0x6e]), PAPERS[0], BLACK),
            Colour([0x1a, 0x3c, 0x6e]),
            "as it was chosen"
        );
    }
}
