import { AsyncLocalStorage } from 'node:async_hooks';
import { hostname } from 'node:os';
import { AzureMonitorMetricExporter, AzureMonitorTraceExporter } from '@azure/monitor-opentelemetry-exporter';
import {
  type Attributes,
  type Context,
  type Meter,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  MeterProvider,
  PeriodicExportingMetricReader,
  type PushMetricExporter,
} from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider, BatchSpanProcessor, type SpanExporter } from '@opentelemetry/sdk-trace-base';
import type { TelemetrySettings } from './config.ts';
import { consoleMetrics, consoleSpans } from './console-telemetry.ts';
import { appCredential } from './credential.ts';
import { describeError } from './errors.ts';
import {
  type MetricName,
  metrics,
  type SpanHandle,
  type SpanOptions,
  type TelemetryFields,
  type TelemetrySink,
} from './telemetry.ts';

const METRICS_EVERY_MS = 60_000;

interface Exporters {
  spans: SpanExporter;
  metrics: PushMetricExporter;
}

/**
 * OpenTelemetry, exporting to Application Insights or to the console. Import this file only where telemetry
 * is on.
 */
export async function openTelemetry(settings: TelemetrySettings): Promise<TelemetrySink> {
  const exporters =
    settings.kind === 'console'
      ? { spans: consoleSpans, metrics: consoleMetrics }
      : await toAzureMonitor(settings);
  const resource = resourceFromAttributes({
    'service.name': 'postroom',
    'service.instance.id': `${hostname()}-${process.pid}`,
  });
  const spans = new BasicTracerProvider({
    resource,
    spanProcessors: [new BatchSpanProcessor(exporters.spans)],
  });
  const reader = new PeriodicExportingMetricReader({
    exporter: exporters.metrics,
    exportIntervalMillis: METRICS_EVERY_MS,
  });
  const meters = new MeterProvider({ resource, readers: [reader] });
  return sinkOf(spans, meters);
}

async function toAzureMonitor(settings: TelemetrySettings & { kind: 'azure-monitor' }): Promise<Exporters> {
  // biome-ignore lint/style/noProcessEnv: without it the exporter also tells Microsoft about itself, and takes no option
  process.env['APPLICATION_INSIGHTS_NO_STATSBEAT'] ??= 'true';
  const { connectionString, identity } = settings;
  const options = {
    connectionString,
    // Telemetry that can't be sent is dropped: an instance's disk disappears with the instance.
    disableOfflineStorage: true,
    ...(identity !== undefined && { credential: await appCredential(identity.clientId) }),
  };
  return {
    spans: new AzureMonitorTraceExporter(options),
    metrics: new AzureMonitorMetricExporter(options),
  };
}

function sinkOf(spans: BasicTracerProvider, meters: MeterProvider): TelemetrySink {
  const tracer = spans.getTracer('postroom');
  const record = recorderOf(meters.getMeter('postroom'));
  const current = new AsyncLocalStorage<Context>();

  return {
    async span(name, options, run) {
      const parent = parentOf(options, current.getStore());
      const link = remoteContext(options.link);
      const span = tracer.startSpan(
        name,
        {
          attributes: attributesOf(options.fields),
          ...(link !== undefined && { links: [{ context: link }] }),
        },
        parent,
      );
      let wanted = true;
      const handle = handleOf(span, () => {
        wanted = false;
      });
      try {
        return await current.run(trace.setSpan(parent, span), () => run(handle));
      } catch (error) {
        wanted = true;
        // Described by us: a third-party error message may contain its input.
        span.setStatus({ code: SpanStatusCode.ERROR, message: describeError(error) });
        throw error;
      } finally {
        // A span that is never ended is never exported.
        if (wanted) span.end();
      }
    },
    measure: (metric, value, fields) => record[metric](value, attributesOf(fields)),
    traceparent() {
      const context = current.getStore();
      const own = context && trace.getSpanContext(context);
      return own && `00-${own.traceId}-${own.spanId}-${own.traceFlags.toString(16).padStart(2, '0')}`;
    },
    async flush() {
      await Promise.all([spans.forceFlush(), meters.forceFlush()]);
    },
  };
}

function handleOf(span: Span, discard: () => void): SpanHandle {
  return {
    add: (fields) => span.setAttributes(attributesOf(fields)),
    event: (name, fields) => span.addEvent(name, attributesOf(fields)),
    discard,
  };
}

function parentOf({ parent }: SpanOptions, around: Context | undefined): Context {
  const remote = remoteContext(parent);
  if (remote !== undefined) return trace.setSpanContext(ROOT_CONTEXT, remote);
  return around ?? ROOT_CONTEXT;
}

/** Reads a `traceparent` (https://www.w3.org/TR/trace-context/#traceparent-header); undefined for anything else. */
function remoteContext(traceparent: string | undefined): SpanContext | undefined {
  const parts = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$/.exec(traceparent ?? '');
  const [, traceId = '', spanId = ''] = parts ?? [];
  // Always sampled, whatever the host decided for its own spans: ours are few, and a trace with missing
  // spans is useless.
  return parts === null ? undefined : { traceId, spanId, traceFlags: 1, isRemote: true };
}

const attributesOf = (fields: TelemetryFields = {}): Attributes =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Attributes;

type Record = (value: number, attributes: Attributes) => void;

function recorderOf(meter: Meter): { [name in MetricName]: Record } {
  const make = (name: MetricName): Record => {
    const { name: published, kind, unit, description } = metrics[name];
    const options = { unit, description };
    switch (kind) {
      case 'counter': {
        const counter = meter.createCounter(published, options);
        return (value, attributes) => counter.add(value, attributes);
      }
      case 'histogram': {
        const histogram = meter.createHistogram(published, options);
        return (value, attributes) => histogram.record(value, attributes);
      }
      case 'gauge': {
        const gauge = meter.createGauge(published, options);
        return (value, attributes) => gauge.record(value, attributes);
      }
    }
  };
  const names = Object.keys(metrics) as MetricName[];
  return Object.fromEntries(names.map((name) => [name, make(name)])) as { [name in MetricName]: Record };
}
