//! The CAS protocol, versions 2.0 and 3.0: where to sign in, and what the server says of a ticket. Pure.

use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::Event;

/// Longest answer, in bytes.
pub const ANSWER: usize = 64 * 1024;
/// Deepest nesting of elements.
const DEPTH: usize = 16;
/// Longest text of one element, in bytes.
const TEXT: usize = 1000;
/// Most attributes that are kept.
const ATTRIBUTES: usize = 200;

/// What a server says of a ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Validated {
    /// `authenticationSuccess`
    Success {
        /// `user`
        user: String,
        /// The elements inside `attributes`, as they come.
        attributes: Vec<(String, String)>,
    },
    /// `authenticationFailure`
    Failure,
}

impl Validated {
    /// The one value of an attribute, or the user where no attribute is wanted. `None` too where it is there twice.
    pub fn named(&self, attribute: &str) -> Option<&str> {
        let Self::Success { user, attributes } = self else { return None };
        if attribute.is_empty() {
            return Some(user);
        }
        let mut found = attributes.iter().filter(|(name, _)| name == attribute).map(|(_, value)| value.as_str());
        found.next().filter(|_| found.next().is_none())
    }
}

/// The answer of `serviceValidate`. `None` for anything that is none: broken, too deep, with declarations, with two answers.
pub fn read(xml: &[u8]) -> Option<Validated> {
    if xml.len() > ANSWER {
        return None;
    }
    let mut reader = Reader::from_str(str::from_utf8(xml).ok()?);
    reader.config_mut().check_end_names = true;
    let (mut path, mut text): (Vec<String>, String) = (Vec::new(), String::new());
    let (mut user, mut attributes, mut failed, mut succeeded) = (None, Vec::new(), false, false);
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) => {
                if path.len() >= DEPTH || (path.is_empty() && (succeeded || failed)) {
                    return None;
                }
                path.push(start.local_name().as_ref().to_owned());
                text.clear();
                (succeeded, failed) = answered(&path, succeeded, failed)?;
            }
            Event::Empty(start) => {
                let mut whole = path.clone();
                whole.push(start.local_name().as_ref().to_owned());
                (succeeded, failed) = answered(&whole, succeeded, failed)?;
            }
            Event::End(_) => {
                let path_of: Vec<&str> = path.iter().map(String::as_str).collect();
                let said = text.trim();
                match path_of.as_slice() {
                    [_, SUCCESS, "user"] if user.is_none() && !said.is_empty() => user = Some(said.to_owned()),
                    [_, SUCCESS, "user"] => return None,
                    [_, SUCCESS, "attributes", name] if attributes.len() < ATTRIBUTES => {
                        attributes.push(((*name).to_owned(), said.to_owned()));
                    }
                    _ => {}
                }
                path.pop();
                text.clear();
            }
            Event::Text(piece) => text.push_str(&piece),
            Event::CData(piece) => text.push_str(&piece),
            Event::GeneralRef(reference) => match reference.resolve_char_ref().ok()? {
                Some(character) => text.push(character),
                None => text.push_str(resolve_predefined_entity(&reference)?),
            },
            Event::DocType(_) => return None,
            Event::Eof => break,
            _ => {}
        }
        if text.len() > TEXT {
            return None;
        }
    }
    match (path.is_empty(), user, succeeded, failed) {
        (true, Some(user), true, false) => Some(Validated::Success { user, attributes }),
        (true, None, false, true) => Some(Validated::Failure),
        _ => None,
    }
}

const SUCCESS: &str = "authenticationSuccess";
const FAILURE: &str = "authenticationFailure";

/// Whether it said yes, and whether no, now that an element begins; `None` when it says a second time.
fn answered(path: &[String], succeeded: bool, failed: bool) -> Option<(bool, bool)> {
    let [root, said] = path else { return Some((succeeded, failed)) };
    let (yes, no) = (said == SUCCESS, said == FAILURE);
    let is_twice = (yes || no) && (succeeded || failed);
    (root == "serviceResponse" && !is_twice).then_some((succeeded || yes, failed || no))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(inside: &str) -> Option<Validated> {
        read(
            format!("<cas:serviceResponse xmlns:cas='http://www.yale.edu/tp/cas'>\n {inside}\n</cas:serviceResponse>")
                .as_bytes(),
        )
    }

    #[test]
    fn yes_and_no_are_read() {
        let said = answer(
            "<cas:authenticationSuccess><cas:user>ann&amp;co</cas:user><cas:attributes><cas:mail>ann@example.org</cas:mail>
             <cas:group>a</cas:group><cas:group>b</cas:group></cas:attributes></cas:authenticationSuccess>",
        );
        let said = said.unwrap();
        assert_eq!(said.named(""), Some("ann&co"));
        assert_eq!(said.named("mail"), Some("ann@example.org"));
        assert_eq!((said.named("group"), said.named("none")), (None, None), "which of the two would it be?");
        let no = answer(
            "<cas:authenticationFailure code=\"INVALID_TICKET\">Ticket not recognized</cas:authenticationFailure>",
        );
        assert_eq!(no, Some(Validated::Failure));
    }

    #[test]
    fn what_is_no_answer_is_not_read() {
        let yes = "<cas:authenticationSuccess><cas:user>ann</cas:user></cas:authenticationSuccess>";
        assert!(answer(yes).is_some());
        for bad in [
            "".to_owned(),
            yes.repeat(2),
            format!("{yes}<cas:authenticationFailure code='x'/>"),
            "<cas:authenticationSuccess><cas:user>ann</cas:user><cas:user>bob</cas:user></cas:authenticationSuccess>"
                .into(),
            "<cas:authenticationSuccess><cas:user/></cas:authenticationSuccess>".into(),
            "<cas:authenticationSuccess><cas:user>&own;</cas:user></cas:authenticationSuccess>".into(),
            format!("<x>{yes}</x>"),
            "<cas:user>ann</cas:user>".into(),
            format!(
                "<cas:authenticationSuccess><cas:user>{}</cas:user></cas:authenticationSuccess>",
                "a".repeat(TEXT + 1)
            ),
            "<a>".repeat(DEPTH + 1),
        ] {
            assert_eq!(answer(&bad), None, "{bad}");
        }
        for bad in [
            "<!DOCTYPE x [<!ENTITY own \"ann\">]><serviceResponse><authenticationSuccess><user>a</user></authenticationSuccess></serviceResponse>",
            "<serviceResponse><authenticationSuccess><user>a</user></authenticationSuccess></serviceResponse><serviceResponse><authenticationSuccess/></serviceResponse>",
            "<other><authenticationSuccess><user>a</user></authenticationSuccess></other>",
            "<serviceResponse><authenticationSuccess><user>a</user>",
        ] {
            assert_eq!(read(bad.as_bytes()), None, "{bad}");
        }
    }
}
