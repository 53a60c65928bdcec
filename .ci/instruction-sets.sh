# The engine's tests again on the lower paths. The switches are .NET 10's; each run asserts which path it is on
# (PURE_EXPECT_ISA, IsaExpectationTests), so that a switch that a runtime ignores fails instead of proving nothing.

engine_tests=(tests/Pure.Engine.Tests/bin/Release/net10.0/Pure.Engine.Tests -noColor)
proved=("$best_isa" scalar)

# lower ISA SWITCH...: the tests with the instruction sets above ISA switched off.
lower() {
    local isa=$1
    shift
    proved+=("$isa")
    suite "engine tests on $isa ($*)" env PURE_EXPECT_ISA="$isa" "$@" "${engine_tests[@]}" || true
}

if [[ $best_isa == avx512 ]] && has avx_vnni; then
    lower avx-vnni DOTNET_EnableAVX512=0
fi
if [[ $best_isa == avx512 || $best_isa == avx-vnni ]]; then
    lower avx2 DOTNET_EnableAVX512=0 DOTNET_EnableAVXVNNI=0
fi
case $best_isa in
    avx*) lower scalar DOTNET_EnableAVX2=0 ;;
    neon) lower neon DOTNET_EnableArm64Dp=0 ;;
    *) ;;
esac
# The definitions once more where the runtime itself has no intrinsics: what shows them and whole models, not every test again.
suite "kernels and golden logits on scalar (DOTNET_EnableHWIntrinsic=0)" env PURE_EXPECT_ISA=scalar DOTNET_EnableHWIntrinsic=0 \
    "${engine_tests[@]}" -class 'Pure.Engine.Tests.Kernels.*' -class '*.GoldenLogitsTests' -class '*.IsaExpectationTests' || true

# elsewhere ISA RID MACHINE: how to prove the kernels of a path that this machine cannot run. The folder that is published needs no .NET.
elsewhere() {
    [[ " ${proved[*]} " == *" $1 "* ]] && return
    printf 'skipped %s, which this machine cannot run. On %s:\n' "$1" "$3"
    printf '        dotnet publish tests/Pure.Engine.Tests -c Release -r %s --self-contained -o engine-tests && engine-tests/Pure.Engine.Tests -namespace Pure.Engine.Tests.Kernels\n' "$2"
}
elsewhere neon linux-arm64 "an Arm machine, or built here and its folder copied there"
elsewhere avx2 linux-x64 "an x64 machine"
elsewhere avx-vnni linux-x64 "an x64 machine with AVX-VNNI and without AVX-512 (Alder Lake, Zen 5 with DOTNET_EnableAVX512=0, …)"
elsewhere avx512 linux-x64 "an x64 machine with AVX-512"

# Compiled code for Arm: that its dot products of bytes are in it (sdot Vd.4S, Vn.16B, Vm.16B is the word 0100_1110_100m_mmmm_1001_01nn_nnnd_dddd).
arm64=$artifacts/engine-linux-arm64
compiles_for_arm() {
    dotnet publish tests/Pure.Engine.Tests -c Release -r linux-arm64 --self-contained -p:PublishReadyToRun=true \
        -p:PublishReadyToRunCrossgen2ExtraArgs=--instruction-set:dotprod -o "$arm64" --nologo -v quiet &&
        od -An -v -t x4 -w4 "$arm64/Pure.Engine.dll" | grep -ciE '^ 4e[89][0-9a-f]9[4-7][0-9a-f]{2}$'
}
check "the tests and the NEON kernels compile for linux-arm64" compiles_for_arm || true
