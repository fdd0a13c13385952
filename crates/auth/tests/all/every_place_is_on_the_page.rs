//! docs/api/auth.md names what the table of routes has.

/// Every place: the method, and the path with names where its parts vary.
pub fn places() -> Vec<(String, String)> {
    let table = include_str!("../../src/lib.rs");
    let places = table.lines().filter_map(|line| {
        let (way, rest) = line.trim_start().strip_prefix("Route::")?.split_once('(')?;
        let method = match way {
            "get" => "GET",
            "post" => "POST",
            _ => rest.strip_prefix("Method::")?.split(',').next()?,
        };
        let path = rest.split('"').nth(1)?;
        Some((method.to_owned(), path.to_owned()))
    });
    let places: Vec<(String, String)> = places.collect();
    assert!(places.len() > 30, "{places:?}");
    places
}

#[test]
fn the_page_names_every_route() {
    let page = include_str!("../../../../docs/api/auth.md");
    let places = places();
    let missing: Vec<_> = places.iter().filter(|(_, path)| !page.contains(&format!("`{path}`"))).collect();
    assert!(missing.is_empty(), "docs/api/auth.md does not name {missing:?}");
}
