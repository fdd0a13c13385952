//! Where the part of a message ends that TOP sends.

use memchr::memchr2;

/// Finds the end of the header, its blank line, and so many lines of the body (RFC 1939 §7). CR LF, CR and LF each end a line, as they
/// do in what is sent.
#[derive(Debug)]
pub(crate) struct Cut {
    /// Lines of the body that are wanted.
    lines: u32,
    /// Lines of the body that are still to come, once the header has ended.
    left: Option<u32>,
    at_line_start: bool,
    after_cr: bool,
}

impl Cut {
    pub fn new(lines: u32) -> Self {
        Self { lines, left: None, at_line_start: true, after_cr: false }
    }

    /// Whether the end was found.
    pub fn is_done(&self) -> bool {
        self.left == Some(0)
    }

    /// How many of the next bytes belong to the part.
    pub fn take(&mut self, piece: &[u8]) -> usize {
        let mut at = 0;
        while at < piece.len() && !self.is_done() {
            if std::mem::take(&mut self.after_cr) && piece[at] == b'\n' {
                at += 1;
                continue;
            }
            let Some(length) = memchr2(b'\r', b'\n', &piece[at..]) else {
                self.at_line_start = false;
                return piece.len();
            };
            at += length + 1;
            self.after_cr = piece[at - 1] == b'\r';
            self.end_line(length == 0 && self.at_line_start);
        }
        at
    }

    fn end_line(&mut self, blank: bool) {
        self.at_line_start = true;
        match &mut self.left {
            Some(left) => *left -= 1,
            None if blank => self.left = Some(self.lines),
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(message: &[u8], lines: u32, piece: usize) -> Vec<u8> {
        let mut cut = Cut::new(lines);
        message.chunks(piece).flat_map(|piece| piece[..cut.take(piece)].to_vec()).collect()
    }

    #[test]
    fn header_and_lines_are_found_in_pieces_of_any_size() {
        let message = b"A: 1\r\nB: 2\r\n\r\none\r\n\r\nthree\r\nfour";
        for piece in 1..=message.len() {
            let text =
                |lines| String::from_utf8(cut(message, lines, piece)).unwrap().replace('\n', "").replace('\r', "|");
            assert_eq!(text(0), "A: 1|B: 2||");
            assert_eq!(text(1), "A: 1|B: 2||one|");
            assert_eq!(text(3), "A: 1|B: 2||one||three|");
            assert_eq!(text(9), "A: 1|B: 2||one||three|four");
        }
    }

    #[test]
    fn any_line_end_will_do() {
        assert_eq!(cut(b"A: 1\n\none\ntwo\n", 1, 99), b"A: 1\n\none\n");
        assert_eq!(cut(b"A: 1\r\rone\rtwo\r", 1, 99), b"A: 1\r\rone\r");
        assert_eq!(cut(b"no header end", 1, 99), b"no header end");
        assert_eq!(cut(b"\r\nbody\r\n", 0, 99), b"\r");
    }
}
