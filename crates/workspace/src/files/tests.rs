#![allow(clippy::unwrap_used)]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::*;

fn files(fill: impl FnOnce(&Path)) -> (tempfile::TempDir, Files) {
    let dir = tempfile::tempdir().unwrap();
    fill(dir.path());
    let root = beneath::root(dir.path()).unwrap();
    (dir, Files { root })
}

#[test]
fn a_folder_lists_folders_first_and_hides_gits_own() {
    let (_dir, files) = files(|at| {
        fs::create_dir_all(at.join("src")).unwrap();
        fs::create_dir_all(at.join(".git")).unwrap();
        fs::write(at.join("b"), "12345").unwrap();
        fs::write(at.join("A"), "").unwrap();
        symlink("/", at.join("c")).unwrap();
    });
    let listed = files.folder("").unwrap();
    let seen: Vec<_> = listed
        .entries
        .iter()
        .map(|entry| (entry.name.as_str(), entry.kind, entry.bytes))
        .collect();
    assert_eq!(
        seen,
        [
            ("src", Kind::Folder, 0),
            ("A", Kind::File, 0),
            ("b", Kind::File, 5),
            ("c", Kind::Link, 0)
        ]
    );
    assert!(!listed.truncated);
    assert!(matches!(files.folder("c"), Err(Error::NotAFolder(_))));
    assert!(matches!(files.folder("c/etc"), Err(Error::ThroughALink(_))));
    assert!(matches!(
        files.file("c/etc/passwd"),
        Err(Error::ThroughALink(_))
    ));
    assert!(matches!(files.file("nothing"), Err(Error::NotThere(_))));
    assert!(matches!(files.file("src"), Err(Error::NotAFile(_))));
    assert!(matches!(files.raw("c"), Err(Error::NotAFile(_))));
    assert!(files.file(".git/config").is_err());
}

#[test]
fn a_crowded_folder_is_cut() {
    let (_dir, files) = files(|at| {
        for number in 0..=MOST_ENTRIES {
            fs::write(at.join(number.to_string()), "").unwrap();
        }
    });
    let listed = files.folder("").unwrap();
    assert_eq!(listed.entries.len(), MOST_ENTRIES);
    assert!(listed.truncated);
}

#[test]
fn a_files_view_follows_its_bytes_and_not_its_name() {
    let check = |bytes: &[u8], expected: Content| {
        let (_dir, files) = files(|at| fs::write(at.join("a.svg"), bytes).unwrap());
        assert_eq!(files.file("a.svg").unwrap().content, expected);
    };
    let text = |text: &str, truncated| Content::Text {
        text: text.to_owned(),
        truncated,
    };
    check(b"", text("", false));
    check("é\n".as_bytes(), text("é\n", false));
    check(b"<svg onload='x'/>", text("<svg onload='x'/>", false));
    check(b"a\0b", Content::Binary);
    check(b"\xff\xfe", Content::Binary);
    check(b"\x89PNG\r\n\x1a\nrest", Content::Image("image/png"));
    check(b"\xff\xd8\xff\xe0", Content::Image("image/jpeg"));
    check(b"GIF89a", Content::Image("image/gif"));
    check(b"RIFF\0\0\0\0WEBPVP8 ", Content::Image("image/webp"));
    let whole = "x".repeat(MOST_TEXT);
    check(whole.as_bytes(), text(&whole, false));
    check(format!("{whole}y").as_bytes(), text(&whole, true));
    let odd = format!("{}é!", "x".repeat(MOST_TEXT - 1));
    check(odd.as_bytes(), text(&whole[1..], true));
}

#[test]
fn raw_files_start_at_their_start() {
    let (_dir, files) = files(|at| fs::write(at.join("a"), b"\x89PNG\r\n\x1a\nrest").unwrap());
    let mut raw = files.raw("a").unwrap();
    let mut bytes = Vec::new();
    raw.file.read_to_end(&mut bytes).unwrap();
    assert_eq!(
        (raw.bytes, raw.image, bytes.len()),
        (12, Some("image/png"), 12)
    );
}
