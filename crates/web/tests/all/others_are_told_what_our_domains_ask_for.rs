use crate::site::each_site;

#[test]
fn the_policy_of_our_domains_is_where_the_rfc_wants_it() {
    each_site(|site| {
        let get = |host: &str| site.get(host, "/.well-known/mta-sts.txt");
        let policy = "version: STSv1\r\nmode: enforce\r\nmx: mail.anser.test\r\nmax_age: 604800\r\n";
        assert_eq!(get("mta-sts.anser.test"), (200, policy.to_owned()));
        assert_eq!(get("MTA-STS.Anser.Test").0, 200);
        for other in ["mta-sts.other.test", "anser.test", "mail.anser.test", "mta-sts.mta-sts.anser.test"] {
            assert_eq!(get(other).0, 404, "{other}");
        }
    });
}

#[test]
fn pages_speak_the_language_that_is_asked_for() {
    each_site(|site| {
        let page = |path: &str, language: &str| {
            site.curl(
                "mail.anser.test",
                path,
                &["-H", "Accept: text/html", "-H", &format!("Accept-Language: {language}")],
            )
        };
        let (status, said) = page("/nowhere", "zh-CN,zh;q=0.9");
        assert!(status == 404 && said.contains("<html lang=\"zh\">") && said.contains("此处没有内容"), "{said}");
        let (status, said) = page("/", "en");
        assert!(status == 200 && said.contains("Mail programs find their settings"), "{said}");
        assert_eq!(site.get("mail.anser.test", "/health"), (200, "ok\n".to_owned()));
        assert_eq!(site.get("mail.anser.test", "/nowhere"), (404, "There is nothing here.\n".to_owned()));
    });
}
