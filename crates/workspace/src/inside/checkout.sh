# Fills a new workspace with the files of its commit. Meanwhile counts how many of the person's files differ from BASE and
# prints the number; that it cannot be found out, or not within 5 s, is no failure.
#
# The repository's own configuration is never read; of its index only the recorded sizes and times are trusted, since the
# files' owner looks different from inside.
set -eu
count() {
    export GIT_DIR=/tmp/git GIT_WORK_TREE=/clauderon/original GIT_INDEX_FILE=/tmp/index
    mkdir -p /tmp/git/objects/info /tmp/git/refs
    printf '%s' "$ALTERNATES" >/tmp/git/objects/info/alternates
    printf '%s\n' "$BASE" >/tmp/git/HEAD
    if [ "$OBJECT_FORMAT" = sha256 ]; then
        printf '[core]\n\trepositoryformatversion = 1\n[extensions]\n\tobjectFormat = sha256\n' >/tmp/git/config
    fi
    if [ -f /clauderon/index ]; then cp /clauderon/index /tmp/index; else git read-tree "$BASE"; fi
    cd /clauderon/original
    git -c core.checkStat=minimal -c core.trustctime=false status --porcelain --no-renames \
        --ignore-submodules=all --untracked-files=normal >/tmp/list
    wc -l </tmp/list >/tmp/count
}
counting=
if [ -d /clauderon/original ] && [ -n "$ALTERNATES" ]; then
    count >/dev/null 2>&1 &
    counting=$!
fi
cd /workspace
GIT_DIR=/workspace/.git GIT_WORK_TREE=/workspace git read-tree --reset -u HEAD
if [ -n "$counting" ]; then
    (sleep 5 && kill "$counting") >/dev/null 2>&1 &
    wait "$counting" 2>/dev/null || true
    cat /tmp/count 2>/dev/null || true
fi
