//! What the simulated disk itself promises, and that every kind of loss it threatens with does happen for some seed.

use std::io::ErrorKind;
use std::path::Path;

use anser_base::Disk;
use anser_testkit::sim::{Fault, Plan, SimDisk};

const SEEDS: u64 = 200;

fn write(disk: &SimDisk, path: &str, bytes: &[u8]) {
    disk.create(Path::new(path)).unwrap().append(bytes).unwrap();
}

fn write_synced(disk: &SimDisk, path: &str, bytes: &[u8]) {
    let mut file = disk.create(Path::new(path)).unwrap();
    file.append(bytes).unwrap();
    file.sync().unwrap();
    disk.sync_dir(Path::new(path).parent().unwrap()).unwrap();
}

fn crash(disk: &SimDisk) {
    disk.power_cut();
    disk.power_on();
}

/// What a file holds after `work` and a power cut, for many seeds.
fn outcomes(path: &str, work: impl Fn(&SimDisk)) -> Vec<Option<Vec<u8>>> {
    (0..SEEDS)
        .map(|seed| {
            let disk = SimDisk::new(seed);
            work(&disk);
            crash(&disk);
            disk.peek(path)
        })
        .collect()
}

#[test]
fn synced_bytes_under_a_synced_name_survive() {
    let all = outcomes("/a", |disk| {
        write_synced(disk, "/a", &[1; 5000]);
        write(disk, "/b", &[2; 5000]);
    });
    assert!(all.iter().all(|bytes| bytes.as_deref() == Some(&[1; 5000][..])));
}

#[test]
fn a_name_that_was_not_synced_may_be_lost_and_may_survive() {
    let all = outcomes("/a", |disk| {
        let mut file = disk.create(Path::new("/a")).unwrap();
        file.append(b"x").unwrap();
        file.sync().unwrap();
    });
    assert!(all.iter().any(Option::is_none) && all.iter().any(|bytes| bytes.as_deref() == Some(b"x")));
}

#[test]
fn a_removed_name_may_come_back_until_its_folder_is_synced() {
    let synced = outcomes("/a", |disk| {
        write_synced(disk, "/a", b"x");
        disk.remove(Path::new("/a")).unwrap();
        disk.sync_dir(Path::new("/")).unwrap();
    });
    assert!(synced.iter().all(Option::is_none));
    let unsynced = outcomes("/a", |disk| {
        write_synced(disk, "/a", b"x");
        disk.remove(Path::new("/a")).unwrap();
    });
    assert!(unsynced.iter().any(Option::is_none) && unsynced.iter().any(Option::is_some));
}

#[test]
fn a_file_renamed_before_it_was_synced_may_be_empty() {
    let all = outcomes("/a", |disk| {
        write_synced(disk, "/a", b"old");
        write(disk, "/a.new", b"new");
        disk.rename(Path::new("/a.new"), Path::new("/a")).unwrap();
    });
    for seen in [&b""[..], b"old", b"new", &[0; 3]] {
        assert!(all.iter().any(|bytes| bytes.as_deref() == Some(seen)), "{seen:?} never happens");
    }
    assert!(all.iter().all(Option::is_some), "a rename is atomic");
}

#[test]
fn a_rename_of_a_synced_file_leaves_the_old_or_the_new_one() {
    let all = outcomes("/a", |disk| {
        write_synced(disk, "/a", b"old");
        write_synced(disk, "/a.new", b"new");
        disk.rename(Path::new("/a.new"), Path::new("/a")).unwrap();
    });
    assert!(all.iter().all(|bytes| matches!(bytes.as_deref(), Some(b"old" | b"new"))));
    assert!(all.iter().any(|b| b.as_deref() == Some(b"old")) && all.iter().any(|b| b.as_deref() == Some(b"new")));
}

#[test]
fn a_write_tears_at_sectors_and_out_of_order() {
    let torn = outcomes("/a", |disk| {
        let mut file = disk.create(Path::new("/a")).unwrap();
        file.append(&[1; 700]).unwrap();
        file.sync().unwrap();
        disk.sync_dir(Path::new("/")).unwrap();
        disk.set_plan(Plan::new().at(disk.steps(), Fault::TornWrite));
        assert!(file.append(&[2; 5000]).is_err());
    });
    let torn: Vec<Vec<u8>> = torn.into_iter().map(Option::unwrap).collect();
    assert!(torn.iter().all(|bytes| bytes[..700] == [1; 700]), "what was synced stands");
    assert!(torn.iter().all(|b| b[700..].chunk_by(|x, y| x == y).rev().skip(1).all(|run| run.len() > 300)));
    assert!(torn.iter().any(|b| b.len() == 5700 && b.contains(&0) && b[5699] == 2), "a hole before later bytes");
    assert!(torn.iter().any(|b| b.len() == 700) && torn.iter().any(|b| b.len() == 5700 && !b.contains(&0)));
}

#[test]
fn a_folder_is_a_name_like_any_other() {
    let work = |disk: &SimDisk| {
        disk.create_dir_all(Path::new("/x/y")).unwrap();
        write_synced(disk, "/x/y/a", b"a");
    };
    assert!(outcomes("/x/y/a", work).iter().any(Option::is_none));
    let synced = outcomes("/x/y/a", |disk| {
        work(disk);
        disk.sync_dir(Path::new("/x")).unwrap();
        disk.sync_dir(Path::new("/")).unwrap();
    });
    assert!(synced.iter().all(Option::is_some));
}

#[test]
fn sync_all_covers_everything_below_and_nothing_beside() {
    let below = |path: &str| {
        outcomes(path, |disk| {
            disk.create_dir_all(Path::new("/x/y")).unwrap();
            disk.create_dir_all(Path::new("/z")).unwrap();
            write(disk, "/x/y/tmp", b"bytes");
            disk.rename(Path::new("/x/y/tmp"), Path::new("/x/y/a")).unwrap();
            write(disk, "/z/b", b"bytes");
            disk.sync_all(Path::new("/x")).unwrap();
        })
    };
    assert!(below("/x/y/a").iter().all(|bytes| bytes.as_deref() == Some(b"bytes")));
    assert!(below("/z/b").iter().any(|bytes| bytes.as_deref() != Some(b"bytes")));
}

#[test]
fn a_failed_sync_drops_bytes_that_no_later_sync_brings_back() {
    let all = outcomes("/a", |disk| {
        let mut file = disk.create(Path::new("/a")).unwrap();
        disk.sync_dir(Path::new("/")).unwrap();
        file.append(&[1; 2000]).unwrap();
        disk.set_plan(Plan::new().at(0, Fault::SyncFails));
        assert!(file.sync().is_err());
        file.sync().unwrap();
    });
    assert!(all.iter().any(|bytes| bytes.as_deref() != Some(&[1; 2000][..])));
    assert!(all.iter().any(|bytes| bytes.as_deref() == Some(&[1; 2000][..])));
}

#[test]
fn a_full_disk_refuses_what_grows_and_takes_it_again_later() {
    let disk = SimDisk::new(1);
    let mut file = disk.create(Path::new("/a")).unwrap();
    file.append(b"x").unwrap();
    disk.set_plan(Plan::new().at(disk.steps(), Fault::DiskFull { for_steps: 3 }));
    assert_eq!(file.append(b"y").unwrap_err().kind(), ErrorKind::StorageFull);
    assert_eq!(disk.create(Path::new("/b")).err().unwrap().kind(), ErrorKind::StorageFull);
    disk.rename(Path::new("/a"), Path::new("/c")).unwrap();
    file.append(b"z").unwrap();
    disk.set_full(true);
    assert!(file.append(b"y").is_err());
    disk.set_full(false);
    assert_eq!(disk.peek("/c").unwrap(), b"xz");
}

#[test]
fn a_failed_write_says_so_once() {
    let disk = SimDisk::new(1);
    let mut file = disk.create(Path::new("/a")).unwrap();
    disk.set_plan(Plan::new().at(0, Fault::WriteFails));
    assert!(file.append(&[1; 3000]).is_err());
    assert!(disk.peek("/a").unwrap().len() < 3000);
    file.append(b"x").unwrap();
}

#[test]
fn a_dead_disk_answers_nothing_and_old_handles_stay_dead() {
    let disk = SimDisk::new(1);
    write_synced(&disk, "/a", b"x");
    let mut old = disk.open(Path::new("/a")).unwrap();
    disk.power_cut();
    assert!(disk.open(Path::new("/a")).is_err() && disk.list(Path::new("/")).is_err());
    assert!(disk.sync_all(Path::new("/")).is_err() && disk.stat(Path::new("/a")).is_err());
    disk.power_on();
    assert!(old.sync().is_err() && old.read_at(&mut [0], 0).is_err());
    assert_eq!(disk.stat(Path::new("/a")).unwrap().len, 1);
}

#[test]
fn a_kill_loses_nothing_but_makes_nothing_durable() {
    let disk = SimDisk::new(0);
    write(&disk, "/a", b"x");
    disk.kill();
    assert_eq!(disk.peek("/a").unwrap(), b"x");
    let later = outcomes("/a", |disk| {
        write(disk, "/a", b"x");
        disk.kill();
    });
    assert!(later.iter().any(Option::is_none));
}

#[test]
fn names_are_found_where_they_belong() {
    let disk = SimDisk::new(1);
    disk.create_dir_all(Path::new("/x/y")).unwrap();
    write(&disk, "/x/a", b"1");
    write(&disk, "/x.b", b"2");
    write(&disk, "/x/y/c", b"3");
    let mut names: Vec<_> = disk.list(Path::new("/x")).unwrap().into_iter().map(|e| (e.name, e.is_dir)).collect();
    names.sort();
    assert_eq!(names, [("a".to_owned(), false), ("y".to_owned(), true)]);
    assert_eq!(disk.list(Path::new("/w")).unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(disk.create(Path::new("/w/a")).err().unwrap().kind(), ErrorKind::NotFound);
    assert_eq!(disk.create(Path::new("/x/a")).err().unwrap().kind(), ErrorKind::AlreadyExists);
    assert_eq!(disk.files().len(), 3);
    disk.clock().advance(std::time::Duration::from_secs(1));
    let before = disk.stat(Path::new("/x/a")).unwrap().modified_ms;
    disk.touch(Path::new("/x/a")).unwrap();
    assert_eq!(disk.stat(Path::new("/x/a")).unwrap().modified_ms, before + 1000);
    disk.damage("/x/a", 0);
    assert_eq!(disk.peek("/x/a").unwrap(), [!b'1']);
}

#[test]
fn the_same_seed_gives_the_same_outcome() {
    let work = |disk: &SimDisk| {
        for i in 0..20u8 {
            write(disk, &format!("/{i}"), &[i; 3000]);
        }
    };
    assert_eq!(outcomes("/7", work), outcomes("/7", work));
}
