//! A ManageSieve service over a fresh world.

use anser_db::Schemas;
use anser_directory::Locale;
use anser_managesieve::{Deps, Limits};
use anser_testkit::door::{Door, House, PEOPLE, Pair};
use anser_testkit::engines::{NO_SCHEMAS, each_engine};

pub use anser_testkit::door::{PASSWORD, certificate};

pub const SCHEMAS: Schemas = Schemas { server: anser_directory::SCHEMA, journal: anser_journal::SCHEMA, ..NO_SCHEMAS };

pub type Site = Door<Deps>;

/// Runs a test on every engine, over a world whose people read English.
pub fn each_site(test: impl Fn(&Site)) {
    each_site_with(Limits::default(), test);
}

pub fn each_site_with(limits: Limits, test: impl Fn(&Site)) {
    each_engine(SCHEMAS, |world| {
        let site = Site::open(world.open(), |house| deps(house, limits), anser_managesieve::session);
        site.populate();
        for name in PEOPLE {
            site.runtime.block_on(site.directory.set_locale(site.account(name), Locale::En)).unwrap();
        }
        test(&site);
        site.stop();
    });
}

fn deps(house: &House, limits: Limits) -> Pair<Deps> {
    let plain = Deps {
        directory: house.directory.clone(),
        journal: house.journal.clone(),
        tls: Some(house.tls.clone()),
        limits,
        allow_plaintext_auth: true,
    };
    Pair { strict: Deps { allow_plaintext_auth: false, ..plain.clone() }, plain }
}
