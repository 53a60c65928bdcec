using Pure.Serve;

using var interruption = new Interruption();
return Cli.Run(args, CommandStreams.OfConsole(interruption), interruption.Token);
