using System.Collections.Concurrent;
using Microsoft.Azure.WebJobs.Extensions.Timers;

namespace Postroom.HostCheck;

/// <summary>
/// When each timer ran last, in memory: the monitor that comes with the timers (3.0.6) keeps it through a type that
/// Microsoft.Azure.WebJobs.Host.Storage 5 no longer has. The locks are in storage all the same.
/// </summary>
public sealed class MemoryScheduleMonitor : ScheduleMonitor
{
    private readonly ConcurrentDictionary<string, ScheduleStatus> kept = new();

    public override Task<ScheduleStatus?> GetStatusAsync(string timerName) =>
        Task.FromResult(kept.GetValueOrDefault(timerName));

    public override Task UpdateStatusAsync(string timerName, ScheduleStatus status)
    {
        kept[timerName] = status;
        return Task.CompletedTask;
    }
}
