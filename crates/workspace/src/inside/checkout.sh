# Fills a new workspace with the files of its commit. A lock can only be one that a checkout which broke off has left: no
# agent has been here yet. As many processes write files as there are processors.
set -eu
cd /workspace
[ ! -e .git/index.lock ] || rm -f .git/index.lock
GIT_DIR=/workspace/.git GIT_WORK_TREE=/workspace exec git -c checkout.workers=0 read-tree --reset -u HEAD
