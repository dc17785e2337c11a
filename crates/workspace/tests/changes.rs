//! Which files changed, and both sides of one: with real git in real throw-away sandboxes.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod support;

use clauderon_workspace::{Error, Mark, Risk, Sides, Workspace, diff, sides, status};
use support::{House, house};

macro_rules! house {
    () => {
        match house().await {
            Some(house) => house,
            None => return,
        }
    };
}

/// Committed, staged, plain and untracked changes, a move, a deletion, and names that are hard to write.
const CHANGES: &str = r#"
cd /workspace
seq 1 50 >long.txt; git add long.txt; git commit -qm long
echo changed >a.txt; git commit -qam changed
git mv dir/b.txt 'dir/new name.txt'; echo more >>'dir/new name.txt'
echo untracked >'new "é" file'
printf 'x\0y' >binary; head -c 2000000 /dev/zero | tr '\0' y >large
ln -s /etc/passwd link; mkfifo pipe
mkdir .husky; echo 'rm -rf ~' >.husky/pre-commit
git rm -q gone.txt
"#;

async fn changed(house: &House) -> Workspace {
    house.write("gone.txt", "once\n");
    house.write("dir/b.txt", "two\nthree\nfour\nfive\n");
    house.git(&["add", "-A"]);
    house.git(&["commit", "-qm", "more"]);
    let workspace = house.create().await;
    house.agent(&workspace, CHANGES).await;
    workspace
}

#[tokio::test]
async fn every_kind_of_change_has_its_mark() {
    let house = house!();
    let workspace = changed(&house).await;
    let marks = status(&house.sandboxes(), &workspace).await.unwrap();
    let mut marks: Vec<_> = marks
        .iter()
        .map(|one| (one.path.as_str(), one.mark))
        .collect();
    marks.sort_by_key(|(path, _)| *path);
    assert_eq!(
        marks,
        [
            (".husky/pre-commit", Mark::Added),
            ("a.txt", Mark::Modified),
            ("binary", Mark::Added),
            ("dir/new name.txt", Mark::Renamed),
            ("gone.txt", Mark::Deleted),
            ("large", Mark::Added),
            ("link", Mark::Added),
            ("long.txt", Mark::Added),
            ("new \"é\" file", Mark::Added),
        ]
    );
}

#[tokio::test]
async fn both_sides_of_a_file_are_shown_where_they_are_text() {
    let house = house!();
    let workspace = changed(&house).await;
    let check = async |path: &str, before: Option<&str>, now: Option<&str>, left_out: bool| {
        let expected = Sides {
            before: before.map(str::to_owned),
            now: now.map(str::to_owned),
            left_out,
        };
        let seen = sides(&house.sandboxes(), &workspace, path).await.unwrap();
        assert_eq!(seen, expected, "{path}");
    };
    check("a.txt", Some("one\n"), Some("changed\n"), false).await;
    check("gone.txt", Some("once\n"), None, false).await;
    check("new \"é\" file", None, Some("untracked\n"), false).await;
    let two = "two\nthree\nfour\nfive\n";
    check(
        "dir/new name.txt",
        Some(two),
        Some(&format!("{two}more\n")),
        false,
    )
    .await;
    check("binary", None, None, true).await;
    check("large", None, None, true).await;
    check("link", None, Some("/etc/passwd"), false).await;
    for path in ["nothing", "*", "pipe"] {
        let refused = sides(&house.sandboxes(), &workspace, path).await;
        assert!(
            matches!(refused, Err(Error::NotThere(_))),
            "{path}: {refused:?}"
        );
    }
    for path in ["../a.txt", "/etc/passwd", "", ".git/config"] {
        assert!(
            sides(&house.sandboxes(), &workspace, path).await.is_err(),
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_comparison_names_what_acts_by_itself_before_anything_is_pulled() {
    let house = house!();
    let workspace = changed(&house).await;
    let shown = diff(&house.sandboxes(), &workspace).await.unwrap();
    let risky: Vec<_> = shown
        .risky
        .iter()
        .map(|one| (one.path.as_str(), one.risk))
        .collect();
    assert_eq!(
        risky,
        [(".husky/pre-commit", Risk::GitHook), ("link", Risk::Link)]
    );
    assert!(shown.patch.contains("+rm -rf ~"));
}
