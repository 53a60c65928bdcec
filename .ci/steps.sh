# How .ci/run reports: headings, checks and test suites, and one closing line over all of them.

passed=0
failed=0
skipped=0
failures=()

# heading TEXT: what comes next, with the seconds since the start.
heading() {
    printf '\n== %s (%ds)\n' "$1" "$SECONDS"
}

# check WHAT-HOLDS COMMAND...: one check; its output is shown when it fails.
check() {
    local what=$1 log="$logs/check.log" start=$SECONDS
    shift
    if "$@" >"$log" 2>&1 </dev/null; then
        passed=$((passed + 1))
        printf 'ok      %s (%ds)\n' "$what" $((SECONDS - start))
    else
        failed=$((failed + 1))
        failures+=("$what")
        printf 'FAILED  %s\n        %s\n' "$what" "$*"
        tail -n 60 "$log"
        return 1
    fi
}

# suite NAME COMMAND...: a test run; the totals that its runner prints are added up. Understands VSTest (dotnet test) and the
# in-process runner of xUnit v3. A run that breaks off, or that ends without totals, counts as one failure.
suite() {
    local name=$1 log="$logs/suite.log" code=0 start=$SECONDS counts p f s
    shift
    rm -rf "$logs/trx"
    "$@" >"$log" 2>&1 </dev/null || code=$?
    # One line "PASSED FAILED SKIPPED" for each summary; sums and differences are left to the arithmetic below.
    counts=$(sed -nE \
        -e 's/^.*! +- +Failed: +([0-9]+), Passed: +([0-9]+), Skipped: +([0-9]+), Total: .*$/\2 \1 \3/p' \
        -e 's/^.* Total: ([0-9]+), Errors: ([0-9]+), Failed: ([0-9]+), Skipped: ([0-9]+), Not Run: ([0-9]+).*$/\1-\2-\3-\4-\5 \2+\3 \4/p' \
        "$log")
    p=0 f=0 s=0
    while read -r suite_passed suite_failed suite_skipped; do
        [[ -n $suite_passed ]] || continue
        p=$((p + suite_passed)) f=$((f + suite_failed)) s=$((s + suite_skipped))
    done <<<"$counts"
    if [[ $f -eq 0 ]] && [[ $code -ne 0 || -z $counts ]]; then
        f=1
    fi

    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
    printf '%-7s %s: %d passed, %d failed, %d skipped (%ds)\n' "$([[ $f -eq 0 ]] && echo ok || echo FAILED)" "$name" $p $f $s $((SECONDS - start))
    if [[ $s -gt 0 ]]; then
        skip_reasons
    fi
    if [[ $f -ne 0 ]]; then
        failures+=("$name")
        grep -A 15 -F '[FAIL]' "$log" | head -n 200 || true
        grep -vE '\[SKIP\]|^ +Skipped ' "$log" | tail -n 15
        return 1
    fi
}

# skip_reasons: each reason once, with the number of tests that gave it: from the runner's log, or from VSTest's result files.
skip_reasons() {
    {
        grep -A 1 -F '[SKIP]' "$logs/suite.log" | grep -vE '\[SKIP\]|^--$|^\[xUnit' | grep -vE '^ +Skipped ' | sed -E 's/^ +//' || true
        sed -n '/outcome="NotExecuted"/,/<\/UnitTestResult>/s/.*<Message>\(.*\)<\/Message>.*/\1/p' "$logs"/trx/*.trx 2>/dev/null || true
    } | sort | uniq -c | sed -E "s/^ +([0-9]+) /        skipped \1: /; s/&quot;/\"/g; s/&amp;/\&/g; s/&apos;/'/g"
}

# finish: the closing line; fails when anything failed.
finish() {
    if [[ ${#failures[@]} -gt 0 ]]; then
        printf '\nFailed:\n'
        printf '  %s\n' "${failures[@]}"
    fi
    printf '\n%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
    [[ $failed -eq 0 && $passed -gt 0 ]]
    exit
}
