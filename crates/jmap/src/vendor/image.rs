//! Pictures of other servers, fetched for who reads a message: its sender learns this server's address and nothing of the reader.
//!
//! An address is good for what it was made for: account and picture are sealed into it, so that nobody has anything else fetched, and it
//! needs no login, which a page that shows a stranger's message must not have.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anser_base::{AccountId, Class, Error, Result, Timestamp};
use anser_directory::AccountState;
use anser_net::Resolver;
use anser_net::http::client::{Options, exchange, get};
use anser_net::http::{Bytes, HeaderValue, Request, Response, either, header};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use url::Url;

use super::safe::percent_encoded;
use crate::door::{Door, Use};
use crate::error::{failed, limit_problem, plain_problem};
use crate::ids;

/// Bytes of one picture.
const SIZE: usize = 10 * 1024 * 1024;
/// How long it may take to come, all of its addresses together.
const TIME: Duration = Duration::from_secs(20);
/// Other addresses that a server may send us to.
const REDIRECTS: usize = 3;
/// Characters of an address.
const ADDRESS: usize = 4_096;
/// How long an address is good at least; it changes once a day, so that browsers know it again.
const GOOD_FOR: i64 = 86_400;
/// Bytes of all pictures that are remembered.
const REMEMBERED: usize = 64 * 1024 * 1024;
/// Pictures that are on their way at once, of all accounts: each may hold [`SIZE`] bytes.
const AT_ONCE: usize = 32;
/// Pictures of one account and hour.
const PICTURES: u32 = 3_000;
/// Accounts whose pictures are counted; beyond them counting begins anew.
const COUNTED: usize = 20_000;

/// How the Web is reached.
#[derive(Clone)]
pub struct Web {
    /// Knows addresses of names.
    pub resolver: Resolver,
    /// Limits, and who vouches for certificates. Its `time` is one exchange's.
    pub options: Options,
}

/// What picture addresses of one account are made of.
#[derive(Clone)]
pub(super) struct Addresses {
    account: AccountId,
    key: [u8; 32],
    until: i64,
}

impl Addresses {
    pub async fn of(door: &Door, account: AccountId) -> Result<Self> {
        let today = door.deps.clock.now().secs() / GOOD_FOR;
        Ok(Self { account, key: key(door).await?, until: (today + 2) * GOOD_FOR })
    }

    /// The address that brings a picture by this server.
    pub fn address(&self, url: &str) -> String {
        let (account, seal) = (ids::account_id(self.account), self.seal(url).to_hex());
        format!("/jmap/image/{account}/{}/{seal}?url={}", self.until, percent_encoded(url))
    }

    #[cfg(test)]
    pub fn sample() -> Self {
        Self { account: AccountId(1), key: [0; 32], until: 0 }
    }

    fn seal(&self, url: &str) -> blake3::Hash {
        blake3::keyed_hash(&self.key, format!("{} {} {url}", self.account, self.until).as_bytes())
    }
}

/// The key of seals, which all nodes share.
async fn key(door: &Door) -> Result<[u8; 32]> {
    let made = door.image_key.get_or_try_init(|| async {
        let fresh = door.deps.entropy.bytes::<32>().to_vec();
        let kept = door.deps.directory.kept_key("image-addresses", Some(fresh)).await?;
        kept.and_then(|key| key.try_into().ok()).ok_or_else(|| Error::damaged("the key of picture addresses"))
    });
    made.await.copied()
}

/// `GET /jmap/image/{accountId}/{until}/{seal}?url=…`
pub(crate) async fn image(door: Arc<Door>, request: Request) -> Response {
    either(answer(&door, &request).await)
}

async fn answer(door: &Door, request: &Request) -> std::result::Result<Response, Response> {
    let missing = || plain_problem(404, "there is no such picture");
    let account = ids::parse_account(request.parameter("accountId")).ok_or_else(missing)?;
    let until = ids::number(request.parameter("until")).and_then(|until| i64::try_from(until).ok());
    let seal = blake3::Hash::from_hex(request.parameter("seal")).map_err(|_| missing())?;
    let url = request.query("url").filter(|url| url.len() <= ADDRESS).ok_or_else(missing)?;
    let until = until.filter(|until| door.deps.clock.now().secs() < *until).ok_or_else(missing)?;
    let key = key(door).await.map_err(|error| failed(&error))?;
    if (Addresses { account, key, until }).seal(&url) != seal {
        return Err(missing());
    }
    let owner = door.deps.directory.account(account).await.map_err(|error| failed(&error))?;
    if owner.is_none_or(|owner| owner.state != AccountState::Active) {
        return Err(missing());
    }
    if let Some(known) = door.images.get(account, &url) {
        return Ok(shown(known));
    }
    let web = door.deps.web.as_ref().ok_or_else(missing)?;
    let _seat = door.seat(account, Use::Image).ok_or_else(|| limit_problem(429, "maxConcurrentImages"))?;
    if !door.images.may_fetch(account, door.deps.clock.now()) {
        return Err(limit_problem(429, "maxImagesPerHour"));
    }
    let fetching = async {
        let _turn = door.images.turns.acquire().await.map_err(Error::unavailable)?;
        fetch(web, &url).await
    };
    let fetched = timeout(TIME, fetching).await;
    match fetched.unwrap_or_else(|_| Err(Error::unavailable("the picture takes too long"))) {
        Ok(picture) => {
            door.images.put(account, url, picture.clone());
            Ok(shown(picture))
        }
        Err(error) => {
            tracing::debug!(error = error.chain(), "a picture was not fetched");
            Err(plain_problem(if error.class == Class::Invalid { 404 } else { 502 }, &error.text))
        }
    }
}

fn shown(picture: Picture) -> Response {
    Response::new(200, picture.kind, picture.bytes)
        .with(header::CACHE_CONTROL, HeaderValue::from_static("private, immutable, max-age=86400"))
        .with(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox"))
}

/// A picture.
#[derive(Clone)]
pub(crate) struct Picture {
    kind: &'static str,
    bytes: Bytes,
}

/// Fetches a picture, wherever its server sends us to.
async fn fetch(web: &Web, url: &str) -> Result<Picture> {
    let mut at = Url::parse(url).map_err(|_| no_picture())?;
    for _ in 0..=REDIRECTS {
        at.set_fragment(None);
        if !may_ask(&at, &web.options) {
            return Err(no_picture());
        }
        let asked = get(at.as_str(), "image/avif,image/webp,image/png,image/jpeg,image/gif;q=0.9")?;
        let answer = exchange(&web.resolver, asked, SIZE, &web.options).await?;
        if !answer.status().is_redirection() {
            let is_fine = answer.status().as_u16() == 200;
            let bytes = answer.into_body();
            let kind = kind_of(&bytes).filter(|_| is_fine).ok_or_else(no_picture)?;
            return Ok(Picture { kind, bytes });
        }
        let to = answer.headers().get(header::LOCATION).and_then(|to| to.to_str().ok()).ok_or_else(no_picture)?;
        at = at.join(to).map_err(|_| no_picture())?;
    }
    Err(no_picture())
}

/// Whether an address is one of the Web, at its usual port, with nobody's name in it.
fn may_ask(url: &Url, options: &Options) -> bool {
    matches!(url.scheme(), "http" | "https")
        && url.as_str().len() <= ADDRESS
        && (url.port().is_none() || options.private)
        && url.username().is_empty()
        && url.password().is_none()
}

fn no_picture() -> Error {
    Error::invalid("there is no picture", "没有图片")
}

/// What a picture is, by its own bytes: whatever its server says. Drawings that can hold scripts are none.
fn kind_of(bytes: &[u8]) -> Option<&'static str> {
    let is_avif =
        |bytes: &[u8]| bytes.get(4..8) == Some(b"ftyp") && matches!(bytes.get(8..12), Some(b"avif" | b"avis"));
    match bytes {
        _ if bytes.starts_with(b"\x89PNG\r\n\x1a\n") => Some("image/png"),
        _ if bytes.starts_with(b"\xff\xd8\xff") => Some("image/jpeg"),
        _ if bytes.starts_with(b"GIF87a") || bytes.starts_with(b"GIF89a") => Some("image/gif"),
        _ if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") => Some("image/webp"),
        _ if bytes.starts_with(b"BM") && bytes.len() > 26 => Some("image/bmp"),
        _ if is_avif(bytes) => Some("image/avif"),
        _ => None,
    }
}

/// Pictures that are remembered, each for its account, and how many each account had fetched.
pub(crate) struct Images {
    held: Mutex<Held>,
    turns: Semaphore,
}

impl Default for Images {
    fn default() -> Self {
        Self { held: Mutex::default(), turns: Semaphore::new(AT_ONCE) }
    }
}

#[derive(Default)]
struct Held {
    young: HashMap<(AccountId, String), Picture>,
    old: HashMap<(AccountId, String), Picture>,
    /// Bytes of the young ones.
    size: usize,
    /// The hour that is counted, and how many each account had in it.
    hour: i64,
    fetched: HashMap<AccountId, u32>,
}

impl Images {
    fn get(&self, account: AccountId, url: &str) -> Option<Picture> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let name = (account, url.to_owned());
        held.young.get(&name).or_else(|| held.old.get(&name)).cloned()
    }

    fn put(&self, account: AccountId, url: String, picture: Picture) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.size + picture.bytes.len() > REMEMBERED / 2 {
            held.old = std::mem::take(&mut held.young);
            held.size = 0;
        }
        held.size += picture.bytes.len() + url.len();
        held.young.insert((account, url), picture);
    }

    fn may_fetch(&self, account: AccountId, now: Timestamp) -> bool {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let hour = now.secs() / 3600;
        if held.hour != hour || held.fetched.len() >= COUNTED {
            held.fetched.clear();
            held.hour = hour;
        }
        let count = held.fetched.entry(account).or_default();
        *count += 1;
        *count <= PICTURES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_known_by_their_bytes() {
        for (bytes, kind) in [
            (&b"\x89PNG\r\n\x1a\nx"[..], Some("image/png")),
            (b"\xff\xd8\xff\xe0", Some("image/jpeg")),
            (b"GIF89a..", Some("image/gif")),
            (b"RIFF\0\0\0\0WEBPVP8 ", Some("image/webp")),
            (b"\0\0\0\x1cftypavif", Some("image/avif")),
            (b"<svg xmlns='http://www.w3.org/2000/svg'/>", None),
            (b"<!doctype html>", None),
            (b"RIFF\0\0\0\0WAVE", None),
            (b"BM", None),
            (b"", None),
        ] {
            assert_eq!(kind_of(bytes), kind, "{}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn only_the_web_is_asked() {
        let options = |private| Options { private, ..Options::new("/none".into(), TIME) };
        for (url, may) in [
            ("http://x.example/a", true),
            ("https://x.example:443/a", true),
            ("https://x.example:8443/a", false),
            ("http://x.example:25/", false),
            ("http://a:b@x.example/", false),
            ("http://a@x.example/", false),
            ("ftp://x.example/", false),
            ("file:///etc/passwd", false),
            ("data:image/png;base64,AA", false),
        ] {
            assert_eq!(may_ask(&Url::parse(url).unwrap(), &options(false)), may, "{url}");
        }
        assert!(may_ask(&Url::parse("http://x.example:8080/").unwrap(), &options(true)));
    }

    #[test]
    fn an_account_has_so_many_an_hour() {
        let (images, ann, now) = (Images::default(), AccountId(1), Timestamp(0));
        assert!((0..PICTURES).all(|_| images.may_fetch(ann, now)));
        assert!(!images.may_fetch(ann, now));
        assert!(images.may_fetch(AccountId(2), now));
        assert!(images.may_fetch(ann, now.after(Duration::from_secs(3600))));
    }
}
