# Prints one line of facts, the numbers of each file, then the patch, cut where it is too long. Attributes are taken
# from an empty tree, so that a file cannot hide its own changes.
export GIT_ATTR_SOURCE=$(git hash-object -t tree /dev/null)
compare() {
    git diff --no-ext-diff --no-textconv --no-color --find-renames --submodule=short --ignore-submodules=none \
        --src-prefix=a/ --dst-prefix=b/ "$@" "$BASE" "$tree" 2>$out/said
}
commits=$(git rev-list --count "$head" --not "$BASE" 2>$out/said) || give_up
compare --numstat -z >$out/numbers || give_up
if [ "$(wc -c <$out/numbers)" -gt "$MOST_NUMBERS" ]; then
    : >$out/numbers
    flags=$flags,many
fi
printf '%s %s %s %s\n' "$head" "$commits" "$flags" "$(wc -c <$out/numbers | tr -d ' ')"
cat $out/numbers
compare --patch | head -c "$MOST_PATCH"
