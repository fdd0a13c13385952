//! HTML as the text that a reader sees: no tags, no comments, no scripts and styles, entities decoded. Linear.

use anser_mime::charset;

/// Elements whose content is not text.
const HIDDEN: [&str; 2] = ["style", "script"];

/// Elements that do not part words.
const INLINE: [&str; 20] = [
    "a", "abbr", "acronym", "b", "big", "bdo", "code", "del", "em", "font", "i", "ins", "mark", "s", "small", "span",
    "strong", "sub", "sup", "u",
];

/// Bytes of the longest name of an entity.
const ENTITY: usize = 10;

/// Appends the text of HTML.
pub fn text(html: &str, out: &mut String) {
    let mut rest = html;
    while let Some(at) = memchr::memchr2(b'<', b'&', rest.as_bytes()) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        rest = if rest.starts_with('&') { entity(rest, out) } else { markup(rest, out) };
    }
    out.push_str(rest);
}

/// Passes what `<` begins; answers what follows it.
fn markup<'a>(rest: &'a str, out: &mut String) -> &'a str {
    if let Some(comment) = rest.strip_prefix("<!--") {
        return comment.split_once("-->").map_or("", |(_, after)| after);
    }
    if !rest[1..].starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?')) {
        out.push('<');
        return &rest[1..];
    }
    let Some((tag, after)) = rest[1..].split_once('>') else { return "" };
    let name = tag.trim_start_matches('/');
    let name = &name[..name.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(name.len())];
    let is_one_of = |names: &[&str]| names.iter().any(|known| known.eq_ignore_ascii_case(name));
    if name.eq_ignore_ascii_case("wbr") {
        return after;
    }
    if !is_one_of(&INLINE) {
        out.push('\n');
    }
    match !tag.starts_with('/') && is_one_of(&HIDDEN) {
        true => after_closing(after, name),
        false => after,
    }
}

/// What follows `</name`.
fn after_closing<'a>(text: &'a str, name: &str) -> &'a str {
    let mut rest = text;
    while let Some(at) = memchr::memmem::find(rest.as_bytes(), b"</") {
        rest = &rest[at + 2..];
        if rest.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name)) {
            return rest.split_once('>').map_or("", |(_, after)| after);
        }
    }
    ""
}

/// Decodes the entity that `rest` may start with; answers what follows it.
fn entity<'a>(rest: &'a str, out: &mut String) -> &'a str {
    let inside = &rest[1..];
    let end = inside.bytes().take(ENTITY).take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'#').count();
    let (name, after) = inside.split_at(end);
    let closed = after.strip_prefix(';');
    let decoded = match name.strip_prefix('#') {
        Some(digits) => number(digits),
        None => named(name).filter(|(_, is_old)| closed.is_some() || *is_old).map(|(c, _)| c),
    };
    match decoded {
        Some(c) => {
            out.push(c);
            closed.unwrap_or(after)
        }
        None => {
            out.push('&');
            inside
        }
    }
}

fn number(digits: &str) -> Option<char> {
    let number = match digits.strip_prefix(['x', 'X']) {
        Some(hex) => u32::from_str_radix(hex, 16).ok()?,
        None => digits.parse().ok()?,
    };
    match number {
        // Numbers of the old code page of Windows, which no browser takes for control characters.
        128..=159 => charset::decode(Some("windows-1252"), &[number as u8]).chars().next(),
        number => char::from_u32(number),
    }
}

/// The character of a name, and whether it is so old that it may lack its semicolon.
fn named(name: &str) -> Option<(char, bool)> {
    if let Some(at) = LATIN.iter().position(|known| *known == name) {
        return char::from_u32(160 + at as u32).map(|c| (c, true));
    }
    let basic = BASIC.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, c)| (*c, true));
    basic.or_else(|| NAMED.iter().find(|(known, _)| *known == name).map(|(_, c)| (*c, false)))
}

const BASIC: [(&str, char); 4] = [("amp", '&'), ("lt", '<'), ("gt", '>'), ("quot", '"')];

/// U+00A0 to U+00FF.
#[rustfmt::skip]
const LATIN: [&str; 96] = [
    "nbsp", "iexcl", "cent", "pound", "curren", "yen", "brvbar", "sect", "uml", "copy", "ordf", "laquo", "not", "shy", "reg", "macr",
    "deg", "plusmn", "sup2", "sup3", "acute", "micro", "para", "middot", "cedil", "sup1", "ordm", "raquo", "frac14", "frac12",
    "frac34", "iquest", "Agrave", "Aacute", "Acirc", "Atilde", "Auml", "Aring", "AElig", "Ccedil", "Egrave", "Eacute", "Ecirc",
    "Euml", "Igrave", "Iacute", "Icirc", "Iuml", "ETH", "Ntilde", "Ograve", "Oacute", "Ocirc", "Otilde", "Ouml", "times", "Oslash",
    "Ugrave", "Uacute", "Ucirc", "Uuml", "Yacute", "THORN", "szlig", "agrave", "aacute", "acirc", "atilde", "auml", "aring", "aelig",
    "ccedil", "egrave", "eacute", "ecirc", "euml", "igrave", "iacute", "icirc", "iuml", "eth", "ntilde", "ograve", "oacute", "ocirc",
    "otilde", "ouml", "divide", "oslash", "ugrave", "uacute", "ucirc", "uuml", "yacute", "thorn", "yuml",
];

#[rustfmt::skip]
const NAMED: [(&str, char); 108] = [
    ("apos", '\''), ("OElig", 'Œ'), ("oelig", 'œ'), ("Scaron", 'Š'), ("scaron", 'š'), ("Yuml", 'Ÿ'), ("fnof", 'ƒ'), ("circ", 'ˆ'),
    ("tilde", '˜'), ("Alpha", 'Α'), ("Beta", 'Β'), ("Gamma", 'Γ'), ("Delta", 'Δ'), ("Epsilon", 'Ε'), ("Zeta", 'Ζ'), ("Eta", 'Η'),
    ("Theta", 'Θ'), ("Iota", 'Ι'), ("Kappa", 'Κ'), ("Lambda", 'Λ'), ("Mu", 'Μ'), ("Nu", 'Ν'), ("Xi", 'Ξ'), ("Omicron", 'Ο'),
    ("Pi", 'Π'), ("Rho", 'Ρ'), ("Sigma", 'Σ'), ("Tau", 'Τ'), ("Upsilon", 'Υ'), ("Phi", 'Φ'), ("Chi", 'Χ'), ("Psi", 'Ψ'),
    ("Omega", 'Ω'), ("alpha", 'α'), ("beta", 'β'), ("gamma", 'γ'), ("delta", 'δ'), ("epsilon", 'ε'), ("zeta", 'ζ'), ("eta", 'η'),
    ("theta", 'θ'), ("iota", 'ι'), ("kappa", 'κ'), ("lambda", 'λ'), ("mu", 'μ'), ("nu", 'ν'), ("xi", 'ξ'), ("omicron", 'ο'),
    ("pi", 'π'), ("rho", 'ρ'), ("sigmaf", 'ς'), ("sigma", 'σ'), ("tau", 'τ'), ("upsilon", 'υ'), ("phi", 'φ'), ("chi", 'χ'),
    ("psi", 'ψ'), ("omega", 'ω'), ("ensp", '\u{2002}'), ("emsp", '\u{2003}'), ("thinsp", '\u{2009}'), ("zwnj", '\u{200c}'),
    ("zwj", '\u{200d}'), ("lrm", '\u{200e}'), ("rlm", '\u{200f}'), ("ndash", '–'), ("mdash", '—'), ("lsquo", '‘'), ("rsquo", '’'),
    ("sbquo", '‚'), ("ldquo", '“'), ("rdquo", '”'), ("bdquo", '„'), ("dagger", '†'), ("Dagger", '‡'), ("bull", '•'), ("hellip", '…'),
    ("permil", '‰'), ("prime", '′'), ("Prime", '″'), ("lsaquo", '‹'), ("rsaquo", '›'), ("oline", '‾'), ("euro", '€'), ("trade", '™'),
    ("larr", '←'), ("uarr", '↑'), ("rarr", '→'), ("darr", '↓'), ("harr", '↔'), ("rArr", '⇒'), ("hArr", '⇔'), ("part", '∂'),
    ("sum", '∑'), ("minus", '−'), ("radic", '√'), ("infin", '∞'), ("int", '∫'), ("asymp", '≈'), ("ne", '≠'), ("le", '≤'), ("ge", '≥'),
    ("loz", '◊'), ("spades", '♠'), ("clubs", '♣'), ("hearts", '♥'), ("diams", '♦'), ("cap", '∩'),
];

#[cfg(test)]
mod tests {
    fn shown(html: &str) -> String {
        let mut out = String::new();
        super::text(html, &mut out);
        crate::fold(&out)
    }

    #[test]
    fn html_is_what_a_reader_sees() {
        assert_eq!(
            shown("<p>Hel<b>lo</b></p><p>you &amp; me&nbsp;&#20013;&#x6587; &bogus;").trim(),
            "hello you & me 中文 &bogus;"
        );
        assert_eq!(shown("<STYLE>p{}</style><!-- <p>no --> yes <br").trim(), "yes");
        assert_eq!(shown("a < b <3 & c&eacute; caf&eacute &euro; &euro &#150;"), "a < b <3 & cé café € &euro –");
        assert_eq!(shown("<script>unclosed").trim(), "");
        assert_eq!(shown("in<wbr>side <td>a</td><td>b</td>").trim(), "inside a b");
        assert_eq!(shown("<a href=\"http://secret.example\">shown</a>"), "shown");
    }
}
