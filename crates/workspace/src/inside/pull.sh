# Makes a bundle of what the session has beyond BASE and prints what is in it, one line each.
git update-ref refs/clauderon/head "$head"
if [ "$tree" != "$(git rev-parse "$head^{tree}")" ]; then
    wip=$(git commit-tree "$tree" -p "$head" -m "Uncommitted work of $BRANCH" 2>$out/said) || give_up
    git update-ref refs/clauderon/wip "$wip"
    echo "wip $wip"
fi

# Branches besides the current one come along where they hold something that would be lost otherwise.
current=$(theirs symbolic-ref --quiet HEAD) || current=
theirs for-each-ref --count=500 --format='%(objectname) %(refname)' refs/heads >$out/branches || :
while read -r id name; do
    [ "$name" != "$current" ] || continue
    git cat-file -e "$id^{commit}" 2>/dev/null || continue
    [ -n "$(git rev-list -n 1 "$id" --not "$BASE" "$head" 2>/dev/null)" ] || continue
    git update-ref "refs/clauderon/branch/${name#refs/heads/}" "$id" 2>/dev/null || continue
done <$out/branches

echo "head $head"
echo "flags $flags"
if [ -n "$(git rev-list -n 1 --glob=refs/clauderon --not "$BASE" 2>$out/said)" ]; then
    # In blocks of 512 bytes: no single file may grow beyond 2 GiB.
    ulimit -f 4194304
    git bundle create --quiet $out/bundle --glob=refs/clauderon "^$BASE" 2>$out/said || give_up
    echo bundle
fi
