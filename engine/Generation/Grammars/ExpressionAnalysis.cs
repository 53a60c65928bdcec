namespace Pure.Engine.Generation.Grammars;

/// <summary>
/// What a compiler has to know of a grammar's expressions: which may be empty, and that no rule begins with itself, for such a rule could be
/// entered for ever without a byte. Time is linear in the size of the grammar.
/// </summary>
internal sealed class ExpressionAnalysis
{
    private readonly Dictionary<Expression, List<Expression>> _users = []; // of every expression below the root, those that it is a part of
    private readonly HashSet<Expression> _nullable = [];
    private readonly Dictionary<Expression, Expression> _nonEmpty = [];
    private readonly Dictionary<Rule, Rule> _nonEmptyRules = [];
    private readonly Queue<Rule> _undefined = []; // of the keys of the latter, those whose value has no definition yet

    /// <exception cref="InvalidRequestException">A rule begins with itself, or is not defined.</exception>
    internal ExpressionAnalysis(Expression root)
    {
        Collect(root);
        FindNullable();
        RefuseLeftRecursion(root);
    }

    /// <summary>Whether an expression may be the empty text.</summary>
    internal bool IsNullable(Expression expression) => _nullable.Contains(expression);

    /// <summary>The same texts but the empty one.</summary>
    internal Expression NonEmpty(Expression expression)
    {
        Expression result = WithoutEmpty(expression);
        while (_undefined.TryDequeue(out Rule? rule))
            _nonEmptyRules[rule].Definition = WithoutEmpty(rule.Definition);
        return result;
    }

    private Expression WithoutEmpty(Expression expression)
    {
        if (!IsNullable(expression))
            return expression;
        if (_nonEmpty.TryGetValue(expression, out Expression? known))
            return known;
        Expression result = expression switch
        {
            // The first part that is not empty, and those after it.
            Expression.InOrder { Parts: var parts } => Expression.Any(
                [.. parts.Select((part, at) => Expression.Sequence([WithoutEmpty(part), .. parts.Skip(at + 1)]))]),
            Expression.OneOf { Options: var options } => Expression.Any([.. options.Select(WithoutEmpty)]),
            Expression.Repeated { Body: var body, Most: var most } => Expression.Repeat(WithoutEmpty(body), 1, most),
            Expression.Reference { Rule: var rule } => WithoutEmpty(rule),
            _ => throw new InvalidOperationException($"{expression.GetType().Name} is never empty."),
        };
        return _nonEmpty[expression] = result;
    }

    private Expression.Reference WithoutEmpty(Rule rule)
    {
        if (!_nonEmptyRules.TryGetValue(rule, out Rule? result))
        {
            _nonEmptyRules[rule] = result = new Rule(rule.Name);
            _undefined.Enqueue(rule);
        }

        return new Expression.Reference(result);
    }

    private static IEnumerable<Expression> Parts(Expression expression) => expression switch
    {
        Expression.InOrder sequence => sequence.Parts,
        Expression.OneOf choice => choice.Options,
        Expression.Repeated repeated => [repeated.Body],
        Expression.Reference reference => [reference.Rule.Definition],
        _ => [],
    };

    private void Collect(Expression root)
    {
        var unseen = new Stack<Expression>([root]);
        _users[root] = [];
        while (unseen.TryPop(out Expression? expression))
        {
            foreach (Expression part in Parts(expression))
            {
                if (!_users.TryGetValue(part, out List<Expression>? users))
                {
                    _users[part] = users = [];
                    unseen.Push(part);
                }

                users.Add(expression);
            }
        }
    }

    /// <summary>From those that are empty in themselves to those that become so by them, each user counted down once per part.</summary>
    private void FindNullable()
    {
        var missing = new Dictionary<Expression, int>();
        var found = new Stack<Expression>();
        foreach (Expression expression in _users.Keys)
        {
            missing[expression] = expression is Expression.InOrder sequence ? sequence.Parts.Count : 1;
            if (expression is Expression.InOrder { Parts.Count: 0 } or Expression.Repeated { Least: 0 })
                found.Push(expression);
        }

        while (found.TryPop(out Expression? expression))
        {
            if (!_nullable.Add(expression))
                continue;
            foreach (Expression user in _users[expression])
            {
                if (--missing[user] == 0)
                    found.Push(user);
            }
        }
    }

    private void RefuseLeftRecursion(Expression root)
    {
        var isOpen = new Dictionary<Expression, bool>(); // true while what begins the expression is being followed
        var path = new Stack<(Expression Expression, IEnumerator<Expression> Firsts)>();
        foreach (Expression expression in _users.Keys.Prepend(root))
        {
            Enter(expression);
            while (path.TryPeek(out (Expression Expression, IEnumerator<Expression> Firsts) top))
            {
                if (top.Firsts.MoveNext())
                {
                    Enter(top.Firsts.Current);
                }
                else
                {
                    isOpen[top.Expression] = false;
                    path.Pop();
                }
            }
        }

        void Enter(Expression expression)
        {
            if (!isOpen.TryGetValue(expression, out bool open))
            {
                isOpen[expression] = true;
                path.Push((expression, Firsts(expression).GetEnumerator()));
            }
            else if (open)
            {
                string name = path.Select(step => step.Expression).OfType<Expression.Reference>().First().Rule.Name;
                throw new InvalidRequestException(
                    $"The grammar's rule '{name}' can begin with itself, which would never end; write the repetition after the first element instead.");
            }
        }
    }

    /// <summary>The parts that can stand at the beginning.</summary>
    private IEnumerable<Expression> Firsts(Expression expression)
    {
        foreach (Expression part in Parts(expression))
        {
            yield return part;
            if (expression is Expression.InOrder && !IsNullable(part))
                yield break;
        }
    }
}
