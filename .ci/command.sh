# Publishes pure as one trimmed, ahead-of-time compiled file and runs the main job with it.

publish=$artifacts/$rid
publish_pure() {
    dotnet publish serve/Pure.Serve.csproj -c Release -r "$rid" --self-contained -o "$publish" --nologo 2>&1 | tee "$logs/publish.log" &&
        ! grep -qE 'warning|IL[23][0-9]{3}' "$logs/publish.log"
}
check "pure publishes as a trimmed single file without a trim or AOT warning" publish_pure || return 0
pure=$publish/pure
ls -l "$pure"

one_file() { [[ $(find "$publish" -type f ! -name '*.pdb' ! -name '*.xml' | wc -l) -eq 1 ]]; }
check "it is one file" one_file || true

# The command sees no .NET on the machine, as on a machine that has none.
alone() { env DOTNET_ROOT=/nonexistent "$pure" "$@"; }

story() {
    alone run -p "Once upon a time" -n 60 --temp 0 >"$logs/story.txt" &&
        [[ $(wc -w <"$logs/story.txt") -ge 30 ]]
}
check "it writes a story with the embedded model" story && sed 's/^/        /' "$logs/story.txt"

# hash_of OPTION...: the hash of every sampled position's logits, which is the last line on standard error.
prompt='Once upon a time there was a little girl who lived near the forest with her dog. One day the dog ran away, and she looked for
it under the trees, behind the house and at the river. A small bird saw her and said that it would help. They walked and walked until
they heard a bark. The girl was so happy that she began to sing, and the bird sang too.'
hash_of() {
    alone run -p "$prompt" -n 24 --temp 0.8 --seed 7 --logits-hash "$@" 2>&1 >/dev/null </dev/null | tail -n 1
}
expected=$(hash_of) || true
printf '        logits hash: %s\n' "$expected"
is_hash() { [[ $1 =~ ^[0-9a-f]{64}$ ]]; }
check "--logits-hash is a SHA-256" is_hash "$expected" || true
same_hash() { local hash; hash=$(hash_of "$@"); echo "$hash, expected $expected"; [[ $hash == "$expected" ]]; }
for isa in scalar neon avx2 avx-vnni avx512; do
    if [[ $(alone info --isa "$isa" 2>&1) == *"is not in this processor"* ]]; then
        echo "        This processor has no $isa: its bits are not proved here."
    else
        check "the same bits with --isa $isa" same_hash --isa "$isa" || true
    fi
done
for threads in 1 2 3 5; do
    check "the same bits with --threads $threads" same_hash --threads "$threads" || true
done
for chunk in 1 7 64 512; do
    check "the same bits with --prompt-chunk $chunk" same_hash --prompt-chunk "$chunk" || true
done

readme_hash() {
    [[ $(alone run -p "Once upon a time" -n 40 --temp 0 --logits-hash 2>&1 >/dev/null | tail -n 1) == "$(sed -n '/^```text$/,/^```$/{/^```/!p}' README.md)" ]]
}
check "README's hash of logits is this machine's" readme_hash || true

# refuses ARGUMENT...: exit code 2, one line on standard error, nothing on standard output.
refuses() {
    local code=0
    alone "$@" >"$logs/out.txt" 2>"$logs/err.txt" </dev/null || code=$?
    cat "$logs/out.txt" "$logs/err.txt"
    [[ $code -eq 2 && $(wc -l <"$logs/err.txt") -eq 1 && ! -s $logs/out.txt ]]
}
printf 'GGUF\3\0\0\0' >"$scratch/truncated.gguf"
printf 'no model at all' >"$scratch/wrong.gguf"
check "a missing file is one sentence and exit code 2" refuses run "$scratch/missing.gguf" -p Hello || true
check "a truncated file is one sentence and exit code 2" refuses run "$scratch/truncated.gguf" -p Hello || true
check "a file of another kind is one sentence and exit code 2" refuses run "$scratch/wrong.gguf" -p Hello || true
check "a directory is one sentence and exit code 2" refuses run "$scratch" -p Hello || true
check "an empty prompt is one sentence and exit code 2" refuses run -p "" || true
check "an unknown option is one sentence and exit code 2" refuses run --no-such-option || true

# asks ADDRESS PATH BODY: what a server answers, headers and all.
asks() {
    local place=${1#http://}
    exec 3<>"/dev/tcp/${place%:*}/${place#*:}"
    printf 'POST %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s' "$2" "$place" ${#3} "$3" >&3
    cat <&3
    exec 3>&-
}

# A request from the start of the process on, then SIGTERM: the server answers, finishes and succeeds.
serves() {
    local started server address=
    started=$(date +%s%N)
    (exec env DOTNET_ROOT=/nonexistent "$pure" serve --port 0 >"$logs/serve.txt" 2>"$logs/serve-log.txt") &
    server=$!
    while [[ -z $address ]] && kill -0 $server 2>/dev/null; do
        address=$(sed -n 's/^.* answers at //p' "$logs/serve.txt" 2>/dev/null)
        sleep 0.005
    done
    asks "$address" /v1/completions '{"prompt": "Once upon a time", "max_tokens": 5, "temperature": 0}' >"$logs/answer.json" &&
        echo $((($(date +%s%N) - started) / 1000000)) >"$logs/milliseconds" && cat "$logs/answer.json" &&
        grep -qF '"text":", there was a little"' "$logs/answer.json" &&
        kill -TERM $server && wait $server && cat "$logs/serve-log.txt"
}
check "it serves: a request is answered, and SIGTERM ends it with code 0" serves &&
    echo "        first answer $(cat "$logs/milliseconds") ms after its start"
