/** The metrics. `infra/workbook.json` queries them by these names (a test compares the two). */
export const metrics = {
  fetchDuration: {
    name: 'postroom.fetch.duration',
    kind: 'histogram',
    unit: 's',
    description: 'How long one fetch of one mailbox took, by result',
  },
  emails: {
    name: 'postroom.emails',
    kind: 'counter',
    unit: '{mail}',
    description: 'Emails by outcome: ticket, reply, quarantined, skipped',
  },
  refreshes: {
    name: 'postroom.token.refreshes',
    kind: 'counter',
    unit: '{refresh}',
    description: 'Refreshes of access tokens, by result',
  },
  sends: {
    name: 'postroom.sends',
    kind: 'counter',
    unit: '{mail}',
    description: 'Attempts to send an email, by result',
  },
  /** Recorded by functions/http/record-refusal.ts, which defines the values of its dimension `reason`. */
  refusals: {
    name: 'postroom.refusals',
    kind: 'counter',
    unit: '{request}',
    description: 'Refused requests, by reason',
  },
  queueAge: {
    name: 'postroom.queue.age',
    kind: 'histogram',
    unit: 's',
    description: 'How long a message waited in its queue',
  },
  quarantineSize: {
    name: 'postroom.quarantine.size',
    kind: 'gauge',
    unit: '{mail}',
    description: 'Unimported emails, by mailbox',
  },
  poisonSize: {
    name: 'postroom.poison.size',
    kind: 'gauge',
    unit: '{message}',
    description: 'Messages in poison queues, by queue',
  },
  expiryDays: {
    name: 'postroom.secret.expiry',
    kind: 'gauge',
    unit: 'd',
    description: 'Whole days until a secret expires, negative afterwards',
  },
} as const;
export type MetricName = keyof typeof metrics;

/** Only IDs, counts, codes and results: no address, no text of an email, no secret. */
export type TelemetryFields = Readonly<Record<string, string | number | boolean | undefined>>;

export interface SpanHandle {
  add(fields: TelemetryFields): void;
  /** Records an event now, inside the span. */
  event(name: string, fields?: TelemetryFields): void;
  /**
   * Drops the span, for a run without a result worth recording, such as a fetch that found nothing new.
   */
  discard(): void;
}

export interface SpanOptions {
  fields?: TelemetryFields | undefined;
  /** W3C `traceparent` of the parent; absent: the active span. */
  parent?: string | undefined;
  /** W3C `traceparent` of another trace to link to. */
  link?: string | undefined;
}

/** Where spans and metrics are sent. */
export interface TelemetrySink {
  span<T>(name: string, options: SpanOptions, run: (span: SpanHandle) => Promise<T>): Promise<T>;
  measure(metric: MetricName, value: number, fields: TelemetryFields): void;
  traceparent(): string | undefined;
  /** Sends everything that is buffered. */
  flush(): Promise<void>;
}

const unseen: SpanHandle = { add() {}, event() {}, discard() {} };
let sink: TelemetrySink | undefined;

/** Sets where telemetry is sent; undefined turns it off. */
export function sendTelemetryTo(next: TelemetrySink | undefined): void {
  sink = next;
}

/**
 * Traces and metrics. While telemetry is off, a call costs one function call. open-telemetry.ts has the
 * library behind it.
 */
export const telemetry: TelemetrySink = {
  span: (name, options, run) => (sink === undefined ? run(unseen) : sink.span(name, options, run)),
  measure: (metric, value, fields) => sink?.measure(metric, value, fields),
  traceparent: () => sink?.traceparent(),
  flush: async () => sink?.flush(),
};
