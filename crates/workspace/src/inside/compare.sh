# Compares BASE with the snapshot's tree. Attributes are taken from an empty tree, so that a file cannot hide its own
# changes.
export GIT_ATTR_SOURCE=$(git hash-object -t tree /dev/null)
compare() {
    git diff --no-ext-diff --no-textconv --no-color --find-renames --submodule=short --ignore-submodules=none \
        --src-prefix=a/ --dst-prefix=b/ "$@" "$BASE" "$tree" 2>$out/said
}
