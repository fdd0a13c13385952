//! Messages to send: every one differs, the text compresses like text and the attachment hardly.

/// A small generator of numbers (xorshift64).
pub struct Numbers(pub u64);

impl Numbers {
    /// The next number.
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

const WORDS: &str = "the of and to in for is on that by this with you it not or be are from at as your all have new more an was we will home \
can us about if page my has search free but our one other do no information time they site he up may what which their news out use any \
there see only so his when contact here business who web also now help get view online first am been would how were services some click \
its like service than find price date back top people had list name just over state year day into email two health world next used go \
work last most products music buy data make them should product system post her city add policy number such please available support";
const HAN: &str = "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产种面而方后多定行学法所民得经\
十三之进着等部度家电力里如水化高自二理起小物现实加量都两体制机当使点从业本去把性好应开它合还因由其些然前外天政四日那社义事平形相全表间样与关各重新线";

/// Sizes and their weights; the same sequence for every server.
pub type Mix = &'static [(usize, u64)];

/// Which size message number `n` of a mix has, in bytes.
pub fn size_of(mix: Mix, n: u64) -> usize {
    let total: u64 = mix.iter().map(|(_, weight)| weight).sum();
    let mut numbers = Numbers(n.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    numbers.next();
    let mut at = numbers.next() % total.max(1);
    for (size, weight) in mix {
        match at.checked_sub(*weight) {
            None => return *size,
            Some(rest) => at = rest,
        }
    }
    mix.first().map_or(1000, |(size, _)| *size)
}

/// A message of about `size` bytes with CRLF line ends, unlike every other with another seed.
pub fn message(to: &str, size: usize, seed: u64) -> Vec<u8> {
    message_from(&format!("s{seed}@src.test"), to, size, seed)
}

/// The same by this author.
pub fn message_from(from: &str, to: &str, size: usize, seed: u64) -> Vec<u8> {
    let mut numbers = Numbers(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    numbers.next();
    let id = numbers.next();
    let mut out = format!(
        "Received: from mx.src.test (mx.src.test [127.0.0.1])\r\n\tby gw.src.test with ESMTP id {id:x}\r\n\tfor <{to}>; 01 Nov 2026 \
         10:00:00 +0000\r\nFrom: \"Sender {0}\" <{from}>\r\nTo: <{to}>\r\nSubject: report {seed} of {id:x}\r\nDate: 01 Nov 2026 \
         10:00:00 +0000\r\nMessage-ID: <{id:x}.{seed:x}@src.test>\r\nMIME-Version: 1.0\r\n",
        id % 997
    )
    .into_bytes();
    let chinese = seed.is_multiple_of(4);
    if size <= 4096 {
        out.extend_from_slice(b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n");
        text(&mut out, size, chinese, &mut numbers);
    } else if size <= 40_000 {
        out.extend_from_slice(b"Content-Type: multipart/alternative; boundary=\"=-alt\"\r\n\r\n--=-alt\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n");
        let quarter = out.len() + size / 4;
        text(&mut out, quarter, chinese, &mut numbers);
        out.extend_from_slice(b"--=-alt\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n<html><body>\r\n");
        while out.len() < size {
            out.extend_from_slice(b"<p class=\"x\" style=\"margin:0\">");
            let paragraph = out.len() + 455;
            text(&mut out, paragraph, chinese, &mut numbers);
            out.extend_from_slice(b"</p>\r\n");
        }
        out.extend_from_slice(b"</body></html>\r\n--=-alt--\r\n");
    } else {
        out.extend_from_slice(b"Content-Type: multipart/mixed; boundary=\"=-mix\"\r\n\r\n--=-mix\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n");
        let start = out.len() + 3000;
        text(&mut out, start, chinese, &mut numbers);
        out.extend_from_slice(b"--=-mix\r\nContent-Type: application/pdf; name=\"doc.pdf\"\r\nContent-Disposition: attachment; filename=\"doc.pdf\"\r\nContent-Transfer-Encoding: base64\r\n\r\n");
        attachment(&mut out, size, &mut numbers);
        out.extend_from_slice(b"--=-mix--\r\n");
    }
    out
}

fn text(out: &mut Vec<u8>, until: usize, chinese: bool, numbers: &mut Numbers) {
    let words: Vec<&str> =
        if chinese { HAN.split("").filter(|c| !c.is_empty()).collect() } else { WORDS.split(' ').collect() };
    let mut column = 0;
    while out.len() < until {
        // The smaller of two draws, so that some words are common.
        let at = numbers.next().min(numbers.next() << 1) as usize % words.len();
        out.extend_from_slice(words[at].as_bytes());
        if !chinese {
            out.push(b' ');
        }
        column += words[at].len() + 1;
        if column > 70 {
            out.extend_from_slice(b"\r\n");
            column = 0;
        }
    }
    out.extend_from_slice(b"\r\n");
}

/// Lines of random base64.
fn attachment(out: &mut Vec<u8>, until: usize, numbers: &mut Numbers) {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    while out.len() < until {
        for _ in 0..8 {
            let mut bits = numbers.next();
            for _ in 0..9 {
                out.push(ALPHABET[(bits & 63) as usize]);
                bits >>= 6;
            }
        }
        out.extend_from_slice(b"\r\n");
    }
}
