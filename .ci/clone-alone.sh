# The tests pass in a clone alone: a copy of this checkout, as built, where no folder shared/ lies beside it.

alone=$scratch/alone/pure
mkdir -p "$alone"
tar -c --exclude=./artifacts --exclude=obj --exclude=./.git . | tar -x -C "$alone"
for tests in "$alone"/tests/*.Tests; do
    name=$(basename "$tests")
    [[ " ${left_out[*]} " != *" ${name%.Tests} "* ]] || continue
    suite "$name in a clone alone" "$tests/bin/Release/net10.0/$name" -noColor || true
done
rm -rf "$alone"
