using System.Text.Json;

namespace Pure.Chat.Templates;

/// <summary>
/// A chat template: a program in the language Jinja (https://jinja.palletsprojects.com/en/stable/templates/) that makes a prompt of
/// messages. It is interpreted as jinja2 3.1 does with <c>transformers</c>' settings: no autoescape, <c>trim_blocks</c>,
/// <c>lstrip_blocks</c>, <c>break</c> and <c>continue</c>, <c>generation</c> blocks, <c>raise_exception</c>, <c>strftime_now</c>, its
/// <c>tojson</c>; besides, lists can be changed and there is <c>from_json</c>, as in llama.cpp. A template sees the variables it is
/// given and nothing else: no file, no network, no type of the host.
/// </summary>
public sealed class ChatTemplate
{
    private readonly Statement[] _body;

    private ChatTemplate(string name, Statement[] body)
    {
        Name = name;
        _body = body;
    }

    /// <summary>What errors call it.</summary>
    public string Name { get; }

    /// <summary>Reads a template.</summary>
    /// <param name="source">The text of the template.</param>
    /// <param name="name">What errors call it: a path, or a model's name.</param>
    /// <param name="syntax">How blanks around tags are read.</param>
    /// <exception cref="TemplateException">The text is not a template.</exception>
    public static ChatTemplate Parse(string source, string name = "chat template", TemplateSyntax? syntax = null)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(name);
        try
        {
            List<Token> tokens = new Lexer(source, syntax ?? new TemplateSyntax()).ReadAll();
            return new ChatTemplate(name, new StatementParser(new TokenReader(tokens)).ParseTemplate());
        }
        catch (SyntaxFault fault)
        {
            throw new TemplateException(name, fault.Line, fault.Message);
        }
    }

    /// <summary>Makes the prompt.</summary>
    /// <param name="variables">
    /// An object: each property is a variable (<c>messages</c>, <c>tools</c>, <c>add_generation_prompt</c>, <c>bos_token</c>, …). JSON's
    /// <c>null</c> is a variable that is none; one that is missing is undefined.
    /// </param>
    /// <param name="options">Clock and limits.</param>
    /// <exception cref="TemplateException">
    /// The template refuses the variables (<see cref="TemplateException.IsRaisedByTemplate"/>), fails on them, or passes a limit.
    /// </exception>
    public string Render(JsonElement variables, RenderOptions? options = null)
    {
        options ??= new RenderOptions();
        var budget = new Budget(options);
        var evaluator = new Evaluator(budget, options.Now);
        try
        {
            return evaluator.Run(_body, JsonReader.ReadVariables(variables, budget));
        }
        catch (RaisedFault fault)
        {
            throw TemplateException.Raised(Name, evaluator.Line, fault.Message);
        }
        catch (Fault fault)
        {
            throw new TemplateException(Name, evaluator.Line, fault.Message);
        }
    }
}
