# Prints the sizes of one file before and now, `-` where there was none, then each side that is no larger than MOST.
# WANTED is its path, LISTED the same as git writes it in a list.
compare --raw --no-abbrev >$out/list || give_up
tab=$(printf '\t')
found=
while IFS= read -r line; do
    case $line in
    *"$tab$LISTED")
        found=$line
        break
        ;;
    esac
done <$out/list

if [ -n "$found" ]; then
    set -f
    set -- $found
    before=$3 now=$4
else
    before=$(git rev-parse --verify --quiet "$BASE:$WANTED") || before=
    now=$(git rev-parse --verify --quiet "$tree:$WANTED") || now=
fi

# A commit of a repository inside counts as something too large to be shown.
size() {
    case ${1#"${1%%[!0]*}"} in
    '') echo - ;;
    *) if [ "$(git cat-file -t "$1" 2>/dev/null)" = blob ]; then git cat-file -s "$1"; else echo $((MOST + 1)); fi ;;
    esac
}
show() {
    if [ "$2" != - ] && [ "$2" -le "$MOST" ]; then git cat-file blob "$1"; fi
}
size_before=$(size "$before")
size_now=$(size "$now")
printf '%s %s\n' "$size_before" "$size_now"
show "$before" "$size_before"
show "$now" "$size_now"
