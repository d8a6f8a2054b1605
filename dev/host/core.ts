import { randomUUID } from 'node:crypto';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { Server as HttpServer } from 'node:http';
import type { Server } from 'node:net';
import type {
  Binding,
  HookContext,
  InvocationResponse,
  LogLevel,
  ProgrammingModel,
  TypedData,
} from './core-types.ts';

/** https://nodejs.org/api/diagnostics_channel.html#net */
const SERVER_LISTENS = 'tracing:net.server.listen:asyncStart';

/** One registered function. */
export interface RegisteredFunction {
  name: string;
  bindings: Readonly<Record<string, Binding>>;
  trigger: Binding & { name: string };
  callback: (...inputs: unknown[]) => unknown;
}

export type HostLog = (level: LogLevel, message: string, functionName?: string) => void;

export interface InvocationInput {
  /** Created here if absent. */
  invocationId?: string;
  data: TypedData;
  triggerMetadata?: Readonly<Record<string, TypedData>>;
}

/** Replaces the Functions worker: accepts registrations and runs invocations in this process. */
export interface Core {
  log: HostLog;
  /** The module `@azure/functions-core` that the library requests. */
  module: Record<string, unknown>;
  functions: ReadonlyMap<string, RegisteredFunction>;
  /** The URL of the app's own server, if the app streams its responses. */
  readonly httpUri: string | undefined;
  /** Ends the registration: later ones are refused, as on Azure. Runs the appStart hooks. */
  start(appDir: string): Promise<void>;
  /** Runs a function and returns the worker's response; rejects with the error of the handler. */
  invoke(target: RegisteredFunction, input: InvocationInput): Promise<InvocationResponse>;
  /** Runs the appTerminate hooks and ends the app's own server. */
  terminate(): Promise<void>;
}

/**
 * The library converts requests, cookies and responses itself, using the model that it passes on, so a
 * local host keeps its real behavior. The interface is undocumented; its types are in the sources of
 * azure-functions-nodejs-worker.
 */
export function createCore(log: HostLog): Core {
  const functions = new Map<string, RegisteredFunction>();
  const hooks = new Map<string, ((context: HookContext) => unknown)[]>();
  const appHookData = {};
  let model: ProgrammingModel | undefined;
  let started = false;
  let httpUri: string | undefined;
  const servers: Server[] = [];

  const runHooks = async (name: string, context: HookContext): Promise<void> => {
    for (const hook of hooks.get(name) ?? []) await hook(context);
  };

  const module = {
    version: '3.14.1',
    hostVersion: '4.1052.200',
    Disposable,
    log: (level: LogLevel, _category: string, message: string) => log(level, message),
    setProgrammingModel: (given: ProgrammingModel) => {
      model = given;
    },
    getProgrammingModel: () => model,
    registerHook(name: string, callback: (context: HookContext) => unknown): Disposable {
      const list = hooks.get(name) ?? [];
      list.push(callback);
      hooks.set(name, list);
      return new Disposable(() => list.splice(list.indexOf(callback), 1));
    },
    registerFunction(
      { name, bindings }: { name: string; bindings: Record<string, Binding> },
      callback: RegisteredFunction['callback'],
    ): Disposable {
      if (started) throw new Error('A function can only be registered during app startup.');
      if (functions.has(name)) throw new Error(`A function with id "${name}" has already been registered.`);
      const found = Object.entries(bindings).find(([, { type }]) => type.toLowerCase().endsWith('trigger'));
      if (found === undefined) throw new Error(`The function ${name} has no trigger.`);
      const [bindingName, trigger] = found;
      functions.set(name, { name, bindings, trigger: { ...trigger, name: bindingName }, callback });
      return new Disposable(() => functions.delete(name));
    },
  };

  return {
    log,
    module,
    functions,
    get httpUri() {
      return httpUri;
    },
    async start(functionAppDirectory) {
      await runHooks('appStart', { hookData: {}, appHookData, functionAppDirectory });
      started = true;
      if (functions.size === 0) throw new Error('The app registered no function.');
      // From here on, the library rejects changes to its setup.
      const note = (message: unknown): void => void servers.push((message as { server: Server }).server);
      subscribe(SERVER_LISTENS, note);
      try {
        httpUri = (await model?.getCapabilities?.({}))?.['HttpUri'];
      } finally {
        unsubscribe(SERVER_LISTENS, note);
      }
    },
    async invoke(
      { name, bindings, trigger, callback },
      { data, triggerMetadata = {}, invocationId = randomUUID() },
    ) {
      if (model === undefined) throw new Error('The app has no programming model.');
      const invocation = model.getInvocationModel({
        invocationId,
        metadata: { name, bindings },
        request: {
          invocationId,
          functionId: name,
          inputData: [{ name: trigger.name, data }],
          triggerMetadata,
          traceContext: {},
        },
        log: (level, _category, message) => log(level, message, name),
      });
      const { context, inputs } = await invocation.getArguments();
      const shared = { hookData: {}, appHookData, invocationContext: context };
      const before = { ...shared, functionCallback: callback, inputs };
      await runHooks('preInvocation', before);
      const after: HookContext = { ...shared, inputs: before.inputs, result: null, error: null };
      const began = performance.now();
      try {
        after['result'] = await invocation.invokeFunction(context, before.inputs, before.functionCallback);
      } catch (error) {
        after['error'] = error;
      }
      // The platform's own log line, from which executions are counted and timed.
      const said = after['error'] === null ? 'Succeeded' : 'Failed';
      const ms = Math.round(performance.now() - began);
      log('debug', `Executed 'Functions.${name}' (${said}, Id=${invocationId}, Duration=${ms}ms)`, name);
      await runHooks('postInvocation', after);
      if (after['error'] !== null) throw after['error'];
      return invocation.getResponse(context, after['result']);
    },
    async terminate() {
      await runHooks('appTerminate', { hookData: {}, appHookData });
      for (const server of servers) {
        server.close();
        if (server instanceof HttpServer) server.closeAllConnections();
      }
    },
  };
}

class Disposable {
  static from(...all: Disposable[]): Disposable {
    return new Disposable(() => {
      for (const one of all) one.dispose();
    });
  }

  readonly #dispose: () => unknown;

  constructor(dispose: () => unknown) {
    this.#dispose = dispose;
  }

  dispose(): void {
    this.#dispose();
  }
}
