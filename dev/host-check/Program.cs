// Microsoft's WebJobs SDK, of which the Functions host is made, before the built app: its listeners take the queues and
// the timers, its locks let one instance run a timer, and each invocation goes to the app over HTTP.
//
//   listeners APP_URL APP_FOLDER [SCHEDULE]
//
// The functions are those that the app registers, the queue settings those of its host.json, the app settings those of
// the environment. With SCHEDULE every timer keeps that schedule in place of its own. Standard output has one JSON line
// when all listen and one for each invocation, standard error the SDK's log. SIGTERM and the end of standard input end
// it in order.
using Microsoft.Azure.WebJobs;
using Microsoft.Azure.WebJobs.Extensions.Timers;
using Microsoft.Azure.WebJobs.Host;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using Postroom.HostCheck;

if (args.Length < 2)
{
    Console.Error.WriteLine("Usage: listeners APP_URL APP_FOLDER [SCHEDULE]");
    return 2;
}

App.Url = new Uri(args[0]);
var registered = await App.ListFunctions();
var functions = GeneratedFunctions.Of(registered, everyTimer: args.ElementAtOrDefault(2));

using var host = new HostBuilder()
    .ConfigureAppConfiguration(configuration => configuration
        .AddJsonFile(Path.GetFullPath(Path.Combine(args[1], "host.json")))
        .AddEnvironmentVariables())
    .ConfigureLogging(logging => logging
        .SetMinimumLevel(LogLevel.Information)
        .AddConsole(options => options.LogToStandardErrorThreshold = LogLevel.Trace))
    .ConfigureWebJobs((context, webJobs) =>
    {
        webJobs.AddAzureStorageCoreServices();
        webJobs.AddAzureStorageQueues(options =>
        {
            context.Configuration.GetSection("extensions:queues").Bind(options);
            // The default is a minute: a check should not wait for it.
            options.MaxPollingInterval = TimeSpan.FromSeconds(1);
        });
        webJobs.AddTimers();
    })
    // After the timers, which bring a monitor of their own.
    .ConfigureServices((context, services) =>
    {
        services.AddSingleton<ITypeLocator>(new GivenTypes(functions));
        services.AddSingleton<ScheduleMonitor, MemoryScheduleMonitor>();
        // The default waits a minute before it looks again whether another instance has let a timer go.
        services.Configure<SingletonOptions>(options =>
            options.ListenerLockRecoveryPollingInterval = TimeSpan.FromSeconds(15));
    })
    .Build();

await host.StartAsync();
App.Say(new { ready = true });
_ = Task.Run(async () =>
{
    await Console.In.ReadToEndAsync();
    await host.StopAsync();
});
await host.WaitForShutdownAsync();
return 0;
