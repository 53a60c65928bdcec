using System.Globalization;
using System.Text;

namespace Pure.Chat.Templates;

/// <summary><c>datetime.strftime</c> with the directives of C and glibc, in English, without a time zone.</summary>
internal static class StrfTime
{
    private static readonly DateTimeFormatInfo English = CultureInfo.InvariantCulture.DateTimeFormat;

    internal static string Format(string format, DateTime time)
    {
        var text = new StringBuilder();
        for (int at = 0; at < format.Length; at++)
        {
            if (format[at] != '%' || at + 1 == format.Length)
            {
                text.Append(format[at]);
                continue;
            }

            char letter = format[++at];
            char flag = '\0';
            if (letter is '-' or '_' or '0' or '^' or '#' && at + 1 < format.Length)
            {
                flag = letter;
                letter = format[++at];
            }

            text.Append(Flagged(Directive(letter, time), flag));
        }

        return text.ToString();
    }

    private static string Flagged(string text, char flag) => flag switch
    {
        '-' when text.Length > 1 => text.TrimStart('0', ' ') is { Length: > 0 } rest ? rest : "0",
        '_' => text.TrimStart('0').PadLeft(text.Length),
        '^' => text.ToUpperInvariant(),
        _ => text,
    };

    private static string Directive(char letter, DateTime time) => letter switch
    {
        'Y' => Number(time.Year, 1),
        'C' => Number(time.Year / 100, 2),
        'y' => Number(time.Year % 100, 2),
        'm' => Number(time.Month, 2),
        'd' => Number(time.Day, 2),
        'e' => Number(time.Day, 1).PadLeft(2),
        'H' => Number(time.Hour, 2),
        'k' => Number(time.Hour, 1).PadLeft(2),
        'I' => Number(Hour12(time), 2),
        'l' => Number(Hour12(time), 1).PadLeft(2),
        'M' => Number(time.Minute, 2),
        'S' => Number(time.Second, 2),
        'f' => Number((int)(time.Ticks % TimeSpan.TicksPerSecond / 10), 6),
        'j' => Number(time.DayOfYear, 3),
        'p' => time.Hour < 12 ? "AM" : "PM",
        'P' => time.Hour < 12 ? "am" : "pm",
        'a' => English.GetAbbreviatedDayName(time.DayOfWeek),
        'A' => English.GetDayName(time.DayOfWeek),
        'b' or 'h' => English.GetAbbreviatedMonthName(time.Month),
        'B' => English.GetMonthName(time.Month),
        'w' => Number((int)time.DayOfWeek, 1),
        'u' => Number(Weekday(time) + 1, 1),
        'U' => Number((time.DayOfYear + 6 - (int)time.DayOfWeek) / 7, 2),
        'W' => Number((time.DayOfYear + 6 - Weekday(time)) / 7, 2),
        'V' => Number(ISOWeek.GetWeekOfYear(time), 2),
        'G' => Number(ISOWeek.GetYear(time), 1),
        'g' => Number(ISOWeek.GetYear(time) % 100, 2),
        's' => Number((long)(time - DateTime.UnixEpoch).TotalSeconds, 1),
        'n' => "\n",
        't' => "\t",
        '%' => "%",
        'z' or 'Z' => "",
        'D' or 'x' => Format("%m/%d/%y", time),
        'F' => Format("%Y-%m-%d", time),
        'R' => Format("%H:%M", time),
        'T' or 'X' => Format("%H:%M:%S", time),
        'r' => Format("%I:%M:%S %p", time),
        'c' => Format("%a %b %e %H:%M:%S %Y", time),
        _ => "%" + letter,
    };

    private static string Number(long number, int digits) => number.ToString("D" + digits, CultureInfo.InvariantCulture);

    private static int Hour12(DateTime time) => ((time.Hour + 11) % 12) + 1;

    /// <summary>From 0 for Monday.</summary>
    private static int Weekday(DateTime time) => ((int)time.DayOfWeek + 6) % 7;
}
