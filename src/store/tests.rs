//! The store as a whole, in directories of its own.
#![expect(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods,
    reason = "tests damage what the store wrote, and fail loudly"
)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use chrono::{DateTime, TimeDelta, Utc};

use super::atomic::{Point, faults};
use super::segment::Damage;
use super::*;
use crate::model::operation::{Image, Kind, OperationId, Outcome, Source, Status};
use crate::model::redact::OddText;
use crate::model::state::StateImage;
use crate::sys::mark::ProcessMark;

/// A store in a temporary directory.
struct Room {
    dir: tempfile::TempDir,
}

impl Room {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    fn root(&self) -> PathBuf {
        self.dir.path().join("deep/store")
    }

    fn history(&self) -> StateDir {
        Store::open_or_create(&self.root()).unwrap().history_of(&identity("net")).unwrap()
    }
}

fn identity(project: &str) -> Identity {
    Identity {
        kind: "local".to_owned(),
        attributes: [("path".to_owned(), OddText::from("/srv/net/terraform.tfstate"))].into(),
        workspace: "default".to_owned(),
        aliases: Vec::new(),
        project: OddText::from(project),
    }
}

fn state(serial: u64) -> StateImage {
    let text = format!(
        r#"{{"version":4,"terraform_version":"1.11.4","serial":{serial},"lineage":"ec80","outputs":{{}},"resources":[]}}"#
    );
    StateImage::new(text.into_bytes())
}

fn at(second: u64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(second.try_into().unwrap())
}

fn op(bits: u64) -> OperationId {
    OperationId::from_bits(bits)
}

fn entry(kind: RecordKind, bits: u64) -> Entry {
    Entry::new(kind, Some(op(bits)), at(bits))
}

fn save(dir: &StateDir, bits: u64) -> u64 {
    dir.append(&dir.lock().unwrap(), &entry(RecordKind::Save, bits)).unwrap()
}

fn put(dir: &StateDir, serial: u64) -> Image {
    let state = state(serial);
    let stored = dir.put(&dir.lock().unwrap(), &state).unwrap();
    stored.image(&state, Source::File)
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

/// All files below a directory.
fn files(path: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(path).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        }
        found.push(path);
    }
    found.sort();
    found
}

fn segments(dir: &StateDir) -> Vec<PathBuf> {
    files(&dir.path().join("journal"))
}

fn format_of(room: &Room) -> String {
    fs::read_to_string(room.root().join("FORMAT")).unwrap()
}

fn consistent(dir: &StateDir) -> History {
    let history = dir.history().unwrap();
    assert_eq!(dir.head().unwrap(), history.head);
    history
}

#[test]
fn a_store_is_made_private_and_found_again() {
    let room = Room::new();
    assert!(Store::open(&room.root()).unwrap().is_none());
    let store = Store::open_or_create(&room.root()).unwrap();
    let format_before = format_of(&room);
    let again = Store::open_or_create(&room.root()).unwrap();
    assert_eq!(format_of(&room), format_before, "{again:?}");
    let dir = store.history_of(&identity("net")).unwrap();
    assert!(!dir.exists());
    put(&dir, 1);
    save(&dir, 1);
    assert!(dir.exists());
    for path in files(&room.dir.path().join("deep")) {
        let expected = match path {
            _ if path.is_dir() => 0o700,
            _ if path.parent().unwrap().ends_with("objects") => 0o400,
            _ => 0o600,
        };
        assert_eq!(mode(&path), expected, "{}", path.display());
    }
    let other_clone = again.history_of(&identity("other")).unwrap();
    assert_eq!(other_clone.path(), dir.path());
    let all = again.histories().unwrap();
    assert_eq!(all.dirs.len(), 1);
    assert_eq!(all.dirs[0].identity(), &identity("net"));
}

#[test]
fn strange_stores_are_refused() {
    let room = Room::new();
    fs::create_dir_all(room.root()).unwrap();
    fs::write(room.root().join("letter.txt"), "x").unwrap();
    assert!(matches!(Store::open_or_create(&room.root()), Err(StoreError::NotAStore { .. })));
    assert!(Store::open(&room.root()).unwrap().is_none());
    fs::remove_file(room.root().join("letter.txt")).unwrap();
    let dir = room.history();
    save(&dir, 1);
    fs::set_permissions(room.root(), fs::Permissions::from_mode(0o770)).unwrap();
    assert!(matches!(Store::open(&room.root()), Err(StoreError::Exposed { mode: 0o770, .. })));
    assert!(matches!(dir.lock(), Err(StoreError::Exposed { .. })));
    fs::set_permissions(room.root(), fs::Permissions::from_mode(0o700)).unwrap();
    let format = fs::read_to_string(room.root().join("FORMAT")).unwrap();
    let newer = format.replace("\"min_write\":1", "\"min_write\":2");
    fs::write(room.root().join("FORMAT"), &newer).unwrap();
    assert!(Store::open(&room.root()).unwrap().is_some());
    let refused = dir.lock().unwrap_err();
    assert!(matches!(refused, StoreError::NewerFormat { access: Access::Write, .. }));
    assert_eq!(dir.history().unwrap().operations.len(), 1);
    fs::write(room.root().join("FORMAT"), newer.replace("\"min_read\":1", "\"min_read\":2"))
        .unwrap();
    let refused = Store::open(&room.root()).unwrap_err();
    assert!(matches!(refused, StoreError::NewerFormat { access: Access::Read, .. }));
    fs::remove_file(room.root().join("FORMAT")).unwrap();
    assert!(Store::open(&room.root()).unwrap().is_some());
    assert!(matches!(Store::open_or_create(&room.root()), Err(StoreError::MissingFormat { .. })));
}

#[test]
fn a_store_that_somebody_else_made_and_used_since_we_looked_is_taken_as_it_is() {
    let room = Room::new();
    save(&room.history(), 1);
    let format = create(&open(&room.root()).unwrap()).unwrap();
    assert!(format.allows(Access::Write));
    assert_eq!(consistent(&room.history()).operations.len(), 1);
}

#[test]
fn a_first_use_that_was_cut_off_begins_anew() {
    let room = Room::new();
    fs::create_dir_all(room.root().join("states")).unwrap();
    fs::write(room.root().join(".tmp-0"), "").unwrap();
    fs::write(room.root().join("README.txt"), "half").unwrap();
    save(&room.history(), 1);
    assert!(!room.root().join(".tmp-0").exists());
}

#[test]
fn what_was_put_comes_back_and_is_stored_once() {
    let room = Room::new();
    let dir = room.history();
    let image = put(&dir, 7);
    assert_eq!((image.status, image.serial.unwrap().0), (Status::Ok, 7));
    assert_eq!(dir.get(&image).unwrap().bytes(), state(7).bytes());
    faults::plan(&[]);
    assert_eq!(put(&dir, 7), image);
    assert_eq!(faults::passed(), [Point::DedupeVerify, Point::SyncObjectsDir]);
    assert_eq!(files(&dir.path().join("objects")).len(), 1);
    for odd in [&b""[..], b"\n", b"{\"version\":4}", b"\xff\0"] {
        let odd = StateImage::new(odd.to_vec());
        let stored = dir.put(&dir.lock().unwrap(), &odd).unwrap();
        assert_eq!(dir.get(&stored.image(&odd, Source::File)).unwrap().bytes(), odd.bytes());
    }
    let nothing = Image::without_bytes(Status::Absent);
    assert!(matches!(dir.get(&nothing), Err(StoreError::NoObject)));
}

#[test]
fn something_else_under_the_wanted_name_is_quarantined() {
    let room = Room::new();
    let dir = room.history();
    let image = put(&dir, 7);
    let other = put(&dir, 8);
    let object = |image: &Image| dir.path().join("objects").join(image.stored.as_ref().unwrap());
    let swapped = fs::read(object(&other)).unwrap();
    let plant = |bytes: &[u8]| {
        fs::remove_file(object(&image)).unwrap();
        fs::write(object(&image), bytes).unwrap();
    };
    plant(&swapped);
    assert!(matches!(dir.get(&image), Err(StoreError::DamagedObject { .. })));
    let stored = dir.put(&dir.lock().unwrap(), &state(7)).unwrap();
    assert!(stored.quarantined);
    assert_eq!(dir.get(&image).unwrap().bytes(), state(7).bytes());
    plant(b"");
    assert!(dir.put(&dir.lock().unwrap(), &state(7)).unwrap().quarantined);
    fs::remove_file(object(&image)).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", object(&image)).unwrap();
    assert!(matches!(dir.get(&image), Err(StoreError::Get { .. })));
    assert!(dir.put(&dir.lock().unwrap(), &state(7)).unwrap().quarantined);
    assert_eq!(dir.get(&image).unwrap().bytes(), state(7).bytes());
    assert_eq!(fs::read_dir(dir.path().join("quarantine")).unwrap().count(), 3);
}

#[test]
fn names_in_images_do_not_lead_out_of_the_store() {
    let room = Room::new();
    let dir = room.history();
    let image = put(&dir, 7);
    let stored = Some(format!("../objects/{}", image.stored.as_ref().unwrap()));
    let error = dir.get(&Image { stored, ..image }).err().unwrap();
    assert!(matches!(error, StoreError::DamagedObject { .. }));
}

#[test]
fn a_failed_sync_is_never_asked_again_on_the_same_file() {
    let room = Room::new();
    let dir = room.history();
    save(&dir, 1);
    faults::plan(&[Point::SyncObject]);
    let image = put(&dir, 7);
    assert_eq!(dir.get(&image).unwrap().bytes(), state(7).bytes());
    faults::plan(&[Point::SyncObject, Point::SyncObject]);
    let lock = dir.lock().unwrap();
    assert!(matches!(dir.put(&lock, &state(8)), Err(StoreError::Put { .. })));
    drop(lock);
    assert_eq!(files(&dir.path().join("objects")).len(), 1);
    faults::plan(&[Point::SyncObjectsDir]);
    let lock = dir.lock().unwrap();
    assert!(matches!(dir.put(&lock, &state(8)), Err(StoreError::Put { .. })));
    assert!(matches!(dir.put(&lock, &state(8)), Err(StoreError::Dead { .. })));
    assert!(matches!(dir.append(&lock, &entry(RecordKind::Save, 9)), Err(StoreError::Dead { .. })));
}

#[test]
fn a_record_whose_sync_failed_is_written_again_and_counts_once() {
    let room = Room::new();
    let dir = room.history();
    save(&dir, 1);
    faults::plan(&[Point::SyncJournal]);
    assert_eq!(save(&dir, 2), 2);
    assert_eq!(segments(&dir).len(), 2);
    assert_eq!(save(&dir, 3), 3);
    let history = consistent(&dir);
    assert_eq!(history.damage, []);
    assert_eq!(history.operations.len(), 3);
    faults::plan(&[Point::SyncJournal, Point::SyncJournal]);
    assert!(dir.append(&dir.lock().unwrap(), &entry(RecordKind::Begin, 4)).is_err());
    assert_eq!(segments(&dir).len(), 3);
    save(&dir, 5);
    assert_eq!(segments(&dir).len(), 4);
    assert_eq!(consistent(&dir).damage, []);
    faults::plan(&[Point::SyncJournalDir]);
    fs::write(segments(&dir).last().unwrap(), "torn").unwrap();
    assert!(dir.append(&dir.lock().unwrap(), &entry(RecordKind::Save, 6)).is_err());
    assert_eq!(faults::passed(), [Point::SyncJournal, Point::SyncJournalDir]);
}

#[test]
fn a_new_segment_that_fails_is_written_again_and_counts_once() {
    let room = Room::new();
    let dir = room.history();
    faults::plan(&[Point::SyncJournal]);
    assert_eq!(save(&dir, 1), 1);
    save(&dir, 2);
    let history = consistent(&dir);
    assert_eq!(history.damage, []);
    assert_eq!(history.operations.len(), 2);
    assert_eq!(segments(&dir).len(), 2);
}

#[test]
fn the_name_of_a_young_segment_is_synced_before_it_is_relied_upon() {
    let room = Room::new();
    let dir = room.history();
    save(&dir, 1);
    faults::plan(&[]);
    save(&dir, 2);
    assert_eq!(faults::passed(), [Point::SyncJournalDir, Point::SyncJournal]);
    faults::plan(&[]);
    save(&dir, 3);
    assert_eq!(faults::passed(), [Point::SyncJournal]);
}

#[test]
fn a_last_line_cut_anywhere_is_sealed_and_reported() {
    let room = Room::new();
    let dir = room.history();
    save(&dir, 1);
    save(&dir, 2);
    let path = segments(&dir).remove(0);
    let whole = fs::read(&path).unwrap();
    let start = whole[..whole.len() - 1].iter().rposition(|b| *b == b'\n').unwrap() + 1;
    for cut in start..whole.len() {
        fs::write(&path, &whole[..cut]).unwrap();
        let torn = cut > start;
        assert_eq!(save(&dir, 3), 2);
        let history = consistent(&dir);
        let ids: Vec<_> = history.operations.iter().map(|it| it.id.clone()).collect();
        assert_eq!(ids, [op(1), op(3)], "{cut}");
        assert_eq!(segments(&dir).len(), if torn { 2 } else { 1 });
        let torn_line = Damage::TornLine { segment: "00000001.jsonl".to_owned(), line: 3 };
        assert_eq!(history.damage, if torn { vec![torn_line] } else { Vec::new() });
        if torn {
            assert_eq!(fs::read(&path).unwrap(), whole[..cut]);
            fs::remove_file(&segments(&dir)[1]).unwrap();
        }
    }
}

#[test]
fn a_segment_cut_anywhere_in_its_first_lines_is_sealed() {
    let room = Room::new();
    let dir = room.history();
    save(&dir, 1);
    let path = segments(&dir).remove(0);
    let whole = fs::read(&path).unwrap();
    for cut in 0..whole.len() {
        fs::write(&path, &whole[..cut]).unwrap();
        assert_eq!(save(&dir, 3), 1);
        let history = consistent(&dir);
        assert_eq!(history.operations.len(), 1);
        for extra in segments(&dir).iter().skip(1) {
            fs::remove_file(extra).unwrap();
        }
    }
}

#[test]
fn a_flipped_byte_inside_is_reported_as_a_lost_record() {
    let room = Room::new();
    let dir = room.history();
    for bits in 1..=4 {
        save(&dir, bits);
    }
    let path = segments(&dir).remove(0);
    let whole = fs::read(&path).unwrap();
    let lines: Vec<_> = whole.split_inclusive(|b| *b == b'\n').map(<[u8]>::len).collect();
    let (start, end) = (lines[..2].iter().sum::<usize>(), lines[..3].iter().sum::<usize>());
    for index in start..end {
        let mut flipped = whole.clone();
        flipped[index] ^= 1;
        fs::write(&path, flipped).unwrap();
        let history = consistent(&dir);
        let lost = |damage: &Damage| matches!(damage, Damage::LostLine { .. });
        assert!(!history.damage.is_empty() && history.damage.iter().all(lost), "{index}");
        assert_eq!(history.operations.len(), if index + 1 == end { 2 } else { 3 });
    }
    let removed = [&whole[..start], &whole[end..]].concat();
    fs::write(&path, removed).unwrap();
    let gap = Damage::Gap { segment: "00000001.jsonl".to_owned(), line: 3 };
    assert_eq!(consistent(&dir).damage, [gap]);
}

#[test]
fn a_run_whose_end_was_damaged_is_unknown() {
    let room = Room::new();
    let dir = room.history();
    let lock = dir.lock().unwrap();
    dir.append(&lock, &entry(RecordKind::Begin, 1)).unwrap();
    assert!(!dir.head().unwrap().open[0].doubtful);
    let mut end = entry(RecordKind::End, 1);
    end.outcome = Some(Outcome::Done);
    dir.append(&lock, &end).unwrap();
    dir.append(&lock, &entry(RecordKind::Save, 2)).unwrap();
    let path = segments(&dir).remove(0);
    let text = fs::read_to_string(&path).unwrap().replace("\"kind\":\"end\"", "\"kind\":\"END\"");
    fs::write(&path, text).unwrap();
    let history = consistent(&dir);
    assert_eq!(history.operations[0].outcome, Some(Outcome::Unknown));
    assert!(history.head.open[0].doubtful);
}

#[test]
fn runs_restores_and_pins_fold_to_operations() {
    let room = Room::new();
    let dir = room.history();
    let images: Vec<_> = (0..5).map(|serial| put(&dir, serial)).collect();
    let lock = dir.lock().unwrap();
    let add = |entry: Entry| dir.append(&lock, &entry).unwrap();
    let image = |n: usize| Some(images[n].clone());
    add(Entry { before: image(0), provisional: true, ..entry(RecordKind::Begin, 1) });
    add(Entry { after: image(1), ..entry(RecordKind::Outside, 2) });
    let outcome = Some(Outcome::Done);
    add(Entry { before: image(1), after: image(2), outcome, ..entry(RecordKind::End, 1) });
    let refused = Some(Outcome::Refused);
    add(Entry { before: image(2), outcome: refused, ..entry(RecordKind::End, 3) });
    let intent = Entry { before: image(2), after: image(4), ..entry(RecordKind::RestoreIntent, 4) };
    add(intent);
    assert_eq!(dir.head().unwrap().intents[0].wanted, image(4));
    add(entry(RecordKind::RestoreDone, 4));
    let target = Some(Target { op: op(1), side: None });
    let note = Some("before vpc move".to_owned());
    add(Entry { note, target, ..entry(RecordKind::Pin, 5) });
    add(Entry { after: image(3), ..entry(RecordKind::Save, 6) });
    add(Entry { before: image(3), ..entry(RecordKind::Begin, 7) });
    drop(lock);
    let history = consistent(&dir);
    let all = &history.operations;
    let kinds: Vec<_> = all.iter().map(|it| (it.id.clone(), it.kind, it.outcome)).collect();
    assert_eq!(
        kinds,
        [
            (op(2), Kind::Outside, Some(Outcome::Done)),
            (op(1), Kind::Run, Some(Outcome::Done)),
            (op(3), Kind::Run, Some(Outcome::Refused)),
            (op(4), Kind::Restore, Some(Outcome::Done)),
            (op(6), Kind::Save, Some(Outcome::Done)),
            (op(7), Kind::Run, Some(Outcome::Unknown)),
        ]
    );
    assert_eq!((all[1].before.clone(), all[1].after.clone()), (image(1), image(2)));
    assert!(all[1].pinned && !all[1].provisional);
    assert_eq!(all[1].note.as_deref(), Some("before vpc move"));
    assert_eq!((all[3].before.clone(), all[3].after.clone()), (image(2), image(4)));
    let head = &history.head;
    assert_eq!(head.seq, 9);
    assert_eq!(head.last, image(3));
    assert_eq!(head.newest_after, Some((6, images[4].clone())));
    assert_eq!(head.good, Some((op(4), images[4].clone())));
    assert_eq!(head.highest_serial.values().map(|it| it.0).collect::<Vec<_>>(), [4]);
    assert_eq!(head.open[0].id, op(7));
    assert_eq!((head.intents.len(), &head.pins[..]), (0, &[op(1)][..]));
}

#[test]
fn what_was_found_lying_about_is_kept_and_is_not_what_the_state_is() {
    let room = Room::new();
    let dir = room.history();
    let (state, mut found) = (put(&dir, 1), put(&dir, 2));
    found.source = Some(Source::Found);
    let lock = dir.lock().unwrap();
    let outside = Entry { after: Some(state.clone()), ..entry(RecordKind::Outside, 1) };
    dir.append(&lock, &outside).unwrap();
    let save = Entry { after: Some(found.clone()), ..entry(RecordKind::Save, 2) };
    dir.append(&lock, &save).unwrap();
    drop(lock);
    let history = consistent(&dir);
    assert_eq!(history.operations[1].after, Some(found));
    assert_eq!(history.head.last, Some(state.clone()));
    assert_eq!(history.head.good, Some((op(1), state.clone())));
    assert_eq!(history.head.newest_after, Some((1, state)));
    // A restore goes forward from there.
    assert_eq!(history.head.highest_serial.values().map(|it| it.0).collect::<Vec<_>>(), [2]);
}

#[test]
fn the_head_of_many_segments_is_the_fold_of_everything() {
    let room = Room::new();
    let dir = room.history();
    let images: Vec<_> = (0..3).map(|serial| put(&dir, serial)).collect();
    let lock = dir.lock().unwrap();
    for bits in 1..=60 {
        let mut begin = entry(RecordKind::Begin, bits);
        begin.before = Some(images[usize::try_from(bits % 3).unwrap()].clone());
        begin.note = Some("n".repeat(50_000));
        dir.append(&lock, &begin).unwrap();
        if bits % 10 != 0 {
            let mut end = entry(RecordKind::End, bits);
            end.after = Some(images[usize::try_from((bits + 1) % 3).unwrap()].clone());
            dir.append(&lock, &end).unwrap();
        }
    }
    drop(lock);
    assert!(segments(&dir).len() > 2);
    for path in segments(&dir) {
        assert!(fs::metadata(path).unwrap().len() <= 128 << 10);
    }
    let history = consistent(&dir);
    assert_eq!((history.operations.len(), history.head.open.len()), (60, 6));
    assert_eq!(history.damage, []);
}

#[test]
fn twenty_writers_at_once_lose_nothing() {
    let room = Room::new();
    room.history();
    std::thread::scope(|scope| {
        for writer in 0..20 {
            let room = &room;
            scope.spawn(move || {
                let dir = room.history();
                for round in 0..5 {
                    put(&dir, round);
                    save(&dir, writer * 5 + round);
                }
            });
        }
    });
    let history = consistent(&room.history());
    assert_eq!(history.damage, []);
    assert_eq!(history.operations.len(), 100);
    assert!(history.operations.iter().zip(1..).all(|(it, seq)| it.seq == seq));
    assert_eq!(files(&room.history().path().join("objects")).len(), 5);
}

#[test]
fn segments_of_several_processes_are_one_history() {
    let room = Room::new();
    let dir = room.history();
    save(&dir, 1);
    let folder = Folder::open(&dir.path().join("journal")).unwrap();
    let owners = ["a".repeat(16), "b".repeat(16)];
    for bits in 2..10 {
        let owner = &owners[usize::try_from(bits % 2).unwrap()];
        let writers = journal::Writers::Own(owner);
        let written = journal::append(&folder, writers, &entry(RecordKind::Save, bits), false);
        assert_eq!(written.ok(), Some(bits));
    }
    assert_eq!(segments(&dir).len(), 3);
    assert_eq!(save(&dir, 10), 10);
    let history = consistent(&dir);
    assert_eq!(history.damage, []);
    assert_eq!(history.operations.len(), 10);
}

#[test]
fn what_a_dead_holder_left_is_swept() {
    let room = Room::new();
    let dir = room.history();
    put(&dir, 1);
    let left = dir.path().join("objects/.tmp-0123456789abcdef");
    fs::write(&left, "half").unwrap();
    drop(dir.lock().unwrap());
    assert!(left.exists());
    fs::write(dir.path().join("lock"), "pid 7").unwrap();
    drop(dir.lock().unwrap());
    assert!(!left.exists());
}

#[test]
fn markers_tell_who_is_at_work() {
    let room = Room::new();
    let dir = room.history();
    let running = dir.mark_running(&dir.lock().unwrap(), &op(1)).unwrap();
    let mine = ProcessMark::read_own().unwrap();
    running.note_child(&mine).unwrap();
    let marks = dir.running().unwrap();
    assert!(marks[0].supervised && marks[0].is_live());
    assert_eq!((&marks[0].op, marks[0].child.as_ref()), (&op(1), Some(&mine)));
    let marker = dir.path().join("running").join(op(1).as_str());
    let text = fs::read_to_string(&marker).unwrap();
    drop(running);
    assert_eq!(dir.running().unwrap(), []);
    fs::write(&marker, &text).unwrap();
    let orphan = dir.running().unwrap().remove(0);
    assert!(!orphan.supervised && orphan.is_live());
    fs::write(&marker, text.replace(&mine.to_string(), "1 1 other-boot")).unwrap();
    assert!(!dir.running().unwrap()[0].is_live());
    dir.clear_running(&dir.lock().unwrap(), &op(1)).unwrap();
    assert_eq!(dir.running().unwrap(), []);
}

#[test]
fn a_linked_segment_is_not_appended_to() {
    let room = Room::new();
    let dir = room.history();
    save(&dir, 1);
    fs::hard_link(&segments(&dir)[0], room.dir.path().join("elsewhere")).unwrap();
    let before = fs::read(room.dir.path().join("elsewhere")).unwrap();
    save(&dir, 2);
    assert_eq!(fs::read(room.dir.path().join("elsewhere")).unwrap(), before);
    assert_eq!(consistent(&dir).operations.len(), 2);
}

/// Does what a guarded command does, twice; dies where the environment says.
#[cfg(debug_assertions)]
fn save_twice(root: &Path) {
    let store = Store::open_or_create(root).unwrap();
    let dir = store.history_of(&identity("net")).unwrap();
    let first = dir.history().unwrap().head.seq;
    for step in 1..=2 {
        let mut save = entry(RecordKind::Save, first + step);
        save.after = Some(put(&dir, first + step));
        dir.append(&dir.lock().unwrap(), &save).unwrap();
    }
}

#[test]
#[cfg(debug_assertions)]
fn a_crash_at_any_point_leaves_a_store_that_works() {
    use std::os::unix::process::ExitStatusExt;
    // This very test, started again, is the process that dies.
    if let Some(root) = std::env::var_os("TF_SHIM_TEST_ROOT") {
        return save_twice(Path::new(&root));
    }
    let child = |room: &Room, point: &str| {
        let mut command = std::process::Command::new(std::env::current_exe().unwrap());
        let this = "store::tests::a_crash_at_any_point_leaves_a_store_that_works";
        command.args(["--exact", this]);
        command.env("TF_SHIM_TEST_ROOT", room.root()).env("TF_SHIM_TEST_CRASH_AT", point);
        command.output().unwrap().status
    };
    let points = [
        "sync-object",
        "sync-objects-dir",
        "sync-journal",
        "sync-journal-dir",
        "sync-mkdir",
        "sync-setup",
        "dedupe-verify",
        "encode-verify",
    ];
    for point in points {
        let mut crashes = 0;
        for nth in 1.. {
            let room = Room::new();
            let status = child(&room, &format!("{point}:{nth}"));
            assert!(status.success() || status.signal() == Some(9), "{point}:{nth} {status}");
            assert!(child(&room, "nowhere").success(), "after {point}:{nth}");
            let history = consistent(&room.history());
            assert_eq!(history.damage, [], "after {point}:{nth}");
            assert!(history.operations.len() >= 2);
            for operation in &history.operations {
                room.history().get(operation.after.as_ref().unwrap()).unwrap();
            }
            let left = files(&room.root())
                .into_iter()
                .filter(|path| path.file_name().unwrap().to_string_lossy().starts_with(".tmp-"));
            assert_eq!(left.count(), 0, "after {point}:{nth}");
            if status.success() {
                break;
            }
            crashes += 1;
        }
        assert!(crashes > 0, "{point}");
    }
}
