# The packages hold what they should, and a fresh project outside this checkout can live on them and what they name from the usual source.

feed=$artifacts/packages
check "packages are made" dotnet pack Pure.sln -c Release --no-build -o "$feed" --nologo || return 0
ls -l "$feed"
suite "package contents" env PURE_PACKAGES="$feed" \
    tests/Pure.House.Tests/bin/Release/net10.0/Pure.House.Tests -noColor -class Pure.House.Tests.PackageTests || true

# The program is README's first sample. NUGET_PACKAGES is a folder of its own: a cached package of the same version would hide the new one.
consumer=$scratch/consumer
version=$(basename "$feed"/Pure.Chat.*.nupkg .nupkg)
version=${version#Pure.Chat.}
mkdir "$consumer"
sed -n '/^```csharp$/,/^```$/{/^```/!p;/^```$/q}' README.md >"$consumer/Program.cs"
cat >"$consumer/consumer.csproj" <<PROJECT
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup>
    <OutputType>Exe</OutputType>
    <TargetFramework>net10.0</TargetFramework>
    <ImplicitUsings>enable</ImplicitUsings>
    <Nullable>enable</Nullable>
  </PropertyGroup>
  <ItemGroup>
    <PackageReference Include="Pure.Chat" Version="[$version]" />
  </ItemGroup>
</Project>
PROJECT
cat >"$consumer/nuget.config" <<CONFIG
<configuration>
  <packageSources>
    <add key="folder" value="$feed" />
  </packageSources>
</configuration>
CONFIG
consume() (
    cd "$consumer" && export NUGET_PACKAGES=$scratch/nuget-packages &&
        dotnet run -c Release >"$logs/consumer.txt" && cat "$logs/consumer.txt" &&
        [[ $(wc -w <"$logs/consumer.txt") -ge 10 ]]
)
check "a fresh console project writes a story from the packages" consume && sed 's/^/        /' "$logs/consumer.txt" && echo

install_tool() (
    cd "$consumer" && export NUGET_PACKAGES=$scratch/nuget-packages &&
        dotnet tool install Pure.Tool --tool-path "$scratch/tools" --add-source "$feed" &&
        "$scratch/tools/pure" --version | grep -xE 'pure [0-9]+\.[0-9]+\.[0-9]+.*' &&
        "$scratch/tools/pure" run -p "Once upon a time" -n 20 --temp 0
)
check "the tool package installs and runs" install_tool || true
