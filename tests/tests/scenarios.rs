//! Every scenario that the documentation names has a test, and every such test a line there.

use std::collections::BTreeSet;

#[test]
fn scenarios_and_tests_name_the_same_identifiers() {
    let documented: BTreeSet<&str> = include_str!("../../docs/scenarios.md")
        .lines()
        .filter_map(|line| line.strip_prefix("| w"))
        .filter_map(|rest| rest.split(' ').next())
        .collect();
    let files = [
        include_str!("window.rs"),
        include_str!("window_chat.rs"),
        include_str!("window_desktop.rs"),
        include_str!("window_work.rs"),
    ];
    let tested: BTreeSet<&str> = files
        .iter()
        .flat_map(|file| file.lines())
        .filter_map(|line| line.strip_prefix("fn w"))
        .filter_map(|rest| rest.split('_').next())
        .collect();
    assert!(!documented.is_empty());
    assert_eq!(documented, tested);
}
