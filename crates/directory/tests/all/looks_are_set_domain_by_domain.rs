//! What login pages look like: a host's own look, its domain's, everybody's.

use anser_base::{Class, Text};
use anser_directory::looks::{Colour, LOGO, LOOK_TEXT, Layout, Look};

use crate::site::each_site;

const RED: Colour = Colour([0xc8, 0x10, 0x2e]);

fn of(scope: &str) -> Look {
    Look { scope: scope.into(), ..Look::default() }
}

#[test]
fn the_narrowest_look_goes_before_the_wider_ones() {
    each_site(|site| async move {
        let directory = &site.directory;
        assert_eq!(*directory.look_of("mail.anser.test").await.unwrap(), Look::default());
        let set = |look| directory.set_look(look);
        let name = Text::new("A House", "一家单位");
        set(Look { layout: Some(Layout::Card), colour: Some(RED), ..of("*") }).await.unwrap();
        set(Look { name: Some(name.clone()), ..of("Anser.Test") }).await.unwrap();
        set(Look { layout: Some(Layout::Beside), logo: Some(b"GIF89a".to_vec()), ..of("anser.test") }).await.unwrap();
        let found = directory.look_of("Mail.Anser.Test").await.unwrap();
        assert_eq!((found.scope.as_str(), found.layout, found.colour), ("anser.test", Some(Layout::Beside), Some(RED)));
        assert_eq!(
            (&found.name, found.logo.as_deref()),
            (&Some(name), Some(&b"GIF89a"[..])),
            "what is not named stays"
        );
        let elsewhere = directory.look_of("xanser.test").await.unwrap();
        assert_eq!((elsewhere.scope.as_str(), &elsewhere.name), ("*", &None));
        assert_eq!(directory.looks().await.unwrap().len(), 2);
        assert!(directory.remove_look("anser.test").await.unwrap());
        assert!(!directory.remove_look("anser.test").await.unwrap());
        assert_eq!(directory.look_of("anser.test").await.unwrap().scope, "*");
    });
}

#[test]
fn what_is_set_empty_is_as_in_the_wider_look_again() {
    each_site(|site| async move {
        let directory = &site.directory;
        let (house, line) = (Text::new("A House", "一家单位"), Text::new("Call 7", "请拨 7"));
        directory.set_look(Look { name: Some(house.clone()), ..of("*") }).await.unwrap();
        let own = Look {
            name: Some(line.clone()),
            line: Some(line.clone()),
            logo: Some(b"GIF89a".to_vec()),
            ..of("anser.test")
        };
        directory.set_look(own).await.unwrap();
        assert_eq!(directory.look_of("anser.test").await.unwrap().name, Some(line.clone()));
        let empty = || Some(Text::new(" ", ""));
        directory.set_look(Look { name: empty(), logo: Some(Vec::new()), ..of("anser.test") }).await.unwrap();
        let found = directory.look_of("anser.test").await.unwrap();
        assert_eq!((&found.name, &found.logo, &found.line), (&Some(house), &None, &Some(line)));
        directory.set_look(Look { name: empty(), ..of("*") }).await.unwrap();
        assert_eq!(directory.look_of("anser.test").await.unwrap().name, None, "no empty heading");
    });
}

#[test]
fn what_no_page_could_show_is_refused() {
    each_site(|site| async move {
        let long = "雁".repeat(LOOK_TEXT + 1);
        let refused = [
            Look { name: Some(Text::new(long.clone(), "")), ..of("*") },
            Look { line: Some(Text::new("two\nlines", "")), ..of("*") },
            Look { logo: Some(b"<html><script>".to_vec()), ..of("*") },
            Look { logo: Some([&b"\x89PNG"[..], &vec![0; LOGO]].concat()), ..of("*") },
            of("no domain"),
        ];
        for look in refused {
            let error = site.directory.set_look(look.clone()).await.unwrap_err();
            assert_eq!(error.class, Class::Invalid, "{look:?}");
        }
        assert!(site.directory.looks().await.unwrap().is_empty());
        for word in ["#fff", "c8102e", "#c8102g", "#+8102e", "#c8102e0"] {
            assert_eq!(Colour::parse(word), None, "{word}");
        }
        assert_eq!(Colour::parse("#C8102e"), Some(RED));
    });
}
