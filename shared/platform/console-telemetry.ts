import type { PushMetricExporter, ResourceMetrics } from '@opentelemetry/sdk-metrics';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace-base';
import { type LogField, log } from './log.ts';

const DONE = { code: 0 } as const;
const nothing = async (): Promise<void> => {};

/** Writes telemetry to the log on a developer's machine: one line for each span and each data point. */
export const consoleSpans: SpanExporter = {
  export(spans, done) {
    for (const span of spans) log.info('span', lineOf(span));
    done(DONE);
  },
  shutdown: nothing,
};

export const consoleMetrics: PushMetricExporter = {
  export({ scopeMetrics }: ResourceMetrics, done) {
    for (const { descriptor, dataPoints } of scopeMetrics.flatMap((scope) => scope.metrics))
      for (const { value, attributes } of dataPoints)
        log.info('metric', { name: descriptor.name, value: toLogField(value), ...fieldsOf(attributes) });
    done(DONE);
  },
  forceFlush: nothing,
  shutdown: nothing,
};

function lineOf(span: ReadableSpan): Record<string, LogField> {
  const { traceId, spanId } = span.spanContext();
  const [seconds, nanoseconds] = span.duration;
  return {
    name: span.name,
    ms: Math.round(seconds * 1000 + nanoseconds / 1e6),
    trace: traceId,
    span: spanId,
    parent: span.parentSpanContext?.spanId,
    failed: span.status.message,
    events:
      span.events.map(({ name, attributes }) => `${name} ${toLogField(attributes)}`).join('; ') || undefined,
    ...fieldsOf(span.attributes),
  };
}

const toLogField = (value: unknown): LogField =>
  typeof value === 'number' || typeof value === 'string' ? value : JSON.stringify(value);

const fieldsOf = (attributes: Readonly<Record<string, unknown>>): Record<string, LogField> =>
  Object.fromEntries(Object.entries(attributes).map(([name, value]) => [`field.${name}`, toLogField(value)]));
