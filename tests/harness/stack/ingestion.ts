import { createServer } from 'node:https';
import { gunzipSync } from 'node:zlib';
import { makeCertificates } from '../../../dev/emulators/certificates.ts';
import { closeServer, listen, sendJson } from '../../../dev/emulators/http-answers.ts';

/** One item as received by Application Insights. */
export interface Envelope {
  name: string;
  tags: Record<string, string>;
  data: {
    baseType: string;
    baseData: {
      id?: string;
      name?: string;
      message?: string;
      success?: boolean;
      metrics?: { name: string; value: number; count?: number }[];
      properties?: Record<string, string>;
    };
  };
}

export interface Ingestion {
  connectionString: string;
  /** The private CA that clients have to trust. */
  ca: string;
  envelopes: Envelope[];
  /** All received data, as text. */
  said(): string;
  /** Authorization headers, in order. */
  authorizations: (string | undefined)[];
  stop(): Promise<void>;
}

/** An emulator of Application Insights' telemetry endpoint: `POST /v2.1/track`, gzipped JSON. */
export async function startIngestion(): Promise<Ingestion> {
  const { ca, cert, key } = await makeCertificates();
  const envelopes: Envelope[] = [];
  const authorizations: (string | undefined)[] = [];
  const server = createServer({ cert, key }, (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const bytes = Buffer.concat(chunks);
      const text = request.headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes;
      const sent = JSON.parse(text.toString('utf8')) as Envelope[];
      envelopes.push(...sent);
      authorizations.push(request.headers.authorization);
      sendJson(response, 200, { itemsReceived: sent.length, itemsAccepted: sent.length, errors: [] });
    });
  });
  const port = await listen(server, 'stand-in for Application Insights', 0);
  return {
    connectionString: `InstrumentationKey=11111111-2222-4333-8444-555555555555;IngestionEndpoint=https://localhost:${port}/`,
    ca,
    envelopes,
    said: () => JSON.stringify(envelopes),
    authorizations,
    stop: () => closeServer(server),
  };
}
