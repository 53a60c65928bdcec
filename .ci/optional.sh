# Optional projects (Directory.Build.targets) are switched on where their packages can be had, for everything that follows.

left_out=()

# restores PROJECT: whether the package source has what an optional project asks for. The question is put by a project outside this
# checkout, which is left as it is.
restores() {
    local probe=$scratch/probe
    mkdir -p "$probe"
    cp Directory.Packages.props "$probe"
    {
        echo '<Project Sdk="Microsoft.NET.Sdk">'
        echo '<PropertyGroup><TargetFramework>net10.0</TargetFramework><TreatWarningsAsErrors>true</TreatWarningsAsErrors></PropertyGroup>'
        echo '<ItemGroup>'
        grep -o '<PackageReference [^>]*>' "$1"
        echo '</ItemGroup></Project>'
    } >"$probe/probe.csproj"
    timeout 120 dotnet restore "$probe/probe.csproj" --force --nologo >"$logs/probe.log" 2>&1 </dev/null
}

says_what_is_left_out() {
    dotnet build "$1" -c Release --nologo 2>&1 | tee "$logs/left-out.log"
    [[ $(grep -c -- "-> left out, .*-p:$2=true" "$logs/left-out.log") -eq 1 ]]
}

while IFS=: read -r project mark; do
    [[ $project != tests/* ]] || continue
    switch=$(sed -E 's/.*>(\w+)<.*/\1/' <<<"$mark")
    if restores "$project"; then
        export "$switch=true"
        echo "        $(basename "$project" .csproj) is built and tested: its package is here."
    else
        unset "$switch"
        left_out+=("$(basename "$project" .csproj)")
        echo "        $(basename "$project" .csproj) is left out: $(sed -nE 's/.*error (NU[0-9]+: [^[]*).*/\1/p' "$logs/probe.log" | head -n 1)"
        check "a build says that it is left out, in one line" says_what_is_left_out "$project" "$switch" || true
    fi
done < <(grep -r --include=*.csproj '<MissingSwitch ' . | sed 's|^\./||' | sort)
