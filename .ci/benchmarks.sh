# The benchmarks run; what they measure here means nothing.

end_to_end=bench/EndToEnd/bin/Release/net10.0/Pure.Bench.EndToEnd
micro=bench/Micro/bin/Release/net10.0/Pure.Bench.Micro
check "EndToEnd explains itself" "$end_to_end" --help || true
check "EndToEnd measures the embedded model" "$end_to_end" --prompt 16 --generate 4 --runs 1 || true
check "pure bench makes a model of random weights" \
    serve/bin/Release/net10.0/pure bench --shape qwen3-moe --type Q4_0 --export "$scratch/qwen3-moe.gguf" || true
check "EndToEnd measures it beside a peer" \
    "$end_to_end" "$scratch/qwen3-moe.gguf" --prompt 8 --generate 2 --runs 1 --peer "nobody=echo 1 1" || true
rm -f "$scratch/qwen3-moe.gguf"
micro_runs() {
    "$micro" --filter '*RmsNorm*' --job dry --artifacts "$scratch/micro" >"$logs/micro.log" &&
        ! grep -A 5 'Benchmarks with issues' "$logs/micro.log"
}
check "Micro measures" micro_runs || true
