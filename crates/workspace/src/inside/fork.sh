# Copies a workspace, links as links, and gives the copy a branch of its own name. The copy's git is asked with the
# configuration that the agent wrote, but nowhere else than here. Prints words about what could not be had.
set -eu
umask 022
said=/tmp/said
unreadable=': Permission denied$'

# What goes, changes or cannot be read while it is copied is no failure; anything else, such as a full disk, is. Fails where
# a second look may find more.
copy() {
    code=0
    cp -a "$@" 2>$said || code=$?
    [ $code != 0 ] || return 0
    if [ $code != 1 ] || grep -v -e "$unreadable" -e ': No such file or directory$' \
        -e 'was replaced while being copied$' $said >/tmp/failed; then
        tail -n 1 $said >&2
        exit 3
    fi
    if grep -q -e "$unreadable" $said; then echo skipped; fi
    ! grep -q -v -e "$unreadable" $said
}

if ! copy /clauderon/from/. /workspace/; then
    copy -u /clauderon/from/. /workspace/ || echo moving
fi
# References were copied a moment ago; whatever they name is there by now.
from=/clauderon/from/.git
if [ ! -L $from ] && [ ! -L $from/objects ] && [ -d $from/objects ]; then
    copy -u $from/objects/. /workspace/.git/objects/ || :
fi
# A copied lock is nobody's.
find /workspace/.git -name '*.lock' -type f -exec rm -f {} + 2>/dev/null || :
# The folder is moved to its session afterwards.
chmod u+rwx /workspace

# A pipe in place of a file would make it wait for ever.
timeout 10 git --git-dir=/workspace/.git --work-tree=/workspace branch -m "$BRANCH" "$NEW_BRANCH" >/dev/null 2>&1 ||
    echo branch
