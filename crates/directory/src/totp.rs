//! Codes that change with time (RFC 6238 over RFC 4226): HMAC-SHA-1, six digits, thirty seconds, as every authenticator has them.

use anser_base::Timestamp;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

/// Length of a secret, in bytes (RFC 4226 §4, R6).
pub const SECRET: usize = 20;
/// Seconds of a step (RFC 6238 §5.2).
pub const STEP: i64 = 30;
/// Steps that a clock may be off, either way (RFC 6238 §5.2).
const OFF: i64 = 1;
/// Digits of a code.
const DIGITS: usize = 6;

/// The code of a step (RFC 4226 §5.3).
pub fn code_at(secret: &[u8], step: i64) -> String {
    // HMAC takes keys of every length.
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(secret) else { return String::new() };
    mac.update(&step.to_be_bytes());
    let hash = mac.finalize().into_bytes();
    let at = usize::from(hash[19] & 15);
    let cut = u32::from_be_bytes([hash[at] & 0x7f, hash[at + 1], hash[at + 2], hash[at + 3]]);
    format!("{:0DIGITS$}", cut % 10_u32.pow(DIGITS as u32))
}

/// The step that a code belongs to, when it is one of now and later than the last that was used: a code is good once (RFC 6238 §5.2).
pub fn step_of(secret: &[u8], code: &str, now: Timestamp, last: i64) -> Option<i64> {
    let bare: String = code.chars().filter(|c| !c.is_whitespace()).take(DIGITS + 1).collect();
    let current = now.secs().div_euclid(STEP);
    // All are looked at, and hashes compare in constant time.
    let fits = |step: &i64| blake3::hash(code_at(secret, *step).as_bytes()) == blake3::hash(bare.as_bytes());
    (current - OFF..=current + OFF).filter(fits).fold(None, |_, step| Some(step)).filter(|step| *step > last)
}

/// A secret as authenticators take it (RFC 4648 §6, without padding).
pub fn base32(secret: &[u8]) -> String {
    let (mut out, mut bits, mut held) = (String::new(), 0_u32, 0_u32);
    for byte in secret {
        held = (held << 8 | u32::from(*byte)) & 0xfff;
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            out.push(char::from(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[(held >> bits & 31) as usize]));
        }
    }
    if bits > 0 {
        out.push(char::from(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[(held << (5 - bits) & 31) as usize]));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4226 appendix D, RFC 6238 appendix B.
    const KNOWN: &[u8] = b"12345678901234567890";

    #[test]
    fn the_codes_of_the_rfcs() {
        let counted =
            ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"];
        for (count, code) in counted.iter().enumerate() {
            assert_eq!(code_at(KNOWN, count as i64), *code);
        }
        for (secs, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(code_at(KNOWN, secs / STEP), code);
        }
    }

    #[test]
    fn a_code_is_good_for_a_while_and_once() {
        let now = Timestamp::from_secs(1_111_111_111);
        let step = 1_111_111_111 / STEP;
        assert_eq!(step_of(KNOWN, " 050 471", now, 0), Some(step));
        assert_eq!(step_of(KNOWN, "050471", now, step), None, "used");
        assert_eq!(step_of(KNOWN, &code_at(KNOWN, step - 1), now, 0), Some(step - 1));
        assert_eq!(step_of(KNOWN, &code_at(KNOWN, step + 1), now, 0), Some(step + 1));
        assert_eq!(step_of(KNOWN, &code_at(KNOWN, step - 2), now, 0), None);
        for wrong in ["", "05047", "0504711", "abcdef", "０５０４７１"] {
            assert_eq!(step_of(KNOWN, wrong, now, 0), None, "{wrong}");
        }
    }

    #[test]
    fn secrets_are_written_in_base32() {
        for (bytes, text) in
            [("", ""), ("f", "MY"), ("fo", "MZXQ"), ("foo", "MZXW6"), ("foob", "MZXW6YQ"), ("foobar", "MZXW6YTBOI")]
        {
            assert_eq!(base32(bytes.as_bytes()), text);
        }
    }
}
