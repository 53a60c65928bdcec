# What this machine is: its runtime identifier and the best instruction set that the kernels can use on it.

case $(uname -m) in
    aarch64 | arm64) rid=linux-arm64 ;;
    *) rid=linux-x64 ;;
esac

# has FLAG...: whether the processor has all of them.
has() {
    local flag
    for flag in "$@"; do
        grep -qwm1 "$flag" /proc/cpuinfo || return 1
    done
}

if has avx512f avx512bw avx512cd avx512dq avx512vl; then
    best_isa=avx512
elif has avx2 fma avx_vnni; then
    best_isa=avx-vnni
elif has avx2 fma; then
    best_isa=avx2
elif has asimd; then
    best_isa=neon
else
    best_isa=scalar
fi

printf '%s, %s cores, %s, best instruction set: %s\n' \
    "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)" "$(nproc)" "$rid" "$best_isa"
