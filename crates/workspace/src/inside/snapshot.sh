# Takes a picture of the session's work without touching it and without reading its configuration: `git` below always
# means a clean git folder in the exchange folder, which borrows the workspace's objects. What the agent's own git says
# is asked for through `theirs`, and only for references. Sets: head, tree, flags.
set -eu
umask 022
out=/clauderon/out
export GIT_DIR=$out/git GIT_WORK_TREE=/workspace GIT_INDEX_FILE=$out/index
cd /workspace
flags=-

# A pipe in place of a file would make it wait for ever.
theirs() {
    timeout 3 git --git-dir=/workspace/.git --work-tree=/workspace "$@" 2>/dev/null
}

give_up() {
    tail -n 5 $out/said >&2
    exit 3
}

objects=$(theirs rev-parse --git-path objects) || objects=
case $objects in
/*) printf '%s\n' "$objects" >>$GIT_DIR/objects/info/alternates ;;
esac
if [ -f /workspace/.git/shallow ]; then cat /workspace/.git/shallow >>$GIT_DIR/shallow; fi

head=$(theirs rev-parse --verify --quiet HEAD) || head=
if [ -z "$head" ] || ! git cat-file -e "$head^{commit}" 2>/dev/null; then
    head=$BASE
    flags=$flags,unreadable
fi

# With --ignore-errors, 1 says that some files could not be read and that all others were taken.
take() {
    code=0
    git add --all --ignore-errors -- . >/dev/null 2>$out/said || code=$?
    [ $code -le 1 ] || return 1
    tree=$(git write-tree 2>>$out/said) || return 1
    [ $code = 0 ] || flags=$flags,skipped
}

# The agent's index saves reading every file again; where it is of no use, one is made from the commit.
copy_index() {
    [ -f /workspace/.git/index ] && cp /workspace/.git/index $GIT_INDEX_FILE 2>/dev/null
}
if ! copy_index || ! take; then
    rm -f $GIT_INDEX_FILE $GIT_INDEX_FILE.lock
    git read-tree "$head" 2>$out/said || give_up
    take || give_up
fi

if git diff-tree -r "$BASE" "$tree" 2>/dev/null | grep -q '^:[0-9]* 160000'; then
    flags=$flags,nested
fi
