/** What is measured. `infra/workbook.json` asks for the same names (a test compares). */
export const metrics = {
  fetchDuration: {
    name: 'postroom.fetch.duration',
    kind: 'histogram',
    unit: 's',
    description: 'How long one fetch of one mailbox took, by result',
  },
  mails: {
    name: 'postroom.mails',
    kind: 'counter',
    unit: '{mail}',
    description: 'Mails by what became of them: ticket, reply, quarantined, skipped',
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
    description: 'Tries to send an email, by result',
  },
  /** Counted in functions/http/record-refusal.ts, where the values of its dimension `reason` stand. */
  refusals: {
    name: 'postroom.refusals',
    kind: 'counter',
    unit: '{request}',
    description: 'Requests that were turned away, by reason',
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
    description: 'Mails in quarantine, by mailbox',
  },
  poisonSize: {
    name: 'postroom.poison.size',
    kind: 'gauge',
    unit: '{message}',
    description: 'Messages that the Functions host gave up and that still lie there, by queue',
  },
  expiryDays: {
    name: 'postroom.secret.expiry',
    kind: 'gauge',
    unit: 'd',
    description: 'Whole days until a secret expires, below zero afterwards',
  },
} as const;
export type MetricName = keyof typeof metrics;

/** Ids, counts, codes and results alone: no address, no text of an email, nothing secret. */
export type TelemetryFields = Readonly<Record<string, string | number | boolean | undefined>>;

export interface SpanHandle {
  add(fields: TelemetryFields): void;
  /** Something that happened at this moment inside the span. */
  event(name: string, fields?: TelemetryFields): void;
  /** Nothing came of it: the span is not sent. A minute in which a mailbox had nothing new is no news. */
  discard(): void;
}

export interface SpanOptions {
  fields?: TelemetryFields | undefined;
  /** W3C `traceparent` of what this goes on from; absent: the span around it. */
  parent?: string | undefined;
  /** W3C `traceparent` of another trace that it also belongs to. */
  link?: string | undefined;
}

/** Where spans and measurements go. */
export interface TelemetrySink {
  span<T>(name: string, options: SpanOptions, run: (span: SpanHandle) => Promise<T>): Promise<T>;
  measure(metric: MetricName, value: number, fields: TelemetryFields): void;
  traceparent(): string | undefined;
  /** Sends what has not been sent. */
  flush(): Promise<void>;
}

const unseen: SpanHandle = { add() {}, event() {}, discard() {} };
let sink: TelemetrySink | undefined;

/** From now on telemetry goes there; undefined: nowhere. */
export function sendTelemetryTo(next: TelemetrySink | undefined): void {
  sink = next;
}

/** Traces and metrics; costs a function call while they go nowhere. The library behind it: open-telemetry.ts. */
export const telemetry: TelemetrySink = {
  span: (name, options, run) => (sink === undefined ? run(unseen) : sink.span(name, options, run)),
  measure: (metric, value, fields) => sink?.measure(metric, value, fields),
  traceparent: () => sink?.traceparent(),
  flush: async () => sink?.flush(),
};
