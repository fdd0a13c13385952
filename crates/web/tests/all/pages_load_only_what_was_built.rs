//! The pages of login and webmail: what they may load, that it is what was built, and that they tell nothing.

use anser_base::Text;
use anser_directory::looks::{Colour, Layout, Look};

use crate::site::each_site;
use anser_testkit::door::HOST;

#[test]
fn the_login_page_is_whole_without_its_script() {
    each_site(|site| {
        let (status, page) = site.get(HOST, "/?next=/mail/%23/F1");
        assert_eq!(status, 200);
        for part in
            ["method=\"post\" action=\"/auth/login\"", "name=\"username\"", "name=\"password\"", "value=\"/mail/#/F1\""]
        {
            assert!(page.contains(part), "{part}: {page}");
        }
        let (_, elsewhere) = site.get(HOST, "/?next=//evil.example/");
        assert!(elsewhere.contains("name=\"next\" value=\"/mail/\""), "{elsewhere}");
        let (_, chinese) = site.get(HOST, "/?lang=zh&why=wrong");
        assert!(chinese.contains("<html lang=\"zh\">") && chinese.contains("邮箱地址或密码不正确。"), "{chinese}");
        let (_, on) = site.get(HOST, "/?next=/auth/device%3Fuser_code%3DA");
        assert!(on.contains("name=\"next\" value=\"/auth/device?user_code=A\""), "{on}");
        assert!(on.contains("&amp;next=/auth/device%3Fuser_code%3DA\""), "{on}");
        let (_, odd) = site.get(HOST, "/?why=%3Cscript%3E&next=/mail/%22%3E%3Cscript%3E");
        assert!(!odd.contains("<script>"), "{odd}");
    });
}

#[test]
fn what_a_page_loads_is_there_and_is_what_it_says() {
    each_site(|site| {
        for at in ["/", "/mail/", "/mail/pdf"] {
            let (_, page) = site.get(HOST, at);
            for part in page.split('"').filter(|part| part.starts_with("/assets/")) {
                let (status, size) =
                    site.curl(HOST, part, &["-o", "/dev/null", "-w", "%{size_download}\n%{http_code}"]);
                assert_eq!(status, 200, "{part}");
                assert_ne!(size, "0", "{part}");
            }
        }
        assert_eq!(site.get(HOST, "/assets/webmail.js").0, 404);
        assert_eq!(site.get(HOST, "/assets/..%2fbuild.rs").0, 404);
    });
}

#[test]
fn pages_say_what_they_may_do() {
    each_site(|site| {
        let header = |at: &str| site.curl(HOST, at, &["-D", "-", "-o", "/dev/null"]).1.to_lowercase();
        let login = header("/");
        for part in
            ["default-src 'none'", "script-src 'self'", "require-trusted-types-for 'script'", "frame-ancestors 'none'"]
        {
            assert!(login.contains(part), "{part}: {login}");
        }
        let letter = header("/mail/letter");
        assert!(letter.contains("default-src 'none'") && !letter.contains("script-src"), "{letter}");
        assert!(
            letter.contains("frame-ancestors 'self'") && letter.contains("x-frame-options: sameorigin"),
            "{letter}"
        );
        // A PDF is read where nothing of its reader's is: without an origin, and with nobody to ask.
        let pdf = header("/mail/pdf");
        for part in ["sandbox allow-scripts;", "default-src 'none'", "frame-ancestors 'self'", "worker-src blob:"] {
            assert!(pdf.contains(part), "{part}: {pdf}");
        }
        assert!(
            !pdf.contains("connect-src") && !pdf.contains("allow-same-origin") && !pdf.contains("'unsafe-eval'"),
            "{pdf}"
        );
        for framed in [&letter, &pdf] {
            assert!(framed.contains("x-dns-prefetch-control: off"), "{framed}");
        }
        assert!(header("/mail").contains("location: /mail/"));
    });
}

#[test]
fn the_login_page_looks_as_its_domain_says() {
    each_site(|site| {
        let (_, plain) = site.get("anser.test", "/");
        assert!(plain.contains("<body class=\"paper\">") && plain.contains("<h1>anser.test</h1>"), "{plain}");
        let logo = b"<svg xmlns='http://www.w3.org/2000/svg'/>".to_vec();
        site.look(Look {
            scope: "anser.test".into(),
            layout: Some(Layout::Card),
            colour: Colour::parse("#ffee00"),
            name: Some(Text::new("A <b>House</b>", "一家单位")),
            line: None,
            logo: Some(logo),
        });
        for host in ["anser.test", "mail.anser.test"] {
            let (_, page) = site.get(host, "/?lang=en");
            assert!(page.contains("<body class=\"card coloured\" style=\"--light:#"), "{page}");
            assert!(!page.contains("--light:#ffee00"), "yellow on white can be read by nobody: {page}");
            assert!(page.contains("<h1>A &lt;b&gt;House&lt;/b&gt;</h1>"), "{page}");
            assert!(page.contains("src=\"data:image/svg+xml;base64,PHN2Zy"), "{page}");
            let (_, chinese) = site.get(host, "/?lang=zh");
            assert!(chinese.contains("<h1>一家单位</h1>"), "{chinese}");
        }
        assert!(site.get("other.test", "/").1.contains("<body class=\"paper\">"));
    });
}

#[test]
fn strangers_are_told_how_things_are_in_words_and_not_what_runs_here() {
    each_site(|site| {
        for (at, words) in [("/status", "as usual"), ("/about", "postmaster@")] {
            let (status, page) = site.get(HOST, at);
            assert_eq!(status, 200, "{at}");
            assert!(page.contains(words), "{page}");
            let told = page.replace("<!DOCTYPE html>", "").to_lowercase();
            assert!(
                !told.contains(env!("CARGO_PKG_VERSION")) && !told.contains("sqlite") && !told.contains("postgres"),
                "{page}"
            );
            let (_, chinese) = site.curl(HOST, at, &["-H", "Accept-Language: zh-CN"]);
            assert!(chinese.contains("<html lang=\"zh\">"), "{chinese}");
        }
    });
}
