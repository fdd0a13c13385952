//! What the Web door promises.

use anser_net::http::HeaderMap;

#[test]
fn refusals_are_pages_for_people_and_lines_for_programs() {
    let mut headers = HeaderMap::new();
    let kind = |headers: &HeaderMap| {
        let response = anser_web::error_page(404, headers);
        response.headers["content-type"].to_str().unwrap().to_owned()
    };
    assert_eq!(kind(&headers), "text/plain; charset=utf-8");
    headers.insert("accept", "text/html,application/xhtml+xml".parse().unwrap());
    assert_eq!(kind(&headers), "text/html; charset=utf-8");
}
