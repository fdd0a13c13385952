//! Every target holds over every seed, and over what chance makes of it.

use std::fs;
use std::path::Path;

use anser_fuzz::TARGETS;

#[test]
fn every_target_holds_over_its_seeds() {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds");
    for target in TARGETS {
        let mut count = 0;
        for entry in fs::read_dir(seeds.join(target.name)).expect("a folder of seeds").flatten() {
            let seed = fs::read(entry.path()).expect("a seed");
            (target.run)(&seed);
            // Each prefix, and the seed with a byte changed.
            for at in 0..seed.len().min(2000) {
                (target.run)(&seed[..at]);
                let mut changed = seed.clone();
                changed[at] = changed[at].wrapping_mul(31).wrapping_add(at as u8);
                (target.run)(&changed);
            }
            count += 1;
        }
        assert!(count > 0, "{} has no seeds", target.name);
    }
}
