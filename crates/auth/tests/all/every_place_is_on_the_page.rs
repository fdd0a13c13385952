//! docs/api/auth.md names what the table of routes has.

#[test]
fn the_page_names_every_route() {
    let (table, page) = (include_str!("../../src/lib.rs"), include_str!("../../../../docs/api/auth.md"));
    let places = table.lines().filter(|line| line.trim_start().starts_with("Route::")).filter_map(|line| {
        let path = line.split('"').nth(1)?;
        path.starts_with('/').then_some(path)
    });
    let places: Vec<&str> = places.collect();
    assert!(places.len() > 30, "{places:?}");
    let missing: Vec<&&str> = places.iter().filter(|path| !page.contains(&format!("`{path}`"))).collect();
    assert!(missing.is_empty(), "docs/api/auth.md does not name {missing:?}");
}
