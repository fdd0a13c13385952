//! RTF as mail holds it: compressed ([MS-OXRTFCP]), and with HTML wrapped in it ([MS-OXRTFEX]).

use crate::u32_at;

/// Octets of RTF that are made of a compressed one, at most.
const MOST: usize = 64 * 1024 * 1024;
/// Octets that are looked back at.
const WINDOW: usize = 4096;
/// Levels of groups that are followed.
const LEVELS: usize = 10_000;
/// What is looked back at before anything was read.
const BEGINNING: &[u8; 207] = b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript \\fdecor \
MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx";

/// The RTF of a compressed one, as far as it can be read; `None` when it is none.
pub fn decompressed(octets: &[u8]) -> Option<Vec<u8>> {
    let (size, form) = (u32_at(octets, 4)? as usize, octets.get(8..12)?);
    let rest = octets.get(16..)?;
    let most = size.min(MOST);
    if form == b"MELA" {
        return Some(rest[..rest.len().min(most)].to_vec());
    }
    if form != b"LZFu" {
        return None;
    }
    let mut window = [0; WINDOW];
    window[..BEGINNING.len()].copy_from_slice(BEGINNING);
    let (mut at, mut out, mut rest) = (BEGINNING.len(), Vec::new(), rest.iter().copied());
    let mut put = |out: &mut Vec<u8>, window: &mut [u8; WINDOW], octet: u8| {
        window[at] = octet;
        at = (at + 1) % WINDOW;
        out.push(octet);
        at
    };
    let mut end = BEGINNING.len();
    'all: while let Some(bits) = rest.next() {
        for bit in 0..8 {
            let Some(first) = rest.next().filter(|_| out.len() < most) else { break 'all };
            if bits >> bit & 1 == 0 {
                end = put(&mut out, &mut window, first);
                continue;
            }
            let Some(second) = rest.next() else { break 'all };
            let (from, length) = (usize::from(first) << 4 | usize::from(second >> 4), usize::from(second & 15) + 2);
            if from == end {
                break 'all;
            }
            for step in 0..length {
                let octet = window[(from + step) % WINDOW];
                end = put(&mut out, &mut window, octet);
            }
        }
    }
    out.truncate(most);
    Some(out)
}

/// The HTML that is wrapped in RTF: its octets in the code page that the RTF names, and that code page; `None` when there is none.
/// Characters that the RTF tells by their number in Unicode are references (`&#…;`).
pub fn html_in(rtf: &[u8]) -> Option<(Vec<u8>, u16)> {
    let head = &rtf[..rtf.len().min(1000)];
    head.windows(9).any(|word| word == b"\\fromhtml").then(|| {
        let mut html = Html { page: 1252, ..Html::default() };
        html.read(rtf);
        (html.out, html.page)
    })
}

/// What holds in a group.
#[derive(Clone, Copy, Default)]
struct Group {
    /// What it holds is no part of the HTML.
    is_rtf: bool,
    /// What it holds is told to programs that know the group only, and this is not one of ours.
    is_left_out: bool,
    /// It holds a tag.
    is_tag: bool,
    /// Characters that stand behind one of Unicode for those who do not know it.
    instead: usize,
}

#[derive(Default)]
struct Html {
    out: Vec<u8>,
    page: u16,
    /// Characters that are still to be left out.
    skip: usize,
    /// The first half of a character that takes two units of UTF-16.
    half: Option<u16>,
}

impl Html {
    fn read(&mut self, rtf: &[u8]) {
        let (mut groups, mut now, mut at) = (Vec::new(), Group { instead: 1, ..Group::default() }, 0);
        while let Some(octet) = rtf.get(at) {
            at += 1;
            match octet {
                b'{' if groups.len() < LEVELS => groups.push(now),
                b'{' => return,
                b'}' => match groups.pop() {
                    Some(before) => (now, self.skip) = (before, 0),
                    None => return,
                },
                b'\r' | b'\n' => {}
                b'\\' => at = self.control(rtf, at, &mut now),
                other => self.put(&now, &[*other]),
            }
        }
    }

    /// What is behind a backslash; where it ends.
    fn control(&mut self, rtf: &[u8], at: usize, now: &mut Group) -> usize {
        let Some(first) = rtf.get(at) else { return at };
        if !first.is_ascii_alphabetic() {
            match first {
                b'\'' => {
                    let code = rtf.get(at + 1..at + 3).and_then(|code| std::str::from_utf8(code).ok());
                    if let Some(octet) = code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
                        self.put(now, &[octet]);
                    }
                    return at + 3;
                }
                b'*' => now.is_left_out = true,
                b'~' => self.put(now, b"&nbsp;"),
                b'_' => self.put(now, b"&shy;"),
                b'\\' | b'{' | b'}' => self.put(now, &[*first]),
                _ => {}
            }
            return at + 1;
        }
        let letters = rtf[at..].iter().take_while(|octet| octet.is_ascii_alphabetic()).count();
        let word = &rtf[at..at + letters];
        let mut end = at + letters;
        let digits = rtf[end..].iter().take(11).enumerate();
        let digits = digits.take_while(|(n, octet)| octet.is_ascii_digit() || (*n == 0 && **octet == b'-')).count();
        let number = std::str::from_utf8(&rtf[end..end + digits]).ok().and_then(|number| number.parse::<i32>().ok());
        end += digits;
        end += usize::from(rtf.get(end) == Some(&b' '));
        self.word(word, number, now);
        end
    }

    fn word(&mut self, word: &[u8], number: Option<i32>, now: &mut Group) {
        match word {
            b"htmltag" => (now.is_left_out, now.is_tag) = (false, true),
            b"mhtmltag" | b"fonttbl" | b"colortbl" | b"stylesheet" | b"info" | b"pntext" => now.is_left_out = true,
            b"htmlrtf" => now.is_rtf = number != Some(0),
            b"ansicpg" => self.page = number.and_then(|number| u16::try_from(number).ok()).unwrap_or(self.page),
            b"uc" => now.instead = number.and_then(|number| usize::try_from(number).ok()).unwrap_or(1).min(16),
            b"u" => {
                if let Some(unit) = number.filter(|_| !self.is_out(now)) {
                    self.unit(unit as u16);
                }
                self.skip = now.instead;
            }
            b"par" | b"line" => self.put(now, b"\r\n"),
            b"tab" => self.put(now, b"\t"),
            b"lquote" => self.put(now, b"&lsquo;"),
            b"rquote" => self.put(now, b"&rsquo;"),
            b"ldblquote" => self.put(now, b"&ldquo;"),
            b"rdblquote" => self.put(now, b"&rdquo;"),
            b"bullet" => self.put(now, b"&bull;"),
            b"endash" => self.put(now, b"&ndash;"),
            b"emdash" => self.put(now, b"&mdash;"),
            _ => {}
        }
    }

    fn unit(&mut self, unit: u16) {
        if (0xd800..0xdc00).contains(&unit) {
            self.half = Some(unit);
            return;
        }
        let units = self.half.take().into_iter().chain([unit]);
        for letter in char::decode_utf16(units) {
            let number = u32::from(letter.unwrap_or(char::REPLACEMENT_CHARACTER));
            self.out.extend_from_slice(format!("&#{number};").as_bytes());
        }
    }

    fn is_out(&self, now: &Group) -> bool {
        now.is_left_out || (now.is_rtf && !now.is_tag)
    }

    fn put(&mut self, now: &Group, octets: &[u8]) {
        if self.skip > 0 {
            self.skip -= 1;
        } else if !self.is_out(now) {
            self.out.extend_from_slice(octets);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_compressed_is_read() {
        // The first example of [MS-OXRTFCP] §4.1.1.
        let octets = [
            0x2d, 0, 0, 0, 0x2b, 0, 0, 0, 0x4c, 0x5a, 0x46, 0x75, 0xf1, 0xc5, 0xc7, 0xa7, 0x03, 0, 0x0a, 0, 0x72, 0x63,
            0x70, 0x67, 0x31, 0x32, 0x35, 0x42, 0x32, 0x0a, 0xf3, 0x20, 0x68, 0x65, 0x6c, 0x09, 0, 0x20, 0x62, 0x77,
            0x05, 0xb0, 0x6c, 0x64, 0x7d, 0x0a, 0x80, 0x0f, 0xa0,
        ];
        assert_eq!(decompressed(&octets).unwrap(), b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n");
        assert_eq!(decompressed(b"\0\0\0\0\x04\0\0\0MELA\0\0\0\0abcdef").unwrap(), b"abcd");
        assert_eq!(decompressed(b"short"), None);
    }

    #[test]
    fn html_is_taken_out_of_its_wrapping() {
        let rtf = br"{\rtf1\ansi\ansicpg936\fromhtml1 \deff0{\fonttbl{\f0\fswiss Arial;}}
{\*\htmltag64 <p>}\htmlrtf {\htmlrtf0 a\'b9\'a4\u8364 ?\u-10179 ?\u-8704 ?b\{c\}\htmlrtf\par}\htmlrtf0
{\*\htmltag72 </p>}{\*\mhtmltag72 <x>}{\*\generator no;}\tab d\par}";
        let (html, page) = html_in(rtf).unwrap();
        assert_eq!((&html[..], page), (&b"<p>a\xb9\xa4&#8364;&#128512;b{c}</p>\td\r\n"[..], 936));
        assert_eq!(html_in(b"{\\rtf1 plain}"), None);
    }
}
