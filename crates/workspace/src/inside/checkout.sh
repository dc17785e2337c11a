# Fills a new workspace with the files of its commit.
set -eu
export GIT_DIR=/workspace/.git GIT_WORK_TREE=/workspace
cd /workspace
exec git read-tree --reset -u HEAD
