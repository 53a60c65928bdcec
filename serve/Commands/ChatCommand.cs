using System.CommandLine;
using Pure.Chat;
using Pure.Chat.Templates;
using Pure.Engine;
using Pure.Engine.Models;
using Pure.Serve.CommandLine;

namespace Pure.Serve.Commands;

/// <summary><c>pure chat</c>: a conversation, turn by turn.</summary>
internal sealed class ChatCommand : PureCommand
{
    private const int DefaultContext = 8192;

    private const string Help =
        """
        /system TEXT   set the system message; without TEXT, take it away
        /reset         forget what was said; the system message stays
        /save F        write the conversation to a JSON file
        /load F        go on with the conversation in a JSON file
        /help          this list
        /bye           end (so does the end of the input)
        Ctrl-C stops an answer or gives up a line. Several lines, or one that begins with /, go between triple
        quotes.

        """;

    private readonly ModelArgument _model = new();
    private readonly EngineOptions _engine = new();
    private readonly SamplingChoice _sampling = new();
    private readonly SpeculationChoice _speculation = new();
    private readonly Option<string?> _system = ValueOptions.Text("--system", [], "TEXT", "The system message to begin with.");

    private readonly Option<string?> _template = ValueOptions.Text(
        "--template", [], "F|MODEL", "Another chat template than the model's own: a Jinja file, or a model that carries one.");

    private readonly Option<int?> _count = ValueOptions.OptionalNumber<int>(
        "--n-predict", ["-n"], "N", "Most tokens of an answer. Default: as many as the context has room for.", "from 1 up", count => count > 0);

    private readonly Option<int?> _context = ValueOptions.OptionalNumber<int>(
        "--ctx-size", ["-c"], "N", $"Most tokens of the conversation. Default: {DefaultContext}, or all the model takes if that is less.",
        "from 1 up", count => count > 0);

    internal ChatCommand()
        : base("chat", "Talk with a model, turn by turn.")
    {
        Add(_model.Argument);
        AddGroups(
            new OptionGroup("Chat", [_system, _template, _count, _context, .. _speculation.Options]),
            _sampling.Group,
            _engine.Group,
            _engine.Memory,
            _engine.Device,
            _engine.Positions);
    }

    internal override IReadOnlyList<Example> Examples =>
    [
        new("pure chat", "the embedded model, which tells stories: \"Tell me a story about a dog.\""),
        new("pure chat model.gguf --system \"You answer in one sentence.\"", "another model, with a system message"),
        new("printf 'Hello\\nWho are you?\\n' | pure chat model.gguf --temp 0", "two turns from a pipe; answers on standard output"),
    ];

    internal override IReadOnlyList<string> Notes =>
    [
        "Inside: /system TEXT, /reset, /save F, /load F, /help, /bye. Ctrl-C stops the answer and not the program. The model's own chat "
        + "template makes the prompts; pure render shows them.",
        SamplingChoice.Note,
    ];

    internal override int Run(ParseResult parsed, CommandStreams streams, CancellationToken cancellation)
    {
        ChatTemplate? other = parsed.GetValue(_template) is { } path ? RenderCommand.ReadTemplate(path, streams) : null;
        int? given = parsed.GetValue(_context);
        using LanguageModel model = _model.Load(parsed, _engine.Read(parsed, streams, context: given, positions: given ?? DefaultContext));
        DeviceChoice.Say(model.Model, streams);
        using Model? draft = _speculation.LoadDraft(parsed, model);
        TextOptions options = SamplingChoice.Settle(_speculation.Read(parsed, _sampling.Read(parsed)), model) with
        {
            MaxTokens = parsed.GetValue(_count),
            DraftModel = draft,
        };
        ModelTemplate template = (other is null ? ModelTemplate.Find(model) : new ModelTemplate(other, model.Tokenizer))
            ?? throw new UsageException(
                $"{RenderCommand.DescribeMissing(model.Model.File.Path)}; give one with --template, or continue texts with pure run.");
        int context = given ?? Math.Min(DefaultContext, model.Model.Info.ContextLength);
        using var conversation = new ChatConversation(model, template, context);
        if (parsed.GetValue(_system) is { } system)
            conversation.SetSystem(TextInput.Check(system, "--system"));
        using var input = new ChatInput(streams);
        using var answer = new Interruptible(streams.Interruption, input.Abandon, cancellation);
        Talk(conversation, options, input, answer, streams);
        return ExitCode.Success;
    }

    private static void Talk(
        ChatConversation conversation, TextOptions options, ChatInput input, Interruptible answer, CommandStreams streams)
    {
        if (streams.OutputIsTerminal)
            streams.Output.Write("/help lists what can be typed.\n");
        while (input.Read() is var (text, isQuoted))
        {
            try
            {
                if (!isQuoted && text.TrimStart().StartsWith('/'))
                {
                    if (!Obey(text.Trim(), conversation, streams))
                        return;
                }
                else if (!string.IsNullOrWhiteSpace(text))
                {
                    Answer(conversation, text, options, answer, streams);
                }
            }
            catch (Exception error) when (error is UsageException or InvalidRequestException or TemplateException)
            {
                streams.Error.Write($"{error.Message}\n");
            }
        }

        if (streams.OutputIsTerminal)
            streams.Output.Write('\n');
    }

    private static void Answer(
        ChatConversation conversation, string text, TextOptions options, Interruptible answer, CommandStreams streams)
    {
        StopReason? reason;
        try
        {
            reason = conversation.Say(text, options, streams.Output.Write, answer.Begin());
        }
        finally
        {
            answer.End();
        }

        streams.Output.Write('\n');
        if (reason == StopReason.ContextFull)
            streams.Error.Write("The context is full: /reset forgets what was said, -c N makes room for more.\n");
    }

    /// <summary>Does what a line with a slash says; false ends the conversation.</summary>
    private static bool Obey(string line, ChatConversation conversation, CommandStreams streams)
    {
        int space = line.IndexOf(' ', StringComparison.Ordinal);
        string command = space < 0 ? line : line[..space];
        string rest = space < 0 ? "" : line[space..].Trim();
        switch (command)
        {
            case "/bye" or "/exit" or "/quit":
                return false;
            case "/help" or "/?":
                streams.Output.Write(Help);
                return true;
            case "/system":
                conversation.SetSystem(rest);
                return true;
            case "/reset" or "/clear":
                conversation.Reset();
                return true;
            case "/save":
                ChatFile.Write(NeedFile(command, rest), conversation.Messages);
                return true;
            case "/load":
                conversation.Replace(ChatFile.Read(NeedFile(command, rest), streams));
                return true;
            default:
                throw new UsageException($"{command} is no command here; /help lists them.");
        }
    }

    private static string NeedFile(string command, string path) =>
        path.Length == 0 ? throw new UsageException($"{command} needs the name of a file.")
        : path == "-" ? throw new UsageException($"{command} needs a file, not -: standard input is the conversation.")
        : path;

    /// <summary>Ctrl-C for as long as the command runs: it cancels the answer that is being written or, if there is none, gives up
    /// what is being typed.</summary>
    private sealed class Interruptible : IDisposable
    {
        private readonly Interruption? _interruption;
        private readonly Action _abandonInput;
        private readonly CancellationToken _outer;
        private readonly Lock _lock = new();
        private CancellationTokenSource? _answer;

        internal Interruptible(Interruption? interruption, Action abandonInput, CancellationToken outer)
        {
            _interruption = interruption;
            _abandonInput = abandonInput;
            _outer = outer;
            interruption?.Diversion = Stop;
        }

        internal CancellationToken Begin()
        {
            lock (_lock)
            {
                _answer?.Dispose();
                _answer = CancellationTokenSource.CreateLinkedTokenSource(_outer);
                return _answer.Token;
            }
        }

        internal void End()
        {
            lock (_lock)
            {
                _answer?.Dispose();
                _answer = null;
            }
        }

        public void Dispose()
        {
            _interruption?.Diversion = null;
            End();
        }

        private void Stop()
        {
            lock (_lock)
            {
                if (_answer is not null)
                    _answer.Cancel();
                else
                    _abandonInput();
            }
        }
    }
}
