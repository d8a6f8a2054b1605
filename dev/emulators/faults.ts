/** The request that a fault is matched with. */
export interface FaultRequest {
  method: string;
  /** Path without the tenant, for the identity provider; as sent, for the others. */
  path: string;
  /** Query and, for a POST of a form, its fields. */
  params: URLSearchParams;
}

/** A match that can be sent as JSON: `path` is a regular expression, every named field must be equal. */
export interface FaultPattern {
  method?: string;
  path?: string;
  params?: Record<string, string>;
}

/** One fault. `times` defaults to 1; `delay` (ms) may be alone or before `status` or `destroy`. */
export interface Fault {
  match: FaultPattern | ((request: FaultRequest) => boolean);
  times?: number;
  status?: number;
  body?: unknown;
  headers?: Record<string, string>;
  delay?: number;
  destroy?: boolean;
  /** The request is carried out, and its answer is lost. For mail of Graph only. */
  loseAnswer?: boolean;
}

const matches = (match: Fault['match'], request: FaultRequest): boolean => {
  if (typeof match === 'function') return match(request);
  if (match.method !== undefined && match.method !== request.method) return false;
  if (match.path !== undefined && !new RegExp(match.path).test(request.path)) return false;
  return Object.entries(match.params ?? {}).every(([name, value]) => request.params.get(name) === value);
};

/** The first matching fault, counted down and removed after its last use. */
export function takeFault<T extends Fault>(faults: T[], request: FaultRequest): T | undefined {
  const fault = faults.find((candidate) => matches(candidate.match, request));
  if (fault === undefined) return undefined;
  const left = (fault.times ?? 1) - 1;
  if (left <= 0) faults.splice(faults.indexOf(fault), 1);
  else fault.times = left;
  return fault;
}

/** Faults without their functions, as a control endpoint shows them. */
export function describeFaults(faults: readonly Fault[]): unknown[] {
  return faults.map((fault) =>
    typeof fault.match === 'function' ? { ...fault, match: 'a function' } : fault,
  );
}
