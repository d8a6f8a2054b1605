using System.Net.Http.Json;
using System.Text.Json;
using Azure.Storage.Queues.Models;
using Microsoft.Azure.WebJobs;

namespace Postroom.HostCheck;

/// <summary>A binding as the app registered it, such as {"type":"queueTrigger","queueName":"fetch-shard"}.</summary>
public sealed record Binding(string Type, string? QueueName, string? Connection, string? Schedule);

/// <summary>A timer or queue function of the app.</summary>
public sealed record RegisteredFunction(string Name, Binding Trigger);

/// <summary>The built app, in a process of its own.</summary>
public static class App
{
    // The limit of a function on Flex Consumption is half an hour by default; a check ends long before.
    private static readonly HttpClient Client = new() { Timeout = TimeSpan.FromMinutes(10) };

    public static Uri Url { get; set; } = new("http://localhost");

    public static async Task<IReadOnlyList<RegisteredFunction>> ListFunctions() =>
        await Client.GetFromJsonAsync<RegisteredFunction[]>(new Uri(Url, "/admin/functions"), JsonSerializerOptions.Web)
        ?? throw new InvalidOperationException("The app lists no functions.");

    /// <summary>What every generated queue function calls. Throws when the app's function failed.</summary>
    public static Task RunQueue(string name, QueueMessage message) => Run(name, message.DequeueCount, new
    {
        message = message.Body.ToString(),
        id = message.MessageId,
        popReceipt = message.PopReceipt,
        dequeueCount = message.DequeueCount,
        insertedOn = message.InsertedOn,
        expiresOn = message.ExpiresOn,
        nextVisibleOn = message.NextVisibleOn,
    });

    /// <summary>What every generated timer function calls. Throws when the app's function failed.</summary>
    public static Task RunTimer(string name, TimerInfo timer) => Run(name, null, new { isPastDue = timer.IsPastDue });

    /// <summary>One JSON line on standard output.</summary>
    public static void Say(object line) => Console.Out.WriteLine(JsonSerializer.Serialize(line, JsonSerializerOptions.Web));

    private static async Task Run(string name, long? dequeueCount, object input)
    {
        var startedAt = DateTimeOffset.UtcNow;
        using var answer = await Client.PostAsJsonAsync(new Uri(Url, $"/admin/invocations/{name}"), input);
        Say(new { function = name, startedAt, dequeueCount, ok = answer.IsSuccessStatusCode });
        if (!answer.IsSuccessStatusCode)
            throw new InvalidOperationException($"{name} failed: {await answer.Content.ReadAsStringAsync()}");
    }
}
