//! Lines of a text that fit into a width.

use super::face::Letter;

/// The lines of a text, none wider than `room` at this size, both in points. They end at a blank where there is one, between characters
/// that are written in squares, else wherever they must: a character wider than the room stands alone.
pub fn lines(text: &[Letter], size: f32, room: f32) -> Vec<Vec<Letter>> {
    let mut all = Vec::new();
    for paragraph in text.split(|letter| letter.char == '\n') {
        let mut rest = paragraph;
        loop {
            let fits = fitting(rest, size, room);
            if fits == rest.len() {
                all.push(rest.to_vec());
                break;
            }
            let at = (1..=fits).rev().find(|at| may_end(rest, *at)).unwrap_or(fits);
            let (line, behind) = rest.split_at(at);
            all.push(trimmed(line).to_vec());
            let blanks = behind.iter().take_while(|letter| letter.char == ' ').count();
            rest = &behind[blanks..];
        }
    }
    all
}

/// How wide letters are at this size, in points.
pub fn width(text: &[Letter], size: f32) -> f32 {
    text.iter().map(|letter| f32::from(letter.width())).sum::<f32>() * size / 1000.0
}

/// How many letters fit, at least one.
fn fitting(text: &[Letter], size: f32, room: f32) -> usize {
    let mut used = 0.0;
    let fits = text.iter().take_while(|letter| {
        used += f32::from(letter.width()) * size / 1000.0;
        used <= room
    });
    fits.count().max(1).min(text.len())
}

/// Whether a line may end before the letter at `at`.
fn may_end(text: &[Letter], at: usize) -> bool {
    let (before, behind) = (text[at - 1], text.get(at));
    let Some(behind) = behind else { return true };
    // No line begins with what closes, nor ends with what opens.
    let closes = "，。、；：？！）】》”’…,.;:?!)]}".contains(behind.char);
    let opens = "（【《“‘([{".contains(before.char);
    let is_square = before.latin().is_none() || behind.latin().is_none();
    behind.char == ' ' || before.char == ' ' || (is_square && !closes && !opens)
}

fn trimmed(line: &[Letter]) -> &[Letter] {
    let blanks = line.iter().rev().take_while(|letter| letter.char == ' ').count();
    &line[..line.len() - blanks]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::face::{Face, letters};
    use super::*;

    fn broken(text: &str, room: f32) -> Vec<String> {
        let text: Vec<Letter> = letters(text, Face::Plain).collect();
        lines(&text, 10.0, room).iter().map(|line| line.iter().map(|letter| letter.char).collect()).collect()
    }

    #[test]
    fn lines_end_where_a_reader_expects_it() {
        assert_eq!(broken("the wild goose", 45.0), ["the wild", "goose"]);
        assert_eq!(broken("邮件投递到本服务器。", 40.0), ["邮件投递", "到本服务", "器。"]);
        assert_eq!(broken("共四字呢。", 40.0), ["共四字", "呢。"], "no line begins with a full stop");
        assert_eq!(broken("a\nb", 40.0), ["a", "b"]);
        assert_eq!(broken("mmmmmmmm", 20.0), ["mm", "mm", "mm", "mm"]);
        assert_eq!(broken("邮", 1.0), ["邮"]);
        assert_eq!(broken("", 10.0), [""]);
    }

    proptest! {
        #[test]
        fn no_line_is_too_wide_and_nothing_but_blanks_is_lost(text in "[ a-zA-Z0-9中文，。é\u{1f600}\n]{0,200}", room in 10.0f32..200.0) {
            let whole: Vec<Letter> = letters(&text, Face::Bold).collect();
            let all = lines(&whole, 9.0, room);
            prop_assert!(all.iter().all(|line| line.len() <= 1 || width(line, 9.0) <= room + 0.01));
            let shown = |letters: &[Letter]| -> String {
                letters.iter().map(|letter| letter.char).filter(|char| !char.is_whitespace()).collect()
            };
            prop_assert_eq!(shown(&all.concat()), shown(&whole));
        }
    }
}
