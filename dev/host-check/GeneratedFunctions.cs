using System.Reflection;
using System.Reflection.Emit;
using Azure.Storage.Queues.Models;
using Microsoft.Azure.WebJobs;

namespace Postroom.HostCheck;

/// <summary>
/// The WebJobs SDK finds functions by the attributes of methods. The Functions host generates a method for each function
/// of an app in another language, and so does this
/// (https://github.com/Azure/azure-functions-host, FunctionGenerator.cs).
/// </summary>
public static class GeneratedFunctions
{
    /// <param name="everyTimer">A schedule in place of each timer's own.</param>
    public static Type Of(IEnumerable<RegisteredFunction> functions, string? everyTimer)
    {
        var assembly = AssemblyBuilder.DefineDynamicAssembly(new AssemblyName("AppFunctions"), AssemblyBuilderAccess.Run);
        var type = assembly.DefineDynamicModule("AppFunctions").DefineType(
            "AppFunctions", TypeAttributes.Public | TypeAttributes.Abstract | TypeAttributes.Sealed);
        foreach (var (name, trigger) in functions)
        {
            switch (trigger.Type)
            {
                case "queueTrigger":
                    var connection = typeof(QueueTriggerAttribute).GetProperty(nameof(QueueTriggerAttribute.Connection))!;
                    Define(type, name, typeof(QueueMessage), nameof(App.RunQueue), new CustomAttributeBuilder(
                        Constructor<QueueTriggerAttribute>(), [trigger.QueueName], [connection], [trigger.Connection]));
                    break;
                case "timerTrigger":
                    Define(type, name, typeof(TimerInfo), nameof(App.RunTimer), new CustomAttributeBuilder(
                        Constructor<TimerTriggerAttribute>(), [everyTimer ?? trigger.Schedule]));
                    break;
                default:
                    throw new NotSupportedException($"{name} has a trigger that this program cannot listen to: {trigger.Type}.");
            }
        }
        return type.CreateType();
    }

    /// <summary>public static Task NAME([TRIGGER] INPUT input) => App.TARGET("NAME", input);</summary>
    private static void Define(TypeBuilder type, string name, Type input, string target, CustomAttributeBuilder trigger)
    {
        var method = type.DefineMethod(
            name, MethodAttributes.Public | MethodAttributes.Static, typeof(Task), [input]);
        method.SetCustomAttribute(new CustomAttributeBuilder(Constructor<FunctionNameAttribute>(), [name]));
        method.DefineParameter(1, ParameterAttributes.None, "input").SetCustomAttribute(trigger);
        var body = method.GetILGenerator();
        body.Emit(OpCodes.Ldstr, name);
        body.Emit(OpCodes.Ldarg_0);
        body.Emit(OpCodes.Call, typeof(App).GetMethod(target)!);
        body.Emit(OpCodes.Ret);
    }

    private static ConstructorInfo Constructor<T>() => typeof(T).GetConstructor([typeof(string)])!;
}

/// <summary>Types that need no search.</summary>
public sealed class GivenTypes(params Type[] types) : ITypeLocator
{
    public IReadOnlyList<Type> GetTypes() => types;
}
