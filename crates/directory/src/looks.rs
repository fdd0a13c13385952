//! What the login page of a domain looks like: its name, a line of words, a colour, a logo and one of three layouts. What a domain does not
//! set is as everybody's (`*`), and what nobody sets as Anser's own.

use std::sync::Arc;

use anser_base::{Error, Result, Text};
use anser_db::{Row, Tx, params};

use crate::{Directory, names};

/// Longest name and line, in characters.
pub const LOOK_TEXT: usize = 120;
/// Largest logo, in bytes: it travels within the page, which is to stay small.
pub const LOGO: usize = 16 << 10;

/// Hosts whose looks are remembered, each with its logo.
pub(crate) const CACHED_LOOKS: usize = 256;

/// Where things stand on the page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Layout {
    /// The form on paper, geese beside it.
    #[default]
    Paper,
    /// The form on a card in the middle of the colour.
    Card,
    /// Half of the page in the colour, with logo and name; the form in the other.
    Beside,
}

impl Layout {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Paper => "paper",
            Self::Card => "card",
            Self::Beside => "beside",
        }
    }

    /// The inverse of [`Self::as_str`].
    pub fn of_word(word: &str) -> Option<Self> {
        [Self::Paper, Self::Card, Self::Beside].into_iter().find(|layout| layout.as_str() == word)
    }
}

/// Red, green, blue (sRGB).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Colour(pub [u8; 3]);

impl Colour {
    /// Of `#rrggbb`.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6)?;
        let number = u32::from_str_radix(digits, 16).ok().filter(|_| digits.bytes().all(|c| c.is_ascii_hexdigit()))?;
        let [_, red, green, blue] = number.to_be_bytes();
        Some(Self([red, green, blue]))
    }
}

impl std::fmt::Display for Colour {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

/// What is set for a scope; `None` is as in the wider one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// A domain, or `*`.
    pub scope: String,
    /// Where things stand.
    pub layout: Option<Layout>,
    /// The colour.
    pub colour: Option<Colour>,
    /// What the page calls the house.
    pub name: Option<Text>,
    /// What stands below, such as whom to call for help.
    pub line: Option<Text>,
    /// A picture; see [`logo_type`].
    pub logo: Option<Vec<u8>>,
}

impl Look {
    /// What this does not set is as in the wider one.
    fn over(self, wider: Self) -> Self {
        Self {
            scope: self.scope,
            layout: self.layout.or(wider.layout),
            colour: self.colour.or(wider.colour),
            name: self.name.or(wider.name),
            line: self.line.or(wider.line),
            logo: self.logo.or(wider.logo),
        }
    }

    fn check(&self) -> Result<()> {
        let is_plain = |text: &str| text.chars().count() <= LOOK_TEXT && !text.chars().any(char::is_control);
        if !self.name.iter().chain(&self.line).flat_map(|text| [&*text.en, &*text.zh]).all(is_plain) {
            return Err(Error::invalid(
                format!("a name or a line has at most {LOOK_TEXT} characters"),
                format!("名称和说明最多 {LOOK_TEXT} 个字符"),
            ));
        }
        let Some(logo) = &self.logo else { return Ok(()) };
        if logo.len() > LOGO {
            return Err(Error::invalid("a logo has at most 16 KiB", "徽标最大 16 KiB"));
        }
        if logo_type(logo).is_none() {
            return Err(Error::invalid(
                "a logo is PNG, JPEG, WebP, GIF or SVG",
                "徽标须为 PNG、JPEG、WebP、GIF 或 SVG",
            ));
        }
        Ok(())
    }
}

/// The media type of a logo, by its first bytes; `None` for what browsers are not given as a picture.
pub fn logo_type(logo: &[u8]) -> Option<&'static str> {
    let is_svg = || {
        let text = std::str::from_utf8(logo).ok()?.trim_start_matches('\u{feff}').trim_start();
        (text.starts_with("<svg") || (text.starts_with("<?xml") && text.contains("<svg"))).then_some("image/svg+xml")
    };
    match logo {
        [0x89, b'P', b'N', b'G', ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', ..] => Some("image/gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        _ => is_svg(),
    }
}

impl Directory {
    /// What is set, scope by scope.
    pub async fn looks(&self) -> Result<Vec<Look>> {
        let sql = format!("{COLUMNS} ORDER BY scope");
        self.read(move |tx| tx.query(&sql, &[], look)).await
    }

    /// Sets a look; what is `None` stays as it is, and an empty name, line or logo goes, so that the wider one's counts. `Class::Invalid` for
    /// what cannot be.
    pub async fn set_look(&self, mut new: Look) -> Result<()> {
        let is_empty = |text: &Text| text.en.trim().is_empty() && text.zh.trim().is_empty();
        let gone = [
            (new.name.take_if(|name| is_empty(name)).is_some(), "name_en = NULL, name_zh = NULL"),
            (new.line.take_if(|line| is_empty(line)).is_some(), "line_en = NULL, line_zh = NULL"),
            (new.logo.take_if(|logo| logo.is_empty()).is_some(), "logo = NULL"),
        ];
        new.check()?;
        // What is said in one language only is said so in both.
        for text in new.name.iter_mut().chain(&mut new.line) {
            match (text.en.trim().is_empty(), text.zh.trim().is_empty()) {
                (true, _) => text.en = text.zh.clone(),
                (_, true) => text.zh = text.en.clone(),
                _ => {}
            }
        }
        let scope = if new.scope == "*" { new.scope.clone() } else { names::new_domain(&new.scope)? };
        let colour = new.colour.map(|colour| colour.to_string());
        let sql = "INSERT INTO dir_looks (scope, layout, colour, name_en, name_zh, line_en, line_zh, logo)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
                   ON CONFLICT (scope) DO UPDATE SET layout = COALESCE(excluded.layout, dir_looks.layout),
                     colour = COALESCE(excluded.colour, dir_looks.colour),
                     name_en = COALESCE(excluded.name_en, dir_looks.name_en),
                     name_zh = COALESCE(excluded.name_zh, dir_looks.name_zh),
                     line_en = COALESCE(excluded.line_en, dir_looks.line_en),
                     line_zh = COALESCE(excluded.line_zh, dir_looks.line_zh),
                     logo = COALESCE(excluded.logo, dir_looks.logo)";
        self.change(move |tx: &mut Tx<'_>| {
            for (_, what) in gone.iter().filter(|(is_gone, _)| *is_gone) {
                tx.execute(&format!("UPDATE dir_looks SET {what} WHERE scope = ?1"), params![&scope])?;
            }
            let Look { name, line, logo, .. } = &new;
            let (en, zh) = (|text: &Text| text.en.to_string(), |text: &Text| text.zh.to_string());
            let texts = [name.as_ref().map(en), name.as_ref().map(zh), line.as_ref().map(en), line.as_ref().map(zh)];
            let [name_en, name_zh, line_en, line_zh] = texts.each_ref().map(Option::as_ref);
            let (layout, colour) = (new.layout.map(Layout::as_str), colour.as_ref());
            let values = params![&scope, layout, colour, name_en, name_zh, line_en, line_zh, logo.as_ref()];
            tx.execute(sql, values).map(drop)
        })
        .await
    }

    /// Removes what is set for a scope; whether there was anything.
    pub async fn remove_look(&self, scope: &str) -> Result<bool> {
        let scope = if scope == "*" { scope.to_owned() } else { names::domain_key(scope) };
        self.change(move |tx| Ok(tx.execute("DELETE FROM dir_looks WHERE scope = ?1", params![&scope])? > 0)).await
    }

    /// What the page of a host looks like: what is set for the host's own name goes before what is set for the domain that it lies in
    /// (`mail.example.org` in `example.org`), that before everybody's. Its scope is the narrowest that sets anything, empty when none does. From memory as
    /// long as nobody changed the directory.
    pub async fn look_of(&self, host: &str) -> Result<Arc<Look>> {
        let (host, stamp) = (names::domain_key(host), self.stamp().await?);
        if let Some(known) = self.inner.looks.get(stamp, &host) {
            return Ok(known);
        }
        let key = host.clone();
        let above = |name: &str| name.split_once('.').map(|(_, above)| above.to_owned()).unwrap_or_default();
        let domain = above(&host);
        let scopes = [host, domain.clone(), above(&domain), "*".to_owned()];
        let sql = format!("{COLUMNS} WHERE scope IN (?1, ?2, ?3, ?4)");
        let [first, second, third, all] = scopes.clone();
        let mut found = self.read(move |tx| tx.query(&sql, params![&first, &second, &third, &all], look)).await?;
        found.sort_by_key(|look| scopes.iter().position(|scope| *scope == look.scope));
        let found = Arc::new(found.into_iter().reduce(Look::over).unwrap_or_default());
        self.inner.looks.put(stamp, key, found.clone());
        Ok(found)
    }
}

const COLUMNS: &str = "SELECT scope, layout, colour, name_en, name_zh, line_en, line_zh, logo FROM dir_looks";

fn look(row: &Row<'_>) -> Result<Look> {
    let damaged = || Error::damaged("a look of the directory");
    let text = |en: usize, zh: usize| {
        let halves = row.opt_text(en)?.zip(row.opt_text(zh)?);
        Ok::<_, Error>(halves.map(|(en, zh)| Text::new(en, zh)))
    };
    Ok(Look {
        scope: row.text(0)?,
        layout: row.opt_text(1)?.map(|word| Layout::of_word(&word).ok_or_else(damaged)).transpose()?,
        colour: row.opt_text(2)?.map(|text| Colour::parse(&text).ok_or_else(damaged)).transpose()?,
        name: text(3, 4)?,
        line: text(5, 6)?,
        logo: row.opt_blob(7)?,
    })
}
