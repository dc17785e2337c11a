# Counts how many of the person's files differ from BASE and prints the number.
#
# The repository's own configuration is never read; of its index only the recorded sizes and times are trusted, since the
# files' owner looks different from inside.
set -eu
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
    --ignore-submodules=all --untracked-files=normal | wc -l
