/** The part of the worker's module `@azure/functions-core` that the library uses; Microsoft publishes no types for it. */
export type LogLevel = 'trace' | 'debug' | 'information' | 'warning' | 'error' | 'critical' | 'none';

export interface Binding {
  type: string;
  direction?: string;
  route?: string;
  methods?: readonly string[];
  authLevel?: string;
  schedule?: string;
  queueName?: string;
  connection?: string;
}

export interface TypedData {
  string?: string;
  json?: string;
  bytes?: Uint8Array;
  http?: HttpRequestData;
}

export interface HttpRequestData {
  url: string;
  method: string;
  nullableHeaders: Readonly<Record<string, { value: string }>>;
  nullableParams: Readonly<Record<string, { value: string }>>;
  body?: { bytes: Uint8Array };
}

export interface HttpResponseData {
  statusCode?: string;
  headers?: Readonly<Record<string, string>>;
  cookies?: readonly CookieData[];
  body?: { bytes?: Uint8Array; string?: string } | null;
}

/** Optional fields are wrapped, as on the wire between worker and host. */
export interface CookieData {
  name: string;
  value: string;
  domain?: { value: string };
  path?: { value: string };
  expires?: { value: { seconds: number | string } };
  secure?: { value: boolean };
  httpOnly?: { value: boolean };
  sameSite?: 'none' | 'lax' | 'strict' | 'explicitNone';
  maxAge?: { value: number };
}

export interface InvocationResponse {
  returnValue?: { http?: HttpResponseData } | null;
}

export type HookContext = Record<string, unknown>;

export interface InvocationModel {
  getArguments(): Promise<{ context: unknown; inputs: unknown[] }>;
  invokeFunction(
    context: unknown,
    inputs: unknown[],
    callback: (...inputs: unknown[]) => unknown,
  ): Promise<unknown>;
  getResponse(context: unknown, result: unknown): Promise<InvocationResponse>;
}

export interface ProgrammingModel {
  getCapabilities?(capabilities: Record<string, string>): Promise<Record<string, string>>;
  getInvocationModel(invocation: {
    invocationId: string;
    metadata: { name: string; bindings: Readonly<Record<string, Binding>> };
    request: Record<string, unknown>;
    log(level: LogLevel, category: string, message: string): void;
  }): InvocationModel;
}
