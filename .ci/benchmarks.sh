# The benchmarks run; what they measure here means nothing.

end_to_end=bench/EndToEnd/bin/Release/net10.0/Pure.Bench.EndToEnd
micro=bench/Micro/bin/Release/net10.0/Pure.Bench.Micro
check "EndToEnd explains itself" "$end_to_end" --help || true
check "EndToEnd measures the embedded model" "$end_to_end" --prompt 16 --generate 4 --runs 1 || true
micro_runs() {
    "$micro" --filter '*RmsNorm*' --job dry --artifacts "$scratch/micro" >"$logs/micro.log" &&
        ! grep -A 5 'Benchmarks with issues' "$logs/micro.log"
}
check "Micro measures" micro_runs || true
