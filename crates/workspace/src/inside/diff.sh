# Prints one line of facts, the numbers of each file, their modes, then the patch, cut where it is too long.
commits=$(git rev-list --count "$head" --not "$BASE" 2>$out/said) || give_up
compare --numstat -z >$out/numbers || give_up
compare --raw --no-renames -z >$out/modes || give_up
if [ "$(cat $out/numbers $out/modes | wc -c)" -gt "$MOST_NUMBERS" ]; then
    : >$out/numbers
    : >$out/modes
    flags=$flags,many
fi
size() { wc -c <"$1" | tr -d ' '; }
printf '%s %s %s %s %s\n' "$head" "$commits" "$flags" "$(size $out/numbers)" "$(size $out/modes)"
cat $out/numbers $out/modes
compare --patch | head -c "$MOST_PATCH"
