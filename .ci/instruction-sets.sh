# The engine's tests again on the lower paths. The switches are .NET 10's; each run asserts which path it is on
# (PURE_EXPECT_ISA, IsaExpectationTests), so that a switch that a runtime ignores fails instead of proving nothing.

engine_tests=(tests/Pure.Engine.Tests/bin/Release/net10.0/Pure.Engine.Tests -noColor)

if [[ $best_isa == avx512 ]]; then
    suite "engine tests without AVX-512, on avx2" env PURE_EXPECT_ISA=avx2 DOTNET_EnableAVX512=0 "${engine_tests[@]}" || true
else
    echo "        This processor has no AVX-512: the run above was on $best_isa, and the AVX-512 path is not proved here."
fi
if [[ $best_isa != scalar ]]; then
    suite "engine tests without AVX2, on scalar" env PURE_EXPECT_ISA=scalar DOTNET_EnableAVX2=0 "${engine_tests[@]}" || true
fi
suite "engine tests without any intrinsics, on scalar" env PURE_EXPECT_ISA=scalar DOTNET_EnableHWIntrinsic=0 "${engine_tests[@]}" || true
